"""What happens, told live to every open chat page."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

from demo.botapi.people import Json

BACKLOG = 1_000
"""How many events a page that does not read may be behind before it is sent away."""


class Broadcast:
    """Hands every event to every subscriber; a subscriber that lags is dropped and reloads."""

    def __init__(self) -> None:
        self._queues: set[asyncio.Queue[Json | None]] = set()
        self._is_closed = False

    def publish(self, kind: str, **body: object) -> None:
        """Tell all subscribers."""
        for queue in list(self._queues):
            if queue.qsize() >= BACKLOG:
                self._queues.discard(queue)
                queue.put_nowait(None)
            else:
                queue.put_nowait({"kind": kind} | body)

    @contextmanager
    def subscribe(self) -> Iterator[asyncio.Queue[Json | None]]:
        """Yield a queue of events; None on it means: the end."""
        queue: asyncio.Queue[Json | None] = asyncio.Queue()
        if self._is_closed:
            queue.put_nowait(None)
        self._queues.add(queue)
        try:
            yield queue
        finally:
            self._queues.discard(queue)

    def close(self) -> None:
        """End every subscription, now and later."""
        self._is_closed = True
        for queue in self._queues:
            queue.put_nowait(None)
