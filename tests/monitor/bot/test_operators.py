"""The operators' bot against a real Bot API server on loopback: a person writes or presses, and sees what comes."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta

import pytest
from aiogram.types import Message

from demo.botapi.config import GROUP_ID
from demo.botapi.people import Json
from monitor.bot.access import author_of, person_of
from monitor.engine.model import Acked, CheckStatus, Severity
from tests.monitor.bot.bench import (
    ANN,
    ANN_SIGNS,
    NOW,
    OTHER_GROUP,
    SAM,
    VIC,
    Bench,
    bench_of,
    seen,
)
from tests.monitor.delivery.bot_api_server import USERNAME

pytestmark = pytest.mark.real


@pytest.fixture
async def bench() -> AsyncIterator[Bench]:
    async with bench_of() as bench:
        yield bench


async def test_commands_work_in_a_group_and_those_for_another_bot_are_left_to_it(bench: Bench) -> None:
    bench.say(f"/status@{USERNAME}", chat=GROUP_ID)
    bench.say("/STATUS", chat=GROUP_ID)
    bench.say("/status@nexus_demo_bot", chat=GROUP_ID)
    bench.say("/orders", chat=GROUP_ID)
    bench.say("is it me?", chat=GROUP_ID)
    await bench.bot.hear_once()
    assert len(bench.answers(GROUP_ID)) == 2


async def test_an_answer_in_a_group_stands_in_its_topic_under_its_question(bench: Bench) -> None:
    bench.say("/status", chat=GROUP_ID, topic=2)
    await bench.bot.hear_once()
    [answer] = bench.messages(GROUP_ID)
    assert answer["message_thread_id"] == 2
    assert answer["reply_to_message"]["text"] == "/status"


async def test_plain_words_in_a_private_chat_get_a_hint_and_so_does_an_unknown_command(bench: Bench) -> None:
    bench.say("how are you?")
    bench.say("/reboot")
    await bench.bot.hear_once()
    hint = "I understand commands only: /status says how things stand, /help what I can do."
    assert bench.answers(ANN) == [hint, hint]


async def test_a_stranger_learns_the_ids_and_nothing_else(bench: Bench) -> None:
    for text in ("hello", "/start", "/start", "/status", "/incidents"):
        bench.say(text, SAM)
    await bench.bot.hear_once()
    refusal, ids = bench.answers(SAM)
    assert refusal == "Sorry, I only answer the operators of this monitor. /start tells you your user id."
    assert ids.splitlines()[1:] == [f"Your user id: {SAM}", f"This chat's id: {SAM}"]
    bench.at += timedelta(hours=1)
    bench.say("/status", SAM)
    await bench.bot.hear_once()
    assert bench.answers(SAM)[-1] == refusal


async def test_start_in_a_topic_says_the_id_of_the_topic_too(bench: Bench) -> None:
    bench.say("/start", SAM, chat=GROUP_ID, topic=3)
    await bench.bot.hear_once()
    [ids] = bench.answers(GROUP_ID)
    assert ids.splitlines()[1:] == [
        f"Your user id: {SAM}",
        f"This chat's id: {GROUP_ID}",
        "This topic's id: 3",
        f"As one chat_id: {GROUP_ID}/3",
    ]


async def test_in_a_group_that_is_not_ours_nothing_is_shown_but_the_ids(bench: Bench) -> None:
    bench.say("/status", chat=OTHER_GROUP)
    bench.say("/start", chat=OTHER_GROUP)
    await bench.bot.hear_once()
    elsewhere, ids = bench.answers(OTHER_GROUP)
    assert elsewhere.startswith("Everybody here would read it")
    assert f"This chat's id: {OTHER_GROUP}" in ids


async def test_a_viewer_may_ask_and_change_nothing(bench: Bench) -> None:
    for text in ("/status", "/check redis.ping", "/ack 42", "/silence 42 1h", "/maintenance all 1h"):
        bench.say(text, VIC)
    message_id, data = await bench.send_card(GROUP_ID)
    bench.press(GROUP_ID, message_id, data["✅ Ack"], VIC)
    await bench.bot.hear_once()
    assert [answer.splitlines()[0] for answer in bench.answers(VIC)] == [
        "🔴 1 incident · 2 of 4 checks up · 14:32 UTC",
        "🔴 DOWN · nexus-redis · redis.ping",
        *["Only operators may do this."] * 3,
    ]
    assert bench.toasts()[0]["text"] == f"Only operators may do this. Your user id is {VIC}."
    assert (bench.line.applied, bench.probed) == ([], [])


async def test_the_ack_button_takes_the_incident_in_the_persons_name(bench: Bench) -> None:
    message_id, data = await bench.send_card(ANN)
    bench.press(ANN, message_id, data["✅ Ack"])
    await bench.bot.hear_once()
    assert bench.line.applied == [Acked(42, ANN_SIGNS)]
    assert [toast["text"] for toast in bench.toasts()] == ["Incident #42 is yours now."]


async def test_every_button_of_a_card_does_something_and_says_what(bench: Bench) -> None:
    message_id, data = await bench.send_card(GROUP_ID)
    for one in data.values():
        bench.press(GROUP_ID, message_id, one)
    await bench.bot.hear_once()
    assert [toast["text"] for toast in bench.toasts()] == [
        "Incident #42 is yours now.",
        "Looking again at 2 checks.",
        "Incident #42 is silenced until 2026-03-14 15:02 UTC.",
        "Incident #42 is silenced until 2026-03-14 15:32 UTC.",
        "Incident #42 is silenced until 2026-03-15 09:00 UTC.",
        "Incident #42 is silenced until it is resolved.",
    ]


async def test_a_button_of_an_older_card_does_nothing_else(bench: Bench) -> None:
    message_id, data = await bench.send_card(GROUP_ID)
    worse = replace(bench.line.state.incidents[42], reopen_count=1, severity=Severity.WARNING, revision=7)
    bench.line.state = replace(bench.line.state, incidents={42: worse})
    bench.press(GROUP_ID, message_id, data["🔕 Until resolved"])
    await bench.bot.hear_once()
    assert bench.line.applied == []
    assert "is not what this message showed" in bench.toasts()[0]["text"]


async def test_forged_data_does_nothing(bench: Bench) -> None:
    message_id, _ = await bench.send_card(GROUP_ID)
    for data in ("v2:ack:42:3:00000000", "v2:ack:7:1:x", "drop table", "v1:ack:42:3"):
        bench.press(GROUP_ID, message_id, data, is_forged=True)
    await bench.bot.hear_once()
    assert len(bench.toasts()) == 4
    assert bench.line.applied == []


async def test_a_stranger_presses_in_vain_and_is_told_why(bench: Bench) -> None:
    message_id, data = await bench.send_card(GROUP_ID)
    bench.press(GROUP_ID, message_id, data["✅ Ack"], SAM)
    await bench.bot.hear_once()
    assert bench.line.applied == []
    [toast] = bench.toasts()
    assert toast["text"] == f"Only operators may do this. Your user id is {SAM}."


async def test_buttons_of_no_incident_go_to_whoever_knows_them() -> None:
    pressed: list[tuple[str, int, str]] = []

    async def press(data: str, user_id: int, author: str) -> tuple[str, bool] | None:
        pressed.append((data, user_id, author))
        return ("Tap again to roll back.", True) if data.startswith("v1:rollback:") else None

    async with bench_of(press) as bench:
        message_id, data = await bench.send_card(GROUP_ID)
        bench.press(GROUP_ID, message_id, "v1:rollback:dep-1", is_forged=True)
        bench.press(GROUP_ID, message_id, data["✅ Ack"])
        bench.press(GROUP_ID, message_id, "v1:rollback:dep-1", SAM, is_forged=True)
        await bench.bot.hear_once()
        first, second, third = bench.toasts()
    assert (first["text"], first["show_alert"]) == ("Tap again to roll back.", True)
    assert second["text"] == "Incident #42 is yours now."
    assert third["text"].startswith("Only operators may do this.")
    assert [user_id for _, user_id, _ in pressed] == [ANN, ANN]


async def test_check_looks_now_and_its_answer_becomes_what_was_seen(bench: Bench) -> None:
    bench.at += timedelta(seconds=1)
    bench.say("/check redis")
    hearing = asyncio.create_task(bench.bot.hear_once())
    async with asyncio.timeout(10):
        while not bench.answers(ANN):
            await asyncio.sleep(0.01)
    assert bench.answers(ANN) == ["🔁 Looking again at redis.ping."]
    assert bench.probed == ["redis.ping"]
    bench.line.put(seen("redis.ping", CheckStatus.RECOVERING, NOW + timedelta(seconds=2)))
    await hearing
    [answer] = bench.answers(ANN)
    assert answer.splitlines()[0] == "🟠 RECOVERING · nexus-redis · redis.ping"


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
        {"guest_query_id": "7"},
        {"business_connection_id": "7"},
    ],
    ids=["channel post", "bot", "anonymous admin", "forwarded", "via another bot", "guest", "business"],
)
async def test_only_a_person_who_writes_themselves_is_listened_to(bench: Bench, changes: Json) -> None:
    said = {
        "message_id": 1,
        "date": int(NOW.timestamp()),
        "chat": {"id": GROUP_ID, "type": "supergroup", "title": "Nexus operations"},
        "from": {"id": ANN, "is_bot": False, "first_name": "Olivia"},
        "text": "/ack 42",
    }
    person = person_of(Message.model_validate(said))
    assert person is not None
    assert author_of(person) == f"Olivia ({ANN})"
    bench.api.world.inboxes[bench_bot_id(bench)].put("message", said | changes, str(GROUP_ID))
    await bench.bot.hear_once()
    assert bench.line.applied == []
    anonymous = ["I cannot see who you are: stop being anonymous in this group, or ask me in a private chat."]
    assert bench.answers(GROUP_ID) == (anonymous if "sender_chat" in changes else [])


def bench_bot_id(bench: Bench) -> int:
    bot = bench.api.world.bot_named(USERNAME)
    assert bot is not None
    return bot.id
