"""Real servers on loopback for the checks' measures."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path

import pytest
from aiohttp import web

from demo.servers import PostgresServer, ValkeyServer

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
Serve = Callable[[Handler], Awaitable[str]]


@pytest.fixture(scope="session")
def postgres_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PostgresServer]:
    server = PostgresServer(_open_folder(tmp_path_factory) / "postgres")
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def valkey_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ValkeyServer]:
    server = ValkeyServer(_open_folder(tmp_path_factory) / "valkey")
    server.start()
    yield server
    server.stop()


@pytest.fixture
async def serve() -> AsyncIterator[Serve]:
    """Start HTTP servers that answer every request with one handler; gives their base URL."""
    runners: list[web.AppRunner] = []

    async def start(handler: Handler) -> str:
        app = web.Application()
        app.router.add_route("*", "/{tail:.*}", handler)
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        runners.append(runner)
        return f"http://127.0.0.1:{runner.addresses[0][1]}"

    yield start
    for runner in runners:
        await runner.cleanup()


def _open_folder(factory: pytest.TempPathFactory) -> Path:
    """Return a folder that the server's own user may enter when the tests run as root."""
    folder = factory.mktemp("server")
    for parent in (folder, *folder.parents[:2]):
        parent.chmod(0o755)
    return folder
