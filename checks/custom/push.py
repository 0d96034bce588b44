"""Kind `push`: a dead-man's switch. A job calls the monitor when it has run; silence is the failure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from pydantic import SecretStr, field_validator

from checks.base import IO, Check, CheckConfig, Push, Seconds, Secret
from checks.failures import unseen
from checks.result import Fact, Reason, Verdict, failed, ok, unknown
from checks.wording import duration, shortened

SHORTEST_TOKEN = 16


class PushConfig(CheckConfig):
    """Whose call is waited for, and how long."""

    kind: Literal["push"] = "push"
    interval_seconds: Seconds = 30.0
    timeout_seconds: Seconds = 5.0
    token: Secret
    """What the job shows to be let in: at least 16 characters, one for each job."""
    period_seconds: Seconds
    """How often the job runs."""
    grace_seconds: Seconds = 300.0
    """How much later than that a call may come."""

    @field_validator("token")
    @classmethod
    def _is_long_enough(cls, token: SecretStr) -> SecretStr:
        if len(token.get_secret_value()) < SHORTEST_TOKEN:
            raise ValueError(f"must have at least {SHORTEST_TOKEN} characters")
        return token


@dataclass(frozen=True, slots=True)
class PushSeen:
    """The last call; None before the first."""

    last: Push | None


class PushSwitch(Check[PushConfig, PushSeen]):
    """Ask the monitor's own database when the job called last."""

    Config = PushConfig

    async def measure(self, io: IO) -> PushSeen:
        """Read the last call."""
        return PushSeen(await io.last_push(self.config.id))

    def judge(self, seen: PushSeen, now: datetime, before: Sequence[PushSeen] = ()) -> Verdict:
        """Judge what the job said, then how long ago."""
        config, last = self.config, seen.last
        if last is None:
            return unknown(
                Reason.NOT_CONFIGURED, "never called yet: the first call arms it",
                hint=f"End the job with a call of <monitor>/push/{config.id}: docs/configuration.md has the line.",
            )  # fmt: skip
        age_seconds = max(0.0, (now - last.at).total_seconds())
        facts = (
            Fact("last call", f"{last.at:%Y-%m-%d %H:%M:%S} UTC"),
            Fact("it said", ("ok" if last.is_good else "failed") + (f": {last.message}" if last.message else "")),
            Fact("period", config.period_seconds, "s"),
            Fact("grace", config.grace_seconds, "s"),
        )
        values = {"last_call_seconds": age_seconds}
        late_seconds = age_seconds - config.period_seconds
        if late_seconds > config.grace_seconds:
            return failed(
                Reason.SILENT, f"no call for {duration(age_seconds)}, expected every {duration(config.period_seconds)}",
                *facts, hint=f"Did the job of {config.service} run? Look at its scheduler, then at the job's own log.",
                values=values, certain=True,
            )  # fmt: skip
        if not last.is_good:
            said = f": {shortened(last.message, 80)}" if last.message else ""
            return failed(
                Reason.DEPENDENCY_DOWN, f"the job says that it failed, {duration(age_seconds)} ago{said}", *facts,
                hint=f"Look at the log of {config.service} at that time; its next good call resolves this.",
                values=values, certain=True,
            )  # fmt: skip
        late = f", {duration(late_seconds)} late" if late_seconds > 0 else ""
        return ok(f"called {duration(age_seconds)} ago{late}", *facts, values=values)

    def on_failure(self, verdict: Verdict) -> Verdict:
        """Say that it could not be looked at: our own database failed, not the job."""
        return unseen(verdict)
