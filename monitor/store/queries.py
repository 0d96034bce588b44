"""What the pages and the API ask. Reads only; each answer is one query."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import sqlalchemy as sa

from checks.result import Outcome, Result
from monitor.engine.model import AppendTimeline, DeployWindow, Incident, Silence
from monitor.engine.spans import Span, SpanKind
from monitor.store.database import Database
from monitor.store.models import check_state, deploy, incident, result, silence, state_span, timeline
from monitor.store.values import DEPLOY, INCIDENT, RESULT, SILENCE

LONG_AGO = datetime(1, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Look:
    """One look, as a sparkline shows it."""

    started_at: datetime
    duration_seconds: float
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class DaySeconds:
    """How one day (UTC) of a check went. What is missing to the length of the day was never watched."""

    day: date
    up_seconds: float = 0.0
    down_seconds: float = 0.0
    unknown_seconds: float = 0.0
    maintenance_seconds: float = 0.0


class Queries:
    """The history, for those who look at it."""

    _database: Database

    async def results(self, check_id: str, limit: int = 50, before: datetime | None = None) -> Sequence[Result]:
        """Return up to `limit` looks of one check, newest first; those that started before `before` when given."""
        query = sa.select(result.c.body).where(result.c.check_id == check_id)
        if before is not None:
            query = query.where(result.c.started_at < before)
        return [
            RESULT.value(text) for text in await self._texts(query.order_by(result.c.started_at.desc()).limit(limit))
        ]

    async def series(self, check_id: str, since_at: datetime, limit: int) -> Sequence[Look]:
        """Return the looks of one check since `since_at`, oldest first; the `limit` newest where there are more."""
        query = (
            sa.select(result.c.started_at, result.c.duration_seconds, result.c.outcome)
            .where(result.c.check_id == check_id, result.c.started_at >= since_at)
            .order_by(result.c.started_at.desc())
            .limit(limit)
        )
        async with self._database.read() as connection:
            rows = (await connection.execute(query)).all()
        return [Look(at, seconds, Outcome(outcome)) for at, seconds, outcome in reversed(rows)]

    async def looks(self, limit: int = 60, check_ids: Sequence[str] | None = None) -> Mapping[str, Sequence[Look]]:
        """Return up to `limit` newest looks of each check (or of these), oldest first."""
        inner = result.alias()
        nth_newest = (
            sa.select(inner.c.started_at)
            .where(inner.c.check_id == check_state.c.check_id)
            .order_by(inner.c.started_at.desc())
            .offset(limit - 1)
            .limit(1)
            .correlate(check_state)
            .scalar_subquery()
        )
        # Bounded through the key's index, check by check: a window function would read the whole table.
        query = (
            sa.select(result.c.check_id, result.c.started_at, result.c.duration_seconds, result.c.outcome)
            .join(check_state, check_state.c.check_id == result.c.check_id)
            .where(result.c.started_at >= sa.func.coalesce(nth_newest, sa.literal(LONG_AGO, result.c.started_at.type)))
            .order_by(result.c.check_id, result.c.started_at)
        )
        if check_ids is not None:
            query = query.where(check_state.c.check_id.in_(check_ids))
        looks: dict[str, list[Look]] = defaultdict(list)
        async with self._database.read() as connection:
            for check_id, started_at, duration_seconds, outcome in await connection.execute(query):
                looks[check_id].append(Look(started_at, duration_seconds, Outcome(outcome)))
        return dict(looks)

    async def incidents(self, limit: int = 50) -> Sequence[Incident]:
        """Return up to `limit` incidents, closed ones included: open and acked ones first, then the newest."""
        query = sa.select(incident.c.body).order_by(incident.c.is_live.desc(), incident.c.id.desc()).limit(limit)
        return [INCIDENT.value(text) for text in await self._texts(query)]

    async def incident(self, incident_id: int) -> Incident | None:
        """Return one incident, or None where there never was one with this number."""
        found = await self._texts(sa.select(incident.c.body).where(incident.c.id == incident_id))
        return INCIDENT.value(found[0]) if found else None

    async def timeline(self, incident_id: int) -> Sequence[AppendTimeline]:
        """Return what happened in one incident, oldest first."""
        query = sa.select(timeline).where(timeline.c.incident_id == incident_id).order_by(timeline.c.id)
        async with self._database.read() as connection:
            return [
                AppendTimeline(row["incident_id"], row["at"], row["actor"], row["kind"], row["text"])
                for row in (await connection.execute(query)).mappings()
            ]

    async def silences(self, limit: int = 50) -> Sequence[Silence]:
        """Return up to `limit` silences, ended ones included: running ones first, then the newest."""
        query = sa.select(silence.c.body).order_by(silence.c.is_active.desc(), silence.c.id.desc()).limit(limit)
        return [SILENCE.value(text) for text in await self._texts(query)]

    async def deploys(self, limit: int = 50) -> Sequence[DeployWindow]:
        """Return up to `limit` deploys, newest first."""
        query = sa.select(deploy.c.body).order_by(deploy.c.started_at.desc()).limit(limit)
        return [DEPLOY.value(text) for text in await self._texts(query)]

    async def spans(self, since_at: datetime, check_ids: Sequence[str] | None = None) -> Mapping[str, Sequence[Span]]:
        """Return the tiles of each check (or of these) that reach beyond `since_at`, oldest first.

        The last one of a check has no end.
        """
        reaches = sa.or_(state_span.c.ended_at.is_(None), state_span.c.ended_at > since_at)
        query = sa.select(state_span).where(reaches).order_by(state_span.c.check_id, state_span.c.started_at)
        if check_ids is not None:
            query = query.where(state_span.c.check_id.in_(check_ids))
        spans: dict[str, list[Span]] = defaultdict(list)
        async with self._database.read() as connection:
            for row in (await connection.execute(query)).mappings():
                spans[row["check_id"]].append(Span(row["started_at"], row["ended_at"], SpanKind(row["kind"])))
        return dict(spans)

    async def days(
        self, now: datetime, days: int = 90, check_ids: Sequence[str] | None = None
    ) -> Mapping[str, Sequence[DaySeconds]]:
        """Return the last `days` days (UTC) of each check (or of these), oldest first, today up to `now` included."""
        first = now.astimezone(UTC).date() - timedelta(days=days - 1)
        spans = await self.spans(_midnight(first), check_ids)
        return {check_id: days_of(tiles, first, now) for check_id, tiles in spans.items()}

    async def _texts(self, query: sa.Select[Any]) -> Sequence[str]:
        async with self._database.read() as connection:
            texts: Sequence[str] = (await connection.execute(query)).scalars().all()
            return texts


def days_of(tiles: Sequence[Span], first: date, now: datetime) -> list[DaySeconds]:
    """Return the seconds of each kind on each day from `first` to the day of `now`."""
    count = (now.astimezone(UTC).date() - first).days + 1
    seconds: list[dict[SpanKind, float]] = [dict.fromkeys(SpanKind, 0.0) for _ in range(count)]
    start = _midnight(first)
    for tile in tiles:
        at, end = max(tile.started_at, start), min(tile.ended_at or now, now)
        while at < end:
            day = at.astimezone(UTC).date()
            until = min(end, _midnight(day + timedelta(days=1)))
            seconds[(day - first).days][tile.kind] += (until - at).total_seconds()
            at = until
    return [
        DaySeconds(
            first + timedelta(days=number),
            up_seconds=of[SpanKind.UP],
            down_seconds=of[SpanKind.DOWN],
            unknown_seconds=of[SpanKind.UNKNOWN],
            maintenance_seconds=of[SpanKind.MAINTENANCE],
        )
        for number, of in enumerate(seconds)
    ]


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)
