"""Kind `tcp`: something accepts connections at a host and port."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from pydantic import Field

from checks.base import IO, Check, CheckConfig, Seconds
from checks.failures import told_as
from checks.result import Fact, Reason, Verdict, degraded, ok
from checks.wording import duration


class TcpConfig(CheckConfig):
    """Where to connect to."""

    kind: Literal["tcp"] = "tcp"
    interval_seconds: Seconds = 60.0
    timeout_seconds: Seconds = 5.0
    host: str = Field(pattern=r"^[^\s/@\[\]]+$", max_length=253)
    """A name, or an address: IPv6 without brackets."""
    port: int = Field(ge=1, le=65_535)
    slow_seconds: Seconds = 1.0
    """A connection above this is degraded."""


@dataclass(frozen=True, slots=True)
class TcpSeen:
    """How long it took, the name's lookup included."""

    connect_seconds: float


class Tcp(Check[TcpConfig, TcpSeen]):
    """Connect, and leave without a word."""

    Config = TcpConfig

    async def measure(self, io: IO) -> TcpSeen:
        """Connect once."""
        started = io.monotonic()
        async with io.connect_tcp(self.config.host, self.config.port):
            return TcpSeen(io.monotonic() - started)

    def judge(self, seen: TcpSeen, now: datetime, before: Sequence[TcpSeen] = ()) -> Verdict:
        """Judge the time."""
        summary = f"{self._subject} accepts in {duration(seen.connect_seconds)}"
        facts = (Fact("address", self._subject), Fact("connect", round(seen.connect_seconds, 4), "s"))
        values = {"connect_seconds": seen.connect_seconds}
        if seen.connect_seconds > self.config.slow_seconds:
            return degraded(
                Reason.SLOW, f"{summary}, slower than {duration(self.config.slow_seconds)}", *facts,
                hint=f"The network on the way, or {self.config.service} itself, is overloaded.", values=values,
            )  # fmt: skip
        return ok(summary, *facts, values=values)

    def on_failure(self, verdict: Verdict) -> Verdict:
        """Say where."""
        return told_as(verdict, self._subject, {}, Fact("address", self._subject))

    @property
    def _subject(self) -> str:
        host = f"[{self.config.host}]" if ":" in self.config.host else self.config.host
        return f"{host}:{self.config.port}"
