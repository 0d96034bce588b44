"""Lets each chat remember its last daily digest."""

import sqlalchemy as sa
from alembic import op

from monitor.store.models import Instant

revision = "0007"
down_revision = "0005"


def upgrade() -> None:
    """Add the column."""
    op.add_column("chat", sa.Column("digest_at", Instant))
