"""`vantage.store`: the monitor's own database."""

import sqlite3
import time
from contextlib import closing
from pathlib import Path

import pytest

from checks.failures import verdict_of
from checks.result import Outcome, Reason, Verdict
from checks.vantage.store import VantageStore, VantageStoreConfig, VantageStoreSeen
from demo.servers import PostgresServer
from monitor.probing.runner import Runner
from monitor.store.errors import NoPermissionError, StoreUnavailableError, WrongPasswordError
from monitor.store.store import Store
from tests.fakes import NOW, io_for

CHECK = VantageStore(VantageStoreConfig(id="vantage.store", service="monitor"))


def test_a_row_that_came_back_is_ok() -> None:
    verdict = CHECK.judge(VantageStoreSeen(0.003), NOW)

    assert (verdict.outcome, verdict.summary) == (Outcome.OK, "row written and read in 3 ms")


async def test_the_own_store_is_asked() -> None:
    asked: list[bool] = []

    async def own_store() -> None:
        asked.append(True)

    seen = await CHECK.measure(io_for(own_store=own_store))

    assert asked == [True]
    assert seen.took_seconds >= 0


async def test_a_store_that_fails_is_failed() -> None:
    async def own_store() -> None:
        raise sqlite3.OperationalError("database is locked")

    with pytest.raises(sqlite3.OperationalError) as caught:
        await CHECK.measure(io_for(own_store=own_store))
    error = verdict_of(caught.value)
    assert error is not None
    told = CHECK.on_failure(error)

    assert (told.outcome, told.reason, told.summary) == (
        Outcome.FAILED,
        Reason.QUERY_FAILED,
        "own database: query failed",
    )


async def looked(store: Store) -> Verdict:
    runner = Runner(lambda seconds: io_for(seconds, own_store=store.prove), lambda: NOW, time.monotonic)
    return (await runner.run(CHECK)).verdict


async def test_a_file_that_another_program_holds_is_failed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("monitor.store.database.BUSY_SECONDS", 0.01)
    store = await Store.open(f"sqlite:///{tmp_path}/monitor.db", now=lambda: NOW)
    with closing(sqlite3.connect(tmp_path / "monitor.db", isolation_level=None)) as holder:
        holder.execute("BEGIN EXCLUSIVE")
        held = await looked(store)
    free = await looked(store)
    await store.close()

    assert (held.outcome, held.reason) == (Outcome.FAILED, Reason.QUERY_FAILED)
    assert (held.summary, held.evidence.excerpt) == ("own database: query failed", "database is locked")
    assert free.outcome is Outcome.OK


async def test_a_file_whose_tables_are_gone_is_failed(tmp_path: Path) -> None:
    store = await Store.open(f"sqlite:///{tmp_path}/monitor.db", now=lambda: NOW)
    with closing(sqlite3.connect(tmp_path / "monitor.db", isolation_level=None)) as other:
        other.execute("DROP TABLE proof")
    verdict = await looked(store)
    await store.close()

    assert (verdict.outcome, verdict.reason) == (Outcome.FAILED, Reason.QUERY_FAILED)


@pytest.mark.real
async def test_a_server_that_went_away_is_failed(tmp_path: Path) -> None:
    server = PostgresServer(tmp_path)
    server.start()
    try:
        store = await Store.open(server.create_database("monitor"), now=lambda: NOW)
        before = await looked(store)
    finally:
        server.stop()
    verdict = await looked(store)
    await store.close()

    assert before.outcome is Outcome.OK
    assert verdict.outcome is Outcome.FAILED
    assert verdict.summary.startswith("own database: connection ")


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (StoreUnavailableError("database: x does not answer"), Reason.QUERY_FAILED),
        (NoPermissionError("database: no permission to write x"), Reason.READ_ONLY),
        (WrongPasswordError("database: x refuses the name or password"), Reason.AUTH_REJECTED),
    ],
)
def test_every_fault_of_the_store_is_failed(error: Exception, reason: Reason) -> None:
    verdict = verdict_of(error)

    assert verdict is not None
    assert (verdict.outcome, verdict.reason) == (Outcome.FAILED, reason)
