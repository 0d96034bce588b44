"""`vantage.loop`: our own event loop is on time, so that what we measure is the target and not ourselves."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from checks.base import IO, Check, CheckConfig, Seconds
from checks.result import Fact, Reason, Verdict, failed, ok
from checks.wording import duration


class VantageLoopConfig(CheckConfig):
    """How late is too late."""

    kind: Literal["vantage.loop"] = "vantage.loop"
    interval_seconds: Seconds = 5.0
    timeout_seconds: Seconds = 2.0
    retry_seconds: Seconds = 5.0
    late_seconds: Seconds = 1.0


@dataclass(frozen=True, slots=True)
class VantageLoopSeen:
    """The largest lateness of late."""

    lag_seconds: float


class VantageLoop(Check[VantageLoopConfig, VantageLoopSeen]):
    """Ask the loop how late it was."""

    Config = VantageLoopConfig

    async def measure(self, io: IO) -> VantageLoopSeen:
        """Read the meter."""
        return VantageLoopSeen(io.loop_lag_seconds())

    def judge(self, seen: VantageLoopSeen, now: datetime, before: Sequence[VantageLoopSeen] = ()) -> Verdict:
        """Late above the limit is failed."""
        lag = seen.lag_seconds
        facts = (Fact("lag", round(lag, 4), "s"), Fact("limit", self.config.late_seconds, "s"))
        values = {"lag_seconds": lag}
        if lag > self.config.late_seconds:
            return failed(
                Reason.VANTAGE, f"the monitor itself is {duration(lag)} late", *facts,
                hint="The monitor's machine is out of CPU or was paused: give it more, or run fewer checks.",
                values=values,
            )  # fmt: skip
        return ok(f"on time, {duration(lag)} late at most", *facts, values=values)
