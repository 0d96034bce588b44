"""Lets the monitor remember what it found about the stack."""

import sqlalchemy as sa
from alembic import op

from monitor.store.models import Instant

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Add the table."""
    op.create_table(
        "discovery",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("body", sa.Text, nullable=False),
        sa.Column("accepted_at", Instant),
    )
