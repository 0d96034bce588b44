"""Every command of nexus-bot, through aiogram's own dispatcher and a session that records what is sent."""

from collections.abc import AsyncGenerator
from datetime import UTC, datetime
from typing import Any

import pytest
from aiogram import Bot, Dispatcher
from aiogram.client.session.base import BaseSession
from aiogram.methods import EditMessageText, SendMessage, TelegramMethod
from aiogram.types import Chat, Message, Update, User

from demo.nexus.bot.app import COMMANDS, create_dispatcher
from demo.nexus.bot.sources import SourceError

CHAT = Chat(id=1001, type="private")
REPORT = {"number": 3, "users": 2, "tasks": 5, "tasks_done": 1}


class RecordingSession(BaseSession):
    """Takes every call and answers with a message."""

    def __init__(self) -> None:
        super().__init__()
        self.calls: list[TelegramMethod[Any]] = []

    async def make_request(self, bot: Bot, method: TelegramMethod[Any], timeout: int | None = None) -> Any:
        self.calls.append(method)
        return Message(message_id=500, date=datetime(2026, 1, 1, tzinfo=UTC), chat=CHAT, text="sent").as_(bot)

    async def stream_content(self, *_: Any, **__: Any) -> AsyncGenerator[bytes, None]:
        yield b""

    async def close(self) -> None:
        """Hold nothing open."""


class Source:
    """Numbers and reports that are given, or an error where they are none."""

    def __init__(self, numbers: dict[str, int] | None = None, *, enqueues: bool = True) -> None:
        self._numbers = numbers
        self._enqueues = enqueues

    async def read(self) -> dict[str, int]:
        if self._numbers is None:
            raise SourceError("the API does not answer")
        return self._numbers

    async def enqueue(self) -> str:
        if not self._enqueues:
            raise SourceError("the queue does not answer")
        return "task-1"

    async def wait(self, task_id: str) -> dict[str, int]:
        if self._numbers is None:
            raise SourceError("no worker answered within 20 s")
        return self._numbers


async def _told(source: Source, text: str, chat: Chat = CHAT, *, is_bot: bool = False) -> list[TelegramMethod[Any]]:
    session = RecordingSession()
    dispatcher: Dispatcher = create_dispatcher(source, source, "https://mini.app")
    sender = User(id=7, is_bot=is_bot, first_name="Ada")
    message = Message(message_id=1, date=datetime(2026, 1, 1, tzinfo=UTC), chat=chat, from_user=sender, text=text)
    await dispatcher.feed_update(Bot("1:a", session=session), Update(update_id=1, message=message))
    return session.calls


def _texts(calls: list[TelegramMethod[Any]]) -> list[str]:
    assert all(isinstance(call, SendMessage | EditMessageText) for call in calls)
    return [call.text for call in calls if isinstance(call, SendMessage | EditMessageText)]


async def test_start_greets_and_opens_the_mini_app() -> None:
    calls = await _told(Source(), "/start")
    assert _texts(calls) == ["Hello, Ada! I am Nexus. /help says what I can do."]
    assert calls[0].model_dump(exclude_none=True)["reply_markup"]["inline_keyboard"][0][0]["web_app"] == {
        "url": "https://mini.app"
    }


async def test_start_in_a_group_has_no_web_app_button() -> None:
    (call,) = await _told(Source(), "/start", Chat(id=-5, type="group", title="Team"))
    assert call.model_dump()["reply_markup"] is None


async def test_help_lists_every_command_of_every_module() -> None:
    (text,) = _texts(await _told(Source(), "/help"))
    assert [line.split(" ")[0] for line in text.splitlines()] == ["/start", "/help", "/ping", "/stats", "/report"]
    assert len(COMMANDS) == 5


@pytest.mark.parametrize("is_bot", [False, True], ids=["a person", "a bot that probes"])
async def test_ping_answers_with_the_word_it_was_given(is_bot: bool) -> None:
    assert _texts(await _told(Source(), "/ping nx7f3", is_bot=is_bot)) == ["pong nx7f3"]
    assert _texts(await _told(Source(), "/ping", is_bot=is_bot)) == ["pong"]


async def test_stats_tells_the_numbers_of_the_api() -> None:
    numbers = {"users": 2, "tasks": 5, "tasks_done": 1, "visits": 9, "reports": 3}
    expected = ["People: 2\nTasks: 5, done: 1\nVisits: 9\nReports: 3"]
    assert _texts(await _told(Source(numbers), "/stats")) == expected
    assert _texts(await _told(Source(), "/stats")) == ["No numbers now: the API does not answer."]


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        (Source(REPORT), ["Your report is being made…", "Report 3\nPeople: 2\nTasks: 5, done: 1"]),
        (Source(), ["Your report is being made…", "No report: no worker answered within 20 s."]),
        (Source(enqueues=False), ["No report now: the queue does not answer."]),
    ],
    ids=["made", "no worker", "no queue"],
)
async def test_report_is_told_in_the_place_of_the_waiting_message(source: Source, expected: list[str]) -> None:
    calls = await _told(source, "/report")
    assert _texts(calls) == expected
    assert all(call.message_id == 500 for call in calls if isinstance(call, EditMessageText))


async def test_other_words_are_left_alone() -> None:
    assert await _told(Source(), "hello") == []
