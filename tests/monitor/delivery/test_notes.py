"""Messages of no incident: sent as they were made, and settled like every other one."""

import pytest

from monitor.delivery.channel import Sent
from monitor.delivery.entities import Button, Rendered, Span, compose
from monitor.delivery.notes import note_of, note_text
from monitor.engine.model import Delivered, DeliveryOutcome, MessageKind, State
from tests.monitor.delivery.fakes import OPS, Attempt, FakeChannel, FakeLine, Row
from tests.monitor.delivery.test_outbox import World

KEY = f"deploy:dep-1:{OPS}:verdict"
SAID = Rendered(
    *compose([Span("✅ "), Span("abc1234", "code"), Span(" live")]),
    ((Button("Back", callback_data="v1:rollback:dep-1", style="danger"), Button("Open", url="https://a.example")),),
)


def noting(*script: Sent, chat_id: str = OPS, was_sending: bool = False) -> World:
    row = Row(KEY, 0, chat_id, MessageKind.DEPLOY, is_silent=True, was_sending=was_sending, body=note_text(SAID))
    return World(FakeLine(State()), [row], FakeChannel(*script))


def test_a_note_comes_back_as_it_was_kept() -> None:
    assert note_of(note_text(SAID)) == SAID
    with pytest.raises(ValueError, match="Rendered"):
        note_of("{}")


async def test_a_note_is_sent_as_it_was_made() -> None:
    world = noting()
    await world.work()
    assert world.channel.attempts == [Attempt("-100", SAID.text, is_silent=True)]
    assert world.line.applied == [Delivered(0, OPS, MessageKind.DEPLOY, KEY, DeliveryOutcome.DELIVERED, message_id=1)]
    assert world.counted == [("telegram", "deploy", "delivered")]


@pytest.mark.parametrize("outcome", [DeliveryOutcome.RETRY, DeliveryOutcome.AMBIGUOUS])
async def test_a_note_that_is_not_surely_there_is_sent_again(outcome: DeliveryOutcome) -> None:
    world = noting(Sent(outcome, detail="no answer"))
    await world.work()
    assert world.line.applied == []
    await world.work(after_seconds=5)
    assert len(world.channel.attempts) == 2
    assert len(world.line.applied) == 1


async def test_a_note_that_the_chat_refuses_is_dead() -> None:
    world = noting(Sent(DeliveryOutcome.PERMANENT, detail="bot was kicked"))
    await world.work()
    (event,) = world.line.applied
    assert isinstance(event, Delivered)
    assert (event.outcome, event.detail) == (DeliveryOutcome.PERMANENT, "bot was kicked")


async def test_a_note_for_a_chat_that_is_not_configured_is_dead() -> None:
    world = noting(chat_id="telegram:gone")
    await world.work()
    (event,) = world.line.applied
    assert isinstance(event, Delivered)
    assert event.detail == "chat telegram:gone is not in the configuration"
