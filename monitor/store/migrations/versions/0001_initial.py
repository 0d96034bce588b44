"""Makes all tables, and the rows of those that hold just one."""

from datetime import UTC, datetime

import sqlalchemy as sa
from alembic import op

from monitor.store.models import Instant, Serial

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make the tables."""
    counter = op.create_table(
        "counter",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("next_incident_id", sa.BigInteger, nullable=False),
        sa.Column("next_silence_id", sa.BigInteger, nullable=False),
        sa.Column("revision", sa.BigInteger, nullable=False),
        sa.Column("last_batch", sa.Text, nullable=False),
    )
    leader = op.create_table(
        "leader",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("owner", sa.Text, nullable=False),
        sa.Column("epoch", sa.BigInteger, nullable=False),
        sa.Column("expires_at", Instant, nullable=False),
    )
    op.create_table(
        "check_state",
        sa.Column("check_id", sa.Text, primary_key=True),
        sa.Column("body", sa.Text, nullable=False),
    )
    op.create_table(
        "result",
        sa.Column("check_id", sa.Text, primary_key=True),
        sa.Column("started_at", Instant, primary_key=True),
        sa.Column("outcome", sa.Text, nullable=False),
        sa.Column("duration_seconds", sa.Float, nullable=False),
        sa.Column("body", sa.Text, nullable=False),
    )
    op.create_index("result_by_age", "result", ["started_at"])
    op.create_table(
        "state_span",
        sa.Column("check_id", sa.Text, primary_key=True),
        sa.Column("started_at", Instant, primary_key=True),
        sa.Column("ended_at", Instant),
        sa.Column("kind", sa.Text, nullable=False),
    )
    op.create_index("state_span_by_end", "state_span", ["ended_at"])
    op.create_table(
        "incident",
        sa.Column("id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("is_active", sa.Boolean, nullable=False),
        sa.Column("is_live", sa.Boolean, nullable=False),
        sa.Column("body", sa.Text, nullable=False),
    )
    op.create_index("incident_active", "incident", ["is_active"])
    op.create_table(
        "timeline",
        sa.Column("id", Serial, primary_key=True),
        sa.Column("incident_id", sa.BigInteger, nullable=False),
        sa.Column("digest", sa.Text, nullable=False),
        sa.Column("at", Instant, nullable=False),
        sa.Column("actor", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.UniqueConstraint("incident_id", "digest", name="timeline_once"),
    )
    op.create_table(
        "silence",
        sa.Column("id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("is_active", sa.Boolean, nullable=False),
        sa.Column("body", sa.Text, nullable=False),
    )
    op.create_table(
        "deploy",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("is_active", sa.Boolean, nullable=False),
        sa.Column("started_at", Instant, nullable=False),
        sa.Column("body", sa.Text, nullable=False),
    )
    op.create_index("deploy_by_start", "deploy", ["started_at"])
    op.create_table(
        "chat",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("configured_target", sa.Text, nullable=False),
        sa.Column("target", sa.Text, nullable=False),
        sa.Column("paused_until", Instant),
        sa.Column("busy_until", Instant),
        sa.Column("body", sa.Text),
    )
    op.create_table(
        "message",
        sa.Column("id", Serial, primary_key=True),
        sa.Column("dedupe_key", sa.Text, nullable=False, unique=True),
        sa.Column("incident_id", sa.BigInteger, nullable=False),
        sa.Column("chat_id", sa.Text, sa.ForeignKey("chat.id"), nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("severity", sa.Text, nullable=False),
        sa.Column("is_silent", sa.Boolean, nullable=False),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("created_at", Instant, nullable=False),
        sa.Column("due_at", Instant, nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("lease_token", sa.Text),
        sa.Column("lease_until", Instant),
        sa.Column("finished_at", Instant),
        sa.Column("message_id", sa.BigInteger),
        sa.Column("last_error", sa.Text, nullable=False),
    )
    op.create_index("message_by_status", "message", ["status", "due_at"])
    proof = op.create_table(
        "proof",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("at", Instant, nullable=False),
    )
    never = datetime(1970, 1, 1, tzinfo=UTC)
    op.execute(counter.insert().values(id=1, next_incident_id=1, next_silence_id=1, revision=0, last_batch=""))
    op.execute(leader.insert().values(id=1, owner="", epoch=0, expires_at=never))
    op.execute(proof.insert().values(id=1, at=never))
