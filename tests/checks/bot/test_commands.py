"""`bot.commands`: its judgement, and one getMyCommands over loopback."""

import pytest
from aiohttp import web

from checks.bot.commands import BotCommands, BotCommandsConfig, BotCommandsSeen
from checks.failures import verdict_of
from checks.result import Fact, Outcome, Reason
from checks.telegram_api import Answer
from tests.fakes import NOW, io_for

TOKEN = "123456789:AAF" + "x" * 32
GOOD = Answer(200, True, [], "", None, 0.03)


def check_of(**settings: object) -> BotCommands:
    return BotCommands(BotCommandsConfig(id="bot.commands", service="nexus-bot", token=TOKEN, **settings))  # type: ignore[arg-type]


JUDGED = {
    "nothing expected": ((), ("start", "help"), Outcome.OK, None, "2 commands in the bot's menu"),
    "no menu, nothing expected": ((), (), Outcome.OK, None, "0 commands in the bot's menu"),
    "as expected": (("/start", "help"), ("help", "start"), Outcome.OK, None, "2 commands in the bot's menu"),
    "one missing": (
        ("start", "stats"),
        ("start",),
        Outcome.DEGRADED,
        Reason.MISSING,
        "/stats not in the bot's menu",
    ),
    "one too much": (
        ("start",),
        ("start", "debug"),
        Outcome.DEGRADED,
        Reason.DRIFT,
        "/debug in the bot's menu, not expected",
    ),
    "missing before too much": (
        ("start",),
        ("debug",),
        Outcome.DEGRADED,
        Reason.MISSING,
        "/start not in the bot's menu",
    ),
}


@pytest.mark.parametrize(("expected", "commands", "outcome", "reason", "summary"), JUDGED.values(), ids=JUDGED)
def test_judge(
    expected: tuple[str, ...], commands: tuple[str, ...], outcome: Outcome, reason: Reason | None, summary: str
) -> None:
    verdict = check_of(expected_commands=expected).judge(BotCommandsSeen(GOOD, commands), NOW)

    assert (verdict.outcome, verdict.reason, verdict.summary) == (outcome, reason, summary)
    assert bool(verdict.hint) == (outcome is not Outcome.OK)


def test_evidence_lists_what_is_there_what_lacks_and_what_is_too_much() -> None:
    facts = check_of(expected_commands=("a", "b")).judge(BotCommandsSeen(GOOD, ("b", "c")), NOW).evidence.facts

    assert facts[:3] == (Fact("commands", "/b, /c"), Fact("missing", "/a"), Fact("not expected", "/c"))


def test_a_refused_token_is_told() -> None:
    verdict = check_of().judge(BotCommandsSeen(Answer(401, False, None, "Unauthorized", None, 0.03)), NOW)

    assert (verdict.outcome, verdict.reason) == (Outcome.FAILED, Reason.AUTH_REJECTED)


def test_a_network_error_on_the_way_to_telegram_is_unknown() -> None:
    error = verdict_of(ConnectionRefusedError())
    assert error is not None
    assert check_of().on_failure(error).outcome is Outcome.UNKNOWN


@pytest.mark.real
async def test_a_real_answer_is_read(serve) -> None:
    async def handler(request: web.Request) -> web.Response:
        assert request.path == f"/bot{TOKEN}/getMyCommands"
        return web.json_response({"ok": True, "result": [{"command": "start", "description": "Say hello"}]})

    seen = await check_of(api_base_url=await serve(handler)).measure(io_for())

    assert seen.commands == ("start",)
