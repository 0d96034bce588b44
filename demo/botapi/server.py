"""The Bot API over HTTP: `/bot<token>/<method>`; everything else goes to the control routes and the chat page."""

import asyncio
import json
import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

from starlette.types import ASGIApp, Receive, Scope, Send

from demo.botapi.broadcast import Broadcast
from demo.botapi.chats import World
from demo.botapi.config import TOKEN_PATTERN, WorldConfig
from demo.botapi.errors import ApiError
from demo.botapi.faults import NETWORK, Fault, FaultKind, Faults, error_page, refusal
from demo.botapi.journal import Journal
from demo.botapi.methods import METHODS, Call, Said
from demo.botapi.parameters import Parameters, parse_body, parse_query
from demo.botapi.people import Bot, Json, Room
from demo.botapi.talking import Talking

LONGEST_POLL_SECONDS = 50
LONGEST_HANG_SECONDS = 300.0
"""How long a call hit by a timeout fault is left without an answer before its connection is closed."""

_PATH = re.compile(r"/bot([^/]*)/(\w+)")


def utc_now() -> datetime:
    """Return the present instant."""
    return datetime.now(UTC)


class BotApi:
    """The ASGI application of the whole server.

    Stands before the web framework because a refused call must be able to cut its connection.
    """

    def __init__(self, config: WorldConfig, *, now: Callable[[], datetime] = utc_now) -> None:
        self.now = now
        self.events = Broadcast()
        self.world = World(config, self.events, now)
        self.talking = Talking(self.world)
        self.faults = Faults()
        self.journal = Journal(bot.token for bot in self.world.bots.values())
        self.pages: ASGIApp | None = None
        """What answers all other paths."""
        self._waiting: set[asyncio.Future[None]] = set()
        self._is_closing = False

    def close(self) -> None:
        """End what waits, so that the server can stop: event streams, long polls, hanging calls."""
        self._is_closing = True
        self.events.close()
        for future in self._waiting:
            if not future.done():
                future.set_result(None)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection's request."""
        match = _PATH.fullmatch(scope.get("path", "")) if scope["type"] == "http" else None
        if match is None:
            assert self.pages is not None
            await self.pages(scope, receive, send)
            return
        at = self.now()
        token, name = match.groups()
        bot = self.world.bot_of_token(token)
        canonical = METHODS[name.lower()][0] if name.lower() in METHODS else name
        body, headers = await _read(receive), dict(scope["headers"])
        try:
            values = parse_query(scope["query_string"])
            values |= parse_body(headers.get(b"content-type", b"").decode("latin-1"), body)
        except ApiError as error:
            await _send(send, error.code, error.to_api())
            return
        parameters = Parameters(values)
        room = self._room(bot, parameters)
        fault = self.faults.hit(bot, canonical, values, room)
        answer: Json | None = None
        async with self._until_gone(receive) as gone:
            if fault is None or fault.kind in (FaultKind.TIMEOUT_AFTER, FaultKind.SLOW):
                if fault is not None and fault.kind is FaultKind.SLOW:
                    await asyncio.wait({gone}, timeout=fault.delay_seconds)
                answer = await self._answer(token, bot, canonical, parameters, gone)
            elif fault.kind not in NETWORK:
                answer = refusal(fault, room).to_api()
            noted = answer or {"ok": False, "description": "no answer"}
            self.journal.note(
                at,
                bot.username if bot else "",
                canonical,
                parameters.decoded(),
                noted,
                via="http",
                fault=fault.kind if fault else None,
            )
            if fault is not None and fault.kind in (FaultKind.TIMEOUT_BEFORE, FaultKind.TIMEOUT_AFTER):
                answer = None
                await asyncio.wait({gone}, timeout=LONGEST_HANG_SECONDS)
        if answer is None:
            await _hang_up(send)
        elif not gone.done() or self._is_closing:
            page = error_page(answer.get("error_code", 200)) if fault is not None else None
            await _send(send, answer.get("error_code", 200), answer, page=page)

    def _room(self, bot: Bot | None, parameters: Parameters) -> Room | None:
        if bot is None or not parameters.text("chat_id"):
            return None
        try:
            return self.world.room_for(bot, parameters.text("chat_id"))
        except ApiError:
            return None

    async def _answer(
        self, token: str, bot: Bot | None, method: str, parameters: Parameters, gone: asyncio.Future[None]
    ) -> Json:
        if bot is None:
            is_token = re.match(TOKEN_PATTERN, token) is not None
            return ApiError(401, "Unauthorized").to_api() if is_token else ApiError(404, "Not Found").to_api()
        if method.lower() == "getupdates":
            try:
                return {"ok": True, "result": await self._get_updates(bot, parameters, gone)}
            except ApiError as error:
                return error.to_api()
        return self.perform(bot, method, parameters)

    async def _get_updates(self, bot: Bot, parameters: Parameters, gone: asyncio.Future[None]) -> list[Json]:
        inbox = self.world.inboxes[bot.id]
        kinds = parameters.sequence("allowed_updates")
        if kinds is not None and not inbox.webhook.url:
            inbox.allowed = tuple(kind for kind in kinds if isinstance(kind, str))
        return await inbox.take(
            offset=parameters.integer("offset"),
            limit=min(max(parameters.integer("limit", 100), 1), 100),
            timeout_seconds=min(max(parameters.integer("timeout"), 0), LONGEST_POLL_SECONDS),
            gone=gone,
        )

    def perform(self, bot: Bot, method: str, parameters: Parameters) -> Json:
        """Carry out a method for a bot and return the body of the answer."""
        if method.lower() not in METHODS:
            return ApiError(404, "Not Found: method not found").to_api()
        try:
            result = METHODS[method.lower()][1](Call(self.world, self.talking, bot, parameters))
        except ApiError as error:
            return error.to_api()
        if isinstance(result, Said):
            return {"ok": True, "result": result.result, "description": result.description}
        return {"ok": True, "result": result}

    def perform_reply(self, bot_id: int, method: str, values: dict[str, Any]) -> None:
        """Carry out a method that came in the answer of a webhook; faults hit it too."""
        bot, parameters = self.world.bots[bot_id], Parameters(values)
        canonical = METHODS[method.lower()][0] if method.lower() in METHODS else method
        room = self._room(bot, parameters)
        fault: Fault | None = self.faults.hit(bot, canonical, values, room)
        if fault is None or fault.kind in (FaultKind.TIMEOUT_AFTER, FaultKind.SLOW):
            answer = self.perform(bot, canonical, parameters)
        elif fault.kind in NETWORK:
            answer = {"ok": False, "description": "no answer"}
        else:
            answer = refusal(fault, room).to_api()
        self.journal.note(
            self.now(),
            bot.username,
            canonical,
            parameters.decoded(),
            answer,
            via="webhook",
            fault=fault.kind if fault else None,
        )

    @asynccontextmanager
    async def _until_gone(self, receive: Receive) -> AsyncIterator[asyncio.Future[None]]:
        """Yield a future that completes when the caller hangs up or the server stops."""
        gone: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        if self._is_closing:
            gone.set_result(None)
        self._waiting.add(gone)
        async with asyncio.TaskGroup() as group:
            watcher = group.create_task(_watch(receive, gone), name="botapi.disconnect")
            try:
                yield gone
            finally:
                self._waiting.discard(gone)
                watcher.cancel()


async def _watch(receive: Receive, gone: asyncio.Future[None]) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
    if not gone.done():
        gone.set_result(None)


async def _read(receive: Receive) -> bytes:
    body, more = b"", True
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
    return body


async def _send(send: Send, status: int, answer: Json, *, page: bytes | None = None) -> None:
    body = json.dumps(answer, ensure_ascii=False).encode() if page is None else page
    headers = [
        (b"content-type", b"application/json" if page is None else b"text/html"),
        (b"content-length", str(len(body)).encode()),
    ]
    pause = answer.get("parameters", {}).get("retry_after")
    if pause is not None:
        headers.append((b"retry-after", str(pause).encode()))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def _hang_up(send: Send) -> None:
    """Close the connection without an answer.

    ASGI has no word for it; uvicorn's `send` is a method of the exchange that owns the transport.
    """
    transport = getattr(getattr(send, "__self__", None), "transport", None)
    if transport is None:
        raise ConnectionAbortedError("the connection is closed without an answer")
    transport.abort()
    # uvicorn answers 500 to an application that is silent, unless it has seen the connection close.
    await asyncio.sleep(0.01)
