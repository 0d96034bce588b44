"""Looks around again and again: soon after a start and each deploy, then every hour; keeps what was found."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime

import structlog

from monitor.config.found import Found, accepted, joined
from monitor.config.settings import Settings
from monitor.discovery.look import discover
from monitor.engine.model import State
from monitor.store.errors import StoreError, StoreUnavailableError
from monitor.store.store import Store

BURST_SECONDS = (3.0, 10.0, 30.0, 60.0, 300.0)
"""After a start or a deploy: parts come up one after the other."""
USUAL_SECONDS = 3600.0
UNREACHED_SECONDS = 60.0
"""What could not be reached is tried again so soon."""
POLL_SECONDS = 15.0
"""How often somebody's acceptance and the deploys are looked for."""

log = structlog.get_logger()


class Rounds:
    """Holds what was found. One loop runs `change`; anybody may call `rediscover`."""

    def __init__(
        self,
        settings: Settings,
        store: Store,
        found: Found,
        state: Callable[[], State],
        *,
        look: Callable[[Settings], Awaitable[Found]] = discover,
    ) -> None:
        """`state` is the engine's newest: it tells of deploys."""
        self.found = found
        self._settings = settings
        self._store = store
        self._state = state
        self._look = look
        self._pauses = iter(BURST_SECONDS)
        self._asked = asyncio.Event()
        self._seen_deploys: frozenset[tuple[str, bool, bool]] = frozenset()
        self._accepted_at: datetime | None = None

    def rediscover(self) -> None:
        """Look around at once, and a few times more soon: a deploy has changed something."""
        self._pauses = iter(BURST_SECONDS)
        self._asked.set()

    async def begin(self) -> None:
        """Start from what the store keeps, as another instance may have found it. Raises `StoreUnavailableError`."""
        try:
            stored = await self._store.found()
        except StoreUnavailableError:
            raise
        except StoreError as error:
            log.warning("discovery.not_read", error=str(error))
            stored = None
        if stored is not None and stored.targets == self.found.targets:
            # What holds a secret is known to this process alone.
            own = {name: thing for name, thing in self.found.things().items() if thing.values}
            self.found = stored.with_things({name: own[name] for name in own if not stored.thing(name).values})
        if self.found.storable != stored:
            await self._store.keep_found(self.found)
        self._accepted_at = await self._store.found_accepted_at()
        self._seen_deploys = _deploys(self._state())
        self._pauses = iter(BURST_SECONDS)

    async def change(self, is_news: Callable[[Found], bool]) -> Found:
        """Look around until what was found is news, and return it."""
        while not is_news(self.found):
            is_accepted = await self._pause()
            await self._round(is_accepted=is_accepted)
        return self.found

    async def _pause(self) -> bool:
        """Wait for the next round; say whether it begins because somebody accepted every change."""
        usual = USUAL_SECONDS if self.found.is_settled else UNREACHED_SECONDS
        left = next(self._pauses, usual)
        while left > 0 and not self._asked.is_set():
            wait = min(left, POLL_SECONDS)
            try:
                async with asyncio.timeout(wait):
                    await self._asked.wait()
            except TimeoutError:
                left -= wait
            if self._seen_deploys != (deploys := _deploys(self._state())):
                self._seen_deploys = deploys
                self.rediscover()
            if await self._is_accepted():
                return True
        self._asked.clear()
        return False

    async def _is_accepted(self) -> bool:
        """Say whether somebody accepted every change since the last time this was asked."""
        try:
            at = await self._store.found_accepted_at()
        except StoreError:
            return False
        if at is None or at == self._accepted_at:
            return False
        self._accepted_at = at
        return True

    async def _round(self, *, is_accepted: bool) -> None:
        before = self.found
        self.found = joined(before, await self._look(self._settings))
        if is_accepted:
            log.info("discovery.accepted", gone={name: list(values) for name, values in self.found.vanished.items()})
            self.found = accepted(self.found)
        if self.found == before:
            return
        for name, thing in self.found.things().items():
            old = before.thing(name)
            if thing.values != old.values:
                log.info("discovery.found", thing=name, count=len(thing.values), was=len(old.values))
            if thing.gone and thing.gone != old.gone:
                log.warning("discovery.vanished", thing=name, gone=list(thing.gone))
        try:
            await self._store.keep_found(self.found)
        except StoreError as error:
            log.warning("discovery.not_kept", error=str(error))


def _deploys(state: State) -> frozenset[tuple[str, bool, bool]]:
    """Return what changes with each deploy's beginning, going live and end."""
    return frozenset((one.id, one.live_at is None, one.ended_at is None) for one in state.deploys.values())
