"""`redis.memory`: Redis has room, throws no key away that Celery needs, turns no client away, and saves."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Literal

from pydantic import Field

from checks.base import IO, Check, CheckConfig, Seconds, Secret
from checks.failures import told_as
from checks.result import Fact, Outcome, Reason, Verdict, degraded, failed, ok
from checks.wording import address

FAILED_RATIO = 0.99
"""From here on a Redis with `noeviction` refuses writes."""
CLIENTS_RATIO = 0.8


class RedisMemoryConfig(CheckConfig):
    """Which Redis, and what it is used for."""

    kind: Literal["redis.memory"] = "redis.memory"
    interval_seconds: Seconds = 60.0
    timeout_seconds: Seconds = 3.0
    url: Secret
    """As of `redis.ping`."""
    is_broker: bool = True
    """Celery's queues lie in it, so it must not evict. False for a cache, which may be full by design."""
    full_ratio: float = Field(default=0.85, gt=0, le=1)
    """So much of `maxmemory` in use is degraded."""


@dataclass(frozen=True, slots=True)
class RedisMemorySeen:
    """What INFO says."""

    run_id: str
    """Another one after a restart: counters began again."""
    used_bytes: int
    max_bytes: int
    """0: no limit."""
    policy: str
    evicted_keys: int
    rejected_connections: int
    connected_clients: int
    max_clients: int
    """0: not told."""
    blocked_clients: int
    failed_saves: tuple[str, ...]
    """What of RDB and AOF could not be written last: `RDB save`, `AOF write`, …"""
    last_save_seconds: float | None
    """How long ago the last RDB save was; None without one."""


class RedisMemory(Check[RedisMemoryConfig, RedisMemorySeen]):
    """Read INFO."""

    Config = RedisMemoryConfig
    remembers = 1

    async def measure(self, io: IO) -> RedisMemorySeen:
        """Ask once for INFO."""
        async with io.redis(self.config.url.get_secret_value()) as client:
            return seen_in(await client.info(), io.now().timestamp())

    def judge(self, seen: RedisMemorySeen, now: datetime, before: Sequence[RedisMemorySeen] = ()) -> Verdict:
        """Judge memory, then the policy, then what happened since the last look."""
        facts, values = self._facts(seen), _values(seen)
        problem = self._full(seen) or self._policy(seen) or self._lost(seen, before) or self._crowded(seen, before)
        if problem is None:
            limit = f"{_ratio(seen):.0%} of {_size(seen.max_bytes)}" if seen.max_bytes else "no limit"
            return ok(f"{_size(seen.used_bytes)} in use, {limit}, {seen.policy}", *facts, values=values)
        outcome, reason, summary, hint = problem
        tell = failed if outcome is Outcome.FAILED else degraded
        return tell(reason, summary, *facts, hint=hint, values=values)

    def on_failure(self, verdict: Verdict) -> Verdict:
        """Say it of INFO; an ACL that forbids it only keeps us from looking."""
        told = told_as(verdict, "Redis INFO", {}, self._host())
        if told.reason is Reason.AUTH_REJECTED and not told.certain:
            hint = "Allow it: ACL SETUSER <user> +info, or switch redis.memory off."
            return replace(told, outcome=Outcome.UNKNOWN, reason=Reason.NOT_CONFIGURED, hint=hint)
        return told

    def _full(self, seen: RedisMemorySeen) -> "_Problem | None":
        is_cache = not self.config.is_broker and seen.policy != "noeviction"
        if not seen.max_bytes or is_cache or _ratio(seen) < self.config.full_ratio:
            return None
        used = f"{_size(seen.used_bytes)} of {_size(seen.max_bytes)} in use ({_ratio(seen):.0%})"
        hint = f"Render → {self.config.service} → Metrics: what grew, a queue or results that never expire? Enlarge."
        if seen.policy == "noeviction" and _ratio(seen) >= FAILED_RATIO:
            return Outcome.FAILED, Reason.CAPACITY, f"{used}: writes are refused", hint
        return Outcome.DEGRADED, Reason.CAPACITY, used, hint

    def _policy(self, seen: RedisMemorySeen) -> "_Problem | None":
        if not self.config.is_broker or seen.policy == "noeviction":
            return None
        return (
            Outcome.DEGRADED,
            Reason.DRIFT,
            f"maxmemory-policy is {seen.policy}: a full Redis would throw Celery's tasks away",
            f"Render → {self.config.service} → Settings → Maxmemory policy: noeviction "
            "(render.yaml: maxmemoryPolicy: noeviction). A cache alone: set is_broker to false.",
        )

    def _lost(self, seen: RedisMemorySeen, before: Sequence[RedisMemorySeen]) -> "_Problem | None":
        evicted = _since(seen, before, "evicted_keys")
        if evicted and self.config.is_broker:
            hint = "Queues or results may be among them. Enlarge Redis, and set the policy to noeviction."
            return Outcome.DEGRADED, Reason.CAPACITY, f"{evicted} keys evicted since the last look", hint
        if seen.failed_saves:
            hint = "Its disk is full or not writable: after a restart the queues would be gone. See Redis' log."
            what = f"{' and '.join(seen.failed_saves)} failed"
            return Outcome.DEGRADED, Reason.WRITE_REFUSED, what, hint
        return None

    def _crowded(self, seen: RedisMemorySeen, before: Sequence[RedisMemorySeen]) -> "_Problem | None":
        hint = "Lower the pools' sizes (broker_pool_limit, max_connections) or take a larger plan."
        rejected = _since(seen, before, "rejected_connections")
        if rejected:
            what = f"{rejected} connections rejected since the last look: too many clients"
            return Outcome.DEGRADED, Reason.CAPACITY, what, hint
        if seen.max_clients and seen.connected_clients >= CLIENTS_RATIO * seen.max_clients:
            what = f"{seen.connected_clients} of {seen.max_clients} clients are connected"
            return Outcome.DEGRADED, Reason.CAPACITY, what, hint
        return None

    def _facts(self, seen: RedisMemorySeen) -> tuple[Fact, ...]:
        return (
            self._host(),
            Fact("used", seen.used_bytes, "B"),
            Fact("maxmemory", seen.max_bytes or "no limit", "B" if seen.max_bytes else ""),
            Fact("policy", seen.policy),
            Fact("evicted keys", seen.evicted_keys),
            Fact("clients", seen.connected_clients),
            Fact("blocked clients", seen.blocked_clients),
            Fact("rejected connections", seen.rejected_connections),
            Fact("last save", None if seen.last_save_seconds is None else round(seen.last_save_seconds), "s ago"),
            Fact("failed saves", ", ".join(seen.failed_saves) or "none"),
        )

    def _host(self) -> Fact:
        return Fact("host", address(self.config.url.get_secret_value()))


_Problem = tuple[Outcome, Reason, str, str]
"""Outcome, reason, summary, hint."""


def seen_in(info: Mapping[str, Any], now_epoch_seconds: float) -> RedisMemorySeen:
    """Read INFO's fields (redis.io/commands/info); a field that an old or managed server lacks counts as 0."""
    saves = {
        "RDB save": info.get("rdb_last_bgsave_status"),
        "AOF rewrite": info.get("aof_last_bgrewrite_status"),
        "AOF write": info.get("aof_last_write_status"),
    }
    saved_at = _number(info, "rdb_last_save_time")
    return RedisMemorySeen(
        run_id=str(info.get("run_id", "")),
        used_bytes=_number(info, "used_memory"),
        max_bytes=_number(info, "maxmemory"),
        policy=str(info.get("maxmemory_policy", "noeviction")),
        evicted_keys=_number(info, "evicted_keys"),
        rejected_connections=_number(info, "rejected_connections"),
        connected_clients=_number(info, "connected_clients"),
        max_clients=_number(info, "maxclients"),
        blocked_clients=_number(info, "blocked_clients"),
        failed_saves=tuple(name for name, status in saves.items() if status == "err"),
        last_save_seconds=max(0.0, now_epoch_seconds - saved_at) if saved_at else None,
    )


def _number(info: Mapping[str, Any], name: str) -> int:
    value = info.get(name, 0)
    return int(value) if isinstance(value, int | float) else 0


def _since(seen: RedisMemorySeen, before: Sequence[RedisMemorySeen], counter: str) -> int:
    """Return how much a counter rose since the last look; 0 across a restart, which resets it."""
    if not before or before[-1].run_id != seen.run_id:
        return 0
    return max(0, int(getattr(seen, counter)) - int(getattr(before[-1], counter)))


def _ratio(seen: RedisMemorySeen) -> float:
    return seen.used_bytes / seen.max_bytes


def _values(seen: RedisMemorySeen) -> dict[str, float]:
    values = {
        "used_bytes": float(seen.used_bytes),
        "connected_clients": float(seen.connected_clients),
        "blocked_clients": float(seen.blocked_clients),
    }
    return values | ({"used_ratio": _ratio(seen)} if seen.max_bytes else {})


def _size(size_bytes: int) -> str:
    return f"{size_bytes / 2**30:.1f} GiB" if size_bytes >= 2**30 else f"{size_bytes / 2**20:.1f} MiB"
