"""`miniapp.auth`: the API takes a login that the watched bot's key signed."""

from collections.abc import Sequence
from datetime import datetime
from typing import Literal

from checks.base import IO, Check, Seconds
from checks.failures import told_as
from checks.http import Exchange
from checks.miniapp.login import Login, LoginConfig, json_of, no_login_known, sign_in
from checks.result import Fact, Reason, Verdict, degraded, failed, ok, unknown
from checks.wording import address, duration


class MiniappAuthConfig(LoginConfig):
    """How to sign in."""

    kind: Literal["miniapp.auth"] = "miniapp.auth"
    interval_seconds: Seconds = 60.0
    timeout_seconds: Seconds = 10.0
    slow_seconds: Seconds = 2.0
    """Above this it is degraded."""


class MiniappAuth(Check[MiniappAuthConfig, Login]):
    """Sign in once with init data minted for a user who does not exist."""

    Config = MiniappAuthConfig
    remembers = 20

    async def measure(self, io: IO) -> Login:
        """Try the usual forms until one is accepted."""
        return await sign_in(io, self.config)

    def judge(self, seen: Login, now: datetime, before: Sequence[Login] = ()) -> Verdict:
        """Judge the accepted answer; else what the refusals mean."""
        if seen.route is None:
            return no_login_known()
        facts = seen.facts()
        taken = seen.accepted
        if taken is None:
            return self._refusal(seen, facts, was_accepted=any(one.accepted is not None for one in before))
        took = taken.answer.phases.total_seconds
        values = taken.answer.phases.values()
        if json_of(taken.answer) is None:
            return failed(
                Reason.BODY_MISMATCH, f"login {taken.answer.status}, but its answer is not JSON", *facts,
                *taken.answer.facts(), hint="A rewrite to the page, or another service, answers at the login's "
                "address: check the API's address and its routes.",
                excerpt=taken.answer.excerpt, values=values,
            )  # fmt: skip
        summary = f"login {taken.answer.status} in {duration(took)}"
        if took > self.config.slow_seconds:
            return degraded(
                Reason.SLOW, f"{summary}, slower than {duration(self.config.slow_seconds)}", *facts,
                hint=f"{self.config.service} is slow to sign people in: look at its database and its load.",
                values=values,
            )  # fmt: skip
        return ok(summary, *facts, values=values)

    def on_failure(self, verdict: Verdict) -> Verdict:
        """Say it of the login."""
        service = self.config.service
        hints = {
            Reason.CONNECTION_REFUSED: f"Render → {service} → Events: crashed, or deploying?",
            Reason.TIMEOUT: f"Render → {service} → Logs: is it hung, or does it wait for its database?",
        }
        return told_as(verdict, "login", hints, Fact("host", address(self.config.login_url or self.config.api_url)))

    def _refusal(self, seen: Login, facts: tuple[Fact, ...], *, was_accepted: bool) -> Verdict:
        last = seen.tries[-1].answer
        summary = f"a genuine login is refused: {last.status}"
        service = self.config.service
        if last.status == 429:
            return unknown(
                Reason.RATE_LIMITED, "login 429: too many", *facts, hint="Look less often: interval_seconds."
            )
        if last.status >= 500:
            return failed(
                Reason.HTTP_STATUS, f"login {last.status}", *facts, excerpt=last.excerpt,
                hint=f"Render → {service} → Logs: the login breaks before it can answer; see the traceback.",
            )  # fmt: skip
        if last.status in (404, 405):
            return failed(
                Reason.MISSING, f"login {last.status}: the route is gone", *facts, excerpt=last.excerpt,
                hint=f"Was the router of the login left out, or its path changed? Compare with {service}'s routes, "
                "and set checks.miniapp.auth.login_url.",
            )  # fmt: skip
        read = next((one.answer for one in seen.tries if _was_read(one.answer, seen.without)), None)
        if read is not None or was_accepted or self.config.send_as is not None:
            told = read or last
            return failed(
                Reason.AUTH_REJECTED, f"a genuine login is refused: {told.status}", *facts, excerpt=told.excerpt,
                hint=f"BOT_TOKEN of {service} is not the watched bot's (set it, redeploy), or its clock is wrong.",
            )  # fmt: skip
        return unknown(
            Reason.NOT_CONFIGURED, f"{summary}, in every usual form", *facts, excerpt=last.excerpt,
            hint="Say in monitor.yaml how the app sends init data, e.g. checks.miniapp.auth.send_as: "
            "header X-My-Init-Data (or json FIELD, or query NAME).",
        )  # fmt: skip


def _was_read(answer: Exchange, without: Exchange | None) -> bool:
    """Say whether the API read the login it refused: it answers otherwise where there is none."""
    return (
        without is not None
        and answer.status in (400, 401, 403)
        and (answer.status, answer.body) != (without.status, without.body)
    )
