"""Databases for tests: a file, and a real PostgreSQL server with a fresh database for each test."""

import asyncio
import contextlib
import itertools
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from checks.result import Fact, Reason, Result, failed, ok
from demo.servers import PostgresServer
from monitor.engine.model import CheckPolicy, InsertMessage, MessageKind, Plan, Severity, State
from monitor.line import Line, StepFunction
from monitor.store.store import Store

T0 = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
PLAN = Plan({"api.health": CheckPolicy("api.health", "nexus-api", 30.0, 10.0, 10.0)})
_numbers = itertools.count(1)


def at(seconds: float) -> datetime:
    """Return the instant so many seconds after T0."""
    return T0 + timedelta(seconds=seconds)


def good(check_id: str = "api.health", seconds: float = 0.0) -> Result:
    """Return a look that was ok."""
    return Result(
        check_id, ok("200 in 12 ms", Fact("status", 200), values={"first_byte_seconds": 0.012}), at(seconds), 0.012
    )


def bad(check_id: str = "api.health", seconds: float = 0.0) -> Result:
    """Return a look that failed."""
    return Result(check_id, failed(Reason.TIMEOUT, "no answer in 10 s", hint="look at the log"), at(seconds), 10.0)


def insert(key: str, *, chat_id: str = "telegram:ops", severity: Severity = Severity.PAGE) -> InsertMessage:
    """Return the effect that queues an opening message."""
    return InsertMessage(1, chat_id, MessageKind.OPEN, key, severity, is_silent=False)


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PostgresServer]:
    """One server for all tests that want one."""
    server = PostgresServer(tmp_path_factory.mktemp("postgres"))
    server.start()
    try:
        yield server
    finally:
        server.stop()


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.real)])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of an empty database: each test runs on both kinds."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/monitor.db"
    server: PostgresServer = request.getfixturevalue("postgres")
    return server.create_database(f"monitor_{next(_numbers)}")


@pytest.fixture
async def store(database_url: str) -> AsyncIterator[Store]:
    """An open store on an empty database, whose clock stands at T0."""
    opened = await Store.open(database_url, now=lambda: T0)
    try:
        yield opened
    finally:
        await opened.close()


async def queue(store: Store, *messages: InsertMessage, seconds: float = 0.0) -> None:
    """Commit messages to the outbox."""
    await store.commit([], State(), State(), messages, at(seconds))


@asynccontextmanager
async def running(store: Any, step: StepFunction, **more: Any) -> AsyncIterator[Line]:
    """Give a line over one check, on the empty state, that runs until the block ends."""
    line = Line(PLAN, State(), store, step, lambda: T0, **more)
    worker = asyncio.create_task(line.run())
    try:
        yield line
    finally:
        worker.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await worker


async def until(is_so: Callable[[], bool]) -> None:
    """Return when it is so; fail after twenty seconds."""
    async with asyncio.timeout(20):
        while not is_so():
            await asyncio.sleep(0.001)
