"""Decides when each check is looked at next, and keeps the looks going."""

import asyncio
import heapq
from collections.abc import Awaitable, Callable, Mapping
from typing import Any
from zlib import crc32

import structlog

from checks.base import Check
from checks.result import Result
from monitor.engine.model import CheckPolicy, CheckState, CheckStatus, Role, State

CONCURRENT_LOOKS = 200
IDLE_SECONDS = 3600.0

log = structlog.get_logger()


def pause_seconds(policy: CheckPolicy, state: CheckState | None, *, is_symptom: bool = False) -> float:
    """Return the time from the start of one look to the next.

    The retry time while more evidence is wanted (suspect, recovering, held, gated, a symptom), else the interval.
    """
    if state is None:
        return policy.interval_seconds
    wants_evidence = (
        state.status in (CheckStatus.SUSPECT, CheckStatus.RECOVERING)
        or state.held_since is not None
        or (state.status is CheckStatus.DOWN and (state.gate_until is not None or is_symptom))
    )
    return min(policy.retry_seconds, policy.interval_seconds) if wants_evidence else policy.interval_seconds


def pause_in(policy: CheckPolicy, state: State) -> float:
    """Return the time from the start of one look to the next, as the whole state has it."""
    check = state.checks.get(policy.id)
    incident = state.incidents.get(check.incident_id) if check and check.incident_id else None
    is_symptom = incident is not None and any(
        member.check_id == policy.id and member.role is Role.SYMPTOM for member in incident.members
    )
    return pause_seconds(policy, check, is_symptom=is_symptom)


def offset_seconds(check_id: str, interval_seconds: float) -> float:
    """Return the check's place in its interval, computed from its id, so that starts are spread evenly."""
    return crc32(check_id.encode()) / 2**32 * interval_seconds


class Scheduler:
    """Starts looks when they are due: one at a time for a check, many checks at once."""

    def __init__(
        self,
        checks: Mapping[str, Check[Any, Any]],
        policies: Mapping[str, CheckPolicy],
        look: Callable[[Check[Any, Any]], Awaitable[Result]],
        hand_on: Callable[[Result], Awaitable[None]],
        state: Callable[[], State],
        monotonic: Callable[[], float],
        *,
        concurrent_looks: int = CONCURRENT_LOOKS,
    ) -> None:
        """`look` runs a check; `hand_on` returns when its result is committed; `state` is the engine's newest."""
        self._checks = checks
        self._policies = policies
        self._look = look
        self._hand_on = hand_on
        self._state = state
        self._monotonic = monotonic
        self._slots = asyncio.Semaphore(concurrent_looks)
        self._due: dict[str, float] = {}
        self._queue: list[tuple[float, str]] = []
        self._running: set[str] = set()
        self._again: dict[str, float] = {}
        """Looks asked for while one runs: that one began too early to answer."""
        self._wake = asyncio.Event()
        self.looks_due = 0
        self.looks_run = 0
        self.largest_lag_seconds = 0.0

    def probe_now(self, check_id: str, after_seconds: float = 0.0) -> None:
        """Bring the next look forward. Unknown ids are ignored: a plan may name a check of another prober."""
        at = self._monotonic() + after_seconds
        if check_id in self._running:
            self._again[check_id] = min(at, self._again.get(check_id, at))
        elif at < self._due.get(check_id, 0.0):
            self._set_due(check_id, at)

    async def run(self) -> None:
        """Keep looking until cancelled: the first round at once, spread over a second, then each at its own offset."""
        now = self._monotonic()
        for check_id, policy in self._policies.items():
            if check_id in self._checks:
                self._set_due(check_id, now + offset_seconds(check_id, min(1.0, policy.interval_seconds)))
        async with asyncio.TaskGroup() as looks:
            while True:
                wait_seconds = self._start_due(looks)
                self._wake.clear()
                try:
                    async with asyncio.timeout(wait_seconds):
                        await self._wake.wait()
                except TimeoutError:
                    pass

    def _start_due(self, looks: asyncio.TaskGroup) -> float:
        """Start what is due; return the seconds until the next."""
        while self._queue:
            at, check_id = self._queue[0]
            if self._due.get(check_id) != at:
                heapq.heappop(self._queue)
                continue
            late_seconds = self._monotonic() - at
            if late_seconds < 0:
                return -late_seconds
            heapq.heappop(self._queue)
            del self._due[check_id]
            self.looks_due += 1
            self.largest_lag_seconds = max(self.largest_lag_seconds, late_seconds)
            self._running.add(check_id)
            looks.create_task(self._one(check_id), name=f"look:{check_id}")
        return IDLE_SECONDS

    async def _one(self, check_id: str) -> None:
        async with self._slots:
            started = self._monotonic()
            result = await self._look(self._checks[check_id])
            await self._hand_on(result)
        self.looks_run += 1
        self._running.discard(check_id)
        at = min(started + self._pause_seconds(check_id), self._again.pop(check_id, float("inf")))
        self._set_due(check_id, max(at, self._monotonic()))

    def _pause_seconds(self, check_id: str) -> float:
        return pause_in(self._policies[check_id], self._state())

    def _set_due(self, check_id: str, at: float) -> None:
        self._due[check_id] = at
        heapq.heappush(self._queue, (at, check_id))
        self._wake.set()
