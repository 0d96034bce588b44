"""aiogram 3.13 and its aiohttp, as somebody else would write a bot, a Mini App's login and an API with them."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from checks.miniapp.init_data import hashed_key
from checks.result import Reason
from demo.botapi.config import NEXUS_TOKEN
from tests.foreign.environments import environment
from tests.foreign.looking import DEGRADED, FAILED, OK, Row, judge
from tests.foreign.servers import Program, running

pytestmark = pytest.mark.real

SECRET = "a-secret-of-theirs"
TARGET = Path(__file__).parent / "targets" / "aiogram_app.py"


class Telegram(Program):
    """The demo's Bot API: the real one is not reached from a test."""

    def _command(self) -> list[str]:
        return [sys.executable, "-m", "demo.botapi", "--port", str(self.port)]

    def _environment(self) -> dict[str, str]:
        return {**super()._environment(), "PYTHONPATH": str(Path(__file__).parents[2])}


@pytest.fixture(scope="module")
def telegram() -> Iterator[str]:
    with running(Telegram) as server:
        yield server.url


@pytest.fixture(scope="module")
def theirs(telegram: str) -> Iterator[str]:
    class Bot(Program):
        python = environment("aiogram-3.13", "aiogram==3.13.1")
        file = TARGET
        variables = {"TOKEN": NEXUS_TOKEN, "SECRET": SECRET, "TELEGRAM": telegram}  # noqa: RUF012

    with running(Bot) as server:
        yield server.url


API = {"url": "{}"}
HOOK = {"url": "{}/webhook", "secret_token": SECRET}
LOGIN = {"api_url": "{}", "key": hashed_key(NEXUS_TOKEN), "send_as": "header Authorization tma"}
CAREFUL = LOGIN | {"login_url": "{}/careful/me", "login_method": "GET"}
CARELESS = LOGIN | {"login_url": "{}/careless/me", "login_method": "GET"}
CLOSED = LOGIN | {"login_url": "{}/closed/me", "login_method": "GET"}
PAGE = {"page_url": "https://app.example.net/"}


@pytest.mark.parametrize(
    "row",
    [
        Row("aiohttp", "api.health", OK, settings={"url": "{}/health"}),
        Row("aiohttp", "api.health", FAILED, Reason.HTTP_STATUS, {"url": "{}/crash"}),
        Row("aiohttp", "api.health", FAILED, Reason.TIMEOUT, {"url": "{}/hang", "timeout_seconds": 0.5}),
        Row("aiohttp", "api.routers", OK, settings=API),
        Row("aiohttp", "api.routers", FAILED, Reason.HTTP_STATUS, API | {"openapi_path": "/crashing.json"}),
        Row("aiohttp", "api.version", OK, settings={"urls": {"theirs": "{}"}}),
        Row("aiohttp", "http", OK, settings={"url": "{}/items", "text_present": ("[]",)}),
        Row("aiohttp", "http", FAILED, Reason.HTTP_STATUS, {"url": "{}/crash"}),
        Row("aiogram", "bot.ingress", OK, settings=HOOK),
        Row("aiogram", "bot.ingress", FAILED, Reason.AUTH_REJECTED, HOOK | {"secret_token": "another"}),
        Row("aiogram", "bot.guard", OK, settings={"url": "{}/webhook"}),
        Row("aiogram", "bot.guard", DEGRADED, Reason.AUTH_ACCEPTED, {"url": "{}/unguarded"}),
        Row("aiogram", "bot.modules", OK, settings={"url": "{}/webhook", "expected_modules": ("start", "numbers")}),
        Row("aiogram", "bot.modules", DEGRADED, Reason.MISSING, {"url": "{}/x", "expected_modules": ("reports",)}),
        Row("aiogram", "bot.reply", OK, settings=HOOK | {"expected_text": "help of somebody else"}),
        Row("aiogram", "bot.reply", FAILED, Reason.SILENT, HOOK | {"command": "/broken"}),
        Row("aiogram", "bot.reply", DEGRADED, Reason.MISSING, HOOK | {"command": "/unheard"}),
        Row("aiogram", "miniapp.auth", OK, settings=CAREFUL),
        Row("aiogram", "miniapp.auth", FAILED, Reason.AUTH_REJECTED, CAREFUL | {"key": "00" * 32}),
        Row("aiogram", "miniapp.auth_guard", OK, settings=CAREFUL),
        Row("aiogram", "miniapp.auth_guard", DEGRADED, Reason.AUTH_ACCEPTED, CARELESS),
        Row("aiohttp", "miniapp.calls", OK, settings=CAREFUL | PAGE | {"calls": ("/careful/me",)}),
        Row("aiohttp", "miniapp.calls", FAILED, Reason.HTTP_STATUS, CAREFUL | PAGE | {"calls": ("/crash",)}),
        Row("aiohttp", "miniapp.calls", FAILED, Reason.AUTH_REJECTED, CLOSED | PAGE | {"calls": ("/closed/me",)}),
    ],
    ids=str,
)
async def test_what_an_aiogram_of_3_13_serves(theirs: str, row: Row) -> None:
    await judge(Row("", row.kind, row.outcome, row.reason, row.settings), theirs)


BOT = {"token": NEXUS_TOKEN, "api_base_url": "{}"}
BOT_URL = {"expected_url": "https://bot.example.net/webhook"}


@pytest.mark.parametrize(
    "row",
    [
        Row("", "telegram.api", OK, settings=BOT),
        Row("", "bot.identity", OK, settings=BOT | {"expected_username": "nexus_demo_bot"}),
        Row("", "bot.identity", FAILED, Reason.DRIFT, BOT | {"expected_username": "their_bot"}),
        Row("", "bot.webhook", OK, settings=BOT | BOT_URL),
        Row("", "bot.webhook", FAILED, Reason.DRIFT, BOT | {"expected_url": "https://old.example.net/webhook"}),
        Row("", "bot.delivery", OK, settings=BOT),
        Row("", "bot.commands", OK, settings=BOT | {"expected_commands": ("help", "go")}),
        Row("", "bot.commands", DEGRADED, Reason.MISSING, BOT | {"expected_commands": ("help", "stats")}),
        Row("", "miniapp.button", OK, settings=BOT | PAGE),
        Row("", "miniapp.button", DEGRADED, Reason.DRIFT, BOT | {"page_url": "https://old.example.net/"}),
    ],
    ids=str,
)
async def test_what_an_aiogram_of_3_13_told_telegram(telegram: str, theirs: str, row: Row) -> None:
    await judge(row, telegram)
