"""`bot.guard`: its judgement, and both updates sent over loopback."""

import pytest
from aiohttp import web

from checks.bot.guard import WRONG_SECRET, BotGuard, BotGuardConfig, BotGuardSeen
from checks.failures import verdict_of
from checks.result import Fact, Outcome, Reason
from tests.fakes import NOW, answered, io_for

URL = "https://nexus-bot.onrender.com/hook/s3cretpath"


def check_of(url: str = URL) -> BotGuard:
    return BotGuard(BotGuardConfig(id="bot.guard", service="nexus-bot", url=url))  # type: ignore[arg-type]


JUDGED = {
    "both refused": (401, 401, Outcome.OK, None, "the webhook refuses a wrong and a missing secret"),
    "refused in another way": (403, 404, Outcome.OK, None, "the webhook refuses a wrong and a missing secret"),
    "open": (
        200,
        200,
        Outcome.DEGRADED,
        Reason.AUTH_ACCEPTED,
        "security: the webhook takes updates with a wrong secret and without a secret",
    ),
    "open to the wrong": (
        204,
        401,
        Outcome.DEGRADED,
        Reason.AUTH_ACCEPTED,
        "security: the webhook takes updates with a wrong secret",
    ),
    "open without one, beside an error": (
        500,
        200,
        Outcome.DEGRADED,
        Reason.AUTH_ACCEPTED,
        "security: the webhook takes updates without a secret",
    ),
    "an error proves nothing": (
        401,
        502,
        Outcome.UNKNOWN,
        Reason.HTTP_STATUS,
        "inconclusive: the webhook answers 502",
    ),
    "nor does a rate limit": (
        429,
        401,
        Outcome.UNKNOWN,
        Reason.RATE_LIMITED,
        "inconclusive: 429 before the secret was looked at",
    ),
}


@pytest.mark.parametrize(("wrong", "missing", "outcome", "reason", "summary"), JUDGED.values(), ids=JUDGED)
def test_judge(wrong: int, missing: int, outcome: Outcome, reason: Reason | None, summary: str) -> None:
    verdict = check_of().judge(BotGuardSeen(answered(wrong), answered(missing)), NOW)

    assert (verdict.outcome, verdict.reason, verdict.summary) == (outcome, reason, summary)
    assert verdict.evidence.facts == (
        Fact("host", "nexus-bot.onrender.com"),
        Fact("status with a wrong secret", wrong),
        Fact("status without a secret", missing),
    )
    assert "s3cretpath" not in repr(verdict)


def test_a_bot_that_is_away_proves_nothing() -> None:
    error = verdict_of(ConnectionRefusedError())
    assert error is not None

    told = check_of().on_failure(error)

    assert (told.outcome, told.reason, told.summary) == (
        Outcome.UNKNOWN,
        Reason.VANTAGE,
        "webhook: connection refused",
    )


@pytest.mark.real
async def test_a_wrong_secret_and_none_are_sent(serve) -> None:
    secrets: list[str | None] = []

    async def handler(request: web.Request) -> web.Response:
        assert await request.json() == {"update_id": 1}
        secrets.append(request.headers.get("X-Telegram-Bot-Api-Secret-Token"))
        return web.Response(status=401)

    check = check_of(f"{await serve(handler)}/hook")

    assert check.judge(await check.measure(io_for()), NOW).outcome is Outcome.OK
    assert secrets == [WRONG_SECRET, None]
