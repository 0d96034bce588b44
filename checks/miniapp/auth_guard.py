"""`miniapp.auth_guard`: the API refuses logins that Telegram did not sign, or not lately."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from checks.base import IO, Check, Seconds
from checks.failures import told_as, unseen
from checks.http import Exchange
from checks.miniapp.init_data import Forgery
from checks.miniapp.login import Login, LoginConfig, forged, is_accepted, no_login_known, send, sign_in
from checks.result import Fact, Reason, Verdict, degraded, ok, unknown
from checks.wording import listed

_HINTS = {
    Forgery.TAMPERED: "Anybody can sign in as anybody: compare the hash over all fields, with hmac.compare_digest.",
    Forgery.UNSIGNED: "Anybody can sign in as anybody: refuse init data without a hash.",
    Forgery.MISSING: "The route needs no login: guard it, or name one that needs it in "
    "checks.miniapp.auth_guard.login_url.",
    Forgery.OLD: "A login that leaked works for ever: refuse an auth_date older than a day.",
    Forgery.FUTURE: "A login dated ahead outlives the age limit: refuse an auth_date in the future.",
}
"""The worst first."""


class MiniappAuthGuardConfig(LoginConfig):
    """Where to try."""

    kind: Literal["miniapp.auth_guard"] = "miniapp.auth_guard"
    interval_seconds: Seconds = 900.0
    timeout_seconds: Seconds = 15.0
    severity: Literal["page", "warning"] = "warning"


@dataclass(frozen=True, slots=True)
class MiniappAuthGuardSeen:
    """A genuine login, then the answers to forged ones."""

    login: Login
    answers: tuple[tuple[Forgery, Exchange], ...] = ()


class MiniappAuthGuard(Check[MiniappAuthGuardConfig, MiniappAuthGuardSeen]):
    """Sign in with five forged logins: each must be refused."""

    Config = MiniappAuthGuardConfig

    async def measure(self, io: IO) -> MiniappAuthGuardSeen:
        """Learn from a genuine login in which form to send, then send the forged ones."""
        login = await sign_in(io, self.config)
        if login.route is None or login.accepted is None:
            return MiniappAuthGuardSeen(login)
        form = login.accepted.form
        answers = [(one, await send(io, login.route, form, forged(self.config, one, io))) for one in _HINTS]
        return MiniappAuthGuardSeen(login, tuple(answers))

    def judge(self, seen: MiniappAuthGuardSeen, now: datetime, before: Sequence[MiniappAuthGuardSeen] = ()) -> Verdict:
        """Any yes is a finding; where the API breaks, nothing is proved."""
        if seen.login.route is None:
            return no_login_known()
        facts = (*seen.login.facts()[:1], *(Fact(one.value, answer.status) for one, answer in seen.answers))
        if seen.login.accepted is None:
            return unknown(
                Reason.DEPENDENCY_DOWN, "not tried: a genuine login is not accepted either", *seen.login.facts(),
                hint="See miniapp.auth.",
            )  # fmt: skip
        taken = [one for one, answer in seen.answers if is_accepted(answer)]
        if taken:
            names = listed([one.value for one in taken], 5)
            return degraded(
                Reason.AUTH_ACCEPTED, f"security: accepts a login that is {names}", *facts, hint=_HINTS[taken[0]]
            )
        broken = [(one, answer) for one, answer in seen.answers if answer.status >= 500 or answer.status == 429]
        if broken:
            one, answer = broken[0]
            return unknown(
                Reason.RATE_LIMITED if answer.status == 429 else Reason.HTTP_STATUS,
                f"inconclusive: a login that is {one.value} gets {answer.status}", *facts, excerpt=answer.excerpt,
                hint="It must be refused with 401, not break: see the API's traceback." if answer.status != 429 else "",
            )  # fmt: skip
        return ok(f"all {len(seen.answers)} forged logins are refused", *facts)

    def on_failure(self, verdict: Verdict) -> Verdict:
        """Say that it could not be tried: that the API is away is said by others."""
        return unseen(told_as(verdict, "forged login", {}))
