"""`postgres.migrations`: its judgement, and Alembic's table on a real server."""

import asyncpg
import pytest

from checks.data.migrations import PostgresMigrations, PostgresMigrationsConfig, PostgresMigrationsSeen
from checks.failures import verdict_of
from checks.result import Outcome, Reason
from demo.servers import PostgresServer
from tests.fakes import NOW, io_for


def check_of(*heads: str, url: str = "postgresql://nexus:hush@127.0.0.1/nexus") -> PostgresMigrations:
    config = PostgresMigrationsConfig(
        id="postgres.migrations",
        service="nexus-db",
        url=url,  # type: ignore[arg-type]
        expected_heads=heads,
    )
    return PostgresMigrations(config)


def seen(*revisions: str) -> PostgresMigrationsSeen:
    return PostgresMigrationsSeen("public", revisions)


NO_TABLE = PostgresMigrationsSeen(None)
JUDGED = {
    "as expected": (check_of("ab12"), seen("ab12"), Outcome.OK, "database is at ab12, as expected"),
    "two heads": (check_of("b", "a"), seen("a", "b"), Outcome.OK, "database is at a, b, as expected"),
    "not known": (check_of(), seen("ab12"), Outcome.OK, "database is at ab12 (the deployed head is not known)"),
    "no alembic": (check_of(), NO_TABLE, Outcome.OK, "no alembic_version table: nothing to compare"),
    "behind": (check_of("cd34"), seen("ab12"), Outcome.DEGRADED, "database is at ab12, the code expects cd34"),
    "empty": (
        check_of(),
        seen(),
        Outcome.DEGRADED,
        "no migration ever ran: the tables are not what the code expects",
    ),
    "table gone": (
        check_of("ab12"),
        NO_TABLE,
        Outcome.DEGRADED,
        "there is no alembic_version table: the tables are not what the code expects",
    ),
}


@pytest.mark.parametrize(("check", "what", "outcome", "summary"), JUDGED.values(), ids=JUDGED)
def test_judge(check: PostgresMigrations, what: PostgresMigrationsSeen, outcome: Outcome, summary: str) -> None:
    verdict = check.judge(what, NOW)

    assert (verdict.outcome, verdict.summary) == (outcome, summary)
    assert verdict.reason is (None if outcome is Outcome.OK else Reason.DRIFT)
    assert bool(verdict.hint) == (outcome is not Outcome.OK)


def test_a_database_that_is_out_is_not_drift() -> None:
    error = verdict_of(ConnectionRefusedError())
    assert error is not None
    told = check_of().on_failure(error)
    assert (told.outcome, told.summary) == (Outcome.UNKNOWN, "PostgreSQL: connection refused")


@pytest.mark.real
async def test_the_table_is_found_in_whatever_schema_it_lies(postgres_server: PostgresServer) -> None:
    check = check_of(url=postgres_server.url)
    owner = await asyncpg.connect(postgres_server.url)
    try:
        assert await check.measure(io_for()) == NO_TABLE
        await owner.execute('CREATE SCHEMA "My App"')
        await owner.execute('CREATE TABLE "My App".alembic_version (version_num varchar(32))')
        assert await check.measure(io_for()) == PostgresMigrationsSeen("My App")
        await owner.execute("""INSERT INTO "My App".alembic_version VALUES ('b'), ('a')""")
        assert await check.measure(io_for()) == PostgresMigrationsSeen("My App", ("a", "b"))
        await owner.execute("CREATE TABLE alembic_version (version_num varchar(32))")
        assert await check.measure(io_for()) == PostgresMigrationsSeen("public")
    finally:
        await owner.execute('DROP SCHEMA IF EXISTS "My App" CASCADE')
        await owner.execute("DROP TABLE IF EXISTS alembic_version")
        await owner.close()
