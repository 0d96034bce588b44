"""Lets each chat remember its board, and each message whether it may have left."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Add the columns."""
    op.add_column("chat", sa.Column("board_message_id", sa.BigInteger))
    op.add_column("chat", sa.Column("is_board_pinned", sa.Boolean))
    op.add_column("message", sa.Column("may_have_left", sa.Boolean))
