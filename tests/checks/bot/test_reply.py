"""`bot.reply`: its judgement, and the real helper file in a real aiogram bot over loopback."""

import json
from typing import Any

import pytest
from aiohttp import web

from checks.bot.probe import PROBE_HEADER
from checks.bot.reply import BotReply, BotReplyConfig, BotReplySeen
from checks.failures import verdict_of
from checks.http import Exchange
from checks.result import Fact, Outcome, Reason
from tests.fakes import NOW, answered, io_for

URL = "https://nexus-bot.onrender.com/hook/s3cretpath"
SECRET = "webhook-secret"


def check_of(url: str = URL, secret_token: str | None = SECRET, **settings: object) -> BotReply:
    return BotReply(
        BotReplyConfig(
            id="bot.reply",
            service="nexus-bot",
            url=url,  # type: ignore[arg-type]
            secret_token=secret_token,  # type: ignore[arg-type]
            **settings,  # type: ignore[arg-type]
        )
    )


def greeting(why: str = "") -> Exchange:
    return answered(200, json.dumps({"nexus_probe": 1, "ready": not why, "why": why}))


def sent(text: str, *, method: str = "sendMessage", to_probe: bool = True) -> dict[str, object]:
    return {"method": method, "text": text, "to_probe": to_probe}


def report(*calls: dict[str, object], seconds: float = 0.041, **more: object) -> Exchange:
    body = {"nexus_probe": 1, "done": True, "handled": True, "error": None, "lost": False, "calls": calls} | more
    return answered(200, json.dumps(body), seconds=seconds)


HELLO = sent("Here is what I can do")

JUDGED: dict[str, tuple[BotReplySeen, Outcome, Reason | None, str]] = {
    "answered": (BotReplySeen(greeting(), report(HELLO)), Outcome.OK, None, "/help: answered in 41 ms"),
    "answered beside other calls": (
        BotReplySeen(greeting(), report(sent("", method="sendChatAction"), HELLO)),
        Outcome.OK,
        None,
        "/help: answered in 41 ms",
    ),
    "slow": (
        BotReplySeen(greeting(), report(HELLO, seconds=3.2)),
        Outcome.DEGRADED,
        Reason.SLOW,
        "/help: answered in 3.2 s, slower than 3 s",
    ),
    "raises": (
        BotReplySeen(greeting(), report(error="ValueError")),
        Outcome.FAILED,
        Reason.SILENT,
        "/help: its handler raises ValueError",
    ),
    "hangs": (
        BotReplySeen(greeting(), report(done=False, handled=None, seconds=7.0)),
        Outcome.FAILED,
        Reason.TIMEOUT,
        "/help: its handler did not end in 7 s",
    ),
    "nobody takes it": (
        BotReplySeen(greeting(), report(handled=False)),
        Outcome.DEGRADED,
        Reason.MISSING,
        "/help: no handler takes it",
    ),
    "says nothing": (BotReplySeen(greeting(), report()), Outcome.FAILED, Reason.SILENT, "/help: no reply"),
    "speaks to somebody else": (
        BotReplySeen(greeting(), report(sent("hello", to_probe=False))),
        Outcome.FAILED,
        Reason.SILENT,
        "/help: no reply",
    ),
    "webhook raises": (
        BotReplySeen(greeting(), answered(500, "boom")),
        Outcome.FAILED,
        Reason.HTTP_STATUS,
        "/help: webhook 500, the handler raises",
    ),
    "webhook refuses": (
        BotReplySeen(answered(401, "Unauthorized")),
        Outcome.FAILED,
        Reason.AUTH_REJECTED,
        "/help: webhook 401, the bot refuses the call",
    ),
    "no helper": (
        BotReplySeen(answered(200, "{}")),
        Outcome.UNKNOWN,
        Reason.NOT_CONFIGURED,
        "not observable: the bot has no reply probe",
    ),
    "no helper, and no JSON": (
        BotReplySeen(answered(200, "ok")),
        Outcome.UNKNOWN,
        Reason.NOT_CONFIGURED,
        "not observable: the bot has no reply probe",
    ),
    "the next instance has no helper yet": (
        BotReplySeen(greeting(), answered(200, "{}")),
        Outcome.UNKNOWN,
        Reason.NOT_CONFIGURED,
        "not observable: the bot has no reply probe",
    ),
    "another key": (
        BotReplySeen(greeting("signature")),
        Outcome.UNKNOWN,
        Reason.NOT_CONFIGURED,
        "the bot's reply probe does not know our signature",
    ),
    "another time": (
        BotReplySeen(greeting("clock")),
        Outcome.UNKNOWN,
        Reason.NOT_CONFIGURED,
        "the bot's clock and ours differ by more than 5 min",
    ),
    "no secret": (
        BotReplySeen(None),
        Outcome.UNKNOWN,
        Reason.NOT_CONFIGURED,
        "not observable: there is no secret to sign a command with",
    ),
}


@pytest.mark.parametrize(("seen", "outcome", "reason", "summary"), JUDGED.values(), ids=JUDGED)
def test_judge(seen: BotReplySeen, outcome: Outcome, reason: Reason | None, summary: str) -> None:
    verdict = check_of().judge(seen, NOW)

    assert (verdict.outcome, verdict.reason, verdict.summary) == (outcome, reason, summary)
    assert bool(verdict.hint) == (outcome is not Outcome.OK)
    assert "s3cretpath" not in repr(verdict)


def test_another_text_than_expected_is_degraded() -> None:
    check = check_of(command="/stats now", expected_text="People:")

    told = check.judge(BotReplySeen(greeting(), report(sent("No numbers now"))), NOW)
    good = check.judge(BotReplySeen(greeting(), report(sent("Wait…"), sent("People: 2"))), NOW)

    assert (told.outcome, told.reason) == (Outcome.DEGRADED, Reason.BODY_MISMATCH)
    assert told.summary == "/stats now: another reply than 'People:'"
    assert good.outcome is Outcome.OK
    assert Fact("reply", "Wait… / People: 2") in good.evidence.facts


def test_a_reply_that_nobody_sends_is_told_from_an_await_that_was_forgotten() -> None:
    lost = check_of().judge(BotReplySeen(greeting(), report(lost=True)), NOW)
    forgotten = check_of().judge(BotReplySeen(greeting(), report()), NOW)

    assert "feed_webhook_update" in lost.hint
    assert "await forgotten" in forgotten.hint


def test_a_refused_connection_says_where_to_look() -> None:
    error = verdict_of(ConnectionRefusedError())
    assert error is not None
    assert check_of().on_failure(error).hint.startswith("Render → nexus-bot → Events")


@pytest.mark.real
async def test_a_bot_without_the_helper_never_gets_the_command(serve) -> None:
    bodies: list[Any] = []

    async def handler(request: web.Request) -> web.Response:
        bodies.append(await request.json())
        assert request.headers["X-Telegram-Bot-Api-Secret-Token"] == SECRET
        assert SECRET not in request.headers[PROBE_HEADER]
        return web.json_response({})

    check = check_of(f"{await serve(handler)}/hook")

    assert check.judge(await check.measure(io_for()), NOW).reason is Reason.NOT_CONFIGURED
    assert bodies == [{"update_id": 1}]


async def test_without_a_secret_nothing_is_sent() -> None:
    assert await check_of("http://127.0.0.1:1/hook", None).measure(io_for()) == BotReplySeen(None)
