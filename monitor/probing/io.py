"""The real IO of a look: each factory call opens one fresh connection and closes it, also when cancelled."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from datetime import datetime
from socket import SOCK_STREAM
from typing import TYPE_CHECKING, Any

from pydantic import SecretStr

from checks.base import IO, Certificate, Feeds, Push, RenderReader
from monitor.probing.browser import chromium, keep_file
from monitor.probing.certificates import certificate_of
from monitor.probing.render import RenderClients
from monitor.probing.tls import USER_AGENT, tls_context

if TYPE_CHECKING:
    import asyncpg
    import httpx
    import redis.asyncio

CLOSE_SECONDS = 1.0
"""How long closing a connection may take; after that it is dropped."""


def real_io(
    *,
    timeout_seconds: float,
    now: Callable[[], datetime],
    monotonic: Callable[[], float],
    feeds: Feeds,
    own_store: Callable[[], Awaitable[None]],
    loop_lag_seconds: Callable[[], float],
    last_push: Callable[[str], Awaitable[Push | None]] | None = None,
    render: Callable[[str, SecretStr], RenderReader] | None = None,
) -> IO:
    """Return an IO over real sockets; every socket wait ends after `timeout_seconds`.

    Without `last_push` nobody has ever called; without `render` the look asks Render's API with a client of its own.
    """

    @asynccontextmanager
    async def http() -> AsyncIterator["httpx.AsyncClient"]:
        import httpx

        client = httpx.AsyncClient(
            trust_env=False,
            follow_redirects=False,
            timeout=timeout_seconds,
            limits=httpx.Limits(max_keepalive_connections=0),
            verify=tls_context(),
            headers={"user-agent": USER_AGENT},
        )
        try:
            yield client
        finally:
            await _within_close_time(client.aclose())

    @asynccontextmanager
    async def postgres(url: str) -> AsyncIterator["asyncpg.Connection[Any]"]:
        import asyncpg

        connection = await asyncpg.connect(
            url,
            timeout=timeout_seconds,
            command_timeout=timeout_seconds,
            statement_cache_size=0,
            server_settings={"application_name": USER_AGENT},
        )
        try:
            yield connection
        except BaseException:
            connection.terminate()
            raise
        # A look that saw what it wanted does not fail because saying goodbye did.
        with suppress(OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
            await connection.close(timeout=CLOSE_SECONDS)

    @asynccontextmanager
    async def redis_client(url: str) -> AsyncIterator["redis.asyncio.Redis"]:
        import redis.asyncio
        from redis.asyncio.retry import Retry
        from redis.backoff import NoBackoff

        client = redis.asyncio.Redis.from_url(
            url,
            socket_timeout=timeout_seconds,
            socket_connect_timeout=timeout_seconds,
            retry=Retry(NoBackoff(), 0),
            health_check_interval=0,
            protocol=2,
        )
        try:
            yield client
        finally:
            await _within_close_time(client.aclose())

    @asynccontextmanager
    async def connect_tcp(host: str, port: int) -> AsyncIterator[None]:
        async with asyncio.timeout(timeout_seconds):
            _, writer = await asyncio.open_connection(host, port)
        try:
            yield
        finally:
            writer.close()
            with suppress(OSError):
                await _within_close_time(writer.wait_closed())

    async def resolve(host: str) -> list[str]:
        async with asyncio.timeout(timeout_seconds):
            found = await asyncio.get_running_loop().getaddrinfo(host, None, type=SOCK_STREAM)
        return sorted({str(entry[4][0]) for entry in found})

    async def certificate(host: str, port: int) -> Certificate:
        async with asyncio.timeout(timeout_seconds):
            return await certificate_of(host, port, tls_context())

    return IO(
        timeout_seconds=timeout_seconds,
        now=now,
        monotonic=monotonic,
        http=http,
        postgres=postgres,
        redis=redis_client,
        connect_tcp=connect_tcp,
        resolve=resolve,
        certificate=certificate,
        browser=chromium,
        keep_file=keep_file,
        own_store=own_store,
        last_push=last_push or _never_pushed,
        render=render or RenderClients(monotonic),
        feeds=feeds,
        loop_lag_seconds=loop_lag_seconds,
    )


async def _never_pushed(check_id: str) -> Push | None:
    return None


async def _within_close_time(closing: Awaitable[None]) -> None:
    with suppress(TimeoutError):
        async with asyncio.timeout(CLOSE_SECONDS):
            await closing
