"""The monitor's own memory: one database that holds everything to be found again after a crash."""

from collections.abc import Callable
from datetime import datetime
from typing import Self

import sqlalchemy as sa

from monitor.store.board_rows import BoardRows
from monitor.store.commit import Commits
from monitor.store.database import Database, open_database
from monitor.store.deploy_rows import DeployRows
from monitor.store.digest_rows import DigestRows
from monitor.store.errors import StoreUnavailableError
from monitor.store.found_rows import FoundRows
from monitor.store.leadership import Leadership
from monitor.store.models import proof
from monitor.store.outbox_rows import OutboxRows
from monitor.store.push_rows import PushRows
from monitor.store.queries import Queries
from monitor.store.retention import Retention


class Store(
    Commits, OutboxRows, BoardRows, DigestRows, PushRows, FoundRows, DeployRows, Leadership, Queries, Retention
):
    """All of it over one database. Every error is a `StoreError` of one line; an absent database is also an `OSError`.

    Safe to use from many tasks of one event loop.
    """

    def __init__(self, database: Database, now: Callable[[], datetime]) -> None:
        self._database = database
        self._now = now

    @classmethod
    async def open(cls, url: str, *, now: Callable[[], datetime]) -> Self:
        """Connect to `sqlite:///path` or `postgresql://…` and bring its tables up to date. Raises `StoreError`."""
        return cls(await open_database(url), now)

    @property
    def address(self) -> str:
        """Where it is, for people: without a password."""
        return self._database.address

    @property
    def is_single_instance(self) -> bool:
        """Say whether only one monitor may use it: a file cannot be shared between machines."""
        return not self._database.is_postgres

    async def prove(self) -> None:
        """Write a row and read it back. Raises `StoreError` when that does not work."""
        at = self._now()
        async with self._database.write() as connection:
            await connection.execute(sa.update(proof).values(at=at))
        async with self._database.read() as connection:
            seen_at = (await connection.execute(sa.select(proof.c.at))).scalar_one()
        if seen_at < at:
            raise StoreUnavailableError(f"database: {self.address} gives back {seen_at} where {at} was written")

    async def close(self) -> None:
        """Close all connections."""
        await self._database.close()
