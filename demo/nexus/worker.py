"""The tasks of nexus-worker: rows in PostgreSQL, counters in Redis, and the report that the bot asks for."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import asyncpg
import redis
from celery import shared_task

from demo.nexus import environment
from demo.nexus.counters import EXPORT, REPORTS, TICKS

CONNECT_SECONDS = 3.0
QUERY_SECONDS = 5.0
KEPT_TICKS = 1000
OPEN_TASKS = "nexus:open-tasks"

_COUNTS = """
    SELECT (SELECT count(*) FROM users) AS users,
           (SELECT count(*) FROM tasks) AS tasks,
           (SELECT count(*) FROM tasks WHERE is_done) AS tasks_done
"""

ResultT = TypeVar("ResultT")


@shared_task(name="nexus.tick")
def tick() -> int:
    """Write one row and count it; return the row's number."""

    async def write(connection: "asyncpg.Connection[Any]") -> int:
        return int(await connection.fetchval("INSERT INTO ticks DEFAULT VALUES RETURNING id"))

    row = _with_database(write)
    _count(TICKS)
    return row


@shared_task(name="nexus.count_open_tasks")
def count_open_tasks() -> int:
    """Count what is to be done, and keep the number in Redis."""

    async def read(connection: "asyncpg.Connection[Any]") -> int:
        return int(await connection.fetchval("SELECT count(*) FROM tasks WHERE NOT is_done"))

    open_tasks = _with_database(read)
    with _redis() as client:
        client.set(OPEN_TASKS, open_tasks)
    return open_tasks


@shared_task(name="nexus.clean_up")
def clean_up() -> int:
    """Remove all ticks but the newest thousand; return how many went."""

    async def remove(connection: "asyncpg.Connection[Any]") -> int:
        status = await connection.execute("DELETE FROM ticks WHERE id <= (SELECT max(id) FROM ticks) - $1", KEPT_TICKS)
        return int(status.rpartition(" ")[2])

    return _with_database(remove)


@shared_task(name="nexus.export")
def export(seconds: float) -> bool:
    """Wait for the other side of an export, at most so many seconds; say whether it came."""
    with redis.Redis.from_url(environment.redis_url(), socket_timeout=seconds + QUERY_SECONDS) as client:
        return client.blpop([EXPORT], timeout=seconds) is not None


@shared_task(name="nexus.count_ticks")
def count_ticks() -> int:
    """Count the ticks that are kept."""

    async def read(connection: "asyncpg.Connection[Any]") -> int:
        return int(await connection.fetchval("SELECT count(*) FROM ticks"))

    return _with_database(read)


@shared_task(name="nexus.report")
def report() -> dict[str, int]:
    """Return the numbers of Nexus and the number of the report."""

    async def read(connection: "asyncpg.Connection[Any]") -> dict[str, int]:
        row = await connection.fetchrow(_COUNTS)
        return dict(row) if row else {}

    numbers = _with_database(read)
    return {"number": _count(REPORTS), **numbers}


def _with_database(work: "Callable[[asyncpg.Connection[Any]], Awaitable[ResultT]]") -> ResultT:
    async def run() -> ResultT:
        connection = await asyncpg.connect(
            environment.database_url(), timeout=CONNECT_SECONDS, command_timeout=QUERY_SECONDS
        )
        try:
            return await work(connection)
        finally:
            await connection.close(timeout=1)

    return asyncio.run(run())


def _redis() -> redis.Redis:
    return redis.Redis.from_url(
        environment.redis_url(), socket_timeout=QUERY_SECONDS, socket_connect_timeout=CONNECT_SECONDS
    )


def _count(key: str) -> int:
    with _redis() as client:
        return int(client.incr(key))
