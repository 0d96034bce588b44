"""`vantage.store`: the monitor's own database takes a row and gives it back."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from checks.base import IO, Check, CheckConfig, Seconds
from checks.failures import told_as
from checks.result import Fact, Reason, Verdict, ok
from checks.wording import duration


class VantageStoreConfig(CheckConfig):
    """Nothing of its own: the monitor knows its database."""

    kind: Literal["vantage.store"] = "vantage.store"
    interval_seconds: Seconds = 30.0
    timeout_seconds: Seconds = 5.0


@dataclass(frozen=True, slots=True)
class VantageStoreSeen:
    """How long writing and reading back took."""

    took_seconds: float


class VantageStore(Check[VantageStoreConfig, VantageStoreSeen]):
    """Write a row and read it back. Never a parent of a target."""

    Config = VantageStoreConfig

    async def measure(self, io: IO) -> VantageStoreSeen:
        """Write and read once; the store raises when it cannot."""
        started = io.monotonic()
        await io.own_store()
        return VantageStoreSeen(io.monotonic() - started)

    def judge(self, seen: VantageStoreSeen, now: datetime, before: Sequence[VantageStoreSeen] = ()) -> Verdict:
        """A row that came back is ok."""
        return ok(
            f"row written and read in {duration(seen.took_seconds)}",
            Fact("took", round(seen.took_seconds, 4), "s"),
            values={"latency_seconds": seen.took_seconds},
        )

    def on_failure(self, verdict: Verdict) -> Verdict:
        """Say it of our own database."""
        hint = "The monitor's own database: is its disk full, or its server gone? New alerts wait until it is back."
        return told_as(verdict, "own database", dict.fromkeys(Reason, hint))
