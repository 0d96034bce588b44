"""`postgres.capacity`: PostgreSQL has free connections, no transaction lives for ever, nobody waits long for a lock."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from pydantic import Field

from checks.base import IO, Check, CheckConfig, Seconds, Secret
from checks.data.postgres import plain_url
from checks.failures import told_as
from checks.result import Fact, Reason, Verdict, degraded, failed, ok
from checks.wording import address, duration, shortened

# What a user may not see of another's session is NULL there, its kind included: it still takes a slot.
SLOTS = """
SELECT current_setting('max_connections')::int AS max_connections,
       current_setting('superuser_reserved_connections')::int
         + coalesce(current_setting('reserved_connections', true), '0')::int AS reserved,
       count(*) FILTER (WHERE coalesce(backend_type, 'client backend') = 'client backend') AS used,
       count(*) FILTER (WHERE backend_type IS NULL) AS hidden,
       count(*) FILTER (WHERE state = 'idle in transaction') AS idle_in_transaction,
       pg_database_size(current_database()) AS size_bytes
FROM pg_stat_activity
WHERE datid IS NOT NULL AND pid <> pg_backend_pid()
"""

OLDEST = """
SELECT pid, coalesce(application_name, '') AS application, coalesce(state, '') AS state,
       extract(epoch FROM clock_timestamp() - xact_start)::float8 AS seconds
FROM pg_stat_activity
WHERE xact_start IS NOT NULL AND backend_type = 'client backend' AND pid <> pg_backend_pid()
ORDER BY xact_start LIMIT 1
"""

# `waitstart` is there since PostgreSQL 14; before, and in the first moments of a wait, the query's start stands in.
WAITING = """
SELECT a.pid, coalesce(a.application_name, '') AS application, coalesce(a.state, '') AS state,
       extract(epoch FROM clock_timestamp()
         - coalesce((to_jsonb(l) ->> 'waitstart')::timestamptz, a.query_start))::float8 AS seconds,
       pg_blocking_pids(a.pid) AS blockers
FROM pg_locks l JOIN pg_stat_activity a USING (pid)
WHERE NOT l.granted
ORDER BY seconds DESC NULLS LAST LIMIT 20
"""


class PostgresCapacityConfig(CheckConfig):
    """Which database, and how full it may be."""

    kind: Literal["postgres.capacity"] = "postgres.capacity"
    interval_seconds: Seconds = 60.0
    timeout_seconds: Seconds = 5.0
    url: Secret
    """As of `postgres.connect`."""
    full_ratio: float = Field(default=0.8, gt=0, le=1)
    """So much of the connections in use is degraded."""
    transaction_seconds: Seconds = 300.0
    """A transaction older than this is degraded."""
    lock_wait_seconds: Seconds = 30.0
    """Waiting longer than this for a lock is degraded."""


@dataclass(frozen=True, slots=True)
class Session:
    """One session of another client. Its query is not read: it may hold secrets."""

    pid: int
    application: str
    state: str
    seconds: float
    """How old its transaction is, or how long it waits."""
    blockers: tuple[int, ...] = ()
    """Pids of those it waits for."""

    def __str__(self) -> str:
        """Return `pid 4711 (nexus-api, idle in transaction)`."""
        named = ", ".join(word for word in (shortened(self.application, 40), self.state) if word)
        return f"pid {self.pid} ({named})" if named else f"pid {self.pid}"


@dataclass(frozen=True, slots=True)
class PostgresCapacitySeen:
    """What the statistics views say; our own session is not counted."""

    max_connections: int
    reserved: int
    """Slots kept for superusers."""
    used: int
    hidden: int
    """Sessions of which this user may see nothing but that they are there."""
    idle_in_transaction: int
    size_bytes: int
    oldest: Session | None
    """The oldest transaction."""
    waiting: tuple[Session, ...]
    """Who waits for a lock, longest first."""

    @property
    def slots(self) -> int:
        """Return how many connections ordinary users may have."""
        return max(1, self.max_connections - self.reserved)


class PostgresCapacity(Check[PostgresCapacityConfig, PostgresCapacitySeen]):
    """Ask the statistics views: three queries that read, over one connection."""

    Config = PostgresCapacityConfig

    async def measure(self, io: IO) -> PostgresCapacitySeen:
        """Read slots, the oldest transaction and the waits for locks."""
        async with io.postgres(plain_url(self.config.url.get_secret_value())) as connection:
            slots = await connection.fetchrow(SLOTS)
            oldest = await connection.fetchrow(OLDEST)
            waiting = await connection.fetch(WAITING)
        assert slots is not None
        return PostgresCapacitySeen(
            max_connections=slots["max_connections"],
            reserved=slots["reserved"],
            used=slots["used"],
            hidden=slots["hidden"],
            idle_in_transaction=slots["idle_in_transaction"],
            size_bytes=slots["size_bytes"],
            oldest=None
            if oldest is None
            else Session(oldest["pid"], oldest["application"], oldest["state"], oldest["seconds"]),
            waiting=tuple(
                Session(row["pid"], row["application"], row["state"], row["seconds"] or 0.0, tuple(row["blockers"]))
                for row in waiting
            ),
        )

    def judge(self, seen: PostgresCapacitySeen, now: datetime, before: Sequence[PostgresCapacitySeen] = ()) -> Verdict:
        """Judge the slots, then the locks, then the transactions."""
        config, name = self.config, self.config.service
        facts, values = self._facts(seen), _values(seen)
        used = f"{seen.used} of {seen.slots} connections in use"
        pools = f"Lower the pools' sizes or restart what leaks: Render → {name} → Metrics → connections."
        if seen.used >= seen.slots:
            return failed(Reason.CAPACITY, f"{used}: no free slot", *facts, hint=pools, values=values)
        longest = seen.waiting[0] if seen.waiting else None
        if longest is not None and longest.seconds > config.lock_wait_seconds:
            blockers = ", ".join(str(pid) for pid in longest.blockers[:3])
            hint = "Look at pg_locks: the lock's holder is a prepared transaction or has just left."
            if longest.blockers:
                hint = f"SELECT pg_terminate_backend({longest.blockers[0]}) ends its holder, undoing that work."
            return degraded(
                Reason.STUCK, f"{longest} waits {duration(longest.seconds)} for a lock"
                + (f" held by pid {blockers}" if blockers else ""), *facts, hint=hint, values=values,
            )  # fmt: skip
        if seen.oldest is not None and seen.oldest.seconds > config.transaction_seconds:
            return degraded(
                Reason.STUCK, f"a transaction is open for {duration(seen.oldest.seconds)}: {seen.oldest}", *facts,
                hint=f"It holds locks and stops the clean-up: find it in {seen.oldest.application or 'the application'}"
                f", or SELECT pg_terminate_backend({seen.oldest.pid}).",
                values=values,
            )  # fmt: skip
        if seen.used >= config.full_ratio * seen.slots:
            return degraded(Reason.CAPACITY, used, *facts, hint=pools, values=values)
        return ok(f"{used}, {_size(seen.size_bytes)}", *facts, values=values)

    def on_failure(self, verdict: Verdict) -> Verdict:
        """Say it of PostgreSQL; a refused connection may itself be the answer."""
        hints = {
            Reason.CAPACITY: f"Every connection is in use: restart what leaks them, lower the pools' sizes; "
            f"Render → {self.config.service} → Metrics.",
        }
        return told_as(verdict, "PostgreSQL", hints, self._host())

    def _facts(self, seen: PostgresCapacitySeen) -> tuple[Fact, ...]:
        facts = [
            self._host(),
            Fact("connections in use", seen.used),
            Fact("max_connections", seen.max_connections),
            Fact("kept for superusers", seen.reserved),
            Fact("idle in transaction", seen.idle_in_transaction),
            Fact("database size", seen.size_bytes, "B"),
        ]
        if seen.oldest is not None:
            facts.append(Fact("oldest transaction", f"{seen.oldest}, {duration(seen.oldest.seconds)}"))
        facts += [
            Fact("waits for a lock", f"{one}, {duration(one.seconds)}, behind {list(one.blockers[:3])}")
            for one in seen.waiting[:3]
        ]
        if seen.hidden:
            what = f"{seen.hidden}: GRANT pg_read_all_stats TO this user shows their transactions"
            facts.append(Fact("sessions not to be seen", what))
        return tuple(facts)

    def _host(self) -> Fact:
        return Fact("host", address(self.config.url.get_secret_value()))


def _values(seen: PostgresCapacitySeen) -> dict[str, float]:
    return {
        "used_connections": float(seen.used),
        "connections_ratio": seen.used / seen.slots,
        "transaction_seconds": seen.oldest.seconds if seen.oldest else 0.0,
        "lock_wait_seconds": seen.waiting[0].seconds if seen.waiting else 0.0,
        "database_bytes": float(seen.size_bytes),
    }


def _size(size_bytes: int) -> str:
    return f"{size_bytes / 1e9:.1f} GB" if size_bytes >= 1e9 else f"{size_bytes / 1e6:.0f} MB"
