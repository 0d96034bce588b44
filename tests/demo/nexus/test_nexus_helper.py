"""The file that the watched product copies: the same everywhere, and its probe against real aiogram and FastAPI."""

import asyncio
import hashlib
import hmac
import json
import time
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from aiogram import Bot, Dispatcher, Router
from aiogram.client.session.base import BaseSession
from aiogram.filters import Command
from aiogram.methods import CopyMessage, SendMediaGroup, SendMessage, TelegramMethod
from aiogram.types import InputMediaPhoto, Message, MessageId
from aiogram.webhook.aiohttp_server import SimpleRequestHandler
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from fastapi import FastAPI, Request

from checks.bot.probe import command_update, report_of, signed_headers
from checks.bot.reply import BotReply, BotReplyConfig
from checks.result import Outcome
from demo.nexus.nexus_helper import PROBE_ID, BotProbe, is_probe, modules
from tests.fakes import NOW, io_for

pytestmark = pytest.mark.filterwarnings("ignore:Detected unknown update type")

SECRET = "right-secret"
HEADER = "X-Telegram-Bot-Api-Secret-Token"
Answers = Callable[[dict[str, str], bytes], Awaitable[tuple[int, Any]]]


class RecordingSession(BaseSession):
    """Telegram, as far as a call gets to it."""

    def __init__(self) -> None:
        super().__init__()
        self.sent: list[str] = []

    async def make_request(self, bot: Bot, method: TelegramMethod[Any], timeout: int | None = None) -> Any:
        self.sent.append(method.__api_method__)
        return True

    async def stream_content(self, *_: Any, **__: Any) -> AsyncGenerator[bytes, None]:
        yield b""

    async def close(self) -> None:
        """Hold nothing open."""


def _router() -> Router:
    router = Router(name="talk")

    async def hello(message: Message) -> None:
        await message.bot.get_chat_member_count(-1)  # type: ignore[union-attr]
        first = await message.answer("hello")
        await first.edit_text(f"{is_probe()}")

    async def later(message: Message) -> None:
        async def say() -> None:
            await asyncio.sleep(0.01)
            await message.answer("later")

        tasks.append(asyncio.create_task(say()))

    async def returned(message: Message) -> SendMessage:
        return SendMessage(chat_id=message.chat.id, text="returned")

    async def album(message: Message, bot: Bot) -> None:
        photo = InputMediaPhoto(media="file-id")
        (first,) = await bot(SendMediaGroup(chat_id=message.chat.id, media=[photo]))
        copied = await bot(CopyMessage(chat_id=message.chat.id, from_chat_id=1, message_id=1))
        assert isinstance(copied, MessageId)
        assert await bot.delete_message(message.chat.id, first.message_id) is True
        await bot.send_message(4711, "somebody waits")

    async def raising(message: Message) -> None:
        raise ValueError("secret text")

    async def hanging(message: Message) -> None:
        await asyncio.sleep(30)

    tasks: list[asyncio.Task[None]] = []
    for handler in (hello, later, returned, album, raising, hanging):
        router.message.register(handler, Command(handler.__name__))
    return router


@asynccontextmanager
async def _aiohttp(key: str | None = SECRET, *, background: bool = True) -> AsyncIterator[tuple[Answers, list[str]]]:
    session = RecordingSession()
    bot, dispatcher, probe = Bot("1:a", session=session), Dispatcher(), BotProbe(key)
    probe.install(dispatcher, bot)
    dispatcher.include_router(_router())
    app = web.Application(middlewares=[probe.aiohttp_middleware()])
    handler = SimpleRequestHandler(dispatcher, bot, handle_in_background=background, secret_token=SECRET)
    handler.register(app, path="/hook")
    async with TestClient(TestServer(app)) as client:

        async def answers(headers: dict[str, str], body: bytes) -> tuple[int, Any]:
            answer = await client.post("/hook", data=body, headers=headers)
            return answer.status, await answer.text()

        yield answers, session.sent


@asynccontextmanager
async def _fastapi(key: str | None = SECRET) -> AsyncIterator[tuple[Answers, list[str]]]:
    session = RecordingSession()
    bot, dispatcher, probe = Bot("1:a", session=session), Dispatcher(), BotProbe(key)
    probe.install(dispatcher, bot)
    dispatcher.include_router(_router())
    app = FastAPI()

    @app.post("/hook")
    async def hook(request: Request) -> dict[str, str]:
        await dispatcher.feed_raw_update(bot, await request.json())
        return {}

    transport = httpx.ASGITransport(probe.asgi(app), raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://bot") as client:

        async def answers(headers: dict[str, str], body: bytes) -> tuple[int, Any]:
            answer = await client.post("/hook", content=body, headers=headers)
            return answer.status_code, answer.text

        yield answers, session.sent


def _signed(body: bytes, *, key: str = SECRET, at: float | None = None, wait: str = "2.000") -> dict[str, str]:
    said = f"v1 {int(time.time() if at is None else at)} {wait}"
    signature = hmac.new(key.encode(), said.encode() + b"\n" + body, hashlib.sha256).hexdigest()
    return {"content-type": "application/json", HEADER: SECRET, "X-Nexus-Probe": f"{said} {signature}"}


async def _told(answers: Answers, text: str, wait: str = "2.000") -> dict[str, Any]:
    body = command_update(text, NOW)
    status, said = await answers(_signed(body, wait=wait), body)
    assert status == 200
    told: dict[str, Any] = json.loads(said)
    return told


def _call(method: str, text: str = "", *, to_probe: bool = True) -> dict[str, Any]:
    return {"method": method, "text": text, "to_probe": to_probe}


def test_the_file_to_copy_is_the_one_that_the_demo_runs() -> None:
    assert Path("docs/helper/nexus_helper.py").read_bytes() == Path("demo/nexus/nexus_helper.py").read_bytes()


@pytest.mark.parametrize("served", [_aiohttp, _fastapi], ids=["aiohttp", "fastapi"])
async def test_the_reply_is_told_and_only_reading_calls_reach_telegram(served: Any) -> None:
    async with served() as (answers, at_telegram):
        told = await _told(answers, "/hello")
        assert told == {
            "nexus_probe": 1,
            "done": True,
            "handled": True,
            "error": None,
            "lost": False,
            "calls": [_call("sendMessage", "hello"), _call("editMessageText", "True")],
        }
        assert at_telegram == ["getChatMemberCount"]
        assert (await _told(answers, "/later"))["calls"] == [_call("sendMessage", "later")]
        assert (await _told(answers, "/nobody"))["handled"] is False
        hanging = await _told(answers, "/hanging", "0.050") if served is _aiohttp else {"done": False, "calls": []}
        assert (hanging["done"], hanging["calls"]) == (False, [])


async def test_every_kind_of_result_has_its_stand_in() -> None:
    async with _aiohttp() as (answers, at_telegram):
        told = await _told(answers, "/album", "0.200")
        assert (told["error"], told["calls"]) == (
            None,
            [
                _call("sendMediaGroup"),
                _call("copyMessage"),
                _call("deleteMessage"),
                _call("sendMessage", "somebody waits", to_probe=False),
            ],
        )
        assert at_telegram == []


async def test_a_returned_reply_counts_when_somebody_sends_it_and_is_lost_otherwise() -> None:
    for background in (True, False):
        async with _aiohttp(background=background) as (answers, _):
            told = await _told(answers, "/returned")
            assert (told["lost"], told["calls"]) == (False, [_call("sendMessage", "returned")])
    async with _fastapi() as (answers, _):
        told = await _told(answers, "/returned", "0.050")
        assert (told["lost"], told["calls"]) == (True, [])


async def test_an_error_behind_a_200_is_told_by_its_class_alone() -> None:
    body = command_update("/raising", NOW)
    async with _aiohttp() as (answers, _):
        status, said = await answers(_signed(body), body)
    assert (status, json.loads(said)["error"]) == (200, "ValueError")
    assert "secret text" not in said
    async with _fastapi() as (answers, _):
        assert (await answers(_signed(body), body))[0] == 500


@pytest.mark.parametrize("served", [_aiohttp, _fastapi], ids=["aiohttp", "fastapi"])
async def test_what_is_not_signed_as_it_should_be_is_an_update_like_any_other(served: Any) -> None:
    body = command_update("/hello", NOW)
    plain = {"content-type": "application/json", HEADER: SECRET}
    async with served() as (answers, at_telegram):
        for headers in (
            plain,
            plain | {"X-Nexus-Probe": "v1 rubbish"},
            _signed(body, key="wrong"),
            _signed(b"another body"),
            _signed(body, at=time.time() - 600),
        ):
            at_telegram.clear()
            _, said = await answers(headers, body)
            async with asyncio.timeout(5):
                while "sendMessage" not in at_telegram:
                    await asyncio.sleep(0.005)
            assert "nexus_probe" not in said


@pytest.mark.parametrize("served", [_aiohttp, _fastapi], ids=["aiohttp", "fastapi"])
async def test_it_says_whether_it_is_there_and_why_it_would_not_work(served: Any) -> None:
    body = b'{"update_id": 1}'
    async with served() as (answers, _):
        whys = [
            json.loads((await answers(headers, body))[1])["why"]
            for headers in (_signed(body), _signed(body, key="wrong"), _signed(body, at=1.0))
        ]
    assert whys == ["", "signature", "clock"]


async def test_a_wrong_secret_of_the_webhook_is_refused_before_anything_is_told() -> None:
    async with _aiohttp() as (answers, at_telegram):
        for body in (b'{"update_id": 1}', command_update("/hello", NOW)):
            assert await answers(_signed(body) | {HEADER: "wrong"}, body) == (401, "Unauthorized")
        assert at_telegram == []


@pytest.mark.parametrize("served", [_aiohttp, _fastapi], ids=["aiohttp", "fastapi"])
async def test_copied_and_not_configured_it_does_nothing(served: Any) -> None:
    body = b'{"update_id": 1}'
    async with served(None) as (answers, _):
        assert await answers(_signed(body), body) == (200, "{}")


def test_a_router_without_a_name_is_called_by_its_codes_module() -> None:
    dispatcher, named, unnamed, empty = Dispatcher(), Router(name="stats"), Router(), Router()

    async def handler(message: Message) -> None: ...

    unnamed.message.register(handler)
    dispatcher.include_routers(named, unnamed, empty)
    assert modules(dispatcher) == ["stats", __name__, "unnamed"]


@pytest.mark.real
async def test_the_monitors_own_check_finds_the_reply() -> None:
    session = RecordingSession()
    bot, dispatcher, probe = Bot("1:a", session=session), Dispatcher(), BotProbe(SECRET)
    probe.install(dispatcher, bot)
    dispatcher.include_router(_router())
    app = web.Application(middlewares=[probe.aiohttp_middleware()])
    SimpleRequestHandler(dispatcher, bot, secret_token=SECRET).register(app, path="/hook")
    async with TestServer(app) as server:
        url = str(server.make_url("/hook"))
        config = BotReplyConfig(id="bot.reply", service="b", url=url, secret_token=SECRET, command="/hello")  # type: ignore[arg-type]
        check = BotReply(config)
        seen = await check.measure(io_for())
    assert seen.answer is not None
    assert report_of(seen.answer) is not None
    assert check.judge(seen, NOW).outcome is Outcome.OK
    assert session.sent == ["getChatMemberCount"]


def test_both_sides_sign_alike() -> None:
    from pydantic import SecretStr

    body = command_update("/help", NOW)
    assert signed_headers(SecretStr(SECRET), body, NOW, 2.0) == _signed(body, at=NOW.timestamp())
    assert json.loads(body)["message"]["chat"]["id"] == PROBE_ID
