"""Lets deploys be followed over a restart: records, deliveries of the webhook, messages with a text of their own."""

import sqlalchemy as sa
from alembic import op

from monitor.store.models import Instant

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Add the tables, and the column."""
    op.create_table(
        "deploy_record",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("service", sa.Text, nullable=False),
        sa.Column("is_open", sa.Boolean, nullable=False),
        sa.Column("started_at", Instant, nullable=False),
        sa.Column("body", sa.Text, nullable=False),
    )
    op.create_index("deploy_record_by_start", "deploy_record", ["started_at"])
    op.create_table(
        "hook",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("type", sa.Text, nullable=False),
        sa.Column("service_id", sa.Text, nullable=False),
        sa.Column("event_id", sa.Text, nullable=False),
        sa.Column("received_at", Instant, nullable=False),
        sa.Column("is_done", sa.Boolean, nullable=False),
    )
    op.create_index("hook_by_state", "hook", ["is_done", "received_at"])
    op.add_column("message", sa.Column("body", sa.Text))
