"""What is found on the broker and in the database: with a real worker, beside its database, and with none."""

from collections.abc import Iterator
from pathlib import Path

import asyncpg
import pytest
from pydantic import SecretStr

from checks.redis_url import with_database
from demo.servers import PostgresServer, ValkeyServer
from monitor.config.found import Found, Sight
from monitor.config.settings import Settings
from monitor.discovery.look import discover
from tests.celery_stack import state_of, worker
from tests.checks.conftest import postgres_server, valkey_server

__all__ = ["postgres_server", "valkey_server"]
pytestmark = pytest.mark.real


@pytest.fixture(scope="module")
def broker_url(valkey_server: ValkeyServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The broker of a worker with a schedule in its configuration."""
    url = with_database(valkey_server.url, 3)
    with worker(
        tmp_path_factory.mktemp("worker"), "-c", "1", "-n", "one@here", "-Q", "celery,reports",
        BROKER_URL=url, RESULT_BACKEND=with_database(valkey_server.url, 4), BEAT_SECONDS="5",
    ):  # fmt: skip
        yield url


async def found_on(url: str) -> Found:
    return await discover(Settings(redis_url=SecretStr(url)))


async def test_a_worker_tells_all_about_itself_and_nothing_stays_behind(broker_url: str) -> None:
    before = state_of(broker_url)[0]
    found = await found_on(broker_url)
    place = broker_url.removeprefix("redis://").rpartition("/")[0]
    assert {name: (thing.values, thing.how) for name, thing in found.things().items() if thing.values} == {
        "nodes": (("one@here",), "inspect active_queues"),
        "queues": (("celery", "reports"), "inspect active_queues"),
        "tasks": (("tests.fail", "tests.nap", "tests.note"), "inspect registered"),
        "result_backend": ((f"redis://{place}/4",), "inspect conf"),
        "schedule": (("nexus-heartbeat", "nightly"), "inspect conf"),
        "timezone": (("UTC",), "inspect conf"),
        "heartbeat": (("nexus-heartbeat",), "inspect conf"),
    }
    assert found.schedule.notes == ("celery.accumulate 5.0", "tests.nap 3600.0")
    assert state_of(broker_url)[0] == before


async def test_a_worker_on_another_database_is_named(broker_url: str) -> None:
    found = await found_on(with_database(broker_url, 7))
    assert (found.nodes.sight, found.nodes.setting) == (Sight.ABSENT, "BROKER_URL")
    assert found.nodes.why.endswith("but one does on database 3: is BROKER_URL that one?")


async def test_a_redis_that_is_not_there_is_unreached_and_its_password_unsaid(unused_tcp_port: int) -> None:
    found = await found_on(f"redis://:hush@127.0.0.1:{unused_tcp_port}/0")
    assert (found.queues.sight, found.queues.why) == (Sight.UNREACHED, "connection refused")
    assert "hush" not in repr(found)


async def test_a_paused_redis_ends_the_look_in_time(tmp_path: Path) -> None:
    server = ValkeyServer(tmp_path / "valkey")
    server.start()
    try:
        server.pause()
        found = await found_on(server.url)
        assert found.nodes.sight is Sight.UNREACHED
        assert found.nodes.why.startswith("no answer within")
    finally:
        server.resume()
        server.stop()


async def test_the_migration_is_read_where_alembic_has_a_table(postgres_server: PostgresServer) -> None:
    settings = Settings(database_url=SecretStr(postgres_server.url))
    assert (await discover(settings)).migrations.why == "the database has no table alembic_version"
    connection = await asyncpg.connect(postgres_server.url)
    try:
        await connection.execute("CREATE TABLE alembic_version (version_num text)")
        assert (await discover(settings)).migrations.why == "the table alembic_version is empty"
        await connection.execute("INSERT INTO alembic_version VALUES ('b2'), ('a1')")
        assert (await discover(settings)).migrations.values == ("a1", "b2")
    finally:
        await connection.execute("DROP TABLE IF EXISTS alembic_version")
        await connection.close()
