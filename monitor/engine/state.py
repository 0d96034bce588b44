"""Everything the engine remembers. Every instant is aware UTC; mappings are never changed in place."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from checks.result import Result
from monitor.engine.plan import Severity


class CheckStatus(StrEnum):
    """Where one check stands."""

    PENDING = "pending"
    UP = "up"
    SUSPECT = "suspect"
    DOWN = "down"
    RECOVERING = "recovering"


class Cause(StrEnum):
    """Why an incident is open. It may rise in this order, and never falls."""

    STALE = "stale"
    """We have not been able to look for too long."""
    DEGRADED = "degraded"
    DOWN = "down"


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
    DEPLOY = "deploy"
    """The verdict of a deploy, and what was done about it: of no incident, and never said by the engine."""


class ToldState(StrEnum):
    """What the people in one chat were last told of one incident."""

    NOTHING = "nothing"
    OPEN = "open"
    RESOLVED = "resolved"


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
    recovered_at: datetime | None = None
    """When the last recovery was confirmed: the gate for descendants counts from here."""
    last_started_at: datetime | None = None
    """Start of the newest look applied, unknown ones included."""
    last_ok_started_at: datetime | None = None
    last_result: Result | None = None
    """The newest look applied, unknown ones included."""
    last_failure: Result | None = None
    """The newest failed look of the running or last outage: its evidence."""
    unknown_since: datetime | None = None
    is_stale: bool = False
    stale_since: datetime | None = None
    """When staleness was noticed."""
    is_intermittent: bool = False
    dropped_at: tuple[datetime, ...] = ()
    """When drops were confirmed, newest last, within the flap window."""
    is_flapping: bool = False
    is_degraded: bool = False
    degraded_window: tuple[bool, ...] = ()
    """The last looks that worked, newest last; True = degraded or slow."""
    degraded_window_started_at: tuple[datetime, ...] = ()
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
    queued_at: datetime | None = None
    """Since when something has been waiting to be delivered."""
    queued_severity: Severity | None = None
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
    cause: Cause = Cause.DOWN
    reopened_at: datetime | None = None
    broke_again_at: datetime | None = None
    """When the outage that reopened it began; None while there was only one."""
    unacked_since: datetime | None = None
    """Escalation counts from here: opening, reopening, the lapse of an ack; moved on by silences."""
    suppressed_since: datetime | None = None
    """A silence covers it since then."""
    unsuppressed_at: datetime | None = None
    """When the last silence ended: news waits for one look that started later."""
    told: Mapping[str, Told] = field(default_factory=dict)
    """By chat id."""
    last_ping_at: datetime | None = None

    @property
    def is_live(self) -> bool:
        return self.status is IncidentStatus.OPEN or self.status is IncidentStatus.ACKED

    @property
    def live_since(self) -> datetime:
        """When it was opened, or opened again."""
        return self.reopened_at or self.opened_at

    @property
    def outage_started_at(self) -> datetime:
        """When the running outage began, or the last one: what people are told as "since"."""
        return self.broke_again_at or self.started_at


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
    """Not ended, or ended by the last event."""
    deploys: Mapping[str, DeployWindow] = field(default_factory=dict)
    """In flight, observed, or ended so lately that an incident may still name it."""
    chats: Mapping[str, ChatState] = field(default_factory=dict)
    next_incident_id: int = 1
    next_silence_id: int = 1
    revision: int = 0
    """Rises with every event that changed something."""
    fresh_since: datetime | None = None
    """When this process took over: older evidence alone opens nothing."""
    held: frozenset[str] = frozenset()
    """The checks whose `held_since` is set: an index, rebuilt by `fresh_start`."""
