"""`bot.identity`: its judgement, and one getMe over loopback."""

import pytest
from aiohttp import web

from checks.bot.identity import BotIdentity, BotIdentityConfig, BotIdentitySeen
from checks.failures import verdict_of
from checks.result import Fact, Outcome, Reason
from checks.telegram_api import Answer
from tests.fakes import NOW, io_for

TOKEN = "123456789:AAF" + "x" * 32
ME = Answer(200, True, {"id": 123456789, "username": "nexus_bot"}, "", None, 0.03)


def check_of(**settings: object) -> BotIdentity:
    return BotIdentity(BotIdentityConfig(id="bot.identity", service="nexus-bot", token=TOKEN, **settings))  # type: ignore[arg-type]


def refused(status: int) -> Answer:
    return Answer(status, False, None, "", None, 0.03)


JUDGED = {
    "any bot": ({}, ME, Outcome.OK, None, "the token is @nexus_bot's"),
    "as expected": (
        {"expected_id": 123456789, "expected_username": "@Nexus_Bot"},
        ME,
        Outcome.OK,
        None,
        "the token is @nexus_bot's",
    ),
    "another name": (
        {"expected_username": "shop_bot"},
        ME,
        Outcome.FAILED,
        Reason.DRIFT,
        "the token is of another bot: @nexus_bot, not @shop_bot",
    ),
    "another number": (
        {"expected_id": 7},
        ME,
        Outcome.FAILED,
        Reason.DRIFT,
        "the token is of another bot: @nexus_bot, not number 7",
    ),
    "nobody": (
        {"expected_id": 7},
        Answer(200, True, [], "", None, 0.03),
        Outcome.FAILED,
        Reason.DRIFT,
        "the token is of another bot: @, not number 7",
    ),
    "revoked": (
        {},
        refused(401),
        Outcome.FAILED,
        Reason.AUTH_REJECTED,
        "getMe 401: Telegram refuses the bot's token",
    ),
    "too many calls": ({}, refused(429), Outcome.UNKNOWN, Reason.RATE_LIMITED, "getMe 429: Telegram did not say"),
    "telegram down": ({}, refused(502), Outcome.UNKNOWN, Reason.VANTAGE, "getMe 502: Telegram did not say"),
}


@pytest.mark.parametrize(("settings", "answer", "outcome", "reason", "summary"), JUDGED.values(), ids=JUDGED)
def test_judge(
    settings: dict[str, object], answer: Answer, outcome: Outcome, reason: Reason | None, summary: str
) -> None:
    verdict = check_of(**settings).judge(BotIdentitySeen(answer), NOW)

    assert (verdict.outcome, verdict.reason, verdict.summary) == (outcome, reason, summary)
    assert bool(verdict.hint) == (outcome is not Outcome.OK)
    assert verdict.certain == (outcome is Outcome.FAILED)
    assert TOKEN not in repr(verdict)


def test_a_network_error_on_the_way_to_telegram_is_unknown() -> None:
    error = verdict_of(TimeoutError(), 10.0)
    assert error is not None

    told = check_of().on_failure(error)

    assert (told.outcome, told.summary) == (Outcome.UNKNOWN, "getMe: no answer within 10 s")


@pytest.mark.real
async def test_a_real_answer_is_read(serve) -> None:
    async def handler(request: web.Request) -> web.Response:
        assert request.path == f"/bot{TOKEN}/getMe"
        return web.json_response({"ok": True, "result": {"id": 123456789, "is_bot": True, "username": "nexus_bot"}})

    check = check_of(api_base_url=await serve(handler), expected_username="nexus_bot")
    verdict = check.judge(await check.measure(io_for()), NOW)

    assert verdict.outcome is Outcome.OK
    assert verdict.evidence.facts[:2] == (Fact("bot", "@nexus_bot"), Fact("id", 123456789))
