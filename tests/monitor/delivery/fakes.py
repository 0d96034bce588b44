"""A line, outbox rows and a channel in memory, with a clock that stands still until it is moved."""

import asyncio
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from monitor.delivery.channel import Sent
from monitor.delivery.entities import Rendered
from monitor.engine.model import (
    CardEdited,
    Chat,
    CheckPolicy,
    CheckState,
    CheckStatus,
    Delivered,
    DeliveryOutcome,
    Event,
    Incident,
    IncidentStatus,
    MessageKind,
    Plan,
    Severity,
    State,
    Told,
)

START = datetime(2026, 3, 14, 14, 32, tzinfo=UTC)
OPS = "telegram:ops"
DEV = "telegram:dev"
PLAN = Plan(
    {"redis.ping": CheckPolicy("redis.ping", "nexus-redis", 30.0, 10.0, 10.0)},
    chats=(Chat(OPS), Chat(DEV), Chat("mail:ops", "mail")),
)


class Clock:
    """Moves only when told to."""

    def __init__(self) -> None:
        self.at = START

    def now(self) -> datetime:
        return self.at

    def move(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)


class Changes:
    def __init__(self) -> None:
        self.moved = asyncio.Event()

    async def wait(self) -> None:
        await self.moved.wait()
        self.moved.clear()


class FakeLine:
    """Keeps what is told as the engine does, as far as delivery can see."""

    def __init__(self, state: State) -> None:
        self.state = state
        self.applied: list[Event] = []
        self.failures: list[Exception] = []
        self.changes = Changes()

    async def apply(self, *events: Event) -> None:
        if self.failures:
            raise self.failures.pop(0)
        for event in events:
            self.applied.append(event)
            if isinstance(event, Delivered | CardEdited) and event.incident_id in self.state.incidents:
                self._tell(event)
        self.changes.moved.set()

    @contextmanager
    def subscribe(self) -> Iterator[Changes]:
        yield self.changes

    def _tell(self, event: Delivered | CardEdited) -> None:
        incident = self.state.incidents[event.incident_id]
        told = incident.told[event.chat_id]
        if isinstance(event, CardEdited):
            told = replace(told, revision=event.revision, root_message_id=event.message_id or told.root_message_id)
        elif event.outcome is DeliveryOutcome.DELIVERED:
            root = event.message_id if event.kind is MessageKind.OPEN else told.root_message_id or event.message_id
            told = replace(told, queued_key=None, revision=event.revision, root_message_id=root)
        else:
            told = replace(told, queued_key=None)
        self.put(replace(incident, told={**incident.told, event.chat_id: told}))

    def put(self, incident: Incident) -> None:
        self.state = replace(self.state, incidents={**self.state.incidents, incident.id: incident})


@dataclass(frozen=True, slots=True)
class Row:
    key: str
    incident_id: int
    chat_id: str
    kind: MessageKind
    severity: Severity = Severity.PAGE
    is_silent: bool = False
    created_at: datetime = START
    attempts: int = 0
    lease_token: str = ""
    was_sending: bool = False
    body: str | None = None


@dataclass
class Queued:
    row: Row
    due_at: datetime = START
    lease_until: datetime | None = None
    errors: list[str] = field(default_factory=list)


class FakeOutbox:
    """Rows in a dict; the lease, the pause and the count of attempts are those of the store."""

    def __init__(self, line: FakeLine, *rows: Row) -> None:
        self._line = line
        self.queued = {row.key: Queued(row) for row in rows}
        self.paused: dict[str, datetime] = {}
        self.targets: dict[str, str] = {OPS: "-100", DEV: "-200/5", "mail:ops": "ops@example.org"}
        self.leases = 0
        self.doubtful: list[Row] = []
        self.failures: list[Exception] = []

    async def claim_message(self, now: datetime, *, lease_seconds: float = 45.0) -> Row | None:
        if self.failures:
            raise self.failures.pop(0)
        done = {event.dedupe_key for event in self._line.applied if isinstance(event, Delivered)}
        self.queued = {key: queued for key, queued in self.queued.items() if key not in done}
        leased = {one.row.chat_id for one in self.queued.values() if one.lease_until and one.lease_until > now}
        for queued in self.queued.values():
            paused = self.paused.get(queued.row.chat_id, now) > now
            if queued.due_at > now or paused or queued.row.chat_id in leased:
                continue
            self.leases += 1
            queued.row = replace(
                queued.row,
                attempts=queued.row.attempts + 1,
                lease_token=str(self.leases),
                was_sending=queued.row.was_sending or queued.lease_until is not None,
            )
            queued.lease_until = now + timedelta(seconds=lease_seconds)
            return queued.row
        return None

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
        queued = self.queued[key]
        assert queued.row.lease_token == lease_token
        attempts = queued.row.attempts if is_counted else queued.row.attempts - 1
        queued.row = replace(queued.row, attempts=attempts, was_sending=False)
        queued.due_at, queued.lease_until = due_at, None
        queued.errors.append(error)

    async def doubtful_messages(self, now: datetime) -> list[Row]:
        return self.doubtful

    async def pause_chat(self, chat_id: str, until: datetime) -> None:
        self.paused[chat_id] = until

    async def chat_target(self, chat_id: str) -> str:
        return self.targets[chat_id]

    async def set_chat_target(self, chat_id: str, target: str) -> None:
        self.targets[chat_id] = target

    async def oldest_page_age_seconds(self, now: datetime) -> float:
        return max(((now - one.row.created_at).total_seconds() for one in self.queued.values()), default=0.0)


@dataclass(frozen=True, slots=True)
class Attempt:
    target: str
    text: str
    edited: int | None = None
    reply_to: int | None = None
    is_silent: bool = False


class FakeChannel:
    """Answers as scripted, then delivers; message ids count from 1."""

    def __init__(self, *script: Sent) -> None:
        self.script = list(script)
        self.attempts: list[Attempt] = []
        self.hold: asyncio.Event | None = None
        """When set, every call waits for it."""

    async def send(self, target: str, rendered: Rendered, *, reply_to: int | None, is_silent: bool) -> Sent:
        self.attempts.append(Attempt(target, rendered.text, reply_to=reply_to, is_silent=is_silent))
        return await self._answer(len(self.attempts))

    async def edit(self, target: str, message_id: int, rendered: Rendered) -> Sent:
        self.attempts.append(Attempt(target, rendered.text, edited=message_id))
        return await self._answer(message_id)

    async def _answer(self, message_id: int) -> Sent:
        if self.hold is not None:
            await self.hold.wait()
        return self.script.pop(0) if self.script else Sent(DeliveryOutcome.DELIVERED, message_id)


class FakeFallback(FakeChannel):
    """Takes everything, and gives no message to be edited."""

    async def _answer(self, message_id: int) -> Sent:
        return Sent(DeliveryOutcome.DELIVERED)


def incident(told: Mapping[str, Told], *, number: int = 1, **changes: object) -> Incident:
    made = Incident(number, "redis.ping", Severity.PAGE, IncidentStatus.OPEN, START, START, told=told, revision=2)
    return replace(made, **changes)  # type: ignore[arg-type]


def state_with(*incidents: Incident) -> State:
    checks = {"redis.ping": CheckState("redis.ping", CheckStatus.DOWN)}
    return State(checks=checks, incidents={one.id: one for one in incidents})
