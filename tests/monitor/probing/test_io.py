"""Each factory of the real IO opens one connection, and closes it whatever happens."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import pytest

from monitor.probing.io import CLOSE_SECONDS
from tests.fakes import io_for

pytestmark = pytest.mark.real


class Silent:
    """A TCP server that reads and never answers; counts its connections."""

    def __init__(self) -> None:
        self.opened = 0
        self.closed = asyncio.Semaphore(0)
        self.port = 0

    async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.opened += 1
        with suppress(OSError):
            await reader.read()
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()
        self.closed.release()


@asynccontextmanager
async def silent_server() -> AsyncIterator[Silent]:
    silent = Silent()
    server = await asyncio.start_server(silent.talk, "127.0.0.1", 0)
    silent.port = server.sockets[0].getsockname()[1]
    async with server:
        yield silent
        async with asyncio.timeout(3):
            for _ in range(silent.opened):
                await silent.closed.acquire()


async def _http(port: int) -> None:
    async with io_for(30).http() as client:
        await client.get(f"http://127.0.0.1:{port}/")


async def _redis(port: int) -> None:
    async with io_for(30).redis(f"redis://127.0.0.1:{port}/0") as client:
        await client.get("x")


async def _postgres(port: int) -> None:
    async with io_for(30).postgres(f"postgresql://u:p@127.0.0.1:{port}/d"):
        raise AssertionError("connected to a silent server")


async def _tcp(port: int) -> None:
    async with io_for(30).connect_tcp("127.0.0.1", port):
        await asyncio.Event().wait()


@pytest.mark.parametrize("look", [_http, _redis, _postgres, _tcp], ids=["http", "redis", "postgres", "tcp"])
async def test_a_cancelled_look_ends_at_once_and_leaves_no_connection(look) -> None:
    loop = asyncio.get_running_loop()
    async with silent_server() as silent:
        started = loop.time()
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.1):
                await look(silent.port)
        assert silent.opened >= 1
        assert loop.time() - started < 0.1 + CLOSE_SECONDS + 0.5


async def test_a_tcp_connection_that_is_refused_flies() -> None:
    with pytest.raises(ConnectionRefusedError):
        async with io_for().connect_tcp("127.0.0.1", 1):
            pass


async def test_an_address_resolves_to_itself() -> None:
    assert await io_for().resolve("127.0.0.1") == ["127.0.0.1"]
