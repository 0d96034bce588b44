"""A Bot API server on a free loopback port, in the test's own loop."""

import asyncio
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from datetime import datetime

from pydantic import SecretStr

from demo.botapi.__main__ import server_for
from demo.botapi.config import ALERT_TOKEN, WorldConfig
from demo.botapi.control import create_app
from demo.botapi.people import Json
from demo.botapi.server import BotApi, utc_now

TOKEN = SecretStr(ALERT_TOKEN)
USERNAME = "nexus_alerts_bot"


@asynccontextmanager
async def bot_api_server(
    world: WorldConfig | None = None, now: Callable[[], datetime] = utc_now
) -> AsyncIterator[tuple[BotApi, str]]:
    """Yield the server and its address."""
    api = create_app(BotApi(world or WorldConfig(group_messages_per_minute=0), now=now))
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
        server = server_for(api, host="127.0.0.1", port=port)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(server.serve(sockets=[listening]))
            try:
                yield api, f"http://127.0.0.1:{port}"
            finally:
                server.should_exit = True


@asynccontextmanager
async def raw_server(answer: bytes | None) -> AsyncIterator[str]:
    """Yield the address of a server that reads a request, writes `answer` and closes; None resets the connection."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(asyncio.IncompleteReadError):
            await reader.readuntil(b"\r\n\r\n")
        if answer is None:
            writer.get_extra_info("socket").setsockopt(
                socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00"
            )
        else:
            writer.write(answer)
            await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"


def free_port() -> int:
    """Return a port on which nothing listens."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port: int = listening.getsockname()[1]
        return port


def messages_in(api: BotApi, chat: int | str) -> list[Json]:
    """Return the messages of a chat as people see them, oldest first."""
    room = api.world.room_of(str(chat), USERNAME)
    assert room is not None
    return [api.world.as_seen(message) for message in api.world.messages(room)]
