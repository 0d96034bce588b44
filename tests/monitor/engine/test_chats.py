from dataclasses import replace

from monitor.engine.model import (
    Acked,
    CardEdited,
    Chat,
    ChatMended,
    ChatState,
    DeliveryOutcome,
    DropMessage,
    InsertMessage,
    MessageKind,
    Severity,
    Told,
    ToldState,
)
from tests.monitor.engine.story import BOSS, OPS, Story, policy

API = "api.health"
OPEN, RESOLVE, REMIND, REOPEN, SUMMARY, ESCALATE, RISE = (
    MessageKind.OPEN,
    MessageKind.RESOLVE,
    MessageKind.REMIND,
    MessageKind.REOPEN,
    MessageKind.SUMMARY,
    MessageKind.ESCALATE,
    MessageKind.RISE,
)


def down(*chats: Chat, severity: Severity = Severity.PAGE) -> Story:
    story = Story(policy(API, severity=severity), chats=chats or (Chat(OPS),))
    story.ok(API)
    story.wait(30)
    story.drop(API)
    return story


def told(story: Story, chat: str = OPS) -> Told:
    return story.incidents[1].told[chat]


def dropped(story: Story) -> list[str]:
    return [effect.dedupe_key for effect in story.last if isinstance(effect, DropMessage)]


def test_an_open_incident_is_told_once_per_chat() -> None:
    story = down(Chat(OPS), Chat("telegram:dev"))
    assert story.outbox == [
        InsertMessage(1, OPS, OPEN, f"1:{OPS}:open:1", Severity.PAGE, is_silent=False),
        InsertMessage(1, "telegram:dev", OPEN, "1:telegram:dev:open:1", Severity.PAGE, is_silent=False),
    ]
    story.tick()
    assert len(story.outbox) == 2


def test_nobody_in_ten_minutes_escalates_once() -> None:
    story = down(Chat(OPS), Chat(BOSS, is_escalation=True))
    assert [one.chat_id for one in story.outbox] == [OPS]
    story.deliver()
    story.tick(599)
    assert story.outbox == []
    story.tick(1)
    assert [(one.chat_id, one.kind) for one in story.outbox] == [(BOSS, ESCALATE)]
    story.deliver()
    assert told(story, BOSS).is_escalated
    story.recover(API)
    assert [(one.chat_id, one.kind) for one in story.outbox] == [(OPS, RESOLVE), (BOSS, RESOLVE)]


def test_an_ack_and_a_warning_do_not_escalate() -> None:
    story = down(Chat(OPS), Chat(BOSS, is_escalation=True))
    story.deliver()
    story.apply(Acked(1, "ada"))
    story.tick(600)
    assert [one.chat_id for one in story.outbox] == []
    quiet = down(Chat(OPS), Chat(BOSS, is_escalation=True), severity=Severity.WARNING)
    quiet.deliver()
    quiet.tick(600)
    assert quiet.outbox == []


def test_an_escalation_on_its_way_is_taken_back_by_an_ack() -> None:
    story = down(Chat(OPS), Chat(BOSS, is_escalation=True))
    story.deliver()
    story.tick(600)
    story.apply(Acked(1, "ada"))
    assert dropped(story) == [f"1:{BOSS}:escalate:1"]


def test_a_chat_that_refuses_is_broken_and_the_others_are_told_at_once() -> None:
    story = down(Chat(OPS), Chat(BOSS, is_escalation=True))
    story.deliver_one(story.outbox.pop(), DeliveryOutcome.PERMANENT)
    assert story.state.chats[OPS].broken_since == story.now
    assert [(one.chat_id, one.kind) for one in story.outbox] == [(BOSS, ESCALATE)]
    story.deliver()
    story.tick(3599)
    assert OPS not in {one.chat_id for one in story.outbox}
    broken_since = story.state.chats[OPS].broken_since
    story.outbox.clear()
    story.tick(1)
    trial = next(one for one in story.outbox if one.chat_id == OPS)
    story.deliver_one(trial, DeliveryOutcome.PERMANENT)
    assert story.state.chats[OPS].broken_since == broken_since
    story.tick(3600)
    story.deliver()
    assert story.state.chats[OPS] == ChatState(OPS)
    assert told(story).state is ToldState.OPEN


def test_a_broken_chat_gets_one_trial_an_hour_however_many_incidents_there_are() -> None:
    story = Story(policy(API), policy("b.x"))
    story.ok(API, "b.x")
    story.wait(30)
    story.drop(API, "b.x")
    story.deliver(DeliveryOutcome.PERMANENT)
    story.tick(3600)
    assert len(story.outbox) == 1


def test_a_mended_chat_is_told_what_is_still_true() -> None:
    story = down()
    story.deliver(DeliveryOutcome.PERMANENT)
    story.apply(ChatMended(OPS))
    assert story.deliver() == [OPEN]
    before = story.state
    story.apply(ChatMended(OPS))
    assert story.state is before


def test_what_was_told_before_the_chat_broke_is_told_resolved_after_it_mends() -> None:
    story = down()
    story.deliver()
    story.tick(900)
    story.deliver(DeliveryOutcome.PERMANENT)
    story.recover(API)
    story.tick(901)
    story.tick(1)
    assert story.outbox == []
    story.apply(ChatMended(OPS))
    assert story.deliver() == [RESOLVE]


def test_a_closed_incident_does_not_wait_for_the_card_of_a_broken_chat() -> None:
    story = down()
    story.deliver()
    story.recover(API)
    story.deliver()
    story.state = replace(story.state, chats={OPS: ChatState(OPS, story.now, "blocked", None)})
    story.tick(901)
    story.tick(1)
    assert story.incidents == {}


def test_a_card_shows_a_revision_and_never_an_older_one() -> None:
    story = down()
    story.deliver()
    story.apply(CardEdited(1, OPS, 7))
    assert told(story).revision == 7
    before = story.state
    for event in (CardEdited(1, OPS, 5), CardEdited(1, "x", 9), CardEdited(9, OPS, 9)):
        story.apply(event)
    assert story.state is before


def test_a_card_that_was_gone_and_sent_anew_is_edited_at_its_new_place() -> None:
    story = down()
    story.deliver()
    story.apply(CardEdited(1, OPS, 7, message_id=4711))
    assert (told(story).revision, told(story).root_message_id) == (7, 4711)
    story.apply(CardEdited(1, OPS, 8))
    assert (told(story).revision, told(story).root_message_id) == (8, 4711)


def test_without_a_chat_nothing_is_queued() -> None:
    story = Story(policy(API), chats=())
    story.drop(API)
    assert story.outbox == []
    story.recover(API)
    story.tick(901)
    story.tick(1)
    assert story.incidents == {}
