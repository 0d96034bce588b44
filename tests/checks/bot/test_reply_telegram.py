"""`bot.reply_telegram`: its judgement, and two bots in a private group of the demo's own Telegram."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
from aiohttp.test_utils import TestServer
from pydantic import SecretStr, ValidationError

from checks.bot.prober import call
from checks.bot.reply_telegram import BotReplyTelegram, BotReplyTelegramConfig, BotReplyTelegramSeen
from checks.failures import verdict_of
from checks.result import Fact, Outcome, Reason
from checks.telegram_api import Answer
from demo.botapi.__main__ import server_for
from demo.botapi.config import NEXUS_TOKEN, WorldConfig
from demo.botapi.control import create_app
from demo.botapi.server import BotApi
from demo.nexus.bot.app import create_app as create_bot
from demo.nexus.bot.settings import Settings
from demo.servers import free_port
from tests.fakes import NOW, io_for

PROBER_TOKEN = "710000003:AAFdemoProberBotTokenIsPublic00000003"
GROUP = -1002000000009
WORLD = {
    "bots": [
        {"token": NEXUS_TOKEN, "username": "nexus_demo_bot", "name": "Nexus"},
        {
            "token": PROBER_TOKEN,
            "username": "nexus_prober_bot",
            "name": "Prober",
            "reads_all_messages": True,
            "talks_to_bots": True,
        },
    ],
    "groups": [{"id": GROUP, "title": "Probe", "administrators": ["nexus_prober_bot"]}],
}


def check_of(**settings: object) -> BotReplyTelegram:
    given = {"token": NEXUS_TOKEN, "prober_token": PROBER_TOKEN, "chat_id": str(GROUP)} | settings
    config = BotReplyTelegramConfig(id="bot.reply_telegram", service="nexus-bot", **given)  # type: ignore[arg-type]
    return BotReplyTelegram(config)


def answer(result: object = True) -> Answer:
    return Answer(200, True, result, "", None, 0.03)


def refused(status: int, description: str = "") -> Answer:
    return Answer(status, False, None, description, None, 0.03)


def seen_of(**more: Any) -> BotReplyTelegramSeen:
    given = {"polled": answer([]), "sent": answer({}), "reply": "pong 3f9a1c", "round_trip_seconds": 0.4} | more
    return BotReplyTelegramSeen(answer({}), "nexus_bot", **given)


JUDGED: dict[str, tuple[BotReplyTelegramSeen, Outcome, Reason | None, str]] = {
    "answered": (seen_of(), Outcome.OK, None, "/ping@nexus_bot: answered through Telegram in 400 ms"),
    "slow": (
        seen_of(round_trip_seconds=12.0),
        Outcome.DEGRADED,
        Reason.SLOW,
        "/ping@nexus_bot: answered through Telegram in 12 s",
    ),
    "silent": (
        seen_of(reply=None, round_trip_seconds=24.0),
        Outcome.FAILED,
        Reason.SILENT,
        "/ping@nexus_bot: no reply through Telegram in 24 s",
    ),
    "token refused": (
        BotReplyTelegramSeen(refused(401)),
        Outcome.FAILED,
        Reason.AUTH_REJECTED,
        "getMe 401: Telegram refuses the bot's token",
    ),
    "getMe says nothing": (
        BotReplyTelegramSeen(answer([])),
        Outcome.UNKNOWN,
        Reason.VANTAGE,
        "getMe 200: Telegram did not say",
    ),
    "another poller before": (
        seen_of(polled=refused(409), sent=None, reply=None),
        Outcome.UNKNOWN,
        Reason.NOT_CONFIGURED,
        "the prober cannot read its updates: 409",
    ),
    "another poller between": (
        seen_of(polled=refused(409), reply=None),
        Outcome.UNKNOWN,
        Reason.NOT_CONFIGURED,
        "the prober cannot read its updates: 409",
    ),
    "telegram down between": (
        seen_of(polled=refused(502), reply=None),
        Outcome.UNKNOWN,
        Reason.VANTAGE,
        "the prober cannot read its updates: 502",
    ),
    "thrown out of the group": (
        seen_of(sent=refused(403, "Forbidden: bot was kicked"), reply=None),
        Outcome.UNKNOWN,
        Reason.NOT_CONFIGURED,
        "the prober cannot write into the group: 403",
    ),
    "too many messages": (
        seen_of(sent=refused(429), reply=None),
        Outcome.UNKNOWN,
        Reason.RATE_LIMITED,
        "the prober cannot write into the group: 429",
    ),
}


@pytest.mark.parametrize(("seen", "outcome", "reason", "summary"), JUDGED.values(), ids=JUDGED)
def test_judge(seen: BotReplyTelegramSeen, outcome: Outcome, reason: Reason | None, summary: str) -> None:
    verdict = check_of().judge(seen, NOW)

    assert (verdict.outcome, verdict.reason, verdict.summary) == (outcome, reason, summary)
    assert bool(verdict.hint) == (outcome is not Outcome.OK)
    assert NEXUS_TOKEN not in repr(verdict)


def test_a_network_error_on_the_way_to_telegram_is_unknown() -> None:
    error = verdict_of(TimeoutError(), 30.0)
    assert error is not None
    assert check_of().on_failure(error).outcome is Outcome.UNKNOWN


def test_the_watched_bot_cannot_probe_itself() -> None:
    with pytest.raises(ValidationError, match="prober_token is the watched bot's own"):
        check_of(prober_token=NEXUS_TOKEN)


@pytest.mark.parametrize("method", ["setWebhook", "deleteWebhook", "banChatMember"])
async def test_the_prober_has_three_methods_and_no_more(method: str) -> None:
    with pytest.raises(ValueError, match=f"Bot API method {method} is not allowed"):
        await call(io_for(), SecretStr(PROBER_TOKEN), method, {}, api_base_url="http://127.0.0.1:1")  # type: ignore[arg-type]


@asynccontextmanager
async def _telegram() -> AsyncIterator[tuple[str, httpx.AsyncClient]]:
    api = create_app(BotApi(WorldConfig.model_validate(WORLD)), speed=20)
    server = server_for(api, host="127.0.0.1", port=0)
    async with asyncio.TaskGroup() as group:
        group.create_task(server.serve(), name="telegram")
        async with asyncio.timeout(10):
            while not server.started:
                await asyncio.sleep(0.01)
        base = f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
        try:
            async with httpx.AsyncClient(base_url=base, trust_env=False) as client:
                yield base, client
        finally:
            server.should_exit = True


@asynccontextmanager
async def _nexus_bot(telegram_url: str) -> AsyncIterator[None]:
    port = free_port()
    settings = Settings(
        bot_token=NEXUS_TOKEN,
        webhook_secret="hush",
        redis_url=f"redis://127.0.0.1:{free_port()}/0",
        telegram_api_url=telegram_url,
        webhook_url=f"http://127.0.0.1:{port}/webhook",
        api_url=f"http://127.0.0.1:{free_port()}",
        miniapp_url="http://127.0.0.1:4001",
    )
    server = TestServer(create_bot(settings), port=port)
    await server.start_server()
    try:
        async with asyncio.timeout(10), httpx.AsyncClient(trust_env=False) as client:
            health = f"http://127.0.0.1:{port}/health"
            while not (await client.get(health)).json()["registration"]["is_done"]:
                await asyncio.sleep(0.02)
        yield
    finally:
        await server.close()


@pytest.mark.real
async def test_the_real_bot_answers_through_the_demos_telegram_and_nothing_is_left() -> None:
    async with _telegram() as (base, client), _nexus_bot(base):
        check = check_of(api_base_url=base)
        for _ in range(2):
            verdict = check.judge(await check.measure(io_for(10)), NOW)
            assert verdict.outcome is Outcome.OK
        left = (await client.get("/_/messages", params={"chat": str(GROUP)})).json()
        calls = (await client.get("/_/calls", params={"bot": "nexus_demo_bot"})).json()
    reply = next(fact for fact in verdict.evidence.facts if fact.name == "reply")
    assert str(reply.value).startswith("pong ")
    assert verdict.evidence.facts[0] == Fact("asked", "/ping@nexus_demo_bot")
    assert left == []
    at_start = {"setMyCommands", "setChatMenuButton", "setWebhook"}
    assert {one["method"] for one in calls} - at_start == {"getMe", "sendMessage"}


@pytest.mark.real
async def test_a_silent_bot_a_lost_group_and_a_second_poller_are_told_apart() -> None:
    async with _telegram() as (base, client):
        silent = check_of(api_base_url=base)
        verdict = silent.judge(await silent.measure(io_for(2)), NOW)
        left = (await client.get("/_/messages", params={"chat": str(GROUP)})).json()
        lost = check_of(api_base_url=base, chat_id="-1001")
        no_group = lost.judge(await lost.measure(io_for(2)), NOW)
        await client.post(f"/bot{PROBER_TOKEN}/setWebhook", json={"url": "http://127.0.0.1:1/hook"})
        has_webhook = silent.judge(await silent.measure(io_for(2)), NOW)
        nameless = check_of(api_base_url=base, token="710000009:AAF" + "x" * 32)
        unknown_token = nameless.judge(await nameless.measure(io_for(2)), NOW)
    assert (verdict.outcome, verdict.reason) == (Outcome.FAILED, Reason.SILENT)
    assert left == []
    assert no_group.summary == "the prober cannot write into the group: 400"
    assert has_webhook.summary == "the prober cannot read its updates: 409"
    assert unknown_token.reason is Reason.AUTH_REJECTED
