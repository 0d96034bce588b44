"""Which faults stand for all of them in the tests, and which are done in pairs."""

from dataclasses import dataclass

SUBSET = (
    "api-down",
    "api-500",
    "api-lies",
    "postgres-paused",
    "postgres-read-only",
    "redis-paused",
    "redis-out-of-memory",
    "webhook-deleted",
    "webhook-secret-wrong",
    "worker-killed",
    "worker-pool-frozen",
    "beat-schedule-empty",
    "miniapp-chunk-html",
    "miniapp-framing-denied",
    "monitor-egress-gone",
)
"""Fifteen faults, some of every room and kind."""


@dataclass(frozen=True, slots=True)
class Pair:
    """Two faults at once."""

    first: str
    second: str
    is_masked: bool = False
    """The first explains the second: it is told alone, and the second when the first is repaired."""

    @property
    def name(self) -> str:
        return f"{self.first} + {self.second}"


PAIRS = (
    # Two that have nothing to do with each other: two messages.
    Pair("api-500", "webhook-deleted"),
    Pair("worker-killed", "miniapp-chunk-missing"),
    Pair("postgres-down", "beat-killed"),
    Pair("redis-paused", "miniapp-down"),
    Pair("api-down", "bot-down"),
    Pair("bot-paused", "worker-pool-frozen"),
    # One behind the other: the second is told when the first is gone.
    Pair("redis-down", "worker-killed", is_masked=True),
    Pair("redis-paused", "beat-killed", is_masked=True),
    Pair("postgres-paused", "api-500", is_masked=True),
    Pair("worker-killed", "beat-killed", is_masked=True),
)
