"""PostgreSQL and Valkey from wheels: started, paused, killed, started again with the same data and port."""

import asyncio
import socket
from pathlib import Path

import asyncpg
import psutil
import pytest
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from demo.servers import HOST, PostgresServer, ServerError, ValkeyServer, free_port

pytestmark = pytest.mark.real


def _is_running(pid: int) -> bool:
    """Say whether the process does anything: an orphan that its new parent has not taken note of yet does not."""
    return psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE


def _client(server: ValkeyServer) -> redis.Redis:
    return redis.Redis.from_url(server.url, socket_timeout=0.2, retry=Retry(NoBackoff(), 0), decode_responses=True)


async def _fetch(server: PostgresServer, query: str, timeout_seconds: float = 5) -> object:
    async with asyncio.timeout(timeout_seconds):
        connection = await asyncpg.connect(server.url)
        try:
            return await connection.fetchval(query)
        finally:
            await connection.close()


async def test_postgres_keeps_data_and_port_through_a_crash(tmp_path: Path) -> None:
    server = PostgresServer(tmp_path)
    server.start()
    try:
        assert str(await _fetch(server, "SHOW server_version")).startswith("18")
        await _fetch(server, "CREATE TABLE kept AS SELECT 42 AS answer")
        await _fetch(server, "CHECKPOINT")
        port, crashed = server.port, server.pids()
        server.kill()
        assert not server.is_running
        assert server.pids() == ()
        assert not any(_is_running(pid) for pid in crashed)
        server.start()
        assert server.port == port
        assert await _fetch(server, "SELECT answer FROM kept") == 42
    finally:
        server.stop()


async def test_a_paused_postgres_takes_connections_and_never_answers(tmp_path: Path) -> None:
    server = PostgresServer(tmp_path)
    server.start()
    try:
        server.pause()
        assert server.is_running
        socket.create_connection((HOST, server.port), timeout=1).close()
        with pytest.raises(TimeoutError):
            await _fetch(server, "SELECT 1", timeout_seconds=0.3)
        server.resume()
        assert await _fetch(server, "SELECT 1") == 1
    finally:
        server.stop()


async def test_a_second_database_is_empty_and_apart(tmp_path: Path) -> None:
    server = PostgresServer(tmp_path)
    server.start()
    try:
        connection = await asyncpg.connect(server.create_database("other"))
        try:
            assert await connection.fetchval("SELECT current_database()") == "other"
        finally:
            await connection.close()
        with pytest.raises(ServerError, match=r'other: .*database "other" already exists'):
            server.create_database("other")
    finally:
        server.stop()


def test_valkey_keeps_its_queues_through_an_orderly_restart(tmp_path: Path) -> None:
    server = ValkeyServer(tmp_path)
    server.start()
    try:
        with _client(server) as client:
            client.lpush("queue", "message")
            assert client.config_get("maxmemory-policy") == {"maxmemory-policy": "noeviction"}
        server.stop()
        server.start()
        with _client(server) as client:
            assert client.lrange("queue", 0, -1) == ["message"]
    finally:
        server.stop()


def test_a_paused_valkey_never_answers_and_goes_on_after(tmp_path: Path) -> None:
    server = ValkeyServer(tmp_path)
    server.start()
    try:
        server.pause()
        with _client(server) as client:
            with pytest.raises(redis.TimeoutError):
                client.ping()
            server.resume()
            assert client.ping()
    finally:
        server.stop()


@pytest.mark.parametrize("kind", [PostgresServer, ValkeyServer], ids=["postgres", "valkey"])
def test_stop_ends_even_a_paused_server_and_leaves_no_process(
    kind: type[PostgresServer | ValkeyServer], tmp_path: Path
) -> None:
    server = kind(tmp_path)
    server.start()
    pids = server.pids()
    server.pause()
    server.stop()
    server.stop()
    assert pids
    assert not any(_is_running(pid) for pid in pids)


@pytest.mark.parametrize("kind", [PostgresServer, ValkeyServer], ids=["postgres", "valkey"])
def test_a_port_in_use_is_told_in_one_line(kind: type[PostgresServer | ValkeyServer], tmp_path: Path) -> None:
    port = free_port()
    with socket.create_server((HOST, port)):
        server = kind(tmp_path, port)
        with pytest.raises(ServerError, match=rf"^{server.name} on port {port} ended at start: .*log: [^\n]*$"):
            server.start()
        assert not server.is_running
        server.stop()
