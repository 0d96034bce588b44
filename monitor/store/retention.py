"""Forgets what is old: looks soon, failures later, uptime last. Incidents and their timelines are kept."""

from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa

from checks.result import Outcome
from monitor.store.database import Database
from monitor.store.models import result, state_span

KEEP_RESULTS_DAYS = 14
KEEP_FAILURES_DAYS = 90
"""The evidence of looks that were failed or degraded."""
KEEP_SPANS_DAYS = 400
BATCH_ROWS = 1000
"""So few at once that a commit never waits long for the lock."""


@dataclass(frozen=True, slots=True)
class Forgotten:
    """How many rows were deleted."""

    results: int
    spans: int


class Retention:
    """Deletes old rows."""

    _database: Database

    async def forget(self, now: datetime, *, batch_rows: int = BATCH_ROWS) -> Forgotten:
        """Delete what is older than it is kept, `batch_rows` in a transaction. To be called a few times a day."""
        is_evidence = result.c.outcome.in_([Outcome.FAILED.value, Outcome.DEGRADED.value])
        old_result = sa.or_(
            sa.and_(result.c.started_at < now - timedelta(days=KEEP_RESULTS_DAYS), sa.not_(is_evidence)),
            result.c.started_at < now - timedelta(days=KEEP_FAILURES_DAYS),
        )
        # The first half of this narrows the search to the index.
        old_result = sa.and_(result.c.started_at < now - timedelta(days=KEEP_RESULTS_DAYS), old_result)
        old_span = state_span.c.ended_at < now - timedelta(days=KEEP_SPANS_DAYS)
        return Forgotten(
            results=await self._delete(result, old_result, batch_rows),
            spans=await self._delete(state_span, old_span, batch_rows),
        )

    async def _delete(self, table: sa.Table, is_old: sa.ColumnElement[bool], batch_rows: int) -> int:
        key = sa.tuple_(*table.primary_key)
        some = sa.select(*table.primary_key).where(is_old).limit(batch_rows)
        deleted = 0
        while True:
            async with self._database.write() as connection:
                count = (await connection.execute(sa.delete(table).where(key.in_(some)))).rowcount
            deleted += count
            if count < batch_rows:
                return deleted
