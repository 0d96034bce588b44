"""How Nexus's web processes run: uvicorn on a socket that is already open, ended promptly by SIGTERM."""

import contextlib
import socket

import uvicorn
from starlette.types import ASGIApp

GRACE_SECONDS = 2


def serve(app: ASGIApp, listening: socket.socket) -> None:
    """Serve `app` until SIGTERM or SIGINT; open requests get 2 s."""
    config = uvicorn.Config(app, log_level="warning", timeout_graceful_shutdown=GRACE_SECONDS, server_header=False)
    with contextlib.suppress(KeyboardInterrupt):  # uvicorn raises Ctrl-C again after its orderly end
        uvicorn.Server(config).run(sockets=[listening])
