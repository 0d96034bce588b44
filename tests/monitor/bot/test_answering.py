"""Answers that take a while, or do not arrive; and the chats that are ours."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from monitor.bot.answering import Answers, Place
from monitor.bot.asking import Pending
from monitor.bot.places import Places
from monitor.delivery.channel import Sent
from monitor.delivery.entities import Rendered
from monitor.engine.model import Chat, DeliveryOutcome
from tests.monitor.bot.bench import STATE
from tests.monitor.bot.memory import Line

DELIVERED = Sent(DeliveryOutcome.DELIVERED, 7)
REFUSED = Sent(DeliveryOutcome.PERMANENT, detail="message can't be edited", is_message_gone=True)


class Channel:
    def __init__(self, *sends: Sent, edit: Sent = DELIVERED) -> None:
        self.sends = list(sends)
        self.edited = edit
        self.calls: list[tuple[str, str, str]] = []

    async def send(self, target: str, rendered: Rendered, *, reply_to: int | None, is_silent: bool) -> Sent:
        assert is_silent
        self.calls.append(("send", target, rendered.text))
        return self.sends.pop(0)

    async def edit(self, target: str, message_id: int, rendered: Rendered) -> Sent:
        self.calls.append(("edit", target, rendered.text))
        return self.edited


async def give(channel: Channel, rest: Callable[[], Awaitable[Rendered]]) -> None:
    async with asyncio.TaskGroup() as tasks:
        await Answers(channel).give(Place(-100, 7, 3), Pending(Rendered("looking"), rest), tasks)


async def seen() -> Rendered:
    return Rendered("up")


@pytest.mark.parametrize(
    ("channel", "calls"),
    [
        (Channel(DELIVERED), [("send", "looking"), ("edit", "up")]),
        (Channel(DELIVERED, DELIVERED, edit=REFUSED), [("send", "looking"), ("edit", "up"), ("send", "up")]),
        (Channel(REFUSED, DELIVERED), [("send", "looking"), ("send", "up")]),
    ],
    ids=["edited", "deleted meanwhile", "never sent"],
)
async def test_what_is_said_first_becomes_the_answer(channel: Channel, calls: list[tuple[str, str]]) -> None:
    await give(channel, seen)
    assert channel.calls == [(what, "-100/7", text) for what, text in calls]


async def test_an_answer_that_fails_ends_nothing() -> None:
    async def fail() -> Rendered:
        raise RuntimeError("nobody knows")

    channel = Channel(DELIVERED)
    await give(channel, fail)
    assert channel.calls == [("send", "-100/7", "looking")]


async def test_an_answer_follows_a_group_that_moves_under_it() -> None:
    channel = Channel(Sent(DeliveryOutcome.MIGRATED, migrated_to="-200"), DELIVERED)
    async with asyncio.TaskGroup() as tasks:
        await Answers(channel).give(Place(-100), Rendered("hello"), tasks)
    assert channel.calls == [("send", "-100", "hello"), ("send", "-200", "hello")]


@pytest.mark.parametrize(
    ("chat_id", "username", "is_ours"),
    [(-100, None, True), (-200, "Nexus_Ops", True), (-300, "others", False), (-7, None, False)],
)
async def test_a_chat_is_known_by_its_number_or_its_name(chat_id: int, username: str | None, is_ours: bool) -> None:
    targets = {"telegram:ops": "-100/7", "telegram:named": "@nexus_ops", "telegram:bad": "x", "apprise:mail": "-7"}

    async def target_of(name: str) -> str:
        return targets[name]

    chats = (*(Chat(name) for name in targets if name[0] == "t"), Chat("telegram:new"), Chat("apprise:mail", "apprise"))
    assert await Places(Line(STATE), chats, target_of).knows(chat_id, username) is is_ours
