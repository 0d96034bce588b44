"""The monitor's own port: taken before anything starts, then served by uvicorn."""

import asyncio
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from monitor.errors import UsageError

if TYPE_CHECKING:
    from fastapi import FastAPI

BACKLOG = 128
GRACE_SECONDS = 2
"""Open connections get this long at the end; an event stream never ends by itself."""


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
        timeout_graceful_shutdown=GRACE_SECONDS,
        server_header=False,
    )
    server = Server(config)
    try:
        await server.serve(sockets=[listener])
    except asyncio.CancelledError:
        await server.shutdown(sockets=[listener])
        raise
