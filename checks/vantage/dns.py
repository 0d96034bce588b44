"""`vantage.dns`: our own name resolution works."""

from asyncio import TaskGroup
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from pydantic import Field

from checks.base import IO, Check, CheckConfig, Seconds
from checks.failures import attempt
from checks.result import Fact, Reason, Verdict, failed, ok
from checks.wording import listed


class VantageDnsConfig(CheckConfig):
    """Names that always resolve where the network works."""

    kind: Literal["vantage.dns"] = "vantage.dns"
    interval_seconds: Seconds = 30.0
    timeout_seconds: Seconds = 5.0
    names: tuple[str, ...] = Field(default=("api.telegram.org", "one.one.one.one"), min_length=1)


@dataclass(frozen=True, slots=True)
class VantageDnsSeen:
    """What each name resolved to, in the configured order."""

    found: tuple[tuple[str, str | Verdict], ...]
    """Name and its first address, or why there is none."""


class VantageDns(Check[VantageDnsConfig, VantageDnsSeen]):
    """Resolve some independent names; failed only if all of them fail."""

    Config = VantageDnsConfig

    async def measure(self, io: IO) -> VantageDnsSeen:
        """Resolve all names at once."""
        async with TaskGroup() as group:
            looks = [
                group.create_task(attempt(io.resolve(name), timeout_seconds=io.timeout_seconds), name=f"resolve {name}")
                for name in self.config.names
            ]
        found = [look.result() for look in looks]
        return VantageDnsSeen(
            tuple(
                (name, result if isinstance(result, Verdict) else result[0])
                for name, result in zip(self.config.names, found, strict=True)
            )
        )

    def judge(self, seen: VantageDnsSeen, now: datetime, before: Sequence[VantageDnsSeen] = ()) -> Verdict:
        """All failed: we are blind. One failed: that name's own trouble."""
        facts = [Fact(name, got.summary if isinstance(got, Verdict) else got) for name, got in seen.found]
        good = [name for name, got in seen.found if not isinstance(got, Verdict)]
        names = [name for name, _ in seen.found]
        if not good:
            return failed(
                Reason.VANTAGE, f"the monitor resolves no name: {listed(names)}", *facts,
                hint="The monitor's own DNS or network is down: other checks are not judged meanwhile.",
            )  # fmt: skip
        return ok(f"{len(good)} of {len(names)} names resolve", *facts)
