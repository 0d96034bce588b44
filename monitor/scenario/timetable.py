"""The scheduler and the ticker in virtual time: when each check is looked at, by the service's own functions."""

import heapq
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta

from checks.result import Result
from monitor.engine.model import Event, Looked, Plan, ProbeNow, State, Tick
from monitor.probing.scheduler import offset_seconds, pause_in

NEVER = float("inf")


class Timetable:
    """Yields what happens to the engine, in order. Whoever takes an event applies it before asking for the next."""

    def __init__(
        self,
        plan: Plan,
        start: datetime,
        look: Callable[[str, datetime], Result | None],
        state: Callable[[], State],
        *,
        tick_seconds: float = 1.0,
    ) -> None:
        """`look` makes the result of a look at an instant, None when it gives none; `state` is the engine's newest."""
        self._plan = plan
        self._start = start
        self._look = look
        self._state = state
        self._tick_seconds = tick_seconds
        self._due: dict[str, float] = {}
        self._queue: list[tuple[float, int, str]] = []
        self._told: list[tuple[float, int, Event]] = []
        self._running: str | None = None
        self._again = NEVER
        self._number = 0
        self._away_until = 0.0
        self.start_looking(0.0)

    def tell(self, at: float, *events: Event) -> None:
        """Have these events happen so many seconds after the start, before any look of that instant."""
        for event in events:
            self._number += 1
            heapq.heappush(self._told, (at, self._number, event))

    def start_looking(self, at: float) -> None:
        """Look at everything anew from here on: the first round spread over a second, as a fresh process does it."""
        self._away_until = at
        self._due.clear()
        self._queue.clear()
        for check_id, policy in self._plan.checks.items():
            self._set_due(check_id, at + offset_seconds(check_id, min(1.0, policy.interval_seconds)))

    def probe_now(self, effect: ProbeNow, now: datetime) -> None:
        """Bring the next look forward."""
        at = (now - self._start).total_seconds() + effect.after_seconds
        if effect.check_id == self._running:
            self._again = min(self._again, at)
        elif at < self._due.get(effect.check_id, 0.0):
            self._set_due(effect.check_id, at)

    def events(self, from_seconds: float, to_seconds: float) -> Iterator[tuple[datetime, Event]]:
        """Yield what happens from one instant up to, not including, another."""
        tick_at = max(from_seconds, self._away_until)
        while True:
            self._drop_outdated()
            told_at = self._told[0][0] if self._told else NEVER
            look_at = self._queue[0][0] if self._queue else NEVER
            at = max(from_seconds, min(told_at, look_at, tick_at))
            if at >= to_seconds:
                return
            if told_at <= at:
                yield self._instant(at), heapq.heappop(self._told)[2]
            elif look_at <= at:
                yield from self._one_look(at, heapq.heappop(self._queue)[2])
            else:
                yield self._instant(at), Tick()
                tick_at += self._tick_seconds

    def _one_look(self, at: float, check_id: str) -> Iterator[tuple[datetime, Event]]:
        del self._due[check_id]
        self._running, self._again = check_id, NEVER
        result = self._look(check_id, self._instant(at))
        if result is not None:
            yield self._instant(at), Looked(result)
        next_at = min(at + pause_in(self._plan.checks[check_id], self._state()), self._again)
        self._running = None
        self._set_due(check_id, max(next_at, at + 0.001))

    def _drop_outdated(self) -> None:
        while self._queue and self._due.get(self._queue[0][2]) != self._queue[0][0]:
            heapq.heappop(self._queue)

    def _set_due(self, check_id: str, at: float) -> None:
        self._number += 1
        self._due[check_id] = at
        heapq.heappush(self._queue, (at, self._number, check_id))

    def _instant(self, seconds: float) -> datetime:
        return self._start + timedelta(seconds=seconds)
