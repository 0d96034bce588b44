"""`postgres.migrations`: the database stands at the Alembic revision that the deployed code expects."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal

from checks.base import IO, Check, CheckConfig, Seconds, Secret, Severity
from checks.data.postgres import plain_url
from checks.failures import told_as
from checks.result import Fact, Outcome, Reason, Verdict, degraded, ok
from checks.wording import address, listed

WHERE = """
SELECT n.nspname AS schema, quote_ident(n.nspname) AS quoted
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relname = 'alembic_version' AND c.relkind IN ('r', 'p')
ORDER BY n.nspname <> ALL (current_schemas(false)), n.nspname
LIMIT 1
"""
"""The table of the search path first: that is the one the application finds."""


class PostgresMigrationsConfig(CheckConfig):
    """Which database, and which revision."""

    kind: Literal["postgres.migrations"] = "postgres.migrations"
    interval_seconds: Seconds = 300.0
    timeout_seconds: Seconds = 5.0
    severity: Severity = "warning"
    url: Secret
    """As of `postgres.connect`."""
    expected_heads: tuple[str, ...] = ()
    """The revisions `alembic heads` prints for the deployed code; empty: not known, nothing is missed."""


@dataclass(frozen=True, slots=True)
class PostgresMigrationsSeen:
    """What the table says."""

    schema: str | None
    """Where `alembic_version` lies; None: nowhere that this user sees."""
    revisions: tuple[str, ...] = ()


class PostgresMigrations(Check[PostgresMigrationsConfig, PostgresMigrationsSeen]):
    """Read Alembic's own table."""

    Config = PostgresMigrationsConfig

    async def measure(self, io: IO) -> PostgresMigrationsSeen:
        """Find the table and read it."""
        async with io.postgres(plain_url(self.config.url.get_secret_value())) as connection:
            where = await connection.fetchrow(WHERE)
            if where is None:
                return PostgresMigrationsSeen(None)
            rows = await connection.fetch(
                f"SELECT version_num FROM {where['quoted']}.alembic_version ORDER BY 1 LIMIT 20"  # noqa: S608  quoted by the server
            )
        return PostgresMigrationsSeen(where["schema"], tuple(row["version_num"] for row in rows))

    def judge(
        self, seen: PostgresMigrationsSeen, now: datetime, before: Sequence[PostgresMigrationsSeen] = ()
    ) -> Verdict:
        """Compare with what is expected, where that is known."""
        expected = tuple(sorted(self.config.expected_heads))
        facts = (
            self._host(),
            Fact("revision", ", ".join(seen.revisions) or "none"),
            Fact("expected", ", ".join(expected) or "not known"),
            Fact("schema", seen.schema),
        )
        migrate = (
            "Run `alembic upgrade head` of the deployed commit (or was the code rolled back without the database?)."
        )
        if seen.schema is None and not expected:
            return ok("no alembic_version table: nothing to compare", *facts)
        if not seen.revisions:
            what = "there is no alembic_version table" if seen.schema is None else "no migration ever ran"
            return degraded(Reason.DRIFT, f"{what}: the tables are not what the code expects", *facts, hint=migrate)
        at = listed(seen.revisions)
        if not expected:
            return ok(f"database is at {at} (the deployed head is not known)", *facts)
        if seen.revisions != expected:
            return degraded(
                Reason.DRIFT, f"database is at {at}, the code expects {listed(expected)}", *facts, hint=migrate
            )
        return ok(f"database is at {at}, as expected", *facts)

    def on_failure(self, verdict: Verdict) -> Verdict:
        """Say that it could not be looked at: whether the database is there, `postgres.connect` says."""
        told = told_as(verdict, "PostgreSQL", {}, self._host())
        return replace(told, outcome=Outcome.UNKNOWN, certain=False)

    def _host(self) -> Fact:
        return Fact("host", address(self.config.url.get_secret_value()))
