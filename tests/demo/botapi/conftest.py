"""A running Bot API server, real aiogram bots on it, and a webhook receiver that does as told."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest
import uvicorn
from aiogram import Bot
from aiogram.client.session.aiohttp import AiohttpSession
from aiogram.client.telegram import TelegramAPIServer

from demo.botapi.__main__ import server_for
from demo.botapi.config import ALERT_TOKEN, NEXUS_TOKEN, OPERATOR_ID, WorldConfig
from demo.botapi.control import create_app
from demo.botapi.server import BotApi

SPEED = 20.0


@asynccontextmanager
async def serving(server: uvicorn.Server) -> AsyncIterator[str]:
    """Run a uvicorn server on a free port and yield its address."""
    async with asyncio.TaskGroup() as group:
        group.create_task(server.serve(), name="server under test")
        async with asyncio.timeout(10):
            while not server.started:
                await asyncio.sleep(0.01)
        port = server.servers[0].sockets[0].getsockname()[1]
        try:
            yield f"http://127.0.0.1:{port}"
        finally:
            server.should_exit = True


@dataclass
class Running:
    """The server under test: its address, a plain client, one aiogram bot for each token."""

    api: BotApi
    base: str
    http: httpx.AsyncClient
    nexus: Bot
    alerts: Bot

    async def say(self, text: str, **more: Any) -> Any:
        """Write as the operator to nexus-bot, unless told otherwise."""
        body = {"chat_id": OPERATOR_ID, "bot": "nexus_demo_bot", "text": text} | more
        return (await self.http.post("/_/say", json=body)).raise_for_status().json()

    async def fault(self, kind: str, **more: Any) -> Any:
        """Put a fault in force."""
        return (await self.http.post("/_/faults", json={"kind": kind} | more)).raise_for_status().json()

    async def calls(self, **filters: str) -> list[dict[str, Any]]:
        """Return the call log."""
        found: list[dict[str, Any]] = (await self.http.get("/_/calls", params=filters)).json()
        return found

    async def call(self, method: str, token: str = ALERT_TOKEN, **values: Any) -> tuple[int, Any]:
        """Call a method by plain JSON and return status and body."""
        answer = await self.http.post(f"/bot{token}/{method}", json=values)
        return answer.status_code, answer.json()

    async def until(self, question: Any, seconds: float = 5.0) -> Any:
        """Ask again and again until the answer is true, and return it."""
        async with asyncio.timeout(seconds):
            while not (answer := await question()):
                await asyncio.sleep(0.02)
        return answer


@pytest.fixture
async def running() -> AsyncIterator[Running]:
    api = create_app(BotApi(WorldConfig()), speed=SPEED)
    async with serving(server_for(api, host="127.0.0.1", port=0)) as base:
        session = AiohttpSession(api=TelegramAPIServer.from_base(base))
        async with httpx.AsyncClient(base_url=base, timeout=10, trust_env=False) as http:
            yield Running(api, base, http, Bot(NEXUS_TOKEN, session=session), Bot(ALERT_TOKEN, session=session))
        await session.close()


@dataclass
class Receiver:
    """A webhook: keeps what it gets, answers `answers` in turn, then 200."""

    url: str = ""
    got: list[dict[str, Any]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    arrived_at: list[float] = field(default_factory=list)
    answers: list[tuple[int, str, bytes]] = field(default_factory=list)
    busy_chat: int | None = None
    """Updates of this chat are answered 500."""

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            return
        body, more = b"", True
        while more:
            message = await receive()
            body += message.get("body", b"")
            more = message.get("more_body", False)
        update = json.loads(body)
        self.got.append(update)
        self.headers.append({name.decode(): value.decode() for name, value in scope["headers"]})
        self.arrived_at.append(asyncio.get_running_loop().time())
        status, kind, content = self.answers.pop(0) if self.answers else (200, "application/json", b"{}")
        if self.busy_chat is not None and update["message"]["chat"]["id"] == self.busy_chat:
            status = 500
        headers = [(b"content-type", kind.encode()), (b"location", b"/elsewhere")]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": content})

    def texts(self) -> list[str]:
        """Return the texts of the messages received."""
        return [update["message"]["text"] for update in self.got]


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    one = Receiver()
    config = uvicorn.Config(one, host="127.0.0.1", port=0, log_level="error", lifespan="off", ws="none")
    async with serving(uvicorn.Server(config)) as base:
        one.url = f"{base}/hook"
        yield one
