"""Reads and writes the tiles of time that a batch changed."""

from collections import defaultdict
from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from monitor.engine.spans import Span, SpanChange, SpanKind, retile
from monitor.store.database import Database
from monitor.store.models import state_span


async def write_spans(database: Database, connection: AsyncConnection, changes: Sequence[SpanChange]) -> None:
    """Retile the checks that changed, in four statements however many they are."""
    if not changes:
        return
    by_check: dict[str, list[SpanChange]] = defaultdict(list)
    for change in changes:
        by_check[change.check_id].append(change)
    earliest_at = min(change.since_at for change in changes)
    query = sa.select(state_span).where(
        state_span.c.check_id.in_(list(by_check)),
        sa.or_(state_span.c.ended_at.is_(None), state_span.c.ended_at > earliest_at),
    )
    found: dict[str, list[Span]] = defaultdict(list)
    for row in (await connection.execute(query.order_by(state_span.c.started_at))).mappings():
        found[row["check_id"]].append(Span(row["started_at"], row["ended_at"], SpanKind(row["kind"])))
    gone, rows = [], []
    for check_id, its_changes in by_check.items():
        tiles = retile(found[check_id], its_changes)
        gone += [
            {"gone_check": check_id, "gone_start": tile.started_at} for tile in found[check_id] if tile not in tiles
        ]
        rows += [
            {"check_id": check_id, "started_at": tile.started_at, "ended_at": tile.ended_at, "kind": tile.kind.value}
            for tile in tiles
            if tile not in found[check_id]
        ]
    if gone:
        delete = sa.delete(state_span).where(
            state_span.c.check_id == sa.bindparam("gone_check"), state_span.c.started_at == sa.bindparam("gone_start")
        )
        await connection.execute(delete, gone)
    if rows:
        await connection.execute(database.insert(state_span), rows)
