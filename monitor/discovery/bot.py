"""Asks Telegram about the watched bot: who it is, its webhook, commands, Mini App; and the bot about its modules."""

import asyncio
from collections.abc import Mapping
from typing import Any, get_args
from urllib.parse import urlsplit

import httpx

from checks.base import IO, Secret
from checks.bot.modules import USUAL_PATHS, modules_in
from checks.failures import attempt
from checks.http import Exchange, exchange
from checks.redaction import redact_url
from checks.result import Verdict
from checks.telegram_api import Answer, Method, ask
from monitor.config.found import Add, Sight, Thing

_OWN = {"miniapp_url": "MINIAPP_URL", "webhook_url": "WEBHOOK_URL"}
_TOLD_BY: Mapping[str, Method] = {
    "bot_id": "getMe",
    "bot_username": "getMe",
    "webhook_url": "getWebhookInfo",
    "commands": "getMyCommands",
    "miniapp_url": "getChatMenuButton",
}


async def look_at_bot(io: IO, token: Secret, api_base_url: str, webhook_url: str | None, add: Add) -> None:
    """Ask Telegram's four questions at once, then the bot. `webhook_url` is the configured one, if any."""
    answers = await _answers(io, token, api_base_url)
    things = {name: _read(name, answers[method]) for name, method in _TOLD_BY.items()}
    add(things)
    webhook = webhook_url or things["webhook_url"].value
    if webhook is None:
        why = "the bot's address is its webhook's, and that was not found"
        add({name: Thing(Sight.UNREACHED, why=why, setting="WEBHOOK_URL") for name in ("bot_health_url", "modules")})
        return
    add(await _parts_of_bot(io, webhook))


async def _answers(io: IO, token: Secret, api_base_url: str) -> dict[Method, Answer | Verdict]:
    async def one(method: Method) -> Answer | Verdict:
        look = ask(io, token, method, api_base_url=api_base_url)
        return await attempt(look, httpx.TransportError, httpx.DecodingError, timeout_seconds=io.timeout_seconds)

    async with asyncio.TaskGroup() as group:
        tasks = {
            method: group.create_task(one(method), name=f"discover {method}")
            for method in get_args(Method)
            if method in _TOLD_BY.values()
        }
    return {method: task.result() for method, task in tasks.items()}


def _read(name: str, answer: Answer | Verdict) -> Thing:
    how = _TOLD_BY[name]
    setting = _OWN.get(name, "")
    if isinstance(answer, Verdict):
        return Thing(Sight.UNREACHED, how=how, why=f"Telegram: {answer.summary}", setting=setting)
    if not answer.is_ok:
        why = f"Telegram answers {how} with {answer.status} {answer.description}".strip()
        return Thing(Sight.UNREACHED, how=how, why=why, setting="BOT_TOKEN" if answer.status == 401 else setting)
    values, why = _values(name, answer.result)
    if values:
        return Thing(Sight.FOUND, values, how)
    return Thing(Sight.ABSENT, how=how, why=why, setting=setting)


def _values(name: str, result: Any) -> tuple[tuple[str, ...], str]:
    """Return what Telegram's result says about this thing, or why it says nothing."""
    fields = result if isinstance(result, dict) else {}
    if name == "commands":
        listed = result if isinstance(result, list) else []
        names = {str(item["command"]) for item in listed if isinstance(item, dict) and item.get("command")}
        return tuple(sorted(names)), "the bot has set no commands"
    if name == "webhook_url":
        return _given(fields.get("url")), "the bot has no webhook"
    if name == "miniapp_url":
        return _miniapp(fields)
    return _given(fields.get("id" if name == "bot_id" else "username")), "Telegram does not say"


def _given(value: Any) -> tuple[str, ...]:
    return (str(value),) if value else ()


def _miniapp(button: Mapping[str, Any]) -> tuple[tuple[str, ...], str]:
    if button.get("type") != "web_app":
        return (), "the bot's menu button opens no Mini App"
    app = button.get("web_app")
    url = str(app.get("url", "")) if isinstance(app, dict) else ""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        return (), "the menu button's address is no web page"
    if parts.hostname in ("t.me", "telegram.me"):
        return (), f"the menu button leads to {parts.hostname}, behind which the page cannot be seen"
    return (parts._replace(query="", fragment="").geturl(),), ""


async def _parts_of_bot(io: IO, webhook: str) -> dict[str, Thing]:
    """Return the health endpoint beside the webhook, and the modules that it lists."""
    parts = urlsplit(webhook)
    origin = f"{parts.scheme}://{parts.netloc}"
    unread: Thing | None = None
    health: dict[str, Thing] | None = None
    for path in USUAL_PATHS:
        answer = await attempt(
            exchange(io, "GET", origin + path, headers={"accept": "application/json"}),
            httpx.TransportError, httpx.DecodingError, timeout_seconds=io.timeout_seconds,
        )  # fmt: skip
        if isinstance(answer, Verdict):
            gone = Thing(Sight.UNREACHED, how=f"GET {path}", why=answer.summary)
            return {"bot_health_url": gone, "modules": gone}
        if answer.is_success and answer.content_type != "text/html":
            how = f"GET {path} at {redact_url(origin)}"
            found = {"bot_health_url": Thing(Sight.FOUND, (origin + path,), how), "modules": _modules(answer, how)}
            if found["modules"].values:
                return found
            health = health or found
        if answer.status >= 500:
            unread = Thing(Sight.UNREACHED, how=f"GET {path}", why=f"the bot answers {answer.status}")
    if health is not None:
        return health
    if unread is not None:
        return {"bot_health_url": unread, "modules": unread}
    why = "the bot has no health endpoint beside its webhook"
    return {
        "bot_health_url": Thing(Sight.ABSENT, why=why, setting="checks.bot.modules.path"),
        "modules": Thing(Sight.ABSENT, why=why, setting="checks.bot.modules.path"),
    }


def _modules(answer: Exchange, how: str) -> Thing:
    modules = modules_in(answer)
    names = () if modules is None else tuple(sorted({*modules.loaded, *modules.broken}))
    if names:
        return Thing(Sight.FOUND, names, how)
    return Thing(Sight.ABSENT, how=how, why="its health JSON lists no modules", setting="`modules` in that JSON")
