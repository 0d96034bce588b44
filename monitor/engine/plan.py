"""What does not change while the engine runs: checks, chats, numbers, and the graph of dependencies."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from monitor.engine.graph import Graph, build_graph


class Severity(StrEnum):
    """How loudly an incident is told. A page rings; a warning is silent."""

    WARNING = "warning"
    PAGE = "page"


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
    """One that is down may explain this check; it suppresses nothing."""
    runbook_url: str | None = None
    is_vantage: bool = False
    """Looks at our own side; cannot be silenced for more than an hour."""
    slow_floor_seconds: float = 1.0
    """A look shorter than this is never slow, whatever is usual."""
    slow_ceiling_seconds: float | None = None
    """A look longer than this is always slow."""
    stale_after_seconds: float | None = None
    """How long one look is evidence, where it is not the usual: three intervals and the time limit."""


@dataclass(frozen=True, slots=True)
class Chat:
    """A place where incidents are told."""

    id: str
    """Our own name for it, e.g. `telegram:ops`; stable over migrations of the Telegram chat."""
    channel: str = "telegram"
    is_escalation: bool = False
    """Told only when nobody acknowledged in time."""
    is_fallback: bool = False
    """Told only of pages that the other chats did not get in time."""

    @property
    def is_first(self) -> bool:
        """Told of everything, at once."""
        return not (self.is_escalation or self.is_fallback)


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
    retest_chat_seconds: float = 3600.0
    """How often a chat that refuses messages is tried again."""
    keep_closed_seconds: float = 86_400.0
    """How long a closed incident waits at most for a card or a message that does not arrive."""


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything fixed by configuration."""

    checks: Mapping[str, CheckPolicy]
    chats: tuple[Chat, ...] = ()
    rules: Rules = Rules()
    graph: Graph = field(init=False, repr=False, compare=False)
    """The hard edges, closed over."""

    def __post_init__(self) -> None:
        graph = build_graph({name: policy.hard_parents for name, policy in self.checks.items()})
        object.__setattr__(self, "graph", graph)
