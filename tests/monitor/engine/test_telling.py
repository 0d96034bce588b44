from dataclasses import replace

import pytest

from monitor.engine.model import (
    Acked,
    Chat,
    Delivered,
    DeliveryOutcome,
    DropMessage,
    InsertMessage,
    MessageKind,
    Severity,
    Told,
    ToldState,
)
from tests.monitor.engine.story import OPS, Story, policy

API = "api.health"
OPS_AND_DEV = (Chat(OPS), Chat("telegram:dev"))
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


def stay_down(story: Story, seconds: float) -> list[MessageKind]:
    """Let the outage go on, looked at every 30 s, and deliver everything at once."""
    kinds = []
    for _ in range(int(seconds // 30)):
        story.tick(30)
        story.fail(API)
        kinds += story.deliver()
    return kinds


def test_told_moves_only_with_a_delivery() -> None:
    story = down()
    assert told(story).state is ToldState.NOTHING
    story.deliver()
    now = told(story)
    assert (now.state, now.severity, now.first_at, now.root_message_id) == (
        ToldState.OPEN,
        Severity.PAGE,
        story.now,
        101,
    )
    assert (now.queued_kind, now.queued_key, now.queued_at) == (None, None, None)


def test_open_and_resolved_alternate() -> None:
    story = down()
    kinds = story.deliver()
    for _ in range(2):
        story.recover(API)
        kinds += story.deliver()
        story.tick(30)
        story.drop(API)
        kinds += story.deliver()
    assert kinds == [OPEN, RESOLVE, REOPEN, RESOLVE, REOPEN]
    assert [one.dedupe_key for one in story.sent][-2:] == [f"1:{OPS}:resolve:2", f"1:{OPS}:reopen:2"]
    assert told(story).root_message_id == 101


def test_never_told_and_already_over_is_not_told() -> None:
    story = down()
    story.recover(API)
    assert dropped(story) == [f"1:{OPS}:open:1"]
    assert story.outbox[1:] == []
    assert told(story).queued_kind is None
    story.tick(900)
    story.tick()
    assert story.incidents == {}


def test_a_message_taken_back_that_arrived_after_all_is_followed_by_its_end() -> None:
    story = down()
    late = story.outbox.pop()
    story.recover(API)
    story.deliver_one(late)
    assert story.deliver() == [RESOLVE]


def test_a_message_taken_back_that_perhaps_arrived_is_followed_by_its_end() -> None:
    story = down()
    late = story.outbox.pop()
    story.recover(API)
    story.deliver_one(late, DeliveryOutcome.AMBIGUOUS)
    assert story.deliver() == [RESOLVE]


def test_what_waited_long_for_a_dead_channel_is_told_in_one_summary() -> None:
    story = down()
    story.outbox.clear()
    story.wait(121)
    story.recover(API)
    assert dropped(story) == [f"1:{OPS}:open:1"]
    assert story.outbox == [InsertMessage(1, OPS, SUMMARY, f"1:{OPS}:summary:1", Severity.PAGE, is_silent=True)]
    story.tick(2)
    assert story.deliver() == [SUMMARY]
    assert told(story).state is ToldState.RESOLVED


def test_a_ping_queued_before_the_clock_went_back_is_not_forgotten() -> None:
    story = down()
    story.outbox.clear()
    story.wait(-3600)
    story.recover(API)
    assert story.deliver() == [SUMMARY]


def test_a_summary_on_its_way_is_taken_back_when_it_fails_again() -> None:
    story = down()
    story.wait(121)
    story.recover(API)
    story.outbox.clear()
    story.drop(API)
    assert f"1:{OPS}:summary:1" in dropped(story)
    assert story.deliver() == [OPEN]


def test_a_summary_is_taken_back_when_the_ping_arrived_after_all() -> None:
    story = down()
    late = story.outbox.pop()
    story.wait(121)
    story.recover(API)
    story.outbox.clear()
    story.deliver_one(late)
    assert dropped(story) == [f"1:{OPS}:summary:1"]
    assert story.deliver() == [RESOLVE]


def test_a_summary_stays_right_when_the_ping_perhaps_arrived() -> None:
    story = down()
    late = story.outbox.pop()
    story.wait(121)
    story.recover(API)
    before = story.state
    story.deliver_one(late, DeliveryOutcome.AMBIGUOUS)
    assert story.state is before
    assert story.deliver() == [SUMMARY]


def test_a_backlog_is_one_message() -> None:
    story = down()
    story.deliver()
    story.tick(900)
    assert [one.kind for one in story.outbox] == [REMIND]
    story.tick(7200)
    assert [one.kind for one in story.outbox] == [REMIND]
    story.recover(API)
    assert dropped(story) == [f"1:{OPS}:remind:1"]
    assert story.outbox[-1].kind is RESOLVE
    story.drop(API)
    assert dropped(story) == [f"1:{OPS}:resolve:1"]
    assert [one.kind for one in story.outbox] == [REMIND, RESOLVE, REMIND]


def test_reminders_come_after_15_30_60_and_120_minutes_and_then_every_four_hours() -> None:
    story = down()
    story.deliver()
    first_at = told(story).first_at
    assert first_at is not None
    minutes = []
    for _ in range(2 * 60 * 11):
        if stay_down(story, 30):
            minutes.append(round((story.now - first_at).total_seconds() / 60))
    assert minutes == [15, 30, 60, 120, 360, 600]
    assert told(story).reminders == 6


def test_a_late_reminder_skips_those_that_it_stands_for() -> None:
    story = down()
    story.deliver()
    story.tick(4000)
    assert story.deliver() == [REMIND]
    assert told(story).reminders == 3
    story.tick(7200 - 4000 - 1)
    assert story.outbox == []
    story.tick(1)
    assert story.deliver() == [REMIND]


def test_a_reminder_told_twice_counts_once() -> None:
    story = down()
    story.deliver()
    story.tick(900)
    message = story.outbox[0]
    story.deliver()
    before = told(story)
    story.deliver_one(message)
    assert replace(told(story), at=before.at) == before


def test_an_acked_incident_is_not_reminded_until_the_ack_lapses() -> None:
    story = down()
    story.deliver()
    story.apply(Acked(1, "ada"))
    assert stay_down(story, 3570) == []
    assert stay_down(story, 60) == [REMIND]


def test_an_outcome_nobody_waits_for_changes_only_what_it_says() -> None:
    story = down()
    before = story.state
    story.apply(Delivered(9, OPS, OPEN, "9:x", DeliveryOutcome.DELIVERED))
    story.apply(Delivered(1, OPS, OPEN, "1:other", DeliveryOutcome.RETRY))
    assert story.state is before
    story.deliver_one(story.outbox[0], DeliveryOutcome.RETRY)
    assert told(story).queued_kind is OPEN


def test_an_ambiguous_message_counts_as_told() -> None:
    story = down()
    story.deliver()
    story.recover(API)
    assert story.deliver(DeliveryOutcome.AMBIGUOUS) == [RESOLVE]
    assert told(story).state is ToldState.RESOLVED
    assert story.outbox == []


def test_a_silent_ping_on_its_way_is_replaced_by_a_loud_one_when_it_becomes_a_page() -> None:
    story = Story(policy("redis.ping", severity=Severity.WARNING), policy(API, "redis.ping"))
    story.ok("redis.ping", API)
    story.wait(30)
    story.drop("redis.ping", API)
    assert [(one.kind, one.is_silent) for one in story.outbox] == [(OPEN, True), (OPEN, False)]
    assert dropped(story) == [f"1:{OPS}:open:1"]
    _, loud = story.outbox
    story.deliver_one(loud)
    assert (told(story).severity, dropped(story)) == (Severity.PAGE, [])


def test_when_the_silent_ping_arrived_after_all_the_rise_is_told() -> None:
    story = Story(policy("redis.ping", severity=Severity.WARNING), policy(API, "redis.ping"))
    story.ok("redis.ping", API)
    story.wait(30)
    story.drop("redis.ping", API)
    silent, _ = story.outbox
    story.outbox.clear()
    story.deliver_one(silent)
    assert dropped(story) == [f"1:{OPS}:open:2"]
    assert story.deliver() == [RISE]


@pytest.mark.parametrize("severity", list(Severity))
def test_an_unstable_incident_pings_at_most_every_half_hour(severity: Severity) -> None:
    story = down(*OPS_AND_DEV, severity=severity)
    kinds = story.deliver()
    for _ in range(20):
        story.recover(API)
        kinds += story.deliver()
        story.tick(30)
        story.drop(API)
        kinds += story.deliver()
        story.tick(30)
        kinds += story.deliver()
    assert kinds == [kind for kind in (OPEN, RESOLVE, REOPEN, RESOLVE, REOPEN, REMIND) for _ in OPS_AND_DEV]
