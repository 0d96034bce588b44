"""The operators' bot when Telegram, the database or a chat makes trouble: over real HTTP."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta

import pytest

from demo.botapi.config import GROUP_ID
from demo.botapi.faults import Fault, FaultKind
from monitor.engine.model import Acked, ChatMended, ChatState
from monitor.store.errors import StoreUnavailableError
from tests.monitor.bot.bench import (
    ANN,
    ANN_SIGNS,
    NOW,
    OPS,
    OTHER_GROUP,
    Bench,
    bench_of,
)
from tests.monitor.delivery.bot_api_server import USERNAME

pytestmark = pytest.mark.real


@pytest.fixture
async def bench() -> AsyncIterator[Bench]:
    async with bench_of() as bench:
        yield bench


async def test_a_press_that_fails_is_answered_and_the_next_one_works(bench: Bench) -> None:
    message_id, data = await bench.send_card(ANN)
    bench.line.failure = RuntimeError("database is away")
    bench.press(ANN, message_id, data["✅ Ack"])
    await bench.bot.hear_once()
    [toast] = bench.toasts()
    assert toast["text"].startswith("Something went wrong")
    bench.line.failure = None
    bench.press(ANN, message_id, data["✅ Ack"])
    await bench.bot.hear_once()
    assert len(bench.line.applied) == 1


async def test_a_press_heard_too_late_for_an_answer_is_done_all_the_same(bench: Bench) -> None:
    message_id, data = await bench.send_card(ANN)
    bench.press(ANN, message_id, data["✅ Ack"])
    bench.at += timedelta(minutes=20)
    bench.say("/help")
    await bench.bot.hear_once()
    assert bench.line.applied == [Acked(42, ANN_SIGNS)]
    assert len(bench.answers(ANN)) == 2


async def test_a_command_to_act_that_is_heard_late_is_not_carried_out(bench: Bench) -> None:
    bench.say("/silence 42 1h")
    bench.say("/status")
    bench.at += timedelta(minutes=6)
    await bench.bot.hear_once()
    late, status = bench.answers(ANN)
    assert late == "I heard this late, and did not do it: please ask again if it is still wanted."
    assert status.startswith("🔴 1 incident")
    assert bench.line.applied == []


async def test_with_the_database_away_what_needs_it_says_so_and_the_rest_works(bench: Bench) -> None:
    bench.past.failure = StoreUnavailableError("database: no answer")
    for text in ("/uptime", "/incident 42", "/status"):
        bench.say(text)
    await bench.bot.hear_once()
    uptime, incident, status = bench.answers(ANN)
    assert uptime == incident == "The monitor's own database does not answer now. /status works without it."
    assert status.startswith("🔴 1 incident")


async def test_too_many_requests_of_one_person_get_no_answer(bench: Bench) -> None:
    for _ in range(25):
        bench.say("/help")
    await bench.bot.hear_once()
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
        while not bench.answers(ANN):
            await asyncio.sleep(0.01)
    loop.cancel()
    with pytest.raises(asyncio.CancelledError):
        await loop
    assert len(bench.slept) == 3
    [call] = bench.api.journal.calls(method="setMyCommands")[-1:]
    names = [command["command"] for command in call["parameters"]["commands"]]
    order = "status incidents incident check ack silence maintenance uptime deploys help start"
    assert " ".join(names) == order


async def test_an_answer_that_cannot_be_sent_does_not_stop_the_bot(bench: Bench) -> None:
    bench.api.faults.add(Fault(kind=FaultKind.BLOCKED, method="sendMessage", times=1))
    bench.say("/help")
    bench.say("/help")
    await bench.bot.hear_once()
    assert len(bench.answers(ANN)) == 1


async def test_an_answer_waits_as_long_as_telegram_asks_and_not_for_ever(bench: Bench) -> None:
    bench.api.faults.add(Fault(kind=FaultKind.RATE_LIMIT, method="sendMessage", retry_after=7, times=1))
    bench.say("/help")
    await bench.bot.hear_once()
    assert (bench.slept, len(bench.answers(ANN))) == ([7.0], 1)
    bench.api.faults.add(Fault(kind=FaultKind.RATE_LIMIT, method="sendMessage", retry_after=300, times=1))
    bench.say("/help")
    await bench.bot.hear_once()
    assert (bench.slept, len(bench.answers(ANN))) == ([7.0], 1)


async def test_an_answer_into_a_lost_topic_arrives_outside_it(bench: Bench) -> None:
    bench.api.faults.add(Fault(kind=FaultKind.THREAD_NOT_FOUND, chat=GROUP_ID))
    bench.say("/help", chat=GROUP_ID, topic=2)
    await bench.bot.hear_once()
    [answer] = bench.messages(GROUP_ID)
    assert "message_thread_id" not in answer


async def test_an_answer_follows_a_group_that_moved_meanwhile(bench: Bench) -> None:
    bench.say("/help", chat=GROUP_ID)
    room = bench.api.world.room_of(str(GROUP_ID), USERNAME)
    assert room is not None
    moved = bench.api.world.migrate(room)
    bench.target = str(moved.id)
    bench.line.applied.clear()
    await bench.bot.hear_once()
    # The question was asked in the old group, which is none of ours any more.
    assert bench.answers(moved.id)[-1].startswith("Everybody here would read it")


async def test_a_group_that_lets_us_in_again_is_told_at_once(bench: Bench) -> None:
    room = bench.api.world.room_of(str(GROUP_ID), USERNAME)
    bot = bench.api.world.bot_named(USERNAME)
    assert room is not None
    assert bot is not None
    bench.line.state = replace(bench.line.state, chats={OPS: ChatState(OPS, broken_since=NOW, broken_reason="kicked")})
    bench.api.talking.membership(room, bot, was="administrator", became="kicked")
    await bench.bot.hear_once()
    assert bench.line.applied == []
    bench.api.talking.membership(room, bot, was="kicked", became="member")
    await bench.bot.hear_once()
    assert bench.line.applied == [ChatMended(OPS)]


async def test_the_operator_who_adds_us_to_a_new_group_is_told_its_id(bench: Bench) -> None:
    room = bench.api.world.room_of(str(OTHER_GROUP), USERNAME)
    bot = bench.api.world.bot_named(USERNAME)
    assert room is not None
    assert bot is not None
    bench.api.talking.membership(room, bot, was="left", became="member")
    await bench.bot.hear_once()
    [ids] = bench.answers(OTHER_GROUP)
    assert f"This chat's id: {OTHER_GROUP}" in ids
