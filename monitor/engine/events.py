"""What happens to the engine, and what it asks for in return: events and effects, as data."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from checks.result import Result
from monitor.engine.plan import Severity
from monitor.engine.state import MessageKind


class DeliveryOutcome(StrEnum):
    """What became of one attempt to send."""

    DELIVERED = "delivered"
    RETRY = "retry"
    """Surely not sent: refused, name not resolved, 429."""
    PERMANENT = "permanent"
    """The chat will not take messages: blocked, kicked, not found, unauthorised."""
    MIGRATED = "migrated"
    AMBIGUOUS = "ambiguous"
    """Perhaps sent: a time-out after the write, 5xx, an answer that cannot be read."""


@dataclass(frozen=True, slots=True)
class Looked:
    """A look came back."""

    result: Result


@dataclass(frozen=True, slots=True)
class Tick:
    """Time has passed: whatever is due is done."""


@dataclass(frozen=True, slots=True)
class Acked:
    """A person took an incident."""

    incident_id: int
    author: str


@dataclass(frozen=True, slots=True)
class Rechecked:
    """A person had everything in an incident looked at again."""

    incident_id: int
    author: str


@dataclass(frozen=True, slots=True)
class Silenced:
    """A person asked for silence."""

    selector: str
    ends_at: datetime | None
    author: str
    reason: str
    is_maintenance: bool = False
    starts_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class SilenceEnded:
    """A person ended a silence early."""

    silence_id: int
    author: str


@dataclass(frozen=True, slots=True)
class Delivered:
    """The outcome of sending a new message, `attempted` at least once."""

    incident_id: int
    chat_id: str
    kind: MessageKind
    dedupe_key: str
    outcome: DeliveryOutcome
    message_id: int | None = None
    revision: int = 0
    """The revision of the incident that the text showed."""
    detail: str = ""


@dataclass(frozen=True, slots=True)
class CardEdited:
    """The card of an incident now shows `revision` in this chat."""

    incident_id: int
    chat_id: str
    revision: int
    message_id: int | None = None
    """The card is another message now: the old one was gone, and it was sent anew."""


@dataclass(frozen=True, slots=True)
class ChatMended:
    """A chat that was broken takes messages again."""

    chat_id: str


@dataclass(frozen=True, slots=True)
class DeployStarted:
    deploy_id: str
    service: str
    commit: str


@dataclass(frozen=True, slots=True)
class DeployEnded:
    """The deploy is live, or has failed."""

    deploy_id: str
    is_live: bool


Event = (
    Looked
    | Tick
    | Acked
    | Rechecked
    | Silenced
    | SilenceEnded
    | Delivered
    | CardEdited
    | ChatMended
    | DeployStarted
    | DeployEnded
)


@dataclass(frozen=True, slots=True)
class ProbeNow:
    """Look at this check `after_seconds` from now, however far away its next look is."""

    check_id: str
    after_seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class InsertMessage:
    """A new message is to be sent. Written in the same transaction as the state."""

    incident_id: int
    chat_id: str
    kind: MessageKind
    dedupe_key: str
    """`incident:chat:kind:n`, unique for ever."""
    severity: Severity
    is_silent: bool
    """Delivered without a sound."""


@dataclass(frozen=True, slots=True)
class DropMessage:
    """A message on its way is no longer wanted; it may have left already."""

    dedupe_key: str


@dataclass(frozen=True, slots=True)
class AppendTimeline:
    """One row of an incident's history: who or what, when, why."""

    incident_id: int
    at: datetime
    actor: str
    """`monitor`, a person's name, or a check id."""
    kind: str
    """opened, symptom_joined, symptom_left, rerooted, acked, ack_lapsed, severity_rose, resolved, reopened, …"""
    text: str


Effect = ProbeNow | InsertMessage | DropMessage | AppendTimeline
