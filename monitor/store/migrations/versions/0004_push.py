"""Lets dead-man's switches remember their last call."""

import sqlalchemy as sa
from alembic import op

from monitor.store.models import Instant

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Add the table."""
    op.create_table(
        "push",
        sa.Column("check_id", sa.Text, primary_key=True),
        sa.Column("at", Instant, nullable=False),
        sa.Column("is_good", sa.Boolean, nullable=False),
        sa.Column("message", sa.Text, nullable=False),
    )
