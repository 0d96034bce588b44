"""Of which morning each chat was told."""

from datetime import datetime

import sqlalchemy as sa

from monitor.store.database import Database
from monitor.store.models import chat


class DigestRows:
    """Remembers the digests: a new process tells no morning twice."""

    _database: Database

    async def digest_at(self, chat_id: str) -> datetime | None:
        """Return the newest morning of which the chat was told."""
        query = sa.select(chat.c.digest_at).where(chat.c.id == chat_id)
        async with self._database.read() as connection:
            at: datetime | None = (await connection.execute(query)).scalar_one_or_none()
            return at

    async def set_digest(self, chat_id: str, at: datetime | None) -> None:
        """Remember the newest morning of which the chat was told."""
        async with self._database.write() as connection:
            await connection.execute(sa.update(chat).where(chat.c.id == chat_id).values(digest_at=at))
