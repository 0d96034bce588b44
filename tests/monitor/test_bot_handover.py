"""The operators' bot of two real instances over real HTTP: one listens, whatever happens to the one that did."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from demo.parts import Part
from demo.servers import PostgresServer
from tests.monitor.small_world import SmallWorld, is_ready, is_standby, small_world, until
from tests.stores import postgres

__all__ = ["postgres"]
pytestmark = [pytest.mark.real, pytest.mark.timeout(240)]

PATIENCE = 60.0


@pytest.fixture
def world(tmp_path: Path) -> Iterator[SmallWorld]:
    with small_world(tmp_path) as one:
        yield one


@pytest.fixture
def pair(world: SmallWorld, postgres: PostgresServer) -> tuple[Part, Part]:
    """A leader and its standby."""
    url = postgres.create_database(f"bots_{time.monotonic_ns()}")
    leader, standby = world.monitor("one", url), world.monitor("two", url)
    leader.start()
    until(lambda: is_ready(leader), PATIENCE, "the first one leads")
    standby.start()
    until(lambda: is_standby(standby), PATIENCE, "the second one stands by")
    return leader, standby


def answers(world: SmallWorld, question: str) -> list[str]:
    """Return what the bot answered since the question: without boards, and what it tells by itself."""
    texts = [message.get("text", "") for message in world.seen()]
    return [
        text for text in texts[texts.index(question) + 1 :] if text.startswith(("I tell you", "Nothing is silenced"))
    ]


def card(world: SmallWorld) -> dict[str, Any] | None:
    return next((message for message in world.seen() if message.get("reply_markup")), None)


def lines(one: Part, event: str) -> int:
    return one.log_path.read_text().count(f'"{event}"')


def test_a_question_is_answered_once_before_during_and_after_a_hand_over(
    pair: tuple[Part, Part], world: SmallWorld
) -> None:
    leader, standby = pair
    world.say("/help")
    until(lambda: answers(world, "/help"), PATIENCE, "the leader answers")
    leader.pause()  # it holds its poll open: to Telegram there are two pollers from here on
    world.say("/silence")
    until(lambda: is_ready(standby), PATIENCE, "the standby leads")
    until(lambda: answers(world, "/silence"), PATIENCE, "the new leader answers what was asked meanwhile")
    leader.resume()
    until(lambda: is_standby(leader), PATIENCE, "the old leader steps down")
    world.say("/start")
    until(lambda: answers(world, "/start"), PATIENCE, "the new leader answers")
    time.sleep(3)
    assert [text.splitlines()[0] for text in answers(world, "/help")] == [
        "I tell you the one thing that is broken.",
        "Nothing is silenced. For example: /silence redis.ping 2h moving to a new plan",
        "I tell you the one thing that is broken.",
    ]
    assert lines(leader, "bot.poll_conflict") <= 1
    assert lines(standby, "bot.poll_conflict") <= 1
    assert lines(leader, "bot.poll_conflict_stays") + lines(standby, "bot.poll_conflict_stays") == 0


def test_a_press_on_a_card_of_the_old_leader_reaches_the_new_one(pair: tuple[Part, Part], world: SmallWorld) -> None:
    leader, standby = pair
    world.target.is_broken = True
    shown = until(lambda: card(world), PATIENCE, "the leader tells the outage")
    leader.kill()
    world.press(shown["message_id"], shown["reply_markup"]["inline_keyboard"][0][0]["callback_data"])
    until(lambda: is_ready(standby), PATIENCE, "the standby leads")
    until(lambda: "✅ Acked by @olivia" in str(card(world)), PATIENCE, "the card says who has taken it")
