"""The outbox: messages that were committed and are to be sent, one at a time to each chat."""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from monitor.engine.model import (
    Delivered,
    DeliveryOutcome,
    DropMessage,
    Effect,
    Event,
    InsertMessage,
    MessageKind,
    Severity,
)
from monitor.store.database import Database
from monitor.store.models import chat, message
from monitor.store.values import clean

LEASE_SECONDS = 45.0
WAITING = ("queued", "sending")
_FINAL_STATUS = {
    DeliveryOutcome.DELIVERED: "sent",
    DeliveryOutcome.AMBIGUOUS: "ambiguous",
    DeliveryOutcome.PERMANENT: "dead",
}


@dataclass(frozen=True, slots=True)
class OutboxMessage:
    """A message handed out to be sent, under a lease."""

    key: str
    """The dedupe key `incident:chat:kind:n`."""
    incident_id: int
    chat_id: str
    kind: MessageKind
    severity: Severity
    is_silent: bool
    created_at: datetime
    attempts: int
    """This one included."""
    lease_token: str
    was_sending: bool = False
    """An earlier attempt ended without an outcome: it may have left already."""
    body: str | None = None
    """What it says, where it belongs to no incident."""


@dataclass(frozen=True, slots=True)
class MessageCount:
    """How many messages of one kind to one chat have one status."""

    chat_id: str
    kind: MessageKind
    status: str
    """`queued`, `sending`, `sent`, `ambiguous`, `dead`, `dropped` or `doubtful`."""
    messages: int


class OutboxRows:
    """Hands messages out and takes them back. What became of one is written by `commit`, with its `Delivered` event."""

    _database: Database

    async def claim_message(self, now: datetime, *, lease_seconds: float = LEASE_SECONDS) -> OutboxMessage | None:
        """Lease and return the message to send next, or None: pages first, then the oldest.

        Left out are chats that are paused, or have a message on its way. Two callers never get the same message.
        """
        async with self._database.write() as connection:
            is_free = sa.or_(chat.c.busy_until.is_(None), chat.c.busy_until <= now)
            is_open = sa.or_(chat.c.paused_until.is_(None), chat.c.paused_until <= now)
            is_unleased = sa.or_(message.c.lease_until.is_(None), message.c.lease_until <= now)
            # The chat's row is locked too, and written below: that is what keeps one in flight for each chat.
            query = (
                sa.select(message)
                .join(chat, chat.c.id == message.c.chat_id)
                .where(message.c.status.in_(WAITING), message.c.due_at <= now, is_unleased, is_free, is_open)
                .order_by(sa.case((message.c.severity == Severity.PAGE.value, 0), else_=1), message.c.id)
                .limit(1)
                .with_for_update(of=[message, chat], skip_locked=True)
            )
            row = (await connection.execute(query)).mappings().one_or_none()
            if row is None:
                return None
            token, until = uuid.uuid4().hex, now + timedelta(seconds=lease_seconds)
            await connection.execute(
                sa.update(message)
                .where(message.c.id == row["id"])
                .values(status="sending", attempts=row["attempts"] + 1, lease_token=token, lease_until=until)
                .values(may_have_left=bool(row["may_have_left"]) or row["status"] == "sending")
            )
            await connection.execute(sa.update(chat).where(chat.c.id == row["chat_id"]).values(busy_until=until))
        return replace(_message(row), attempts=row["attempts"] + 1, lease_token=token)

    async def doubtful_messages(self, now: datetime) -> Sequence[OutboxMessage]:
        """Return what was dropped when it may have left already, and nobody is sending any more.

        Whoever reads them says so with a `Delivered` event: people may have read of an outage, and must hear its end.
        """
        is_unleased = sa.or_(message.c.lease_until.is_(None), message.c.lease_until <= now)
        query = sa.select(message).where(message.c.status == "doubtful", is_unleased).order_by(message.c.id)
        async with self._database.read() as connection:
            return [_message(row) for row in (await connection.execute(query)).mappings()]

    async def release_message(
        self,
        key: str,
        lease_token: str,
        due_at: datetime,
        error: str,
        *,
        is_counted: bool = True,
        may_have_left: bool = False,
    ) -> None:
        """Put a leased message back, to be sent from `due_at` on. Without the lease nothing happens.

        `is_counted` False takes the attempt back: the chat asked to wait, which is no failure. `may_have_left`: nobody
        knows whether this attempt arrived.
        """
        attempts = message.c.attempts if is_counted else message.c.attempts - 1
        is_doubtful = sa.or_(message.c.may_have_left.is_(True), sa.literal(may_have_left))
        status = sa.case(
            (message.c.status == "sending", "queued"),
            (sa.and_(message.c.status == "doubtful", sa.not_(is_doubtful)), "dropped"),
            else_=message.c.status,  # dropped stays dropped
        )
        async with self._database.write() as connection:
            freed = await connection.execute(
                sa.update(message)
                .where(message.c.dedupe_key == key, message.c.lease_token == lease_token)
                .values(status=status, due_at=due_at, attempts=attempts, last_error=clean(error))
                .values(may_have_left=is_doubtful)
                .values(lease_token=None, lease_until=None)
                .returning(message.c.chat_id)
            )
            await _free_chats(connection, freed.scalars().all())

    async def pause_chat(self, chat_id: str, until: datetime) -> None:
        """Hand out nothing for this chat before `until`."""
        async with self._database.write() as connection:
            await connection.execute(sa.update(chat).where(chat.c.id == chat_id).values(paused_until=until))

    async def chat_target(self, chat_id: str) -> str:
        """Return where the chat is reached now. Raises `KeyError` for a chat never given to `ensure_chats`."""
        async with self._database.read() as connection:
            query = sa.select(chat.c.target).where(chat.c.id == chat_id, chat.c.target != "")
            target: str | None = (await connection.execute(query)).scalar_one_or_none()
        if target is None:
            raise KeyError(chat_id)
        return target

    async def set_chat_target(self, chat_id: str, target: str) -> None:
        """Keep where the chat has moved. It holds until the configuration names another target."""
        async with self._database.write() as connection:
            moved = sa.update(chat).where(chat.c.id == chat_id)
            await connection.execute(moved.values(target=target, board_message_id=None))

    async def ensure_chats(self, targets: Mapping[str, str]) -> None:
        """Make the configured chats known, and drop what waits for chats that are configured no more."""
        async with self._database.write() as connection:
            known = {
                row["id"]: row["configured_target"] for row in (await connection.execute(sa.select(chat))).mappings()
            }
            for chat_id, target in targets.items():
                if chat_id not in known:
                    values = {"id": chat_id, "configured_target": target, "target": target}
                    await connection.execute(sa.insert(chat).values(values))
                elif known[chat_id] != target:
                    moved = sa.update(chat).where(chat.c.id == chat_id)
                    await connection.execute(
                        moved.values(configured_target=target, target=target, board_message_id=None)
                    )
            await connection.execute(
                sa.update(message)
                .where(message.c.status.in_(WAITING), message.c.chat_id.not_in(list(targets)))
                .values(status="dropped", last_error="the chat is configured no more")
            )

    async def oldest_page_age_seconds(self, now: datetime) -> float:
        """Return how long the oldest waiting page has been waiting; 0 when none is."""
        return await self._oldest_seconds(now, message.c.severity == Severity.PAGE.value)

    async def outbox_oldest_seconds(self, now: datetime) -> float:
        """Return how long the oldest waiting message has been waiting; 0 when none is."""
        return await self._oldest_seconds(now, sa.true())

    async def message_counts(self) -> Sequence[MessageCount]:
        """Return how many messages there are of each chat, kind and status."""
        key = (message.c.chat_id, message.c.kind, message.c.status)
        async with self._database.read() as connection:
            rows = await connection.execute(sa.select(*key, sa.func.count()).group_by(*key).order_by(*key))
            return [MessageCount(chat_id, MessageKind(kind), status, count) for chat_id, kind, status, count in rows]

    async def _oldest_seconds(self, now: datetime, condition: sa.ColumnElement[bool]) -> float:
        query = sa.select(sa.func.min(message.c.created_at)).where(message.c.status.in_(WAITING), condition)
        async with self._database.read() as connection:
            oldest_at: datetime | None = (await connection.execute(query)).scalar_one()
        return 0.0 if oldest_at is None else max(0.0, (now - oldest_at).total_seconds())


async def write_messages(
    database: Database,
    connection: AsyncConnection,
    events: Sequence[tuple[Event, datetime]],
    effects: Sequence[Effect],
    now: datetime,
) -> None:
    """Insert new messages, drop unwanted ones, note what became of those that were sent. May be repeated."""
    inserts = [effect for effect in effects if isinstance(effect, InsertMessage)]
    if inserts:
        chats = [
            {"id": chat_id, "configured_target": "", "target": ""}
            for chat_id in sorted({effect.chat_id for effect in inserts})
        ]
        await connection.execute(database.insert(chat).on_conflict_do_nothing(), chats)
        await connection.execute(
            database.insert(message).on_conflict_do_nothing(index_elements=["dedupe_key"]),
            [
                {
                    "dedupe_key": effect.dedupe_key,
                    "incident_id": effect.incident_id,
                    "chat_id": effect.chat_id,
                    "kind": effect.kind.value,
                    "severity": effect.severity.value,
                    "is_silent": effect.is_silent,
                    "status": "queued",
                    "created_at": now,
                    "due_at": now,
                    "attempts": 0,
                    "last_error": "",
                }
                for effect in inserts
            ],
        )
    drops = [effect.dedupe_key for effect in effects if isinstance(effect, DropMessage)]
    if drops:
        # One that is being sent is dropped too: whoever sends it may still say that it arrived, but not put it back.
        may_have_left = sa.or_(message.c.status == "sending", message.c.may_have_left.is_(True))
        await connection.execute(
            sa.update(message)
            .where(message.c.dedupe_key.in_(drops), message.c.status.in_(WAITING))
            .values(status=sa.case((may_have_left, "doubtful"), else_="dropped"), finished_at=now)
        )
    for event, at in events:
        if isinstance(event, Delivered) and event.outcome in _FINAL_STATUS:
            done = await connection.execute(
                sa.update(message)
                .where(message.c.dedupe_key == event.dedupe_key, message.c.finished_at.is_distinct_from(at))
                .values(status=_FINAL_STATUS[event.outcome], finished_at=at, message_id=event.message_id)
                .values(last_error=clean(event.detail), lease_token=None, lease_until=None)
                .returning(message.c.chat_id)
            )
            await _free_chats(connection, done.scalars().all())


def _message(row: sa.RowMapping) -> OutboxMessage:
    return OutboxMessage(
        key=row["dedupe_key"],
        incident_id=row["incident_id"],
        chat_id=row["chat_id"],
        kind=MessageKind(row["kind"]),
        severity=Severity(row["severity"]),
        is_silent=row["is_silent"],
        created_at=row["created_at"],
        attempts=row["attempts"],
        lease_token=row["lease_token"] or "",
        was_sending=row["status"] == "sending" or bool(row["may_have_left"]),
        body=row["body"],
    )


async def _free_chats(connection: AsyncConnection, chat_ids: Sequence[str]) -> None:
    if chat_ids:
        await connection.execute(sa.update(chat).where(chat.c.id.in_(chat_ids)).values(busy_until=None))
