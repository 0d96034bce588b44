"""The monitor's own port: taken before anything starts, then served by uvicorn."""

import asyncio
import socket
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from ipaddress import ip_address
from typing import TYPE_CHECKING

from monitor.errors import UsageError

if TYPE_CHECKING:
    from fastapi import FastAPI
    from uvicorn.server import Protocols

BACKLOG = 128
POLL_SECONDS = 0.02
GRACE_SECONDS = 0.5
"""Answers being sent get this long at the end; then the rest is closed: an event stream never ends by itself."""
CLOSE_SECONDS = 2
"""What has not taken note of its closed connection by then is cancelled."""


def listen(host: str, port: int) -> socket.socket:
    """Return a listening socket. Raises UsageError, one line, when the port cannot be had."""
    listener = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen(BACKLOG)
    except OSError as error:
        listener.close()
        raise UsageError(f"port {port} on {host}: cannot listen: {error.strerror or error}") from None
    return listener


def is_loopback(host: str) -> bool:
    """Return whether only this machine can reach a socket that listens there."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


async def serve_web(app: "FastAPI", listener: socket.socket) -> None:
    """Serve until cancelled."""
    import uvicorn

    class Server(uvicorn.Server):
        @contextmanager
        def capture_signals(self) -> Iterator[None]:
            """Leave signals to the service."""
            yield

    config = uvicorn.Config(
        app,
        lifespan="off",
        log_config=None,
        access_log=False,
        timeout_graceful_shutdown=CLOSE_SECONDS,
        server_header=False,
    )
    server = Server(config)
    try:
        await server.serve(sockets=[listener])
    except asyncio.CancelledError:
        await _let_go(server.server_state.connections)
        await server.shutdown(sockets=[listener])
        raise


async def _let_go(connections: "Collection[Protocols]") -> None:
    """Close idle connections now, and busy ones after their answer, at the latest when the grace is over."""
    for connection in tuple(connections):
        connection.shutdown()
    with suppress(TimeoutError):
        async with asyncio.timeout(GRACE_SECONDS):
            while connections:  # noqa: ASYNC110  uvicorn keeps a set, and tells nobody
                await asyncio.sleep(POLL_SECONDS)
    for connection in tuple(connections):
        connection.transport.close()
