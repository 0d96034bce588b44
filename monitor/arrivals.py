"""What was handed to the line and not decided yet, in order; bounded, however long nothing can be decided."""

import asyncio
from collections import Counter
from dataclasses import dataclass
from datetime import datetime

from monitor.engine.model import Event, Looked, Tick

LOOKS_KEPT = 64
"""So many looks of one check may wait: more than any window of the engine needs."""


class Call:
    """One call of `apply` that waits: done when all its events are."""

    def __init__(self, events: int) -> None:
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._left = events

    def event_done(self, error: Exception | None = None) -> None:
        """Count one event; with an error, the caller gets it."""
        self._left -= 1
        if self.done.done():  # the caller was cancelled, or was told of an error
            return
        if error is not None:
            self.done.set_exception(error)
        elif self._left == 0:
            self.done.set_result(None)


@dataclass(frozen=True, slots=True)
class Arrived:
    """One event that waits."""

    event: Event
    at: datetime
    """When it came: the engine's `now`, however long it waits."""
    call: Call | None

    def done(self, error: Exception | None = None) -> None:
        """Tell the caller, if one waits."""
        if self.call is not None:
            self.call.event_done(error)

    def cancel(self) -> None:
        """Let the caller go: nobody will decide this."""
        if self.call is not None:
            self.call.done.cancel()


class Arrivals:
    """The queue before the line."""

    def __init__(self) -> None:
        self._queue: list[Arrived] = []
        self._counts: Counter[str] = Counter()
        self._any = asyncio.Event()

    def __len__(self) -> int:
        return len(self._queue)

    def add(self, *arrived: Arrived) -> None:
        """Append, and let go of what a newer event of the same kind makes needless."""
        for entry in arrived:
            self._make_room(entry.event)
            self._queue.append(entry)
        self._any.set()

    async def wait(self) -> None:
        """Return as soon as something is there."""
        await self._any.wait()

    def take(self, events: int) -> tuple[Arrived, ...]:
        """Take up to so many events out, the oldest."""
        taken, self._queue = tuple(self._queue[:events]), self._queue[events:]
        self._counts.subtract(key for entry in taken if (key := _kept(entry.event)[0]) is not None)
        if not self._queue:
            self._any.clear()
            self._counts.clear()
        return taken

    def cancel_all(self) -> None:
        """Forget what waits, and let its callers go."""
        for entry in self.take(len(self._queue)):
            entry.cancel()

    def _make_room(self, event: Event) -> None:
        key, kept = _kept(event)
        if key is None:
            return
        self._counts[key] += 1
        if self._counts[key] > kept:
            self._counts[key] -= 1
            oldest = next(entry for entry in self._queue if _kept(entry.event)[0] == key)
            self._queue.remove(oldest)
            oldest.done()


def _kept(event: Event) -> tuple[str | None, int]:
    """Return under which key an event is counted while it waits, and how many of that key are kept."""
    if isinstance(event, Looked):
        return f"look {event.result.check_id}", LOOKS_KEPT
    return ("tick", 1) if isinstance(event, Tick) else (None, 0)
