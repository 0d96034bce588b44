"""One voice out of two instances: takes the lead, proves again and again that it is still ours, and gives it back."""

import asyncio
import os
import secrets
import socket
from collections.abc import Callable
from typing import Protocol

import structlog

from monitor.store.errors import LeadershipLostError, StoreError

TTL_SECONDS = 15.0
"""A leader that has not renewed for so long, by the database's clock, may be replaced."""
RENEW_SECONDS = 5.0
RETRY_SECONDS = 1.0
"""How often a standby asks, and a leader whose database is away tries again."""

log = structlog.get_logger()


class Rows(Protocol):
    """The store's side: one row, judged by the database's clock."""

    async def acquire_leadership(self, owner: str, ttl_seconds: float) -> int | None: ...

    async def renew_leadership(self, owner: str, epoch: int, ttl_seconds: float) -> bool: ...

    async def release_leadership(self, owner: str, epoch: int) -> None: ...


def owner_name() -> str:
    """Return a name that no other process has, and in which a person recognises this one."""
    return f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(4)}"


class Leader:
    """One instance's part in the election."""

    def __init__(
        self,
        rows: Rows,
        owner: str,
        monotonic: Callable[[], float],
        *,
        ttl_seconds: float = TTL_SECONDS,
        renew_seconds: float = RENEW_SECONDS,
        retry_seconds: float = RETRY_SECONDS,
    ) -> None:
        self._rows = rows
        self._owner = owner
        self._monotonic = monotonic
        self._ttl_seconds = ttl_seconds
        self._renew_seconds = renew_seconds
        self._retry_seconds = retry_seconds
        self._proven_until = float("-inf")
        self._renewed = asyncio.Event()
        self._is_answered = True

    @property
    def is_proven(self) -> bool:
        """Say whether nobody else can lead now. A process that was stopped for a while finds this False."""
        return self._monotonic() < self._proven_until

    async def acquire(self) -> int:
        """Wait until no other instance leads; return the new epoch.

        When the database was away, its leader could not renew: it gets one lease's time to do so first.
        """
        not_before = float("-inf")
        while True:
            asked_at = self._monotonic()
            try:
                async with asyncio.timeout(self._renew_seconds):
                    if asked_at >= not_before:
                        epoch = await self._rows.acquire_leadership(self._owner, self._ttl_seconds)
                        self._answered()
                        if epoch is not None:
                            self._proven_until = asked_at + self._ttl_seconds
                            log.info("leader.took_over", epoch=epoch, owner=self._owner)
                            return epoch
            except (StoreError, TimeoutError) as error:
                self._not_answered(error)
                not_before = self._monotonic() + self._ttl_seconds
            await asyncio.sleep(self._retry_seconds)

    async def keep(self, epoch: int) -> None:
        """Renew until cancelled. Raises `LeadershipLostError` as soon as the database says that another one leads.

        A database that says nothing takes nothing away: no other instance can take over without it.
        """
        while True:
            is_late = self._monotonic() >= self._proven_until - self._ttl_seconds + 2 * self._renew_seconds
            await asyncio.sleep(self._retry_seconds if is_late else self._renew_seconds)
            asked_at = self._monotonic()
            try:
                async with asyncio.timeout(self._renew_seconds):
                    is_ours = await self._rows.renew_leadership(self._owner, epoch, self._ttl_seconds)
            except (StoreError, TimeoutError) as error:
                self._not_answered(error)
                continue
            self._answered()
            if not is_ours:
                raise LeadershipLostError(f"database: epoch {epoch} has ended: another instance leads")
            self._proven_until = asked_at + self._ttl_seconds
            self._renewed.set()

    async def proof(self) -> None:
        """Return as soon as the lead is proven. Cancelled when it is lost."""
        while not self.is_proven:
            self._renewed.clear()
            await self._renewed.wait()

    async def release(self, epoch: int) -> None:
        """Let another instance take over at once; when the database is away, its clock will."""
        self._proven_until = float("-inf")
        try:
            async with asyncio.timeout(self._retry_seconds):
                await self._rows.release_leadership(self._owner, epoch)
        except (StoreError, TimeoutError) as error:
            log.warning("leader.not_released", error=str(error) or "no answer")
        else:
            log.info("leader.released", epoch=epoch)

    def _answered(self) -> None:
        if not self._is_answered:
            log.info("leader.database_answers")
        self._is_answered = True

    def _not_answered(self, error: Exception) -> None:
        if self._is_answered:
            log.warning("leader.database_silent", error=str(error) or "no answer in time")
        self._is_answered = False
