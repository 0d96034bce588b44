"""The deploys as this leader knows them: read once, written through, one change at a time."""

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Protocol

from monitor.engine.deploy_record import DeployRecord
from monitor.store.deploy_rows import Hook, Note

KEPT = 300


class Rows(Protocol):
    """The store's side."""

    async def deploy_records(self, limit: int) -> Sequence[DeployRecord]: ...

    async def open_deploys(self) -> Sequence[DeployRecord]: ...

    async def save_deploy(
        self,
        record: DeployRecord,
        now: datetime,
        *,
        is_open: bool,
        notes: Sequence[Note] = (),
        epoch: int | None = None,
    ) -> None: ...

    async def waiting_hooks(self) -> Sequence[Hook]: ...

    async def finish_hook(self, hook_id: str) -> None: ...


class Records:
    """Every change is written before it is believed."""

    def __init__(self, rows: Rows, now: Callable[[], datetime], epoch: int | None) -> None:
        """Written only while `epoch` rules."""
        self.rows = rows
        self.lock = asyncio.Lock()
        """Held by whoever reads a record in order to change it."""
        self._now = now
        self._epoch = epoch
        self._known: dict[str, DeployRecord] = {}
        self._open: set[str] = set()

    async def begin(self) -> None:
        """Read what is known. Raises `StoreError`."""
        is_open = await self.rows.open_deploys()
        known = {record.id: record for record in (*await self.rows.deploy_records(KEPT), *is_open)}
        self._known, self._open = known, {record.id for record in is_open}

    def get(self, deploy_id: str) -> DeployRecord | None:
        """Return one deploy."""
        return self._known.get(deploy_id)

    def open(self) -> list[DeployRecord]:
        """Return those about which something is still to be done, oldest first."""
        return sorted((self._known[deploy_id] for deploy_id in self._open), key=_age)

    def all(self) -> list[DeployRecord]:
        """Return all that are known, oldest first."""
        return sorted(self._known.values(), key=_age)

    def of_service(self, service: str) -> list[DeployRecord]:
        """Return those of one service, oldest first."""
        return [record for record in self.all() if record.service == service]

    def after(self, record: DeployRecord) -> list[DeployRecord]:
        """Return the later deploys of the same service."""
        return [one for one in self.of_service(record.service) if _age(one) > _age(record)]

    async def save(self, record: DeployRecord, *, is_open: bool, notes: Sequence[Note] = ()) -> None:
        """Write a deploy, and what is to be said of it. Raises `StoreError`."""
        await self.rows.save_deploy(record, self._now(), is_open=is_open, notes=notes, epoch=self._epoch)
        self._known[record.id] = record
        (self._open.add if is_open else self._open.discard)(record.id)
        for old in self.all()[:-KEPT]:
            if old.id not in self._open:
                del self._known[old.id]


def _age(record: DeployRecord) -> tuple[datetime, str]:
    return record.started_at, record.id
