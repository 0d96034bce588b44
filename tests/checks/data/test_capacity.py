"""`postgres.capacity`: its judgement, and a real server with open transactions and locks."""

import asyncio

import asyncpg
import pytest

from checks.data.capacity import PostgresCapacity, PostgresCapacityConfig, PostgresCapacitySeen, Session
from checks.failures import verdict_of
from checks.result import Outcome, Reason
from demo.servers import PostgresServer
from tests.fakes import NOW, io_for

URL = "postgresql://nexus:secretword@127.0.0.1:5432/nexus"


def check_of(url: str = URL, **settings: object) -> PostgresCapacity:
    return PostgresCapacity(
        PostgresCapacityConfig(id="postgres.capacity", service="nexus-db", url=url, **settings)  # type: ignore[arg-type]
    )


def seen(
    used: int = 10, *, hidden: int = 0, oldest: Session | None = None, waiting: tuple[Session, ...] = ()
) -> PostgresCapacitySeen:
    return PostgresCapacitySeen(103, 3, used, hidden, 1, 8_400_000, oldest, waiting)


def waiter(seconds: float, *blockers: int) -> Session:
    return Session(7, "nexus-api", "active", seconds, blockers)


JUDGED = {
    "good": (seen(), Outcome.OK, None, "10 of 100 connections in use, 8 MB"),
    "young transaction": (seen(oldest=waiter(299)), Outcome.OK, None, "10 of 100 connections in use, 8 MB"),
    "short wait": (seen(waiting=(waiter(30, 9),)), Outcome.OK, None, "10 of 100 connections in use, 8 MB"),
    "hidden": (seen(hidden=4), Outcome.OK, None, "10 of 100 connections in use, 8 MB"),
    "nearly full": (seen(80), Outcome.DEGRADED, Reason.CAPACITY, "80 of 100 connections in use"),
    "full": (seen(100), Outcome.FAILED, Reason.CAPACITY, "100 of 100 connections in use: no free slot"),
    "old transaction": (
        seen(oldest=Session(7, "", "idle in transaction", 720)),
        Outcome.DEGRADED,
        Reason.STUCK,
        "a transaction is open for 12 min: pid 7 (idle in transaction)",
    ),
    "a wait for a lock": (
        seen(waiting=(waiter(31, 9, 8),)),
        Outcome.DEGRADED,
        Reason.STUCK,
        "pid 7 (nexus-api, active) waits 31 s for a lock held by pid 9, 8",
    ),
    "a wait for nobody": (
        seen(waiting=(Session(7, "", "", 31),)),
        Outcome.DEGRADED,
        Reason.STUCK,
        "pid 7 waits 31 s for a lock",
    ),
}


@pytest.mark.parametrize(("what", "outcome", "reason", "summary"), JUDGED.values(), ids=JUDGED)
def test_judge(what: PostgresCapacitySeen, outcome: Outcome, reason: Reason | None, summary: str) -> None:
    verdict = check_of().judge(what, NOW)

    assert (verdict.outcome, verdict.reason, verdict.summary) == (outcome, reason, summary)
    assert bool(verdict.hint) == (outcome is not Outcome.OK)
    assert verdict.values["connections_ratio"] == what.used / 100
    assert "secretword" not in repr(verdict)


def test_a_large_database_is_told_in_gigabytes() -> None:
    what = PostgresCapacitySeen(103, 3, 1, 0, 0, 2_500_000_000, None, ())
    assert check_of().judge(what, NOW).summary == "1 of 100 connections in use, 2.5 GB"


def test_a_connection_refused_for_want_of_a_slot_says_what_to_do() -> None:
    error = verdict_of(asyncpg.TooManyConnectionsError("sorry, too many clients already"))
    assert error is not None
    told = check_of().on_failure(error)
    assert (told.outcome, told.summary) == (Outcome.FAILED, "PostgreSQL: no free connection slot")
    assert "pools' sizes" in told.hint


@pytest.mark.real
async def test_who_waits_for_whom_is_seen_on_a_real_server(postgres_server: PostgresServer) -> None:
    holder = await asyncpg.connect(postgres_server.url, server_settings={"application_name": "holder"})
    waiting = await asyncpg.connect(postgres_server.url, server_settings={"application_name": "waiting"})
    check = check_of(postgres_server.url, lock_wait_seconds=0.001)
    try:
        await holder.execute("CREATE TABLE IF NOT EXISTS held (id int)")
        held = holder.transaction()
        await held.start()
        await holder.execute("LOCK TABLE held")
        async with asyncio.TaskGroup() as group:
            select = group.create_task(waiting.fetch("SELECT * FROM held"))
            what = await check.measure(io_for())
            while not what.waiting:
                what = await check.measure(io_for())
            await held.rollback()
            await select
        verdict = check.judge(what, NOW)
        assert verdict.summary.endswith(f"for a lock held by pid {holder.get_server_pid()}")
        assert f"pg_terminate_backend({holder.get_server_pid()})" in verdict.hint
        assert what.oldest is not None
        assert (what.oldest.application, what.oldest.state) == ("holder", "idle in transaction")
        assert (what.used, what.hidden, what.slots) == (2, 0, 97)
        assert what.size_bytes > 1_000_000
    finally:
        await holder.execute("DROP TABLE held")
        await holder.close()
        await waiting.close()


@pytest.mark.real
async def test_sessions_that_our_user_may_not_see_are_counted_all_the_same(postgres_server: PostgresServer) -> None:
    owner = await asyncpg.connect(postgres_server.url)
    try:
        await owner.execute("CREATE ROLE watcher LOGIN PASSWORD 'watch'")
        what = await check_of(postgres_server.url.replace("nexus:nexus", "watcher:watch")).measure(io_for())
        assert (what.used, what.hidden, what.oldest) == (1, 1, None)
    finally:
        await owner.execute("DROP ROLE watcher")
        await owner.close()
