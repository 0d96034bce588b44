"""The leader row as a store keeps it, and the real election of `monitor.leader`, turned by virtual time."""

import asyncio
from collections.abc import Callable
from contextvars import Context
from typing import Any

from monitor.leader import Leader
from monitor.store.errors import LeadershipLostError

RETRY_SECONDS = 3.0
"""How often a standby asks: more seldom than in earnest, to save time."""


class LeaderRow:
    """Who may write, judged by the store's clock: what `monitor.store.leadership` does in SQL."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self.owner = ""
        self.epoch = 0
        self.expires_s = 0.0

    async def acquire_leadership(self, owner: str, ttl_seconds: float) -> int | None:
        if self.owner not in ("", owner) and self.expires_s > self._clock():
            return None
        self.owner, self.epoch, self.expires_s = owner, self.epoch + 1, self._clock() + ttl_seconds
        return self.epoch

    async def renew_leadership(self, owner: str, epoch: int, ttl_seconds: float) -> bool:
        if (self.owner, self.epoch) != (owner, epoch):
            return False
        self.expires_s = self._clock() + ttl_seconds
        return True

    async def release_leadership(self, owner: str, epoch: int) -> None:
        if (self.owner, self.epoch) == (owner, epoch):
            self.owner = ""

    def check_epoch(self, epoch: int) -> None:
        """Raise `LeadershipLostError` unless this epoch is the newest: asked in every transaction."""
        if self.epoch != epoch or not self.owner:
            raise LeadershipLostError(f"epoch {epoch} has ended")


class VirtualLoop(asyncio.SelectorEventLoop):
    """An event loop whose time is the simulation's. It runs only when it is turned, and says when that is due."""

    def __init__(self, clock: Callable[[], float], wake: Callable[[float], None]) -> None:
        self._sim_clock = clock
        self._wake = wake
        self._timers: list[asyncio.TimerHandle] = []
        super().__init__()

    def time(self) -> float:
        return self._sim_clock()

    def call_at(
        self, when: float, callback: Callable[..., Any], *args: Any, context: Context | None = None
    ) -> asyncio.TimerHandle:
        handle = super().call_at(when, callback, *args, context=context)
        self._timers.append(handle)
        return handle

    def turn(self) -> None:
        """Run what is due, and ask to be turned again when the next timer is."""
        for _ in range(5):
            self.call_soon(self.stop)
            self.run_forever()
        self._timers = [one for one in self._timers if not one.cancelled() and one.when() > self.time()]
        if self._timers:
            self._wake(min(one.when() for one in self._timers))


class Candidate:
    """One process's part in the election, for as long as the process lives."""

    def __init__(
        self,
        row: LeaderRow,
        owner: str,
        clock: Callable[[], float],
        wake: Callable[[float, Callable[[], None]], None],
        *,
        begin: Callable[[int], None],
        end: Callable[[], None],
    ) -> None:
        """`begin` is called with each epoch that is ours, `end` when another instance leads."""
        self.leader = Leader(row, owner, clock, retry_seconds=RETRY_SECONDS)
        self._begin, self._end = begin, end
        self._loop = VirtualLoop(clock, lambda when: wake(when, self.turn))
        self._task = self._loop.create_task(self._run())
        self.turn()

    def turn(self) -> None:
        if not self._loop.is_closed():
            self._loop.turn()

    def die(self) -> None:
        """End at once: nothing is given back."""
        if not self._loop.is_closed():
            self._task.cancel()
            self._loop.turn()
            self._loop.close()

    async def _run(self) -> None:
        while True:
            epoch = await self.leader.acquire()
            self._begin(epoch)
            try:
                await self.leader.keep(epoch)
            except LeadershipLostError:
                self._end()
