"""The last call to each dead-man's switch."""

import sqlalchemy as sa

from checks.base import Push
from monitor.store.database import Database
from monitor.store.models import push


class PushRows:
    """Remembers what jobs said last: a restart of the monitor forgets no call."""

    _database: Database

    async def last_push(self, check_id: str) -> Push | None:
        """Return the last call; None when there was none ever."""
        query = sa.select(push.c.at, push.c.is_good, push.c.message).where(push.c.check_id == check_id)
        async with self._database.read() as connection:
            row = (await connection.execute(query)).one_or_none()
        return None if row is None else Push(row.at, row.is_good, row.message)

    async def record_push(self, check_id: str, given: Push) -> None:
        """Remember a call; an older one never replaces a newer."""
        values = {"at": given.at, "is_good": given.is_good, "message": given.message}
        insert = self._database.insert(push).values(check_id=check_id, **values)
        query = insert.on_conflict_do_update(
            index_elements=[push.c.check_id], set_=values, where=push.c.at <= insert.excluded.at
        )
        async with self._database.write() as connection:
            await connection.execute(query)
