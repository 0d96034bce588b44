"""Rolls a deploy back: after two taps of one operator, or by itself where that is allowed; never twice."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Protocol

import structlog

from checks.platform.client import RenderApiError
from checks.platform.shapes import Deploy, Service
from monitor.delivery.entities import Rendered, clip
from monitor.delivery.notes import note_text
from monitor.deploys.message import refused_message, rollback_message
from monitor.deploys.records import Records
from monitor.deploys.rollback import BUTTON, Taps, Target, is_still_broken, target_of, warning_of
from monitor.engine.deploy_record import SHORT, DeployRecord, RolledBack
from monitor.engine.model import State
from monitor.store.deploy_rows import Note

if TYPE_CHECKING:
    import httpx

ANSWER_UNITS = 200
"""What Telegram shows after a tap."""

log = structlog.get_logger()

Told = tuple[str, bool]
"""What is said after a tap, and whether it stays until it is dismissed."""


class Render(Protocol):
    """What is asked of Render. Methods raise `RenderApiError` or what httpx raises."""

    async def service(self, service_id: str) -> Service | None: ...

    async def newest(self, service: Service, *, max_age_seconds: float) -> tuple[Deploy, ...]: ...

    async def roll_back(self, service_id: str, deploy_id: str) -> None: ...


def render_errors() -> "tuple[type[RenderApiError], type[httpx.HTTPError]]":
    """Return what asking Render may raise."""
    import httpx

    return RenderApiError, httpx.HTTPError


class RollingBack:
    """Asks Render, once for each deploy, and says so in every chat."""

    def __init__(
        self,
        records: Records,
        render: Render | None,
        state: Callable[[], State],
        chat_ids: Sequence[str],
        mode: str,
        now: Callable[[], datetime],
    ) -> None:
        """`mode` is `off`, `suggest` or `auto`."""
        self._records = records
        self._render = render
        self._state = state
        self._chat_ids = tuple(chat_ids)
        self.mode = mode
        self._now = now
        self._taps = Taps()

    async def target(self, record: DeployRecord) -> Target | str:
        """Return to what it may be rolled back now, or why it may not."""
        if self._render is None or not record.render_service_id:
            return "it is not known to Render"
        try:
            service = await self._render.service(record.render_service_id)
            deploys = () if service is None else await self._render.newest(service, max_age_seconds=0.0)
        except render_errors() as error:
            log.warning("rollback.not_decided", deploy=record.id, error=type(error).__name__)
            return "Render's API does not answer"
        return target_of(record, deploys, self._records.of_service(record.service))

    async def press(self, data: str, user_id: int, author: str) -> Told | None:
        """Take a tap by an operator; None for a button that is not of ours."""
        if not data.startswith(BUTTON):
            return None
        async with self._records.lock:
            text, stays = await self._pressed(data.removeprefix(BUTTON), user_id, author)
        return clip(text, ANSWER_UNITS), stays

    async def _pressed(self, deploy_id: str, user_id: int, author: str) -> Told:
        record = self._records.get(deploy_id)
        if record is None:
            return "This deploy is not known any more.", True
        if self.mode == "off":
            return "Rollbacks are switched off.", True
        target = await self.target(record)
        if isinstance(target, str):
            return f"No rollback: {target}.", True
        if not is_still_broken(record, self._state()):
            return f"No rollback: {record.service} is well again.", True
        if not self._taps.is_second(record.id, user_id, self._now()):
            what = f"roll {record.service} back from {record.short} to {target.commit[:SHORT]}"
            return f"Tap again within a minute to {what}. {warning_of(record)}", True
        why = await self.roll_back(record, target, author)
        return (f"Render did not take it: {why}", True) if why else ("Rolling back.", False)

    async def roll_back(self, record: DeployRecord, target: Target, by: str) -> str:
        """Ask Render; return why it was not taken, or nothing. The caller holds the lock. Raises `StoreError`."""
        assert self._render is not None
        asked = replace(record, rolled_back=RolledBack(self._now(), by, target.deploy_id, target.commit))
        # Written first: whatever happens in between, nobody asks a second time.
        await self._records.save(asked, is_open=False, notes=self._notes(asked, "rollback", rollback_message(asked)))
        log.info("rollback.asked", deploy=record.id, service=record.service, to=target.deploy_id, by=by)
        try:
            await self._render.roll_back(record.render_service_id, target.deploy_id)
        except render_errors() as error:
            why = str(error) if isinstance(error, RenderApiError) else f"no answer ({type(error).__name__})"
            log.warning("rollback.not_taken", deploy=record.id, why=why)
            notes = self._notes(asked, "rollback_failed", refused_message(asked, why))
            await self._records.save(asked, is_open=False, notes=notes)
            return why
        return ""

    def _notes(self, record: DeployRecord, what: str, rendered: Rendered) -> list[Note]:
        text = note_text(rendered)
        return [Note(f"deploy:{record.id}:{chat}:{what}", chat, text, is_silent=False) for chat in self._chat_ids]
