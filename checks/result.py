"""What one look at a target says: outcome, reason, evidence, verdict, result. Standard library only."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from checks.redaction import redact

EXCERPT_CHARACTERS = 600
"""How much of a body or a message is kept as evidence."""


class Outcome(StrEnum):
    """What one look found."""

    OK = "ok"
    DEGRADED = "degraded"
    FAILED = "failed"
    UNKNOWN = "unknown"
    """We could not look. Opens nothing, resolves nothing, moves no counter."""


class Reason(StrEnum):
    """Why a look was not ok: a closed vocabulary, and a metric label."""

    DNS_FAILURE = "dns_failure"
    CONNECTION_REFUSED = "connection_refused"
    CONNECTION_RESET = "connection_reset"
    UNREACHABLE = "unreachable"
    TLS_INVALID = "tls_invalid"
    TIMEOUT = "timeout"
    PROTOCOL_ERROR = "protocol_error"
    HTTP_STATUS = "http_status"
    BODY_MISMATCH = "body_mismatch"
    AUTH_REJECTED = "auth_rejected"
    AUTH_ACCEPTED = "auth_accepted"
    RATE_LIMITED = "rate_limited"
    QUERY_FAILED = "query_failed"
    READ_ONLY = "read_only"
    WRITE_REFUSED = "write_refused"
    DEPENDENCY_DOWN = "dependency_down"
    """The target itself says that a part it needs is down."""
    NOT_CONSUMING = "not_consuming"
    POOL_FROZEN = "pool_frozen"
    STUCK = "stuck"
    SATURATED = "saturated"
    NO_CONSUMER = "no_consumer"
    NO_RESULT_BACKEND = "no_result_backend"
    SILENT = "silent"
    """Something that should repeat has not been seen for too long."""
    FAILING = "failing"
    """What it runs ends in errors too often."""
    SLOW = "slow"
    STALE = "stale"
    BACKLOG = "backlog"
    CAPACITY = "capacity"
    MISSING = "missing"
    DRIFT = "drift"
    VERSION = "version"
    TASK_FAILED = "task_failed"
    NOT_CONFIGURED = "not_configured"
    BUDGET_BURNING = "budget_burning"
    """An objective's error budget burns too fast."""
    VANTAGE = "vantage"
    """Our own side could not see: network, name resolution, event loop."""
    CHECK_ERROR = "check_error"
    """The check's own code failed. Never the target's fault."""


@dataclass(frozen=True, slots=True)
class Fact:
    """One thing seen."""

    name: str
    value: str | int | float | bool | None
    unit: str = ""


@dataclass(frozen=True, slots=True)
class Evidence:
    """What was seen, in order, with an optional excerpt of a body. Redacted when it is made."""

    facts: tuple[Fact, ...] = ()
    excerpt: str | None = None

    def __post_init__(self) -> None:
        clean = tuple(
            Fact(redact(fact.name), redact(fact.value) if isinstance(fact.value, str) else fact.value, fact.unit)
            for fact in self.facts
        )
        object.__setattr__(self, "facts", clean)
        if self.excerpt is not None:
            object.__setattr__(self, "excerpt", redact(self.excerpt)[:EXCERPT_CHARACTERS])


@dataclass(frozen=True, slots=True)
class Verdict:
    """The judgement of one look."""

    outcome: Outcome
    summary: str
    """One line, safe to publish, that says what was seen."""
    reason: Reason | None = None
    """None if and only if the outcome is ok."""
    hint: str = ""
    """What to do now, for somebody on a phone at night."""
    evidence: Evidence = Evidence()
    values: Mapping[str, float] = field(default_factory=dict)
    """Numbers for metrics and charts; each name ends in its unit."""
    certain: bool = False
    """A failure that a retry cannot change (refused credentials, wrong webhook URL): confirmed at once."""

    def __post_init__(self) -> None:
        if (self.outcome is Outcome.OK) != (self.reason is None):
            raise ValueError(f"verdict {self.outcome.value} with reason {self.reason}: only ok has no reason")
        object.__setattr__(self, "summary", redact(self.summary))
        object.__setattr__(self, "hint", redact(self.hint))


def ok(summary: str, *facts: Fact, values: Mapping[str, float] | None = None) -> Verdict:
    """Return an ok verdict with the facts as its evidence."""
    return Verdict(Outcome.OK, summary, evidence=Evidence(facts), values=values or {})


def degraded(
    reason: Reason,
    summary: str,
    *facts: Fact,
    hint: str,
    excerpt: str | None = None,
    values: Mapping[str, float] | None = None,
) -> Verdict:
    """Return a degraded verdict: it works, and somebody should look at it in the daytime."""
    return Verdict(Outcome.DEGRADED, summary, reason, hint, Evidence(facts, excerpt), values or {})


def failed(
    reason: Reason,
    summary: str,
    *facts: Fact,
    hint: str,
    excerpt: str | None = None,
    values: Mapping[str, float] | None = None,
    certain: bool = False,
) -> Verdict:
    """Return a failed verdict; `certain` where a retry cannot change it."""
    return Verdict(Outcome.FAILED, summary, reason, hint, Evidence(facts, excerpt), values or {}, certain)


def unknown(reason: Reason, summary: str, *facts: Fact, hint: str = "", excerpt: str | None = None) -> Verdict:
    """Return an unknown verdict: we could not look."""
    return Verdict(Outcome.UNKNOWN, summary, reason, hint, Evidence(facts, excerpt))


@dataclass(frozen=True, slots=True)
class Result:
    """One look, as the engine and the store see it."""

    check_id: str
    verdict: Verdict
    started_at: datetime
    """Aware, UTC. Results are applied in the order of this instant."""
    duration_seconds: float
    vantage: str = "local"
    """Where from: the name of the prober."""
    epoch: int = 0
    """The leader epoch under which the look was made."""
