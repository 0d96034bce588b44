"""`miniapp.calls` against an API that is right, and wrong in each way a browser or an app would feel."""

from dataclasses import replace
from typing import Any

import pytest

from checks.failures import verdict_of
from checks.miniapp.calls import MiniappCalls, MiniappCallsConfig, MiniappCallsSeen
from checks.miniapp.init_data import hashed_key
from checks.miniapp.login import Login, Try
from checks.miniapp.route import Route
from checks.result import Fact, Outcome, Reason
from tests.checks.miniapp.login_api import ORIGIN, TOKEN, LoginApi
from tests.fakes import NOW, answered, io_for

OK, DEGRADED, FAILED, UNKNOWN = Outcome.OK, Outcome.DEGRADED, Outcome.FAILED, Outcome.UNKNOWN
ALLOWED = {"Access-Control-Allow-Origin": ORIGIN}
POST: dict[str, Any] = {"login": "/auth/telegram", "form": "json initData"}


def calls_check(api_url: str = "http://127.0.0.1:1", **own: Any) -> MiniappCalls:
    fields = {"id": "miniapp.calls", "service": "nexus-api", "api_url": api_url, "key": hashed_key(TOKEN), **own}
    return MiniappCalls(MiniappCallsConfig(**fields))


@pytest.mark.real
@pytest.mark.parametrize(
    ("api", "own", "outcome", "reason", "summary"),
    [
        (LoginApi(), {}, OK, None, "2 calls with a login, and browsers may"),
        (LoginApi(), {"calls": ("/me", "/me/tasks")}, OK, None, "2 calls with a login, and browsers may"),
        (LoginApi(**POST), {"calls": ("/me",)}, OK, None, "1 call with a login, and browsers may"),
        (LoginApi(**POST, gives={}, cookie="session-1"), {"calls": ("/me",)}, OK, None, "1 call with a login, and "),
        (LoginApi(**POST, gives={}), {"calls": ("/me",)}, UNKNOWN, Reason.NOT_CONFIGURED, "not called: the login gave"),
        (LoginApi(token="1:b"), {}, UNKNOWN, Reason.DEPENDENCY_DOWN, "not called: the login is not accepted"),
        (LoginApi(described=False), {}, UNKNOWN, Reason.NOT_CONFIGURED, "no login is known"),
        (
            LoginApi(bad_call=("/me/tasks", 500, "boom")),
            {"calls": ("/me", "/me/tasks")},
            FAILED,
            Reason.HTTP_STATUS,
            "/me/tasks 500",
        ),
        (
            LoginApi(bad_call=("/me/tasks", 403, "{}")),
            {"calls": ("/me/tasks",)},
            DEGRADED,
            Reason.HTTP_STATUS,
            "/me/tasks 403 with an accepted login",
        ),
        (
            LoginApi(bad_call=("/me/tasks", 200, "<html>")),
            {"calls": ("/me/tasks",)},
            FAILED,
            Reason.BODY_MISMATCH,
            "/me/tasks is no JSON",
        ),
        (LoginApi(preflight=405), {}, FAILED, Reason.AUTH_REJECTED, "browsers may not call the API: preflight 405"),
        (
            LoginApi(cors={}),
            {},
            FAILED,
            Reason.AUTH_REJECTED,
            "browsers may not call the API: the preflight has no Access-Control-Allow-Origin",
        ),
        (
            LoginApi(cors={"Access-Control-Allow-Origin": "https://old.example.net"}),
            {},
            FAILED,
            Reason.AUTH_REJECTED,
            "browsers may not call the API: only https://old.example.net is allowed, the app is at " + ORIGIN,
        ),
        (
            LoginApi(cors={**ALLOWED, "Access-Control-Allow-Headers": "*"}),
            {},
            FAILED,
            Reason.AUTH_REJECTED,
            "browsers may not call the API: the header authorization is not allowed",
        ),
        (
            LoginApi(form="header X-Init-Data", cors={**ALLOWED, "Access-Control-Allow-Headers": "*"}),
            {},
            OK,
            None,
            "2 calls with a login, and browsers may",
        ),
    ],
)
async def test_calls_tell(
    serve, api: LoginApi, own: dict[str, Any], outcome: Outcome, reason: Reason | None, summary: str
) -> None:
    check = calls_check(await serve(api.answer), page_url=f"{ORIGIN}/app", **own)

    verdict = check.judge(await check.measure(io_for()), NOW)

    assert (verdict.outcome, verdict.reason) == (outcome, reason)
    assert verdict.summary.startswith(summary)
    assert bool(verdict.hint) == (outcome is not OK)
    assert "session-1" not in str(verdict.evidence)


@pytest.mark.real
async def test_an_app_on_the_apis_own_origin_asks_nothing_first(serve) -> None:
    api = LoginApi(cors={})
    base = await serve(api.answer)
    check = calls_check(base, page_url=f"{base}/app/")

    verdict = check.judge(await check.measure(io_for()), NOW)

    assert (verdict.outcome, verdict.summary) == (OK, "2 calls with a login")
    assert not any(asked.startswith("OPTIONS") for asked in api.asked)


LOGIN = Login(Route("GET", "https://api.example.net/me"), (Try("header Authorization tma", answered(200, "{}")),))
SEEN = MiniappCallsSeen(LOGIN, True, (answered(200, "{}", url="https://api.example.net/me"),))


def test_a_slow_call_is_degraded() -> None:
    slow = replace(SEEN, answers=(*SEEN.answers, answered(200, "[]", url="https://api.example.net/a", seconds=3.0)))

    verdict = calls_check().judge(slow, NOW)

    assert (verdict.outcome, verdict.reason, verdict.summary) == (DEGRADED, Reason.SLOW, "/a took 3 s")
    assert verdict.values == {"latency_seconds": 3.0}


def test_no_call_at_all_is_ok() -> None:
    assert calls_check().judge(replace(SEEN, answers=()), NOW).summary == "0 calls with a login"


def test_a_refused_connection_names_the_host() -> None:
    error = verdict_of(ConnectionRefusedError())
    assert error is not None

    told = calls_check("https://api.example.net").on_failure(error)

    assert told.summary == "Mini App's calls: connection refused"
    assert told.evidence.facts[0] == Fact("host", "api.example.net")
