"""The frame around every look: time limit, timing, and what becomes of an exception."""

import asyncio
from collections import deque
from collections.abc import Callable
from datetime import datetime
from typing import Any

import structlog

from checks.base import IO, Check
from checks.failures import verdict_of
from checks.result import Reason, Result, Verdict, unknown

GRACE_SECONDS = 0.5
"""The frame waits this much longer than the check's own limit, so that a driver's own, clearer error comes first."""

LATE_SECONDS = 1.0
LATE_SHARE = 0.25
"""A look during which our own loop was later than max(1 s, 25 % of its limit) proves nothing about the target."""

log = structlog.get_logger()


class Runner:
    """Runs one look at a time for any check. Continuous, smoke, debug and "run now" all come through here."""

    def __init__(
        self,
        make_io: Callable[[float], IO],
        now: Callable[[], datetime],
        monotonic: Callable[[], float],
        *,
        blind: Callable[[str], str] = lambda check_id: "",
        vantage: str = "local",
        epoch: int = 0,
    ) -> None:
        """`make_io` is given the look's limit in seconds. `blind` tells why this check cannot be looked at now."""
        self._make_io = make_io
        self._now = now
        self._monotonic = monotonic
        self._blind = blind
        self._vantage = vantage
        self.epoch = epoch
        self._seen: dict[str, deque[Any]] = {}

    async def run(self, check: Check[Any, Any]) -> Result:
        """Look once. Never raises, except CancelledError."""
        config = check.config
        io = self._make_io(config.timeout_seconds)
        started_at, started = self._now(), self._monotonic()
        try:
            async with asyncio.timeout(config.timeout_seconds + GRACE_SECONDS):
                seen = await check.measure(io)
            before = self._seen.setdefault(config.id, deque(maxlen=check.remembers))
            verdict = check.judge(seen, self._now(), tuple(before))
            before.append(seen)
        except Exception as error:  # noqa: BLE001  the one frame around every check
            verdict = self._failed(check, error)
        duration_seconds = self._monotonic() - started
        verdict = self._trusted(check, verdict, io.loop_lag_seconds())
        return Result(config.id, verdict, started_at, duration_seconds, self._vantage, self.epoch)

    def _failed(self, check: Check[Any, Any], error: Exception) -> Verdict:
        try:
            verdict = verdict_of(error, check.config.timeout_seconds)
            told = None if verdict is None else check.on_failure(verdict)
        except Exception as other:  # noqa: BLE001  part of the frame: the check's own words may fail too
            told, error = None, other
        if told is None:
            log.error("check.error", check=check.config.id, error=type(error).__name__, exc_info=error)
            return unknown(
                Reason.CHECK_ERROR,
                f"the check itself failed: {type(error).__name__}",
                hint="This is a fault of the monitor, not of the target: see its log, and report it.",
            )
        return told

    def _trusted(self, check: Check[Any, Any], verdict: Verdict, lag_seconds: float) -> Verdict:
        if check.config.id.startswith("vantage."):
            return verdict
        if lag_seconds > max(LATE_SECONDS, LATE_SHARE * check.config.timeout_seconds):
            return unknown(Reason.VANTAGE, f"not judged: the monitor itself was {lag_seconds:.1f} s late")
        why = self._blind(check.config.id)
        return unknown(Reason.VANTAGE, f"not judged: {why}") if why else verdict
