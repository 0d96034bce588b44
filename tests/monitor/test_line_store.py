"""The line over a real database: found again after a restart, complete after an outage."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import asyncpg
import pytest

from demo.servers import PostgresServer
from monitor.engine.model import (
    CheckState,
    CheckStatus,
    Effect,
    Event,
    InsertMessage,
    Looked,
    MessageKind,
    Plan,
    Severity,
    State,
    Tick,
)
from monitor.engine.step import Step, step
from monitor.store.store import Store
from tests.stores import T0, at, bad, good, running, until


async def test_an_outage_is_found_again_after_a_restart(tmp_path: Path) -> None:
    clock = [T0]
    store = await Store.open(f"sqlite:///{tmp_path}/monitor.db", now=lambda: clock[0])
    async with running(store, step) as line:
        line._now = lambda: clock[0]
        for seconds in (0, 10, 20):
            clock[0] = at(seconds + 1)
            await line.apply(Looked(bad(seconds=seconds)))
        for seconds in range(22, 90):
            clock[0] = at(seconds)
            await line.apply(Tick())
        before = line.state
    assert before.checks["api.health"].status is CheckStatus.DOWN
    assert before.checks["api.health"].down_since == at(0)
    await store.close()
    again = await Store.open(f"sqlite:///{tmp_path}/monitor.db", now=lambda: clock[0])
    assert await again.load() == before
    assert [incident.root for incident in await again.incidents()] == ["api.health"]
    assert [row.kind for row in await again.timeline(1)][:1] == ["opened"]
    assert [(span.started_at, span.kind.value) for span in (await again.spans(at(-1)))["api.health"]] == [
        (at(0), "down")
    ]
    await again.close()


@pytest.fixture
async def own_postgres(tmp_path: Path) -> AsyncIterator[PostgresServer]:
    """A server that a test may kill: what was committed outlives that."""
    server = PostgresServer(tmp_path / "postgres")
    server.start()
    try:
        connection = await asyncpg.connect(server.url)
        await connection.execute(f"ALTER DATABASE {server.database} SET synchronous_commit = on")
        await connection.close()
        yield server
    finally:
        server.stop()


@pytest.mark.real
async def test_a_database_that_comes_back_gets_everything(
    own_postgres: PostgresServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    def note(_plan: Plan, state: State, event: Event, now: datetime) -> Step:
        number = state.revision + 1
        checks = {"api.health": CheckState("api.health", failures_in_row=number)}
        message: Effect = InsertMessage(1, "a", MessageKind.OPEN, f"k{number}", Severity.PAGE, is_silent=False)
        return Step(replace(state, checks=checks, revision=number), (message,))

    monkeypatch.setattr("monitor.store.database.ANSWER_SECONDS", 0.5)
    monkeypatch.setattr("monitor.store.database.CONNECT_SECONDS", 0.5)
    monkeypatch.setattr("monitor.line.LONGEST_RETRY_SECONDS", 0.1)
    server = own_postgres
    store = await Store.open(server.url, now=lambda: T0)
    async with running(store, note) as line:
        await line.apply(Looked(good()))
        for harm, repair in ((server.kill, server.start), (server.pause, server.resume)):
            harm()
            waiting = asyncio.create_task(line.apply(Looked(good(seconds=line.state.revision))))
            await until(lambda: line.store_failed_since is not None)
            repair()
            await asyncio.wait_for(waiting, 20)
            assert line.store_failed_since is None
        assert await store.load() == line.state
        assert line.state.revision == 3
        assert [count.messages for count in await store.message_counts()] == [3]
    await store.close()
