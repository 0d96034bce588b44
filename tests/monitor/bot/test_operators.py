"""The operators' bot against a real Bot API server on loopback: a person writes or presses, and sees what comes."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import pytest
from aiogram.types import Message

from demo.botapi.config import GROUP_ID, OPERATOR_ID
from demo.botapi.faults import Fault, FaultKind
from demo.botapi.people import Json
from demo.botapi.server import BotApi
from monitor.bot.operators import OperatorsBot, author_of, person_of
from monitor.delivery.messages import render_card
from monitor.delivery.neighbours import Changes
from monitor.delivery.telegram import TelegramChannel
from monitor.engine.model import (
    Acked,
    CheckPolicy,
    CheckState,
    CheckStatus,
    Event,
    Incident,
    IncidentStatus,
    Plan,
    Severity,
    State,
)
from tests.monitor.delivery.bot_api_server import TOKEN, USERNAME, bot_api_server, messages_in

pytestmark = pytest.mark.real

NOW = datetime(2026, 3, 14, 14, 32, tzinfo=UTC)
ANN, SAM = OPERATOR_ID, OPERATOR_ID + 1
PLAN = Plan({"redis.ping": CheckPolicy("redis.ping", "nexus-redis", 30.0, 10.0, 10.0)})
INCIDENT = Incident(42, "redis.ping", Severity.PAGE, IncidentStatus.OPEN, NOW, NOW)


class Line:
    """Remembers what was applied."""

    def __init__(self) -> None:
        checks = {"redis.ping": CheckState("redis.ping", CheckStatus.DOWN)}
        self.state = State(checks=checks, incidents={42: INCIDENT})
        self.applied: list[Event] = []
        self.failure: Exception | None = None

    async def apply(self, *events: Event) -> None:
        if self.failure is not None:
            raise self.failure
        self.applied += events

    @contextmanager
    def subscribe(self) -> Iterator[Changes]:
        raise NotImplementedError
        yield


class Bench:
    """The bot, the server it talks to, and the people in front of it."""

    def __init__(self, api: BotApi, url: str) -> None:
        self.api = api
        self.url = url
        self.line = Line()
        self.at = NOW
        self.probed: list[str] = []
        self.slept: list[float] = []
        self.bot = OperatorsBot(
            TOKEN,
            url,
            self.line,
            PLAN,
            frozenset({ANN}),
            frozenset(),
            self.probed.append,
            now=lambda: self.at,
            sleep=self._sleep,
            poll_seconds=0,
        )

    async def _sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        await asyncio.sleep(0)

    def say(self, text: str, person: int = ANN, chat: int | None = None) -> None:
        room = self.api.world.room_of(str(chat or person), USERNAME)
        assert room is not None
        self.api.talking.say(room, self.api.world.people[person], text)

    def press(self, chat: int, message_id: int, data: str, person: int = ANN, *, is_forged: bool = False) -> None:
        room = self.api.world.room_of(str(chat), USERNAME)
        assert room is not None
        self.api.talking.press(room, self.api.world.people[person], message_id, data, is_forged=is_forged)

    def answers(self, chat: int) -> list[str]:
        """What the bot wrote."""
        return [seen["text"] for seen in messages_in(self.api, chat) if seen["from"]["is_bot"]]

    def toasts(self) -> list[Json]:
        """What the bot answered to presses."""
        return [call["parameters"] for call in self.api.journal.calls(method="answerCallbackQuery")]

    async def send_card(self, chat: int) -> int:
        channel = TelegramChannel(TOKEN, api_url=self.url)
        card = render_card(INCIDENT, self.line.state.checks, PLAN, NOW, dashboard_url=None, deploy=None)
        sent = await channel.send(str(chat), card, reply_to=None, is_silent=False)
        await channel.close()
        assert sent.message_id is not None
        return sent.message_id


@pytest.fixture
async def bench() -> AsyncIterator[Bench]:
    async with bot_api_server() as (api, url):
        bench = Bench(api, url)
        yield bench
        await bench.bot.close()


@pytest.mark.parametrize(
    ("text", "first_line"),
    [
        ("/status", "🔴 1 incident · 0 of 1 checks up · 14:32 UTC"),
        ("/incidents", "🔴 DOWN · #INC-42 redis.ping"),
        ("/help", "I tell you the one thing that is broken."),
        ("/start", "I tell you the one thing that is broken."),
    ],
)
async def test_an_operator_gets_an_answer_to_each_command(bench: Bench, text: str, first_line: str) -> None:
    bench.say(text)
    await bench.bot.poll_once()
    [answer] = bench.answers(ANN)
    assert answer.splitlines()[0] == first_line


async def test_commands_work_in_a_group_and_those_for_another_bot_are_left_to_it(bench: Bench) -> None:
    bench.say(f"/status@{USERNAME}", chat=GROUP_ID)
    bench.say("/status@nexus_demo_bot", chat=GROUP_ID)
    await bench.bot.poll_once()
    assert len(bench.answers(GROUP_ID)) == 1


async def test_a_stranger_learns_their_number_and_then_nothing_for_an_hour(bench: Bench) -> None:
    for text in ("/start", "/start", "/status"):
        bench.say(text, SAM)
    await bench.bot.poll_once()
    [answer] = bench.answers(SAM)
    assert f"Your user id: {SAM}" in answer
    bench.at += timedelta(hours=1)
    bench.say("/status", SAM)
    await bench.bot.poll_once()
    assert bench.answers(SAM)[-1].startswith("Sorry, I only answer the operators")


async def test_the_ack_button_takes_the_incident_in_the_persons_name(bench: Bench) -> None:
    message_id = await bench.send_card(ANN)
    bench.press(ANN, message_id, "v1:ack:42:1")
    await bench.bot.poll_once()
    assert bench.line.applied == [Acked(42, f"@olivia ({ANN})")]
    assert [toast["text"] for toast in bench.toasts()] == ["#INC-42 is yours now."]


async def test_the_recheck_button_has_the_check_looked_at(bench: Bench) -> None:
    message_id = await bench.send_card(GROUP_ID)
    bench.press(GROUP_ID, message_id, "v1:recheck:42:1")
    await bench.bot.poll_once()
    assert bench.probed == ["redis.ping"]


async def test_a_stranger_presses_in_vain_and_is_told_why(bench: Bench) -> None:
    message_id = await bench.send_card(GROUP_ID)
    bench.press(GROUP_ID, message_id, "v1:ack:42:1", SAM)
    await bench.bot.poll_once()
    assert bench.line.applied == []
    [toast] = bench.toasts()
    assert toast["text"] == f"Only operators may do this. Your user id is {SAM}."


async def test_a_press_that_fails_is_answered_and_the_next_one_works(bench: Bench) -> None:
    message_id = await bench.send_card(ANN)
    bench.line.failure = RuntimeError("database is away")
    bench.press(ANN, message_id, "v1:ack:42:1")
    await bench.bot.poll_once()
    [toast] = bench.toasts()
    assert toast["text"].startswith("Something went wrong")
    bench.line.failure = None
    bench.press(ANN, message_id, "v1:ack:42:1")
    await bench.bot.poll_once()
    assert len(bench.line.applied) == 1


async def test_too_many_requests_of_one_person_get_no_answer(bench: Bench) -> None:
    for _ in range(25):
        bench.say("/help")
    await bench.bot.poll_once()
    assert len(bench.answers(ANN)) == 20


@pytest.mark.parametrize(
    "fault",
    [
        Fault(kind=FaultKind.SERVER_ERROR, status=502, times=3),
        Fault(kind=FaultKind.REFUSE, times=3),
        Fault(kind=FaultKind.RATE_LIMIT, retry_after=9, times=3),
        Fault(kind=FaultKind.UNAUTHORIZED, times=3),
    ],
    ids=lambda fault: fault.kind.value,
)
async def test_the_loop_outlives_telegram_being_away_and_then_answers(bench: Bench, fault: Fault) -> None:
    bench.api.faults.add(fault)
    bench.say("/help")
    loop = asyncio.create_task(bench.bot.run())
    async with asyncio.timeout(10):
        for _ in iter(lambda: bool(bench.answers(ANN)), True):
            await asyncio.sleep(0.01)
    loop.cancel()
    with pytest.raises(asyncio.CancelledError):
        await loop
    assert len(bench.slept) == 3
    assert [call["method"] for call in bench.api.journal.calls(method="setMyCommands")]


async def test_an_answer_that_cannot_be_sent_does_not_stop_the_bot(bench: Bench) -> None:
    bench.api.faults.add(Fault(kind=FaultKind.BLOCKED, method="sendMessage", times=1))
    bench.say("/help")
    bench.say("/help")
    await bench.bot.poll_once()
    assert len(bench.answers(ANN)) == 1


@pytest.mark.parametrize(
    "changes",
    [
        {"from": None},
        {"from": {"id": ANN, "is_bot": True, "first_name": "Robot"}},
        {"sender_chat": {"id": GROUP_ID, "type": "supergroup", "title": "Nexus operations"}},
        {
            "forward_origin": {
                "type": "user",
                "date": 1773498720,
                "sender_user": {"id": ANN, "is_bot": False, "first_name": "Olivia"},
            }
        },
        {"via_bot": {"id": 7, "is_bot": True, "first_name": "Robot"}},
    ],
    ids=["channel post", "bot", "anonymous admin", "forwarded", "via another bot"],
)
def test_only_a_person_who_writes_themselves_is_listened_to(changes: Json) -> None:
    said = {
        "message_id": 1,
        "date": 1773498720,
        "chat": {"id": GROUP_ID, "type": "supergroup", "title": "Nexus operations"},
        "from": {"id": ANN, "is_bot": False, "first_name": "Olivia"},
        "text": "/status",
    }
    person = person_of(Message.model_validate(said))
    assert person is not None
    assert author_of(person) == f"Olivia ({ANN})"
    assert person_of(Message.model_validate(said | changes)) is None


async def test_a_button_of_no_incident_goes_to_who_knows_it_and_only_from_operators(bench: Bench) -> None:
    pressed: list[tuple[str, int, str]] = []

    async def other(data: str, user_id: int, author: str) -> tuple[str, bool] | None:
        pressed.append((data, user_id, author))
        return ("Tap again.", True) if data.startswith("v1:rollback:") else None

    bench.bot._press_other = other
    message_id = await bench.send_card(ANN)
    bench.press(ANN, message_id, "v1:rollback:dep-1", is_forged=True)
    bench.press(ANN, message_id, "v1:ack:42:1", is_forged=True)
    await bench.bot.poll_once()
    assert [(toast["text"], toast["show_alert"]) for toast in bench.toasts()] == [
        ("Tap again.", True),
        ("#INC-42 is yours now.", False),
    ]
    assert [(data, user_id) for data, user_id, _ in pressed] == [("v1:rollback:dep-1", ANN), ("v1:ack:42:1", ANN)]
