"""What was found about the stack, kept for a restart while the stack is away."""

from datetime import datetime

import sqlalchemy as sa

from monitor.config.found import Found
from monitor.store.database import Database, database_as_it_is
from monitor.store.models import discovery
from monitor.store.values import FOUND, clean

_ONLY = 1


class FoundRows:
    """Keeps the one row. What holds a secret is not kept."""

    _database: Database

    async def found(self) -> Found | None:
        """Return what was kept; None where nothing was."""
        return await _found(self._database)

    async def keep_found(self, found: Found) -> None:
        """Keep it in the place of what was kept before."""
        body = clean(FOUND.text(found.storable))
        insert = self._database.insert(discovery).values(id=_ONLY, body=body)
        async with self._database.write() as connection:
            await connection.execute(insert.on_conflict_do_update(index_elements=["id"], set_={"body": body}))

    async def accept_found(self, at: datetime) -> None:
        """Ask whoever watches to take every change as the new expectation."""
        async with self._database.write() as connection:
            await connection.execute(sa.update(discovery).values(accepted_at=at))

    async def found_accepted_at(self) -> datetime | None:
        """Return when somebody last asked for that."""
        async with self._database.read() as connection:
            row = (await connection.execute(sa.select(discovery.c.accepted_at))).one_or_none()
        return None if row is None else row[0]


async def kept_found(url: str) -> Found | None:
    """Return what a service keeps at this address, without making or changing anything. Raises `StoreError`."""
    database = database_as_it_is(url)
    if database is None:
        return None
    try:
        async with database.read() as connection:
            has_table = await connection.run_sync(lambda sync: sa.inspect(sync).has_table(discovery.name))
        return await _found(database) if has_table else None
    finally:
        await database.close()


async def _found(database: Database) -> Found | None:
    async with database.read() as connection:
        body = (await connection.execute(sa.select(discovery.c.body))).scalar_one_or_none()
    return None if body is None else FOUND.value(body)
