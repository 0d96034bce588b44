"""PostgreSQL and Redis as Debian packs them: what each check says of them, well and broken."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import asyncpg
import pytest
import redis

from checks.result import Reason
from tests.foreign.looking import DEGRADED, FAILED, OK, Row, judge
from tests.foreign.servers import Postgres, Redis, needs_postgres, needs_redis, running

pytestmark = pytest.mark.real
URL = {"url": "{}"}


@pytest.fixture(scope="module")
def postgres() -> Iterator[str]:
    with running(Postgres) as server:
        yield server.url


@pytest.fixture(scope="module")
def redis_7() -> Iterator[str]:
    with running(Redis) as server:
        yield server.url


@asynccontextmanager
async def told(url: str, *statements: str, after: str = "SELECT 1") -> AsyncIterator[None]:
    connection = await asyncpg.connect(url)
    try:
        for statement in statements:
            await connection.execute(statement)
        yield
        await connection.execute(after)
    finally:
        await connection.close()


@needs_postgres
@pytest.mark.parametrize(
    "row",
    [
        Row("", "postgres.connect", OK, settings=URL),
        Row("", "postgres.capacity", OK, settings=URL),
        Row("", "postgres.migrations", OK, settings=URL),
        Row("nowhere", "postgres.connect", FAILED, Reason.MISSING, URL),
    ],
    ids=str,
)
async def test_a_postgresql_that_is_well_or_lacks_the_database(postgres: str, row: Row) -> None:
    await judge(row, postgres)


@needs_postgres
async def test_a_postgresql_that_only_reads(postgres: str) -> None:
    read_only = "ALTER DATABASE postgres SET default_transaction_read_only = on"
    back = "SET SESSION CHARACTERISTICS AS TRANSACTION READ WRITE; ALTER DATABASE postgres RESET ALL"
    async with told(postgres, read_only, after=back):
        await judge(Row("", "postgres.connect", FAILED, Reason.READ_ONLY, URL), postgres)


@needs_postgres
async def test_a_postgresql_with_another_migration(postgres: str) -> None:
    table = "CREATE TABLE alembic_version AS SELECT 'aaaa'::varchar AS version_num"
    async with told(postgres, table, after="DROP TABLE alembic_version"):
        for head, outcome, reason in (("aaaa", OK, None), ("bbbb", DEGRADED, Reason.DRIFT)):
            row = Row("", "postgres.migrations", outcome, reason, {"url": postgres, "expected_heads": (head,)})
            await judge(row)


@needs_postgres
async def test_a_postgresql_that_is_nearly_full(postgres: str) -> None:
    taken = [await asyncpg.connect(postgres) for _ in range(8)]
    try:
        await judge(Row("", "postgres.capacity", DEGRADED, Reason.CAPACITY, URL), postgres)
    finally:
        for one in taken:
            await one.close()


@needs_redis
@pytest.mark.parametrize(
    ("row", "setting"),
    [
        (Row("", "redis.ping", OK, settings=URL), {}),
        (Row("", "redis.write", OK, settings=URL), {}),
        (Row("", "redis.memory", OK, settings=URL), {}),
        (Row("", "redis.ping", FAILED, Reason.AUTH_REJECTED, URL), {"requirepass": "theirs"}),
        (Row("", "redis.write", FAILED, Reason.WRITE_REFUSED, URL), {"maxmemory": "1"}),
        (Row("", "redis.memory", FAILED, Reason.CAPACITY, URL), {"maxmemory": "1"}),
        (Row("", "redis.memory", DEGRADED, Reason.DRIFT, URL), {"maxmemory-policy": "allkeys-lru"}),
    ],
    ids=str,
)
async def test_a_redis_that_is_well_or_set_up_wrong(redis_7: str, row: Row, setting: dict[str, str]) -> None:
    with redis.Redis.from_url(redis_7, decode_responses=True) as client:
        before = {name: client.config_get(name)[name] for name in setting}
        for name, value in setting.items():
            client.config_set(name, value)
        try:
            await judge(row, redis_7)
        finally:
            for name, value in before.items():
                client.config_set(name, value)
