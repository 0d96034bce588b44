"""`vantage.egress`: we reach the internet at all."""

from asyncio import TaskGroup
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from checks.base import IO, Check, CheckConfig, Seconds
from checks.failures import attempt
from checks.result import Fact, Reason, Verdict, failed, ok
from checks.wording import duration, listed

Target = Annotated[str, StringConstraints(pattern=r"^(\[[0-9a-fA-F:]+\]|[^\s:/@]+):\d{1,5}$")]
"""`host:port`, `[ipv6]:port`."""


class VantageEgressConfig(CheckConfig):
    """Hosts of independent owners that always accept a connection."""

    kind: Literal["vantage.egress"] = "vantage.egress"
    interval_seconds: Seconds = 30.0
    timeout_seconds: Seconds = 5.0
    targets: tuple[Target, ...] = Field(default=("1.1.1.1:443", "8.8.8.8:443"), min_length=1)


@dataclass(frozen=True, slots=True)
class VantageEgressSeen:
    """Each target with its connect time in seconds, or why it could not be reached."""

    reached: tuple[tuple[str, float | Verdict], ...]


class VantageEgress(Check[VantageEgressConfig, VantageEgressSeen]):
    """Connect to some independent hosts; failed only if all of them fail."""

    Config = VantageEgressConfig

    async def measure(self, io: IO) -> VantageEgressSeen:
        """Connect to all targets at once."""
        targets = self.config.targets
        async with TaskGroup() as group:
            looks = [
                group.create_task(
                    attempt(_connect(io, target), timeout_seconds=io.timeout_seconds), name=f"connect {target}"
                )
                for target in targets
            ]
        return VantageEgressSeen(tuple(zip(targets, (look.result() for look in looks), strict=True)))

    def judge(self, seen: VantageEgressSeen, now: datetime, before: Sequence[VantageEgressSeen] = ()) -> Verdict:
        """All failed: we are blind. One failed: that host's own trouble."""
        facts = [Fact(name, got.summary if isinstance(got, Verdict) else duration(got)) for name, got in seen.reached]
        times = [got for _, got in seen.reached if not isinstance(got, Verdict)]
        names = [name for name, _ in seen.reached]
        if not times:
            return failed(
                Reason.VANTAGE, f"the monitor reaches nothing: {listed(names)}", *facts,
                hint="The monitor's own network is down: other checks are not judged meanwhile.",
            )  # fmt: skip
        values = {"connect_seconds": min(times)}
        return ok(f"{len(times)} of {len(names)} hosts reached in {duration(min(times))}", *facts, values=values)


async def _connect(io: IO, target: str) -> float:
    host, _, port = target.rpartition(":")
    started = io.monotonic()
    async with io.connect_tcp(host.strip("[]"), int(port)):
        return io.monotonic() - started
