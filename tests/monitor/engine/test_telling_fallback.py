"""The fallback is told of pages that the chats told first did not get, and of nothing else."""

from dataclasses import replace

import pytest

from monitor.engine.model import (
    Acked,
    Chat,
    DeliveryOutcome,
    DropMessage,
    InsertMessage,
    MessageKind,
    Rules,
    Severity,
    ToldState,
)
from monitor.engine.step import incident_due_at
from tests.monitor.engine.story import BOSS, OPS, Story, policy

API = "api.health"
DEV, MAIL = "telegram:dev", "apprise:fallback"
FALLBACK = Chat(MAIL, "apprise", is_fallback=True)


def down(*chats: Chat, severity: Severity = Severity.PAGE, rules: Rules | None = None) -> Story:
    story = Story(policy(API, severity=severity), chats=(*(chats or (Chat(OPS),)), FALLBACK), rules=rules)
    story.ok(API)
    story.wait(30)
    story.drop(API)
    return story


def to_mail(story: Story) -> list[MessageKind]:
    """Return what was queued for the fallback so far."""
    queued = [effect for effect in story.effects if isinstance(effect, InsertMessage)]
    return [effect.kind for effect in queued if effect.chat_id == MAIL]


def take(story: Story, chat: str, outcome: DeliveryOutcome = DeliveryOutcome.DELIVERED) -> None:
    """Give what waits for this chat this outcome."""
    waiting = [message for message in story.outbox if message.chat_id == chat]
    story.outbox = [message for message in story.outbox if message.chat_id != chat]
    for message in waiting:
        story.deliver_one(message, outcome)


def stay_down(story: Story, seconds: int) -> None:
    for _ in range(seconds // 30):
        story.tick(30)
        story.fail(API)


def test_a_page_that_was_delivered_does_not_reach_the_fallback() -> None:
    story = down()
    take(story, OPS)
    stay_down(story, 600)
    story.recover(API)
    assert to_mail(story) == []


def test_a_page_that_waits_for_two_minutes_does() -> None:
    story = down()
    story.tick(119)
    assert to_mail(story) == []
    story.tick(1)
    assert to_mail(story) == [MessageKind.OPEN]


def test_a_chat_that_refuses_brings_the_fallback_at_once() -> None:
    story = down()
    take(story, OPS, DeliveryOutcome.PERMANENT)
    assert to_mail(story) == [MessageKind.OPEN]


def test_one_chat_that_took_it_is_enough() -> None:
    for order in ((Chat(OPS), Chat(DEV)), (Chat(DEV), Chat(OPS))):
        story = down(*order)
        take(story, OPS)
        stay_down(story, 300)
        assert to_mail(story) == []


def test_one_chat_that_refuses_waits_for_the_other() -> None:
    story = down(Chat(OPS), Chat(DEV))
    take(story, OPS, DeliveryOutcome.PERMANENT)
    story.tick(100)
    assert to_mail(story) == []
    story.tick(20)
    assert to_mail(story) == [MessageKind.OPEN]


def test_without_any_other_chat_the_fallback_is_told_at_once() -> None:
    story = Story(policy(API), chats=(FALLBACK,))
    story.ok(API)
    story.drop(API)
    assert to_mail(story) == [MessageKind.OPEN]


def test_a_warning_is_not_worth_the_fallback() -> None:
    story = down(severity=Severity.WARNING)
    take(story, OPS, DeliveryOutcome.PERMANENT)
    stay_down(story, 300)
    assert to_mail(story) == []


def test_what_somebody_took_is_not_told_to_the_fallback() -> None:
    story = down()
    story.apply(Acked(1, "@olivia"))
    story.tick(300)
    assert to_mail(story) == []


def test_told_open_it_is_told_resolved() -> None:
    story = down()
    story.tick(120)
    take(story, MAIL)
    story.recover(API)
    assert to_mail(story) == [MessageKind.OPEN, MessageKind.RESOLVE]
    take(story, MAIL)
    assert story.incidents[1].told[MAIL].state is ToldState.RESOLVED


def test_never_told_open_it_is_told_nothing() -> None:
    story = down()
    story.tick(60)
    story.recover(API)
    assert to_mail(story) == []


def test_a_page_that_arrives_after_all_takes_back_what_waits_for_the_fallback() -> None:
    story = down()
    story.tick(120)
    take(story, OPS)
    assert [effect for effect in story.last if isinstance(effect, DropMessage)] == [DropMessage(f"1:{MAIL}:open:1")]
    stay_down(story, 300)
    assert to_mail(story) == [MessageKind.OPEN]


def test_reminders_go_to_the_fallback_only_while_nobody_else_was_told() -> None:
    story = down()
    take(story, OPS, DeliveryOutcome.PERMANENT)
    take(story, MAIL)
    stay_down(story, 960)
    take(story, MAIL)
    assert to_mail(story) == [MessageKind.OPEN, MessageKind.REMIND]
    story = down()
    story.tick(120)
    take(story, MAIL)
    take(story, OPS)
    stay_down(story, 960)
    assert to_mail(story) == [MessageKind.OPEN]


def test_a_reminder_that_will_not_be_sent_is_no_timer() -> None:
    story = down(rules=Rules(remind_after_seconds=(60.0,), remind_every_seconds=86_400.0))
    story.tick(120)
    take(story, MAIL)
    story.fail(API)
    reminder_at = story.incidents[1].told[MAIL].next_reminder_at
    assert incident_due_at(story.plan, story.state, story.incidents[1]) == reminder_at
    take(story, OPS)
    story.tick(61)
    take(story, OPS)
    story.fail(API)
    due_at = incident_due_at(story.plan, story.state, story.incidents[1])
    assert due_at is not None
    assert due_at > story.now


def test_a_warning_told_that_rises_to_a_page_reaches_the_fallback_when_the_chat_is_gone() -> None:
    shop = policy("shop.page", severity=Severity.WARNING)
    story = Story(policy(API), shop, chats=(Chat(OPS), FALLBACK))
    story.ok(API, "shop.page")
    story.wait(30)
    story.drop("shop.page")
    take(story, OPS)
    story.state = replace(story.state, incidents={1: replace(story.incidents[1], severity=Severity.PAGE)})
    story.tick()
    take(story, OPS, DeliveryOutcome.PERMANENT)
    assert to_mail(story) == [MessageKind.OPEN]


def test_a_fallback_is_no_reason_to_keep_the_boss_waiting() -> None:
    story = down(Chat(OPS), Chat(BOSS, is_escalation=True))
    take(story, OPS, DeliveryOutcome.PERMANENT)
    assert [message.chat_id for message in story.outbox] == [BOSS, MAIL]


@pytest.mark.parametrize("outcome", [DeliveryOutcome.AMBIGUOUS, DeliveryOutcome.DELIVERED])
def test_what_waits_when_an_incident_is_forgotten_is_dropped(outcome: DeliveryOutcome) -> None:
    """A row nobody waits for would stay in the outbox for ever, and look like a page that is not told."""
    story = down()
    take(story, OPS)
    story.recover(API)
    if outcome is DeliveryOutcome.DELIVERED:
        story.deliver()
    story.ok(API)
    story.tick(901)
    story.ok(API)
    story.tick(86_400)
    story.tick(1)
    assert 1 not in story.incidents
    dropped = [effect.dedupe_key for effect in story.effects if isinstance(effect, DropMessage)]
    assert dropped == ([] if outcome is DeliveryOutcome.DELIVERED else [f"1:{OPS}:resolve:1"])
