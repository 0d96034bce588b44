"""Two pollers with one token, as in a rolling deploy: over real HTTP, against the demo's Bot API."""

import asyncio
from collections.abc import Callable
from datetime import timedelta

import pytest
from aiogram.types import Update
from structlog.testing import capture_logs
from structlog.typing import EventDict

from demo.botapi.server import BotApi
from monitor.bot.polling import CONFLICT_SECONDS, Poller
from monitor.delivery import bot_api
from tests.monitor.bot.bench import ANN, NOW
from tests.monitor.delivery.bot_api_server import TOKEN, USERNAME, bot_api_server

pytestmark = pytest.mark.real


class Instance:
    """One of two monitors: what it heard, and how it waited."""

    def __init__(self, url: str) -> None:
        self.at = NOW
        self.heard: list[str] = []
        self.slept: list[float] = []
        self.bot = bot_api.open_bot(TOKEN, url, 5.0)
        self.poller = Poller(
            self.bot, self._take, self._nothing, now=lambda: self.at, sleep=self._sleep, poll_seconds=1
        )

    async def _take(self, update: Update) -> None:
        assert update.message is not None
        self.heard.append(update.message.text or "")

    async def _nothing(self) -> None:
        """There is nothing to prepare."""

    async def _sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.at += timedelta(seconds=seconds)
        await asyncio.sleep(0.05)


async def until(is_true: Callable[[], bool]) -> None:
    async with asyncio.timeout(60):
        while not is_true():
            await asyncio.sleep(0.02)


async def end(task: "asyncio.Task[None]") -> None:
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


def say(api: BotApi, text: str) -> None:
    room = api.world.room_of(str(ANN), USERNAME)
    assert room is not None
    api.talking.say(room, api.world.people[ANN], text)


def of_polling(logs: list[EventDict]) -> list[tuple[str, str]]:
    return [(log["event"], log["log_level"]) for log in logs if log["event"].startswith("bot.poll")]


async def test_while_the_old_leader_ends_the_new_one_waits_quietly_and_then_hears_everything() -> None:
    async with bot_api_server() as (api, url):
        old, new = Instance(url), Instance(url)
        with capture_logs() as logs:
            first = asyncio.create_task(old.poller.run())
            second = asyncio.create_task(new.poller.run())
            await until(lambda: len(old.slept) + len(new.slept) >= 4)
            await end(first)
            say(api, "/status")
            await until(lambda: "/status" in [*old.heard, *new.heard])
            waits = len(new.slept)
            say(api, "/help")
            await until(lambda: "/help" in new.heard)
            await end(second)
        assert set(old.slept) | set(new.slept) == {CONFLICT_SECONDS}
        assert len(new.slept) == waits
        lines = of_polling(logs)
        assert set(lines) == {("bot.poll_conflict", "info")}
        assert len(lines) <= 2, "one line of each instance"
        await old.bot.session.close()
        await new.bot.session.close()


async def test_a_conflict_is_one_line_and_a_warning_once_it_lasts() -> None:
    async with bot_api_server() as (api, url):
        one = Instance(url)
        await one.bot.set_webhook("https://example.org/hook")
        with capture_logs() as logs:
            running = asyncio.create_task(one.poller.run())
            await until(lambda: len(one.slept) >= 40)
            await one.bot.delete_webhook()
            say(api, "/help")
            await until(lambda: one.heard == ["/help"])
            await end(running)
        assert of_polling(logs) == [("bot.poll_conflict", "info"), ("bot.poll_conflict_stays", "warning")]
        assert "webhook is active" in str(logs[-1])
        await one.bot.session.close()
