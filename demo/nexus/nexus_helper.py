"""Copy this file into the watched product: what Nexus Monitor cannot see from outside, told by the product itself.

Nothing here imports the monitor, opens a connection or keeps anything. Each part is optional:

* `identity`, `version_route`: which commit runs, for any web process (`api.version`).
* `heartbeat`: one entry of Celery beat's schedule (`beat.alive`, `beat.single`).
* `modules`: which routers the aiogram bot has loaded, for its health JSON (`bot.modules`).
* `BotProbe`: what the bot would answer to a command, without sending it to Telegram (`bot.reply`).

For Python 3.11 and aiogram 3.13, or newer. docs/helper.md shows how each part is put in.
"""

import asyncio
import contextlib
import hashlib
import hmac
import json
import os
import re
import socket
import time
from collections.abc import Awaitable, Callable
from contextvars import ContextVar
from typing import Any, get_args, get_origin

PROBE_ID = 999000001
"""The chat and the person of a probe; Telegram knows neither."""

PROBE_HEADER = "X-Nexus-Probe"
CLOCK_SECONDS = 300
"""How far the monitor's clock may be from ours."""
LONGEST_WAIT_SECONDS = 30.0
MOST_CALLS, MOST_LETTERS = 20, 500


# Any web process: which commit runs.


def identity(service: str) -> dict[str, str]:
    """Return service, commit and instance of this process, as Render names them."""
    return {
        "service": os.environ.get("RENDER_SERVICE_NAME") or os.environ.get("SERVICE_NAME") or service,
        "commit": os.environ.get("RENDER_GIT_COMMIT") or "unknown",
        "instance": os.environ.get("RENDER_INSTANCE_ID") or f"{socket.gethostname()}-{os.getpid()}",
    }


def version_route(service: str) -> Callable[[], Awaitable[dict[str, str]]]:
    """Return the function behind GET /version: `app.add_api_route("/version", version_route("nexus-api"))`."""

    async def version() -> dict[str, str]:
        """Say which commit runs, in which service and instance."""
        return identity(service)

    return version


# Celery beat: a sign of life.


def heartbeat(period_seconds: float = 60.0) -> dict[str, dict[str, Any]]:
    """Return the entry that shows that beat lives: `app.conf.beat_schedule.update(heartbeat())`.

    The task is built into Celery. An entry that waited a period long is dropped, so a queue never fills with them.
    """
    return {
        "nexus-heartbeat": {
            "task": "celery.accumulate",
            "schedule": period_seconds,
            "args": ["nexus-beat-alive"],
            "kwargs": {"index": 0},
            "options": {"expires": period_seconds * 11 / 12},
        }
    }


# The bot: which modules are loaded.


def modules(dispatcher: Any) -> list[str]:
    """Return the names of the dispatcher's routers; one without a name is called by its code's module."""
    return [_router_name(router) for router in dispatcher.sub_routers]


def _router_name(router: Any) -> str:
    if not re.fullmatch(r"0x[0-9a-f]+", router.name):  # aiogram's default: the object's address
        return str(router.name)
    for observer in router.observers.values():
        for handler in observer.handlers:
            return str(handler.callback.__module__)
    return "unnamed"


# The bot: what it would answer.


class _Running:
    """One probe while the bot works on it."""

    def __init__(self) -> None:
        self.calls: list[dict[str, Any]] = []
        self.is_handled: bool | None = None
        self.error: str | None = None
        self.returned: Any = None
        self.is_done = asyncio.Event()
        self.is_answered = asyncio.Event()

    def note(self, method: Any) -> None:
        text = getattr(method, "text", None) or getattr(method, "caption", None) or ""
        call = {
            "method": method.__api_method__,
            "text": str(text)[:MOST_LETTERS],
            "to_probe": getattr(method, "chat_id", None) == PROBE_ID,
        }
        if len(self.calls) < MOST_CALLS:
            self.calls.append(call)
        if call["to_probe"] and call["text"]:
            self.is_answered.set()


_running: ContextVar[_Running | None] = ContextVar("nexus_probe", default=None)


def is_probe() -> bool:
    """Say whether the code runs for a probe: leave it out of statistics and of the table of users."""
    return _running.get() is not None


class BotProbe:
    """Answers the monitor's signed commands with what the bot would have said. Without a key it does nothing.

    While a signed command is worked on, no call that its handler makes reaches Telegram, except reading ones (`get…`):
    each is noted and gets a stand-in as its result. All other updates pass untouched.
    """

    def __init__(self, key: str | None) -> None:  # the webhook's secret token: the monitor signs with the same
        self._key = key.encode() if key else b""

    def install(self, dispatcher: Any, bot: Any) -> None:
        """Watch what the handlers do. Call it before other update middlewares are added."""
        if self._key:
            dispatcher.update.outer_middleware(self._around_update)
            bot.session.middleware(self._around_call)

    def aiohttp_middleware(self) -> Any:
        """Return the middleware for aiohttp: `web.Application(middlewares=[probe.aiohttp_middleware()])`."""
        from aiohttp import web

        @web.middleware
        async def nexus_probe(request: web.Request, handler: Any) -> Any:
            signed = request.headers.get(PROBE_HEADER, "")
            if not self._key or not signed or request.method != "POST":
                return await handler(request)
            answers = []

            async def call() -> tuple[int, bool]:
                answers.append(await handler(request))
                return answers[0].status, answers[0].content_type.startswith("multipart/")

            report = await self._probe(signed, await request.read(), call)
            return answers[0] if report is None else web.json_response(report)

        return nexus_probe

    def asgi(self, app: Any) -> Any:
        """Return `app` with the probe around it, for FastAPI and Starlette; it belongs outermost."""

        async def nexus_probe(scope: Any, receive: Any, send: Any) -> None:
            signed = dict(scope.get("headers") or ()).get(PROBE_HEADER.lower().encode(), b"").decode("latin-1")
            if not self._key or not signed or scope["type"] != "http" or scope["method"] != "POST":
                await app(scope, receive, send)
                return
            body, more = b"", True
            while more:
                message = await receive()
                body, more = body + message.get("body", b""), message.get("more_body", False)
            unread = [{"type": "http.request", "body": body, "more_body": False}]
            held: list[dict[str, Any]] = []

            async def receive_again() -> Any:
                return unread.pop() if unread else await receive()

            async def hold(message: dict[str, Any]) -> None:
                held.append(message)

            async def call() -> tuple[int, bool]:
                await app(scope, receive_again, hold)
                said = b"".join(message.get("body", b"") for message in held)
                return held[0]["status"], b'"method"' in said

            report = await self._probe(signed, body, call)
            if report is not None:
                said = json.dumps(report).encode()
                headers = [(b"content-type", b"application/json"), (b"content-length", str(len(said)).encode())]
                held[:] = [
                    {"type": "http.response.start", "status": 200, "headers": headers},
                    {"type": "http.response.body", "body": said},
                ]
            for message in held:
                await send(message)

        return nexus_probe

    async def _probe(
        self, signed: str, body: bytes, call: Callable[[], Awaitable[tuple[int, bool]]]
    ) -> dict[str, Any] | None:
        """Return what is to be answered in the place of what `call` answered, or None.

        `call` gives the status, and whether the answer holds a method for Telegram to carry out.
        """
        wait_seconds, why = self._verified(signed, body)
        if set(_object(body)) == {"update_id"}:  # "are you there?"
            status, _ = await call()
            return {"nexus_probe": 1, "ready": not why, "why": why} if 200 <= status < 300 else None
        if why:
            await call()
            return None
        running = _Running()
        token = _running.set(running)
        try:
            status, is_sent = await call()
        finally:
            _running.reset(token)
        if not 200 <= status < 300:
            return None
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(wait_seconds):
                await running.is_done.wait()
                if running.is_handled and not running.error and not is_sent:
                    await running.is_answered.wait()
        if is_sent and running.returned is not None:
            running.note(running.returned)
        return {
            "nexus_probe": 1,
            "done": running.is_done.is_set(),
            "handled": running.is_handled,
            "error": running.error,
            "lost": running.returned is not None and not running.calls,
            "calls": list(running.calls),
        }

    def _verified(self, signed: str, body: bytes) -> tuple[float, str]:
        """Return how long the monitor waits, in seconds, and why its signature does not hold, or nothing."""
        found = re.fullmatch(r"(v1 (\d{1,12}) (\d{1,3}(?:\.\d{1,3})?)) ([0-9a-f]{64})", signed)
        if found is None:
            return 0.0, "signature"
        expected = hmac.new(self._key, found[1].encode() + b"\n" + body, hashlib.sha256).hexdigest()
        if not hmac.compare_digest(expected, found[4]):
            return 0.0, "signature"
        if abs(time.time() - int(found[2])) > CLOCK_SECONDS:
            return 0.0, "clock"
        return min(float(found[3]), LONGEST_WAIT_SECONDS), ""

    async def _around_update(self, handler: Any, event: Any, data: dict[str, Any]) -> Any:
        running = _running.get()
        if running is None:
            return await handler(event, data)
        from aiogram.dispatcher.event.bases import UNHANDLED
        from aiogram.methods.base import TelegramMethod

        try:
            result = await handler(event, data)
        except Exception as error:
            running.error, running.is_handled = type(error).__name__, True
            raise
        else:
            running.is_handled = result is not UNHANDLED
            running.returned = result if isinstance(result, TelegramMethod) else None
            return result
        finally:
            running.is_done.set()

    async def _around_call(self, make_request: Any, bot: Any, method: Any) -> Any:
        running = _running.get()
        if running is None or str(method.__api_method__).lower().startswith("get"):
            return await make_request(bot, method)
        running.note(method)
        return _stand_in(bot, method, len(running.calls))


def _object(body: bytes) -> dict[str, Any]:
    with contextlib.suppress(ValueError):
        if isinstance(value := json.loads(body), dict):
            return value
    return {}


def _stand_in(bot: Any, method: Any, number: int) -> Any:
    """Return what Telegram would have answered, as far as a handler goes on with it."""
    from aiogram.types import Chat, Message, MessageId

    returning = method.__returning__
    kinds = (returning, *get_args(returning))
    if MessageId in kinds:
        return MessageId(message_id=number)
    if Message not in kinds:
        return True
    fields = {"message_id": number, "date": int(time.time()), "chat": Chat(id=PROBE_ID, type="private")}
    message = Message.model_validate({**fields, "text": getattr(method, "text", None)}).as_(bot)
    return [message] if get_origin(returning) is list else message
