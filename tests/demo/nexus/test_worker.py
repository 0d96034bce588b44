"""nexus-worker and nexus-beat as real processes on real Valkey and PostgreSQL."""

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import asyncpg
import pytest
import redis.asyncio
from celery import Celery

from demo.nexus.api.parts import opened
from demo.nexus.api.settings import Settings
from demo.nexus.bot.sources import CeleryReports, SourceError
from demo.servers import PostgresServer, ValkeyServer, free_port

pytestmark = pytest.mark.real

CELERY = [sys.executable, "-m", "celery", "-A", "demo.nexus.celery_app"]
RESULT_SECONDS = 60.0  # a worker that lost its broker in the middle of a read waits up to 30 s before it connects anew


@pytest.fixture(scope="module")
def environment(postgres: PostgresServer, valkey: ValkeyServer) -> dict[str, str]:
    async def make_tables() -> None:
        async with opened(Settings(postgres.url, valkey.url, "1:a", "http://mini.app")) as parts:
            await parts.make_tables()

    asyncio.run(make_tables())
    return {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(Path(__file__).parents[3]),
        "DATABASE_URL": postgres.url,
        "REDIS_URL": valkey.url,
        "NEXUS_HEARTBEAT_SECONDS": "1",
    }


def _process(arguments: list[str], environment: dict[str, str], log: Path) -> Iterator[subprocess.Popen[bytes]]:
    with log.open("wb") as output:
        process = subprocess.Popen(
            [*CELERY, *arguments], env=environment, cwd=log.parent, stdout=output, stderr=subprocess.STDOUT
        )
    yield process
    process.terminate()
    try:
        assert process.wait(60) == 0, log.read_text()
    finally:
        process.kill()
        process.wait(5)


@pytest.fixture(scope="module")
def worker(environment: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[subprocess.Popen[bytes]]:
    log = tmp_path_factory.mktemp("worker") / "log"
    yield from _process(["worker", "-Q", "celery,reports", "-c", "2", "-l", "info"], environment, log)


@pytest.fixture
def beat(environment: dict[str, str], tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    yield from _process(["beat", "-s", str(tmp_path / "schedule"), "-l", "info"], environment, tmp_path / "log")


@pytest.fixture
async def client(valkey: ValkeyServer) -> AsyncIterator["redis.asyncio.Redis"]:
    async with redis.asyncio.Redis.from_url(valkey.url, decode_responses=True, socket_timeout=30) as opened_client:
        yield opened_client


async def _result(client: "redis.asyncio.Redis", valkey: ValkeyServer, task: str, **options: object) -> object:
    app = Celery("test", broker=valkey.url, backend=valkey.url, set_as_current=False)
    sent = await asyncio.to_thread(app.send_task, task, **options)
    async with asyncio.timeout(RESULT_SECONDS):
        while True:
            stored = await client.get(f"celery-task-meta-{sent.id}")
            if stored and json.loads(stored)["status"] in ("SUCCESS", "FAILURE"):
                app.close()
                return json.loads(stored)["result"]
            await asyncio.sleep(0.05)


@pytest.mark.parametrize("queue", ["celery", "reports"])
async def test_the_builtin_canary_runs_in_each_queue(
    worker: object, client: "redis.asyncio.Redis", valkey: ValkeyServer, queue: str
) -> None:
    options = {"args": ["nonce"], "kwargs": {"index": 0}, "queue": queue}
    assert await _result(client, valkey, "celery.accumulate", **options) == "nonce"


async def test_own_tasks_write_rows_and_counters(
    worker: object, client: "redis.asyncio.Redis", valkey: ValkeyServer, postgres: PostgresServer
) -> None:
    row = await _result(client, valkey, "nexus.tick")
    connection = await asyncpg.connect(postgres.url)
    try:
        assert await connection.fetchval("SELECT count(*) FROM ticks WHERE id = $1", row) == 1
    finally:
        await connection.close()
    assert await client.get("nexus:ticks") == "1"
    assert await _result(client, valkey, "nexus.count_open_tasks") == 3
    assert await client.get("nexus:open-tasks") == "3"
    assert await _result(client, valkey, "nexus.clean_up") == 0
    assert await _result(client, valkey, "nexus.count_ticks") == 1


async def test_the_bots_report_comes_from_the_worker(
    worker: object, client: "redis.asyncio.Redis", valkey: ValkeyServer
) -> None:
    reports = CeleryReports(valkey.url)
    number = int(await client.get("nexus:reports") or 0) + 1
    assert await reports.wait(await reports.enqueue()) == {"number": number, "users": 2, "tasks": 3, "tasks_done": 0}


async def test_a_queue_that_is_out_is_told_soon() -> None:
    reports = CeleryReports(f"redis://127.0.0.1:{free_port()}/0")
    async with asyncio.timeout(5):
        with pytest.raises(SourceError, match=r"^the queue does not answer$"):
            await reports.enqueue()


async def test_beat_sends_its_heartbeat_through_the_worker(
    worker: object, beat: object, client: "redis.asyncio.Redis"
) -> None:
    async with client.pubsub() as results, asyncio.timeout(RESULT_SECONDS):
        await results.psubscribe("celery-task-meta-*")
        async for message in results.listen():
            if message["type"] == "pmessage" and json.loads(message["data"])["result"] == "nexus-beat-alive":
                break


async def test_the_worker_works_again_after_its_broker_was_killed(
    worker: "subprocess.Popen[bytes]", valkey: ValkeyServer
) -> None:
    valkey.kill()
    valkey.start()
    async with redis.asyncio.Redis.from_url(valkey.url, decode_responses=True, socket_timeout=30) as client:
        options = {"args": ["again"], "kwargs": {"index": 0}}
        assert await _result(client, valkey, "celery.accumulate", **options) == "again"
    assert worker.poll() is None
