"""Writes one batch of the straight line in one transaction, and reads the state of the last one back."""

import hashlib
import uuid
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, TypeVar

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from checks.result import Result
from monitor.engine.model import AppendTimeline, Effect, Event, Incident, Looked, State
from monitor.engine.spans import SpanChange
from monitor.store.database import Database
from monitor.store.leadership import check_epoch
from monitor.store.models import chat, check_state, counter, deploy, incident, result, silence, timeline
from monitor.store.outbox_rows import write_messages
from monitor.store.span_rows import write_spans
from monitor.store.values import CHAT, CHECK_STATE, DEPLOY, INCIDENT, RESULT, SILENCE, clean

KeyT = TypeVar("KeyT")
ValueT = TypeVar("ValueT")
Row = dict[str, Any]


class Commits:
    """The store's side of the straight line."""

    _database: Database

    async def load(self) -> State:
        """Return the state of the last commit; the empty one of a new database. Raises `StoreError`."""
        async with self._database.read() as connection:
            numbers = (await connection.execute(sa.select(counter))).mappings().one()
            checks = [CHECK_STATE.value(text) for text in await _bodies(connection, sa.select(check_state.c.body))]
            incidents = [INCIDENT.value(text) for text in await _bodies(connection, _active(incident))]
            silences = [SILENCE.value(text) for text in await _bodies(connection, _active(silence))]
            deploys = [DEPLOY.value(text) for text in await _bodies(connection, _active(deploy))]
            known = sa.select(chat.c.body).where(chat.c.body.is_not(None)).order_by(chat.c.id)
            chats = [CHAT.value(text) for text in await _bodies(connection, known)]
        return State(
            checks={check.id: check for check in checks},
            incidents={item.id: item for item in incidents},
            silences={item.id: item for item in silences},
            deploys={item.id: item for item in deploys},
            chats={item.id: item for item in chats},
            next_incident_id=numbers["next_incident_id"],
            next_silence_id=numbers["next_silence_id"],
            revision=numbers["revision"],
            held=frozenset(check.id for check in checks if check.held_since is not None),
        )

    async def commit(
        self,
        events: Sequence[tuple[Event, datetime]],
        before: State,
        after: State,
        effects: Sequence[Effect],
        now: datetime,
        *,
        spans: Sequence[SpanChange] = (),
        epoch: int | None = None,
        batch: str = "",
    ) -> None:
        """Write what a batch of events changed, whole or not at all.

        `batch` names it: when the last one committed has the same name, its answer was lost, and nothing is written.

        With an `epoch` it is written only while that epoch rules, else `LeadershipLostError` is raised.
        Raises `StoreUnavailableError` when the database is away: whether it was written is then not known.
        """
        async with self._database.write() as connection:
            if epoch is not None:
                await check_epoch(connection, epoch)
            if not await self._begin(connection, after, batch or uuid.uuid4().hex):
                return
            await self._insert_results(connection, [event.result for event, _ in events if isinstance(event, Looked)])
            await self._write_state(connection, before, after)
            await self._append_timeline(connection, [row for row in effects if isinstance(row, AppendTimeline)])
            await write_messages(self._database, connection, events, effects, now)
            await write_spans(self._database, connection, spans)

    async def _begin(self, connection: AsyncConnection, after: State, batch: str) -> bool:
        """Write the numbers of the state; return False when this batch has done so before."""
        done = await connection.execute(
            sa.update(counter)
            .where(counter.c.last_batch != batch)
            .values(
                next_incident_id=after.next_incident_id,
                next_silence_id=after.next_silence_id,
                revision=after.revision,
                last_batch=batch,
            )
        )
        return done.rowcount == 1

    async def _insert_results(self, connection: AsyncConnection, looks: Sequence[Result]) -> None:
        if looks:
            insert = self._database.insert(result).on_conflict_do_nothing()
            await connection.execute(
                insert,
                [
                    {
                        "check_id": look.check_id,
                        "started_at": look.started_at,
                        "outcome": look.verdict.outcome.value,
                        "duration_seconds": look.duration_seconds,
                        "body": RESULT.text(look),
                    }
                    for look in looks
                ],
            )

    async def _write_state(self, connection: AsyncConnection, before: State, after: State) -> None:
        checks, gone_checks = _difference(before.checks, after.checks)
        await self._upsert(
            connection, check_state, [{"check_id": check.id, "body": CHECK_STATE.text(check)} for check in checks]
        )
        if gone_checks:
            await connection.execute(sa.delete(check_state).where(check_state.c.check_id.in_(gone_checks)))

        incidents, gone_incidents = _difference(before.incidents, after.incidents)
        await self._upsert(connection, incident, [_incident_row(item) for item in incidents])
        await _deactivate(connection, incident, gone_incidents)

        silences, gone_silences = _difference(before.silences, after.silences)
        await self._upsert(
            connection,
            silence,
            [{"id": item.id, "is_active": True, "body": SILENCE.text(item)} for item in silences],
        )
        await _deactivate(connection, silence, gone_silences)

        deploys, gone_deploys = _difference(before.deploys, after.deploys)
        await self._upsert(
            connection,
            deploy,
            [
                {"id": item.id, "is_active": True, "started_at": item.started_at, "body": DEPLOY.text(item)}
                for item in deploys
            ],
        )
        await _deactivate(connection, deploy, gone_deploys)

        chats, gone_chats = _difference(before.chats, after.chats)
        await self._upsert(
            connection,
            chat,
            [{"id": item.id, "configured_target": "", "target": "", "body": CHAT.text(item)} for item in chats],
            only=("body",),
        )
        if gone_chats:
            await connection.execute(sa.update(chat).where(chat.c.id.in_(gone_chats)).values(body=None))

    async def _append_timeline(self, connection: AsyncConnection, rows: Sequence[AppendTimeline]) -> None:
        if rows:
            insert = self._database.insert(timeline).on_conflict_do_nothing(index_elements=["incident_id", "digest"])
            await connection.execute(insert, [_timeline_row(row) for row in rows])

    async def _upsert(
        self, connection: AsyncConnection, table: sa.Table, rows: Sequence[Row], *, only: Iterable[str] | None = None
    ) -> None:
        """Insert rows; where the key exists, replace the other columns (those of `only` when given)."""
        if not rows:
            return
        key = [column.name for column in table.primary_key]
        replaced = only if only is not None else [name for name in rows[0] if name not in key]
        insert = self._database.insert(table)
        update = {name: insert.excluded[name] for name in replaced}
        await connection.execute(insert.on_conflict_do_update(index_elements=key, set_=update), rows)


def _difference(before: Mapping[KeyT, ValueT], after: Mapping[KeyT, ValueT]) -> tuple[list[ValueT], list[KeyT]]:
    """Return the values that are not the very same object as before, and the keys that are gone."""
    if before is after:
        return [], []
    changed = [value for key, value in after.items() if before.get(key) is not value]
    return changed, [key for key in before if key not in after]


def _incident_row(item: Incident) -> Row:
    return {"id": item.id, "is_active": True, "is_live": item.is_live, "body": INCIDENT.text(item)}


def _timeline_row(row: AppendTimeline) -> Row:
    actor, kind, text = clean(row.actor), clean(row.kind), clean(row.text)
    content = "\0".join((row.at.isoformat(), actor, kind, text))
    return {
        "incident_id": row.incident_id,
        "digest": hashlib.sha256(content.encode()).hexdigest()[:32],
        "at": row.at,
        "actor": actor,
        "kind": kind,
        "text": text,
    }


def _active(table: sa.Table) -> sa.Select[tuple[str]]:
    return sa.select(table.c.body).where(table.c.is_active).order_by(table.c.id)


async def _bodies(connection: AsyncConnection, query: sa.Select[Any]) -> Sequence[str]:
    texts: Sequence[str] = (await connection.execute(query)).scalars().all()
    return texts


async def _deactivate(connection: AsyncConnection, table: sa.Table, ids: Sequence[object]) -> None:
    if ids:
        gone = sa.update(table).where(table.c.id.in_(ids)).values(is_active=False)
        await connection.execute(gone.values(is_live=False) if "is_live" in table.c else gone)
