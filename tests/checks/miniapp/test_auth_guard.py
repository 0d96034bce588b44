"""`miniapp.auth_guard` against an API that refuses forged logins, and ones that take them."""

from typing import Any

import pytest

from checks.failures import verdict_of
from checks.miniapp.auth_guard import MiniappAuthGuard, MiniappAuthGuardConfig, MiniappAuthGuardSeen
from checks.miniapp.init_data import Forgery, hashed_key
from checks.miniapp.login import Login, Try
from checks.miniapp.route import Route
from checks.result import Outcome, Reason, Verdict
from tests.checks.miniapp.login_api import TOKEN, LoginApi
from tests.fakes import NOW, answered, io_for

OK, DEGRADED, UNKNOWN = Outcome.OK, Outcome.DEGRADED, Outcome.UNKNOWN
TAKEN = Login(Route("GET", "https://api.example.net/me"), (Try("header X-A", answered(200, "{}")),), None)


def guard_of(api_url: str = "http://127.0.0.1:1", **own: Any) -> MiniappAuthGuard:
    fields = {"id": "miniapp.auth_guard", "service": "nexus-api", "api_url": api_url, "key": hashed_key(TOKEN), **own}
    return MiniappAuthGuard(MiniappAuthGuardConfig(**fields))


async def guard(serve, api: LoginApi) -> Verdict:
    check = guard_of(await serve(api.answer))
    return check.judge(await check.measure(io_for()), NOW)


@pytest.mark.real
@pytest.mark.parametrize(
    ("api", "outcome", "reason", "summary"),
    [
        (LoginApi(), OK, None, "all 5 forged logins are refused"),
        (LoginApi(login="/auth/telegram", form="json initData"), OK, None, "all 5 forged logins are refused"),
        (
            LoginApi(takes=("signature",)),
            DEGRADED,
            Reason.AUTH_ACCEPTED,
            "security: accepts a login that is tampered",
        ),
        (
            LoginApi(takes=("day ago", "future")),
            DEGRADED,
            Reason.AUTH_ACCEPTED,
            "security: accepts a login that is 3 days old, signed in the future",
        ),
        (
            LoginApi(takes=("nothing",), broken=("signature",)),
            DEGRADED,
            Reason.AUTH_ACCEPTED,
            "security: accepts a login that is missing",
        ),
        (
            LoginApi(broken=("not signed",)),
            UNKNOWN,
            Reason.HTTP_STATUS,
            "inconclusive: a login that is unsigned gets 500",
        ),
        (
            LoginApi(token="1:other"),
            UNKNOWN,
            Reason.DEPENDENCY_DOWN,
            "not tried: a genuine login is not accepted either",
        ),
        (LoginApi(described=False), UNKNOWN, Reason.NOT_CONFIGURED, "no login is known: the API does not describe one"),
    ],
)
async def test_guard_tells(serve, api: LoginApi, outcome: Outcome, reason: Reason | None, summary: str) -> None:
    verdict = await guard(serve, api)

    assert (verdict.outcome, verdict.reason, verdict.summary) == (outcome, reason, summary)
    assert bool(verdict.hint) == (outcome is not OK)
    assert "hash" not in str(verdict.evidence)


def test_a_guard_that_is_told_to_slow_down_proves_nothing() -> None:
    verdict = guard_of().judge(MiniappAuthGuardSeen(TAKEN, ((Forgery.OLD, answered(429)),)), NOW)

    assert (verdict.outcome, verdict.reason) == (UNKNOWN, Reason.RATE_LIMITED)


def test_a_refused_connection_is_unseen_for_the_guard() -> None:
    error = verdict_of(ConnectionRefusedError())
    assert error is not None

    assert guard_of().on_failure(error).outcome is UNKNOWN
