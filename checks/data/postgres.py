"""`postgres.connect`: a fresh connection to PostgreSQL answers a query, and is a primary that takes writes."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from ipaddress import ip_address
from typing import Literal

from checks.base import IO, Check, CheckConfig, Seconds, Secret
from checks.failures import told_as
from checks.result import Fact, Reason, Verdict, degraded, failed, ok
from checks.wording import address, duration

QUERY = """
SELECT 1 AS one,
       current_setting('server_version') AS version,
       pg_is_in_recovery() AS in_recovery,
       current_setting('transaction_read_only') = 'on' AS read_only,
       coalesce((SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()), false) AS tls
"""


class PostgresConnectConfig(CheckConfig):
    """Which database."""

    kind: Literal["postgres.connect"] = "postgres.connect"
    interval_seconds: Seconds = 30.0
    timeout_seconds: Seconds = 5.0
    url: Secret
    """`postgresql://user:password@host:port/database`; a driver suffix like `+asyncpg` is ignored."""
    expect_primary: bool = True
    """False where a read-only replica is watched."""
    slow_seconds: Seconds = 1.0
    """Above this, connection and query together, it is degraded."""


@dataclass(frozen=True, slots=True)
class PostgresConnectSeen:
    """What the server said of itself."""

    version: str
    in_recovery: bool
    read_only: bool
    tls: bool
    connect_seconds: float
    query_seconds: float


class PostgresConnect(Check[PostgresConnectConfig, PostgresConnectSeen]):
    """Connect, ask one question, leave."""

    Config = PostgresConnectConfig

    async def measure(self, io: IO) -> PostgresConnectSeen:
        """Open a connection and run one query."""
        started = io.monotonic()
        async with io.postgres(plain_url(self.config.url.get_secret_value())) as connection:
            connected = io.monotonic()
            row = await connection.fetchrow(QUERY)
            answered = io.monotonic()
        assert row is not None
        return PostgresConnectSeen(
            version=row["version"],
            in_recovery=row["in_recovery"],
            read_only=row["read_only"],
            tls=row["tls"],
            connect_seconds=connected - started,
            query_seconds=answered - connected,
        )

    def judge(self, seen: PostgresConnectSeen, now: datetime, before: Sequence[PostgresConnectSeen] = ()) -> Verdict:
        """Judge the role, then the time, then the transport."""
        took = seen.connect_seconds + seen.query_seconds
        facts = (
            *self._facts(),
            Fact("version", seen.version),
            Fact("in recovery", seen.in_recovery),
            Fact("read only", seen.read_only),
            Fact("tls", seen.tls),
            Fact("connect", round(seen.connect_seconds, 4), "s"),
            Fact("query", round(seen.query_seconds, 4), "s"),
        )
        values = {
            "connect_seconds": seen.connect_seconds,
            "query_seconds": seen.query_seconds,
            "latency_seconds": took,
        }
        if self.config.expect_primary and (seen.in_recovery or seen.read_only):
            what = "a replica in recovery" if seen.in_recovery else "read-only"
            return failed(
                Reason.READ_ONLY, f"PostgreSQL is {what}: writes fail", *facts,
                hint=f"Render → {self._name} → Info: disk full, failover, or the URL of a replica?",
                values=values,
            )  # fmt: skip
        if took > self.config.slow_seconds:
            return degraded(
                Reason.SLOW, f"connect and SELECT 1 took {duration(took)}", *facts,
                hint=f"Render → {self._name} → Metrics: CPU, connections and disk; look for long queries and locks.",
                values=values,
            )  # fmt: skip
        if not seen.tls and is_public(self._host):
            return degraded(
                Reason.TLS_INVALID, f"connection to {self._host} is not encrypted", *facts,
                hint="Add ?sslmode=require to the database URL, or use the internal address.",
                values=values,
            )  # fmt: skip
        return ok(f"SELECT 1 in {duration(took)} on PostgreSQL {seen.version.split()[0]}", *facts, values=values)

    def on_failure(self, verdict: Verdict) -> Verdict:
        """Say it of PostgreSQL, with where to look."""
        hints = {
            Reason.CONNECTION_REFUSED: f"Render → {self._name} → Info: is it suspended, restarting or deleted?",
            Reason.TIMEOUT: f"Render → {self._name} → Metrics: hung or out of CPU? Else its IP allow-list blocks us.",
            Reason.AUTH_REJECTED: f"Render → {self._name} → Connect: compare user and password with the URL in use.",
            Reason.CAPACITY: f"Render → {self._name} → Metrics: connections or disk used up; lower the pools' sizes.",
            Reason.DNS_FAILURE: f"Does {self._host} exist? Internal names resolve only in their Render region.",
        }
        return told_as(verdict, "PostgreSQL", hints, *self._facts())

    def _facts(self) -> tuple[Fact, ...]:
        return (Fact("host", address(self.config.url.get_secret_value())),)

    @property
    def _host(self) -> str:
        return address(self.config.url.get_secret_value()).rsplit(":", 1)[0]

    @property
    def _name(self) -> str:
        return self.config.service


def plain_url(url: str) -> str:
    """Return a SQLAlchemy database URL without its driver: `postgresql+asyncpg://` → `postgresql://`."""
    return re.sub(r"^(postgres(?:ql)?)\+\w+://", r"\1://", url)


def is_public(host: str) -> bool:
    """Return whether traffic to `host` crosses the open network: a dotted name or a global address."""
    try:
        return ip_address(host.strip("[]")).is_global
    except ValueError:
        return "." in host and not host.endswith((".internal", ".local", ".localhost"))
