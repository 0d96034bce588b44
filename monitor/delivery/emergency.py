"""The outbox while the database is away: pages with news are handed out from the state, all else waits."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Protocol

import structlog

from monitor.delivery.neighbours import Outbox, OutboxMessage
from monitor.engine.model import Incident, MessageKind, Severity, State, Told, ToldState
from monitor.store.errors import StoreError
from monitor.store.spool import Spool, Unwritten

ANSWER_SECONDS = 5.0
"""How long the store may take; then the state is asked instead."""
LEASE_SECONDS = 45.0
NEWS = frozenset({MessageKind.OPEN, MessageKind.REOPEN, MessageKind.RISE, MessageKind.ESCALATE})
"""Pages of these kinds are told without the database; reminders and ends wait for it."""

log = structlog.get_logger(__name__)


class Line(Protocol):
    """What is asked of the line."""

    @property
    def state(self) -> State: ...

    @property
    def is_in_memory(self) -> bool: ...

    @property
    def unwritten(self) -> Unwritten | None: ...


@dataclass(frozen=True, slots=True)
class MemoryMessage:
    """A message handed out without the database."""

    key: str
    incident_id: int
    chat_id: str
    kind: MessageKind
    severity: Severity
    is_silent: bool
    created_at: datetime
    attempts: int
    lease_token: str
    was_sending: bool = False
    body: str | None = None


@dataclass(frozen=True, slots=True)
class _Try:
    """What became of a message that was handed out from memory."""

    message: MemoryMessage
    attempts: int
    not_before: datetime
    may_have_left: bool = False


class EmergencyOutbox:
    """The store's outbox while the line writes to the store; while it does not, the state and a spool on disk."""

    def __init__(
        self,
        rows: Outbox,
        line: Line,
        spool: Spool,
        targets: Mapping[str, str],
        proof: Callable[[], Awaitable[None]],
        *,
        answer_seconds: float = ANSWER_SECONDS,
    ) -> None:
        """`targets` is where each chat is by configuration; `proof` returns once it is certain that we lead."""
        self._rows = rows
        self._line = line
        self._spool = spool
        self._targets = dict(targets)
        self._proof = proof
        self._answer_seconds = answer_seconds
        self._tries: dict[str, _Try] = {}
        self._paused_until: dict[str, datetime] = {}
        self._doubtful: list[MemoryMessage] = []
        self._spooled: object = None
        """What the spool on disk was written for."""

    async def claim_message(self, now: datetime, *, lease_seconds: float = LEASE_SECONDS) -> OutboxMessage | None:
        """Lease the next message. From memory: pages with news, never before they are on disk."""
        if self._line.is_in_memory:
            await self._spool_news()
            return self._from_state(now, lease_seconds)
        if self._spooled is not None:
            await asyncio.to_thread(self._spool.clear)
            self._spooled = None
            self._tries.clear()
        await self._proof()
        async with asyncio.timeout(self._answer_seconds):
            return await self._rows.claim_message(now, lease_seconds=lease_seconds)

    async def release_message(
        self,
        key: str,
        lease_token: str,
        due_at: datetime,
        error: str,
        *,
        is_counted: bool = True,
        may_have_left: bool = False,
    ) -> None:
        """Give a message back."""
        tried = self._tries.get(key)
        if tried is not None:
            attempts = tried.attempts if is_counted else tried.attempts - 1
            self._tries[key] = replace(
                tried, attempts=attempts, not_before=due_at, may_have_left=tried.may_have_left or may_have_left
            )
        if not self._line.is_in_memory:
            async with asyncio.timeout(self._answer_seconds):
                await self._rows.release_message(
                    key, lease_token, due_at, error, is_counted=is_counted, may_have_left=may_have_left
                )

    async def doubtful_messages(self, now: datetime) -> Sequence[OutboxMessage]:
        """Return what is no longer wanted and may have left already. From memory: each once."""
        if not self._line.is_in_memory:
            async with asyncio.timeout(self._answer_seconds):
                return await self._rows.doubtful_messages(now)
        doubtful, self._doubtful = self._doubtful, []
        return doubtful

    async def pause_chat(self, chat_id: str, until: datetime) -> None:
        """Hand out nothing for this chat before `until`."""
        self._paused_until[chat_id] = until
        if not self._line.is_in_memory:
            async with asyncio.timeout(self._answer_seconds):
                await self._rows.pause_chat(chat_id, until)

    async def chat_target(self, chat_id: str) -> str:
        """Return where the chat is: as the store says, or said last, or as configured."""
        if not self._line.is_in_memory:
            try:
                async with asyncio.timeout(self._answer_seconds):
                    self._targets[chat_id] = await self._rows.chat_target(chat_id)
            except (StoreError, TimeoutError) as error:
                log.warning("outbox.target_from_memory", chat=chat_id, error=type(error).__name__)
        return self._targets[chat_id]

    async def set_chat_target(self, chat_id: str, target: str) -> None:
        """Remember that the chat has moved."""
        self._targets[chat_id] = target
        if not self._line.is_in_memory:
            async with asyncio.timeout(self._answer_seconds):
                await self._rows.set_chat_target(chat_id, target)

    async def oldest_page_age_seconds(self, now: datetime) -> float:
        """Return the age of the oldest page that waits."""
        return await self._rows.oldest_page_age_seconds(now)

    async def _spool_news(self) -> None:
        """Bring to disk what is on its way and what was told, where that has changed."""
        telling = _telling(self._line.state)
        unwritten = self._line.unwritten
        if telling == self._spooled or unwritten is None:
            return
        try:
            await asyncio.to_thread(self._spool.write, unwritten)
        except OSError as error:  # to tell matters more than to remember
            log.warning("spool.not_written", path=str(self._spool.path), error=error.strerror)
        self._spooled = telling

    def _from_state(self, now: datetime, lease_seconds: float) -> MemoryMessage | None:
        pages = [(incident, told) for incident, told in _queued(self._line.state) if _is_news(told)]
        self._forget({told.queued_key for _, told in pages})
        resting = {tried.message.chat_id for tried in self._tries.values() if tried.not_before > now}
        for incident, told in pages:
            paused_until = self._paused_until.get(told.chat_id)
            if told.chat_id in resting or (paused_until is not None and paused_until > now):
                continue
            assert told.queued_key is not None
            assert told.queued_kind is not None
            tried = self._tries.get(told.queued_key)
            message = MemoryMessage(
                told.queued_key,
                incident.id,
                told.chat_id,
                told.queued_kind,
                Severity.PAGE,
                is_silent=False,
                created_at=told.queued_at or now,
                attempts=1 if tried is None else tried.attempts + 1,
                lease_token=told.queued_key,
                was_sending=tried is not None and tried.may_have_left,
            )
            leased_until = now + timedelta(seconds=lease_seconds)
            self._tries[message.key] = _Try(message, message.attempts, leased_until, message.was_sending)
            return message
        return None

    def _forget(self, wanted: set[str | None]) -> None:
        """Let go of what is no longer wanted. People may have read it all the same, and must hear how it ends."""
        for key in self._tries.keys() - wanted:
            tried = self._tries.pop(key)
            incident = self._line.state.incidents.get(tried.message.incident_id)
            told = None if incident is None else incident.told.get(tried.message.chat_id)
            if tried.may_have_left and told is not None and told.state is ToldState.NOTHING:
                self._doubtful.append(tried.message)


def _queued(state: State) -> list[tuple[Incident, Told]]:
    return [
        (state.incidents[number], told)
        for number in sorted(state.incidents)
        for told in state.incidents[number].told.values()
        if told.queued_key is not None
    ]


def _is_news(told: Told) -> bool:
    return told.queued_kind in NEWS and told.queued_severity is Severity.PAGE


def _telling(state: State) -> object:
    """Return what people were told and are about to be told: equal as long as nothing of that has changed."""
    return {
        (number, chat_id): replace(told, sent_counts={})
        for number, incident in state.incidents.items()
        for chat_id, told in incident.told.items()
    }
