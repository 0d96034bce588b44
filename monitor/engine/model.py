"""The values the engine works on: plan, state, events, effects. All frozen; changed with `replace`."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from checks.result import Result


class CheckStatus(StrEnum):
    """Where one check stands."""

    PENDING = "pending"
    UP = "up"
    SUSPECT = "suspect"
    DOWN = "down"
    RECOVERING = "recovering"


class Severity(StrEnum):
    """How loudly an incident is told. A page rings; a warning is silent."""

    WARNING = "warning"
    PAGE = "page"


class IncidentStatus(StrEnum):
    """Where an incident stands. Resolved turns to closed when the reopening window has passed."""

    OPEN = "open"
    ACKED = "acked"
    RESOLVED = "resolved"
    CLOSED = "closed"


class Role(StrEnum):
    """What a check is in an incident."""

    ROOT = "root"
    SYMPTOM = "symptom"
    FORMER_ROOT = "former_root"


class MessageKind(StrEnum):
    """What a new message says. Everything else is an edit of the card."""

    OPEN = "open"
    RISE = "rise"
    REOPEN = "reopen"
    ESCALATE = "escalate"
    REMIND = "remind"
    RESOLVE = "resolve"
    SUMMARY = "summary"
    """It was down and is up again, told late because the channel was out."""


class ToldState(StrEnum):
    """What the people in one chat were last told of one incident."""

    NOTHING = "nothing"
    OPEN = "open"
    RESOLVED = "resolved"


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


# --- The plan: what does not change while the engine runs -------------------------------------------------


@dataclass(frozen=True, slots=True)
class CheckPolicy:
    """What the engine must know of one check. Durations in seconds."""

    id: str
    service: str
    interval_seconds: float
    timeout_seconds: float
    retry_seconds: float
    confirm_failures: int = 3
    confirm_span_seconds: float = 20.0
    confirm_m: int = 5
    confirm_k: int = 15
    recover_successes: int = 3
    recover_span_seconds: float = 20.0
    severity: Severity = Severity.PAGE
    hard_parents: tuple[str, ...] = ()
    soft_parents: tuple[str, ...] = ()
    runbook_url: str | None = None
    is_vantage: bool = False
    """Looks at our own side; cannot be silenced for more than an hour."""


@dataclass(frozen=True, slots=True)
class Chat:
    """A place where incidents are told."""

    id: str
    """Our own name for it, e.g. `telegram:ops`; stable over migrations of the Telegram chat."""
    channel: str = "telegram"
    is_escalation: bool = False
    """Told only when nobody acknowledged in time."""


@dataclass(frozen=True, slots=True)
class Rules:
    """The numbers of the incident rules, in seconds unless named otherwise."""

    hold_max_seconds: float = 60.0
    hold_margin_seconds: float = 5.0
    gate_settle_seconds: float = 60.0
    probe_jitter_seconds: float = 5.0
    reroot_window_seconds: float = 120.0
    reopen_window_seconds: float = 900.0
    ack_page_seconds: float = 3600.0
    ack_warning_seconds: float = 8 * 3600.0
    escalate_after_seconds: float = 600.0
    remind_after_seconds: tuple[float, ...] = (900.0, 1800.0, 3600.0, 7200.0)
    remind_every_seconds: float = 4 * 3600.0
    flap_drops: int = 3
    flap_window_seconds: float = 3600.0
    flap_quiet_seconds: float = 1800.0
    flap_ping_every_seconds: float = 1800.0
    storm_roots: int = 5
    storm_window_seconds: float = 60.0
    degraded_m: int = 5
    degraded_k: int = 10
    degraded_min_seconds: float = 300.0
    degraded_clear: int = 8
    fallback_after_seconds: float = 120.0
    deploy_settle_seconds: float = 75.0
    deploy_observe_seconds: float = 120.0
    deploy_cap_seconds: float = 1200.0
    silence_max_seconds: float = 7 * 86_400.0
    silence_vantage_max_seconds: float = 3600.0


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything fixed by configuration."""

    checks: Mapping[str, CheckPolicy]
    chats: tuple[Chat, ...] = ()
    rules: Rules = Rules()


# --- The state --------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class CheckState:
    """Everything the engine remembers of one check. Every instant is aware UTC."""

    id: str
    status: CheckStatus = CheckStatus.PENDING
    failures_in_row: int = 0
    successes_in_row: int = 0
    window: tuple[bool, ...] = ()
    """The last K looks that were not unknown, newest last; True = failed."""
    window_started_at: tuple[datetime, ...] = ()
    """The start of each look in `window`."""
    first_bad_at: datetime | None = None
    """Start of the first failed look of this streak."""
    down_since: datetime | None = None
    """Backdated to `first_bad_at` when confirmed."""
    first_ok_at: datetime | None = None
    up_since: datetime | None = None
    last_started_at: datetime | None = None
    """Start of the newest look applied, unknown ones included."""
    last_ok_started_at: datetime | None = None
    last_result: Result | None = None
    """The newest look applied, unknown ones included."""
    last_failure: Result | None = None
    """The newest failed look of the running or last outage: its evidence."""
    unknown_since: datetime | None = None
    is_stale: bool = False
    is_intermittent: bool = False
    dropped_at: tuple[datetime, ...] = ()
    """When drops were confirmed, newest last, within the flap window."""
    is_flapping: bool = False
    is_degraded: bool = False
    degraded_window: tuple[bool, ...] = ()
    degraded_since: datetime | None = None
    first_degraded_at: datetime | None = None
    held_since: datetime | None = None
    """Confirmed down, and waiting to learn whether an ancestor explains it."""
    hold_until: datetime | None = None
    gate_until: datetime | None = None
    """Only failures that started after this instant count towards opening."""
    gated_failures: int = 0
    gated_first_at: datetime | None = None
    incident_id: int | None = None
    """The live incident it is a member of."""
    baseline: tuple[float, ...] = ()
    """Summary of good durations for the slow rule: see `baseline.py`."""


@dataclass(frozen=True, slots=True)
class Member:
    """One check's part in one incident."""

    check_id: str
    role: Role
    joined_at: datetime
    left_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Told:
    """What one chat was told of one incident, and what is on its way to it."""

    chat_id: str
    state: ToldState = ToldState.NOTHING
    severity: Severity | None = None
    revision: int = 0
    """The revision of the card last delivered."""
    at: datetime | None = None
    first_at: datetime | None = None
    """First confirmed telling: reminders count from here."""
    queued_kind: MessageKind | None = None
    """A message on its way: nothing else is queued until its outcome is known."""
    queued_key: str | None = None
    sent_counts: Mapping[str, int] = field(default_factory=dict)
    """How many messages of each kind were queued so far: the n of the dedupe key."""
    reminders: int = 0
    next_reminder_at: datetime | None = None
    is_escalated: bool = False
    root_message_id: int | None = None


@dataclass(frozen=True, slots=True)
class Incident:
    """One fault, as it is told."""

    id: int
    root: str
    severity: Severity
    status: IncidentStatus
    started_at: datetime
    """When the fault began: the root's first failed look."""
    opened_at: datetime
    """When it was confirmed and opened."""
    members: tuple[Member, ...] = ()
    acked_by: str | None = None
    acked_at: datetime | None = None
    ack_until: datetime | None = None
    resolved_at: datetime | None = None
    reopen_count: int = 0
    revision: int = 1
    """Rises with every change that the card shows."""
    is_unstable: bool = False
    is_storm: bool = False
    """Stands for many independent failures at once."""
    deploy_id: str | None = None
    """The deploy it began after."""
    told: Mapping[str, Told] = field(default_factory=dict)
    """By chat id."""
    last_ping_at: datetime | None = None

    @property
    def is_live(self) -> bool:
        return self.status in (IncidentStatus.OPEN, IncidentStatus.ACKED)


@dataclass(frozen=True, slots=True)
class Silence:
    """No telling for a while. Immutable: an edit ends one and starts another."""

    id: int
    selector: str
    """`check:<id>`, `service:<name>`, `subtree:<check id>` or `incident:<id>`."""
    starts_at: datetime
    ends_at: datetime | None
    """None only with `incident:…`: until it is resolved."""
    author: str
    reason: str
    is_maintenance: bool = False
    ended_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class DeployWindow:
    """A deploy in flight or being observed."""

    id: str
    service: str
    commit: str
    started_at: datetime
    live_at: datetime | None = None
    ended_at: datetime | None = None
    is_failed: bool = False


@dataclass(frozen=True, slots=True)
class ChatState:
    """Whether a chat takes messages."""

    id: str
    broken_since: datetime | None = None
    broken_reason: str = ""
    retest_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class State:
    """Everything the engine remembers. Mappings are never changed in place."""

    checks: Mapping[str, CheckState] = field(default_factory=dict)
    incidents: Mapping[int, Incident] = field(default_factory=dict)
    """Live ones and those resolved within the reopening window."""
    silences: Mapping[int, Silence] = field(default_factory=dict)
    """Not ended yet."""
    deploys: Mapping[str, DeployWindow] = field(default_factory=dict)
    """Not ended yet."""
    chats: Mapping[str, ChatState] = field(default_factory=dict)
    next_incident_id: int = 1
    next_silence_id: int = 1
    revision: int = 0
    """Rises with every event that changed something."""


# --- Events: what happens to the engine ------------------------------------------------------------------


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
    Looked | Tick | Acked | Silenced | SilenceEnded | Delivered | CardEdited | ChatMended | DeployStarted | DeployEnded
)


# --- Effects: what is to be done, as data -----------------------------------------------------------------


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
