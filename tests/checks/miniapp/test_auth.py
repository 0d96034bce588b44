"""`miniapp.auth` against an API that is right, and wrong in each way it is for."""

from dataclasses import replace
from typing import Any

import pytest

from checks.failures import verdict_of
from checks.miniapp.auth import MiniappAuth, MiniappAuthConfig
from checks.miniapp.init_data import hashed_key
from checks.miniapp.login import Login, Try
from checks.miniapp.route import Route
from checks.result import Outcome, Reason, Verdict
from tests.checks.miniapp.login_api import TOKEN, LoginApi
from tests.fakes import NOW, answered, io_for

OK, DEGRADED, FAILED, UNKNOWN = Outcome.OK, Outcome.DEGRADED, Outcome.FAILED, Outcome.UNKNOWN


def auth_of(api_url: str = "http://127.0.0.1:1", **own: Any) -> MiniappAuth:
    fields = {"id": "miniapp.auth", "service": "nexus-api", "api_url": api_url, "key": hashed_key(TOKEN), **own}
    return MiniappAuth(MiniappAuthConfig(**fields))


async def auth(serve, api: LoginApi, **own: Any) -> Verdict:
    check = auth_of(await serve(api.answer), **own)
    return check.judge(await check.measure(io_for()), NOW)


@pytest.mark.real
@pytest.mark.parametrize(
    ("api", "outcome", "reason", "summary"),
    [
        (LoginApi(), OK, None, "login 200 in "),
        (LoginApi(form="header X-Init-Data"), OK, None, "login 200 in "),
        (LoginApi(login="/auth/telegram", form="json init_data"), OK, None, "login 200 in "),
        (LoginApi(token="1:other"), FAILED, Reason.AUTH_REJECTED, "a genuine login is refused: 401"),
        (LoginApi(status=500), FAILED, Reason.HTTP_STATUS, "login 500"),
        (LoginApi(status=404), FAILED, Reason.MISSING, "login 404: the route is gone"),
        (LoginApi(status=429), UNKNOWN, Reason.RATE_LIMITED, "login 429: too many"),
        (LoginApi(html=True), FAILED, Reason.BODY_MISMATCH, "login 200, but its answer is not JSON"),
        (LoginApi(described=False), UNKNOWN, Reason.NOT_CONFIGURED, "no login is known: "),
        (
            LoginApi(form="header X-Own"),
            UNKNOWN,
            Reason.NOT_CONFIGURED,
            "a genuine login is refused: 401, in every usual form",
        ),
        (LoginApi(login="/auth/telegram", form="json initData", gives={"ok": False}), FAILED, Reason.AUTH_REJECTED, ""),
    ],
)
async def test_auth_tells(serve, api: LoginApi, outcome: Outcome, reason: Reason | None, summary: str) -> None:
    if api.gives == {"ok": False}:
        verdict = await auth(serve, api, send_as="json initData")
    else:
        verdict = await auth(serve, api)

    assert (verdict.outcome, verdict.reason) == (outcome, reason)
    assert verdict.summary.startswith(summary)
    assert bool(verdict.hint) == (outcome is not OK)
    assert "hash" not in str(verdict.evidence)


@pytest.mark.real
@pytest.mark.parametrize(
    ("form", "own"),
    [("header X-Own", {"send_as": "header X-Own"}), ("query tg", {"send_as": "query tg"})],
)
async def test_a_configured_login_is_used_as_it_is(serve, form: str, own: dict[str, str]) -> None:
    api = LoginApi(form=form, described=False)
    base = await serve(api.answer)
    check = auth_of(base, login_url=f"{base}/me", **own)

    verdict = check.judge(await check.measure(io_for()), NOW)

    assert verdict.outcome is OK
    assert api.asked == ["GET /me"]


REFUSED = Login(
    Route("GET", "https://api.example.net/me"),
    (Try("header X-A", answered(401, '{"detail":"no"}')),),
    answered(401, '{"detail":"no"}'),
)
TAKEN = replace(REFUSED, tries=(Try("header X-A", answered(200, "{}")),), without=None)


@pytest.mark.parametrize(
    ("seen", "before", "own", "outcome", "reason"),
    [
        (REFUSED, (), {}, UNKNOWN, Reason.NOT_CONFIGURED),
        (REFUSED, (REFUSED, TAKEN), {}, FAILED, Reason.AUTH_REJECTED),
        (REFUSED, (), {"send_as": "header X-A"}, FAILED, Reason.AUTH_REJECTED),
        (replace(REFUSED, without=answered(403, "{}")), (), {}, FAILED, Reason.AUTH_REJECTED),
        (TAKEN, (), {}, OK, None),
        (TAKEN, (), {"slow_seconds": 0.01}, DEGRADED, Reason.SLOW),
    ],
)
def test_auth_judges(
    seen: Login, before: tuple[Login, ...], own: dict[str, Any], outcome: Outcome, reason: Reason | None
) -> None:
    verdict = auth_of(**own).judge(seen, NOW, before)

    assert (verdict.outcome, verdict.reason) == (outcome, reason)


def test_a_refused_connection_is_the_apis() -> None:
    error = verdict_of(ConnectionRefusedError())
    assert error is not None

    assert auth_of().on_failure(error).summary == "login: connection refused"
    assert auth_of().on_failure(error).hint.startswith("Render → nexus-api → Events")
