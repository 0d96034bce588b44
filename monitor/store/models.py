"""The tables: what each row is, and the columns that questions are asked by. Engine values lie whole in `body`."""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    DateTime,
    Dialect,
    Float,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
)


class Instant(TypeDecorator[datetime]):
    """An aware UTC datetime to the microsecond, also where the database keeps no zone (SQLite)."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"instant {value}: has no time zone")
        return value.astimezone(UTC)

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        instant: datetime = value
        return instant.replace(tzinfo=UTC) if instant.tzinfo is None else instant.astimezone(UTC)


Serial = BigInteger().with_variant(Integer(), "sqlite")
"""A number the database counts up; SQLite counts only a column of type INTEGER."""

metadata = MetaData()

counter = Table(
    "counter",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("next_incident_id", BigInteger, nullable=False),
    Column("next_silence_id", BigInteger, nullable=False),
    Column("revision", BigInteger, nullable=False),
    Column("last_batch", Text, nullable=False),
)
"""One row: the numbers of the engine's state, and the batch that was committed last."""

leader = Table(
    "leader",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("owner", Text, nullable=False),
    Column("epoch", BigInteger, nullable=False),
    Column("expires_at", Instant, nullable=False),
)
"""One row: who may write, until when by the database's clock. The epoch rises with every change of owner."""

check_state = Table(
    "check_state",
    metadata,
    Column("check_id", Text, primary_key=True),
    Column("body", Text, nullable=False),
)

result = Table(
    "result",
    metadata,
    Column("check_id", Text, primary_key=True),
    Column("started_at", Instant, primary_key=True),
    Column("outcome", Text, nullable=False),
    Column("duration_seconds", Float, nullable=False),
    Column("body", Text, nullable=False),
    Index("result_by_age", "started_at"),
)

state_span = Table(
    "state_span",
    metadata,
    Column("check_id", Text, primary_key=True),
    Column("started_at", Instant, primary_key=True),
    Column("ended_at", Instant),
    Column("kind", Text, nullable=False),
    Index("state_span_by_end", "ended_at"),
)
"""Tiles of time for each check, without gap or overlap; the last one has no end."""

incident = Table(
    "incident",
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("is_active", Boolean, nullable=False),
    Column("is_live", Boolean, nullable=False),
    Column("body", Text, nullable=False),
    Index("incident_active", "is_active"),
)
"""Every incident there was. Active: part of the engine's state. Live: open or acked."""

timeline = Table(
    "timeline",
    metadata,
    Column("id", Serial, primary_key=True),
    Column("incident_id", BigInteger, nullable=False),
    Column("digest", Text, nullable=False),
    Column("at", Instant, nullable=False),
    Column("actor", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("text", Text, nullable=False),
    UniqueConstraint("incident_id", "digest", name="timeline_once"),
)
"""What happened in an incident. The digest is of the row's content, so that a repeated commit adds nothing."""

silence = Table(
    "silence",
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("is_active", Boolean, nullable=False),
    Column("body", Text, nullable=False),
)

deploy = Table(
    "deploy",
    metadata,
    Column("id", Text, primary_key=True),
    Column("is_active", Boolean, nullable=False),
    Column("started_at", Instant, nullable=False),
    Column("body", Text, nullable=False),
    Index("deploy_by_start", "started_at"),
)

chat = Table(
    "chat",
    metadata,
    Column("id", Text, primary_key=True),
    Column("configured_target", Text, nullable=False),
    Column("target", Text, nullable=False),
    Column("paused_until", Instant),
    Column("busy_until", Instant),
    Column("body", Text),
    Column("board_message_id", BigInteger),
    Column("is_board_pinned", Boolean),
    Column("digest_at", Instant),
)
"""Where a chat is reached: as configured, and as moved by its channel since. Busy: one of its messages is leased.

Its board: the message that is edited every minute, and whether it is pinned."""

message = Table(
    "message",
    metadata,
    Column("id", Serial, primary_key=True),
    Column("dedupe_key", Text, nullable=False, unique=True),
    Column("incident_id", BigInteger, nullable=False),
    Column("chat_id", Text, ForeignKey("chat.id"), nullable=False),
    Column("kind", Text, nullable=False),
    Column("severity", Text, nullable=False),
    Column("is_silent", Boolean, nullable=False),
    Column("status", Text, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("due_at", Instant, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("lease_token", Text),
    Column("lease_until", Instant),
    Column("finished_at", Instant),
    Column("message_id", BigInteger),
    Column("last_error", Text, nullable=False),
    Column("may_have_left", Boolean),
    Column("body", Text),
    Index("message_by_status", "status", "due_at"),
)
"""The outbox: queued → sending → sent, ambiguous or dead; or dropped before it left.

Doubtful: dropped when it may have left already, by an attempt without an answer or one that runs still. One with a
body belongs to no incident and says just that."""

deploy_record = Table(
    "deploy_record",
    metadata,
    Column("id", Text, primary_key=True),
    Column("service", Text, nullable=False),
    Column("is_open", Boolean, nullable=False),
    Column("started_at", Instant, nullable=False),
    Column("body", Text, nullable=False),
    Index("deploy_record_by_start", "started_at"),
)
"""Every deploy there was, with its verdict. Open: something is still to be done about it."""

hook = Table(
    "hook",
    metadata,
    Column("id", Text, primary_key=True),
    Column("type", Text, nullable=False),
    Column("service_id", Text, nullable=False),
    Column("event_id", Text, nullable=False),
    Column("received_at", Instant, nullable=False),
    Column("is_done", Boolean, nullable=False),
    Index("hook_by_state", "is_done", "received_at"),
)
"""What Render's webhook delivered, each delivery once."""

proof = Table(
    "proof",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("at", Instant, nullable=False),
)
"""One row, written and read back to prove that the database takes writes."""

push = Table(
    "push",
    metadata,
    Column("check_id", Text, primary_key=True),
    Column("at", Instant, nullable=False),
    Column("is_good", Boolean, nullable=False),
    Column("message", Text, nullable=False),
)
"""The last call to each dead-man's switch."""
discovery = Table(
    "discovery",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("body", Text, nullable=False),
    Column("accepted_at", Instant),
)
"""At most one row: what was found about the stack, and when somebody last accepted its changes."""
