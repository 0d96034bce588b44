"""What is found about the bot: each of Telegram's answers, and the bot's own health endpoint."""

from typing import Any

import pytest
from aiohttp import web
from pydantic import SecretStr

from monitor.config.found import Found, Sight
from monitor.config.settings import Settings
from monitor.discovery.look import discover
from tests.checks.conftest import Serve

pytestmark = pytest.mark.real
TOKEN = "123456789:AAabcdefghijklmnopqrstuvwxyz012345678"
BUTTON = {"type": "web_app", "text": "Open", "web_app": {"url": "https://m.example/app?v=1#x"}}


async def found_by(serve: Serve, results: dict[str, Any], *, webhook: str | None = None, status: int = 200) -> Found:
    async def telegram(request: web.Request) -> web.Response:
        method = request.path.rpartition("/")[2]
        if status != 200 or method not in results:
            return web.json_response({"ok": False, "error_code": status, "description": "Unauthorized"}, status=status)
        return web.json_response({"ok": True, "result": results[method]})

    url = await serve(telegram)
    return await discover(Settings(bot_token=SecretStr(TOKEN), telegram_api_url=url, webhook_url=webhook))


def health_of(body: Any, path: str = "/health") -> Any:
    async def bot(request: web.Request) -> web.Response:
        if request.path != path:
            return web.Response(status=404)
        return web.json_response(body)

    return bot


async def test_telegram_s_answers_become_what_is_known(serve: Serve) -> None:
    bot = await serve(health_of({"routers": ["basics", "admin"]}, "/healthz"))
    results = {
        "getMe": {"id": 42, "username": "nexus_bot"},
        "getWebhookInfo": {"url": f"{bot}/hook/"},
        "getMyCommands": [{"command": "start"}, {"command": "help"}, "?"],
        "getChatMenuButton": BUTTON,
    }
    found = await found_by(serve, results)
    assert {name: thing.values for name, thing in found.things().items() if thing.sight is Sight.FOUND} == {
        "bot_id": ("42",),
        "bot_username": ("nexus_bot",),
        "webhook_url": (f"{bot}/hook/",),
        "commands": ("help", "start"),
        "miniapp_url": ("https://m.example/app",),
        "bot_health_url": (f"{bot}/healthz",),
        "modules": ("admin", "basics"),
    }
    assert TOKEN not in repr(found)


@pytest.mark.parametrize(
    ("button", "why"),
    [
        ({"type": "commands"}, "the bot's menu button opens no Mini App"),
        ({"type": "web_app", "web_app": {"url": "tg://x"}}, "the menu button's address is no web page"),
        (
            {"type": "web_app", "web_app": {"url": "https://t.me/nexus/app"}},
            "the menu button leads to t.me, behind which the page cannot be seen",
        ),
        ("?", "the bot's menu button opens no Mini App"),
    ],
)
async def test_a_menu_button_without_a_page_names_the_setting(serve: Serve, button: Any, why: str) -> None:
    found = await found_by(serve, {"getChatMenuButton": button, "getWebhookInfo": {"url": ""}})
    assert (found.miniapp_url.sight, found.miniapp_url.why, found.miniapp_url.setting) == (
        Sight.ABSENT, why, "MINIAPP_URL",
    )  # fmt: skip
    assert (found.webhook_url.why, found.webhook_url.setting) == ("the bot has no webhook", "WEBHOOK_URL")
    assert found.modules.sight is Sight.UNREACHED


async def test_a_refused_token_leaves_everything_unreached(serve: Serve) -> None:
    found = await found_by(serve, {}, status=401)
    assert found.commands.sight is Sight.UNREACHED
    assert found.commands.why == "Telegram answers getMyCommands with 401 Unauthorized"
    assert found.commands.setting == "BOT_TOKEN"


@pytest.mark.parametrize(
    ("body", "why"),
    [({"status": "ok"}, "its health JSON lists no modules"), ([1], "its health JSON lists no modules")],
)
async def test_a_bot_that_lists_no_modules(serve: Serve, body: Any, why: str) -> None:
    bot = await serve(health_of(body))
    found = await found_by(serve, {"getWebhookInfo": {"url": f"{bot}/hook"}})
    assert found.bot_health_url.value == f"{bot}/health"
    assert (found.modules.sight, found.modules.why) == (Sight.ABSENT, why)


async def test_a_configured_webhook_tells_where_the_bot_is(serve: Serve) -> None:
    bot = await serve(health_of({"modules": ["a"]}))
    found = await found_by(serve, {}, webhook=f"{bot}/hook")
    assert found.modules.values == ("a",)


async def test_a_bot_without_a_health_endpoint_and_a_failing_one(serve: Serve) -> None:
    async def failing(_: web.Request) -> web.Response:
        return web.Response(status=500)

    assert (await found_by(serve, {}, webhook=await serve(health_of({}, "/x")))).modules.sight is Sight.ABSENT
    found = await found_by(serve, {}, webhook=await serve(failing))
    assert (found.modules.sight, found.modules.why) == (Sight.UNREACHED, "the bot answers 500")
