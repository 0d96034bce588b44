"""nexus-bot as a server: its secret, its health, its registration at a Telegram that is out at first."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from demo.nexus.bot.app import create_app
from demo.nexus.bot.settings import Settings
from demo.servers import free_port

pytestmark = pytest.mark.real

SECRET = "right-secret"
HEADER = "X-Telegram-Bot-Api-Secret-Token"


class Telegram:
    """A Bot API that fails the first calls, then takes everything."""

    def __init__(self, failures: int = 0) -> None:
        self.calls: list[tuple[str, dict[str, Any]]] = []
        self.has_three_answers = asyncio.Event()
        self._failures = failures

    async def answer(self, request: web.Request) -> web.Response:
        self.calls.append((request.match_info["method"], dict(await request.post())))
        if self._failures:
            self._failures -= 1
            return web.json_response({"ok": False, "error_code": 502, "description": "Bad Gateway"}, status=502)
        if [method for method, _ in self.calls].count("sendMessage") == 3:
            self.has_three_answers.set()
        return web.json_response({"ok": True, "result": True})


@asynccontextmanager
async def _bot(telegram: Telegram, token: str, *, keeps_webhook: bool = False) -> AsyncIterator[Any]:
    api = web.Application()
    api.router.add_post("/bot{token}/{method}", telegram.answer)
    async with TestServer(api) as server:
        settings = Settings(
            bot_token=token,
            webhook_secret=SECRET,
            redis_url=f"redis://127.0.0.1:{free_port()}/0",
            telegram_api_url=str(server.make_url("")).rstrip("/"),
            webhook_url="http://127.0.0.1:4000/webhook",
            api_url=f"http://127.0.0.1:{free_port()}",
            miniapp_url="http://127.0.0.1:4001",
        )
        async with TestClient(TestServer(create_app(replace(settings, keeps_webhook=keeps_webhook)))) as client:
            yield client


async def _registered(client: Any) -> dict[str, Any]:
    async with asyncio.timeout(10):
        while True:
            body: dict[str, Any] = await (await client.get("/health")).json()
            if body["registration"]["is_done"]:
                return body
            await asyncio.sleep(0.02)


async def test_it_registers_webhook_commands_and_button(token: str) -> None:
    telegram = Telegram()
    async with _bot(telegram, token) as client:
        body = await _registered(client)
    calls = dict(telegram.calls)
    assert list(calls) == ["setWebhook", "setMyCommands", "setChatMenuButton"]
    assert calls["setWebhook"] == {
        "url": "http://127.0.0.1:4000/webhook",
        "secret_token": SECRET,
        "allowed_updates": '["message"]',
    }
    assert "http://127.0.0.1:4001" in calls["setChatMenuButton"]["menu_button"]
    assert body["modules"] == ["basics", "stats", "reports"]
    assert body["commands"] == ["start", "help", "ping", "stats", "report"]


async def test_it_tries_again_when_telegram_is_out_at_the_start(token: str) -> None:
    telegram = Telegram(failures=1)
    async with _bot(telegram, token) as client:
        assert (await client.get("/health")).status == 200
        await _registered(client)
    assert [method for method, _ in telegram.calls] == [
        "setWebhook",
        "setWebhook",
        "setMyCommands",
        "setChatMenuButton",
    ]


async def test_it_leaves_the_webhook_as_it_is_when_told_so(token: str) -> None:
    telegram = Telegram()
    async with _bot(telegram, token, keeps_webhook=True) as client:
        await _registered(client)
    assert [method for method, _ in telegram.calls] == ["setMyCommands", "setChatMenuButton"]


async def test_only_the_right_secret_passes(token: str) -> None:
    async with _bot(Telegram(), token) as client:
        statuses = [
            (await client.post("/webhook", json={"update_id": 1}, headers=headers)).status
            for headers in ({HEADER: SECRET}, {HEADER: "wrong"}, {})
        ]
    assert statuses == [200, 401, 401]


async def test_a_delivered_command_is_answered_even_when_api_and_queue_are_out(token: str) -> None:
    telegram = Telegram()
    message = {"message_id": 1, "date": 1_760_000_000, "chat": {"id": 5, "type": "private", "first_name": "Ada"}}
    message["from"] = {"id": 5, "is_bot": False, "first_name": "Ada"}
    async with _bot(telegram, token) as client:
        await _registered(client)
        for number, text in enumerate(("/ping x", "/stats", "/report")):
            body = {"update_id": number, "message": {**message, "text": text}}
            assert (await client.post("/webhook", json=body, headers={HEADER: SECRET})).status == 200
        async with asyncio.timeout(10):
            await telegram.has_three_answers.wait()
    answers = sorted(body["text"] for method, body in telegram.calls if method == "sendMessage")
    assert answers == [
        "No numbers now: the API does not answer.",
        "No report now: the queue does not answer.",
        "pong x",
    ]
