"""`python -m demo.botapi`: run the server on one port until it is told to stop."""

import argparse
import contextlib
import logging
import socket
import sys

import uvicorn

from demo.botapi.config import ConfigError, WorldConfig, read_config
from demo.botapi.control import create_app
from demo.botapi.server import BotApi


class Server(uvicorn.Server):
    """uvicorn that lets go of long polls and event streams when it stops."""

    def __init__(self, api: BotApi, config: uvicorn.Config) -> None:
        super().__init__(config)
        self._api = api

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """End what waits, then stop as usual."""
        self._api.close()
        await super().shutdown(sockets)


def server_for(api: BotApi, *, host: str, port: int) -> Server:
    """Return a server of an application; nothing it logs holds a token, so paths are not logged."""
    return Server(
        api,
        uvicorn.Config(
            api, host=host, port=port, access_log=False, log_level="warning", timeout_graceful_shutdown=2, ws="none"
        ),
    )


def main(arguments: list[str] | None = None) -> int:
    """Serve; return the exit code: 2 for a mistake in the arguments, told in one line."""
    parser = argparse.ArgumentParser(prog="python -m demo.botapi", description="A faithful Bot API server.")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8081)
    parser.add_argument("--state", default="", help="bots, people and groups: a JSON file, or the JSON itself")
    parser.add_argument("--speed", type=float, default=1.0, help="divides the pauses between webhook deliveries")
    options = parser.parse_args(arguments)
    if not 0 <= options.port <= 65535:
        sys.stderr.write(f"--port {options.port}: must be between 0 and 65535\n")
        return 2
    if options.speed <= 0:
        sys.stderr.write(f"--speed {options.speed}: must be above 0\n")
        return 2
    try:
        config = read_config(options.state) if options.state else WorldConfig()
    except ConfigError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    try:
        with socket.create_server((options.host, options.port)):
            pass
    except OSError as error:
        sys.stderr.write(f"--port {options.port}: cannot listen on {options.host}: {error}\n")
        return 2
    for name in ("httpx", "httpcore"):
        logging.getLogger(name).setLevel(logging.WARNING)  # they print whole addresses, secrets in the path too
    api = create_app(BotApi(config), speed=options.speed)
    server = server_for(api, host=options.host, port=options.port)
    sys.stdout.write(f"Bot API on http://{options.host}:{options.port}\n")
    sys.stdout.flush()
    with contextlib.suppress(KeyboardInterrupt):  # uvicorn raises Ctrl-C again after it has stopped
        server.run()
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
