"""Which message is a chat's board."""

from dataclasses import dataclass

import sqlalchemy as sa

from monitor.store.database import Database
from monitor.store.models import chat


@dataclass(frozen=True, slots=True)
class BoardRow:
    """The board of one chat."""

    message_id: int
    is_pinned: bool


class BoardRows:
    """Remembers boards: a new process goes on with the message it finds. A chat that moves loses its board."""

    _database: Database

    async def board(self, chat_id: str) -> BoardRow | None:
        """Return the chat's board; None when it has none."""
        query = sa.select(chat.c.board_message_id, chat.c.is_board_pinned).where(chat.c.id == chat_id)
        async with self._database.read() as connection:
            row = (await connection.execute(query)).one_or_none()
        return None if row is None or row[0] is None else BoardRow(row[0], bool(row[1]))

    async def set_board(self, chat_id: str, message_id: int | None, *, is_pinned: bool = False) -> None:
        """Remember the chat's board; None forgets it."""
        values = {"board_message_id": message_id, "is_board_pinned": is_pinned}
        async with self._database.write() as connection:
            await connection.execute(sa.update(chat).where(chat.c.id == chat_id).values(values))
