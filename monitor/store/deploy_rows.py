"""Deploys: their records, what is said about them, and what Render's webhook delivered."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from monitor.engine.deploy_record import DeployRecord
from monitor.engine.model import MessageKind, Severity
from monitor.store.database import Database
from monitor.store.leadership import check_epoch
from monitor.store.models import chat, deploy_record, hook, message
from monitor.store.values import DEPLOY_RECORD, clean

KEEP_HOOKS = timedelta(days=7)
"""Render delivers again for 33 hours at most."""


@dataclass(frozen=True, slots=True)
class Note:
    """A message that belongs to no incident."""

    key: str
    """Unique for ever: `deploy:<id>:<chat>:<what>`."""
    chat_id: str
    body: str
    severity: Severity = Severity.WARNING
    is_silent: bool = True


@dataclass(frozen=True, slots=True)
class Hook:
    """One delivery of Render's webhook."""

    id: str
    """The same when it is delivered again."""
    type: str
    service_id: str
    event_id: str
    received_at: datetime


class DeployRows:
    """Keeps deploys over a restart."""

    _database: Database

    async def deploy_records(self, limit: int = 50, *, service: str | None = None) -> Sequence[DeployRecord]:
        """Return up to `limit` deploys, newest first; those of one service when given."""
        query = sa.select(deploy_record.c.body)
        if service is not None:
            query = query.where(deploy_record.c.service == service)
        return await self._records(query.order_by(deploy_record.c.started_at.desc(), deploy_record.c.id).limit(limit))

    async def open_deploys(self) -> Sequence[DeployRecord]:
        """Return the deploys about which something is still to be done, oldest first."""
        query = sa.select(deploy_record.c.body).where(deploy_record.c.is_open)
        return await self._records(query.order_by(deploy_record.c.started_at, deploy_record.c.id))

    async def deploy_record(self, deploy_id: str) -> DeployRecord | None:
        """Return one deploy; None where it is not known."""
        found = await self._records(sa.select(deploy_record.c.body).where(deploy_record.c.id == deploy_id))
        return found[0] if found else None

    async def save_deploy(
        self,
        record: DeployRecord,
        now: datetime,
        *,
        is_open: bool,
        notes: Sequence[Note] = (),
        epoch: int | None = None,
    ) -> None:
        """Write a deploy and what is to be said about it, in one transaction; a note that is there stays as it is.

        With an `epoch` only while that epoch rules: else `LeadershipLostError`.
        """
        values = {
            "service": clean(record.service),
            "is_open": is_open,
            "started_at": record.started_at,
            "body": clean(DEPLOY_RECORD.text(record)),
        }
        async with self._database.write() as connection:
            if epoch is not None:
                await check_epoch(connection, epoch)
            insert = self._database.insert(deploy_record).values(id=record.id, **values)
            await connection.execute(insert.on_conflict_do_update(index_elements=["id"], set_=values))
            for note in notes:
                place = {"id": note.chat_id, "configured_target": "", "target": ""}
                await connection.execute(self._database.insert(chat).values(place).on_conflict_do_nothing())
                row = {
                    "dedupe_key": note.key,
                    "incident_id": 0,
                    "chat_id": note.chat_id,
                    "kind": MessageKind.DEPLOY.value,
                    "severity": note.severity.value,
                    "is_silent": note.is_silent,
                    "status": "queued",
                    "created_at": now,
                    "due_at": now,
                    "attempts": 0,
                    "last_error": "",
                    "body": clean(note.body),
                }
                insert = self._database.insert(message).values(row)
                await connection.execute(insert.on_conflict_do_nothing(index_elements=["dedupe_key"]))

    async def record_hook(self, given: Hook) -> bool:
        """Keep a delivery until it is worked off; return False for one that was delivered before."""
        values = {
            "id": clean(given.id),
            "type": clean(given.type),
            "service_id": clean(given.service_id),
            "event_id": clean(given.event_id),
            "received_at": given.received_at,
            "is_done": False,
        }
        async with self._database.write() as connection:
            insert = self._database.insert(hook).values(values).on_conflict_do_nothing(index_elements=["id"])
            is_new = (await connection.execute(insert)).rowcount == 1
            if is_new:
                await connection.execute(sa.delete(hook).where(hook.c.received_at < given.received_at - KEEP_HOOKS))
        return is_new

    async def waiting_hooks(self, limit: int = 100) -> Sequence[Hook]:
        """Return what was delivered and is not worked off, oldest first."""
        query = sa.select(hook).where(sa.not_(hook.c.is_done)).order_by(hook.c.received_at, hook.c.id).limit(limit)
        async with self._database.read() as connection:
            return [
                Hook(row["id"], row["type"], row["service_id"], row["event_id"], row["received_at"])
                for row in (await connection.execute(query)).mappings()
            ]

    async def finish_hook(self, hook_id: str) -> None:
        """Note that a delivery is worked off."""
        async with self._database.write() as connection:
            await connection.execute(sa.update(hook).where(hook.c.id == hook_id).values(is_done=True))

    async def _records(self, query: sa.Select[Any]) -> Sequence[DeployRecord]:
        async with self._database.read() as connection:
            texts: Sequence[str] = (await connection.execute(query)).scalars().all()
        return [DEPLOY_RECORD.value(text) for text in texts]
