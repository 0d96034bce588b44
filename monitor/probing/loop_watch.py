"""Measures how late our own event loop is: a late loop makes every other look worthless."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from datetime import datetime

STEP_SECONDS = 0.25
WINDOW_SECONDS = 5.0
LONG_WINDOW_SECONDS = 120.0


class LoopWatch:
    """Wakes four times a second and keeps how late it was, for the last two minutes."""

    def __init__(
        self,
        now: Callable[[], datetime],
        monotonic: Callable[[], float],
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._now = now
        self._monotonic = monotonic
        self._sleep = sleep
        self._late: deque[tuple[float, float]] = deque(maxlen=int(LONG_WINDOW_SECONDS / STEP_SECONDS))
        self._due: float | None = None
        self.ticked_at = now()
        """When the loop last turned, aware UTC."""

    def lag_seconds(self) -> float:
        """Return the largest lateness of the last five seconds, the running one included."""
        at = self._monotonic()
        running = at - self._due if self._due is not None else 0.0
        return max(0.0, running, *(late for seen, late in self._late if seen > at - WINDOW_SECONDS))

    def lag_p99_seconds(self) -> float:
        """Return the lateness that one turn in a hundred of the last two minutes exceeded."""
        late = sorted(late for _, late in self._late)
        return late[int(0.99 * (len(late) - 1))] if late else 0.0

    async def run(self) -> None:
        """Watch until cancelled."""
        while True:
            self._due = self._monotonic() + STEP_SECONDS
            await self._sleep(STEP_SECONDS)
            at = self._monotonic()
            self._late.append((at, max(0.0, at - self._due)))
            self.ticked_at = self._now()
