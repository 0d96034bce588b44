"""The loop of delivery, outcome by outcome."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta

import pytest

from monitor.delivery.channel import Channel, Sent
from monitor.delivery.outbox import Delivery
from monitor.delivery.pace import EditPace, backoff_seconds
from monitor.engine.model import (
    CardEdited,
    ChatState,
    Delivered,
    DeliveryOutcome,
    IncidentStatus,
    MessageKind,
    Told,
)
from tests.monitor.delivery.fakes import (
    DEV,
    OPS,
    PLAN,
    START,
    Attempt,
    Clock,
    FakeChannel,
    FakeLine,
    FakeOutbox,
    Row,
    incident,
    state_with,
)

OPEN_KEY = f"1:{OPS}:open:1"
OPEN_ROW = Row(OPEN_KEY, 1, OPS, MessageKind.OPEN)
OPEN_TOLD = {OPS: Told(OPS, queued_kind=MessageKind.OPEN, queued_key=OPEN_KEY)}
CARD = "🔴 DOWN · nexus-redis · redis.ping\n#INC-1 · since 14:32 UTC"
RETRY = Sent(DeliveryOutcome.RETRY, detail="refused")
AMBIGUOUS = Sent(DeliveryOutcome.AMBIGUOUS, detail="timeout")
PERMANENT = Sent(DeliveryOutcome.PERMANENT, detail="bot was kicked")


class World:
    """Delivery with everything around it."""

    def __init__(self, line: FakeLine, rows: Sequence[Row] = (), channel: FakeChannel | None = None) -> None:
        self.clock = Clock()
        self.line = line
        self.rows = FakeOutbox(line, *rows)
        self.channel = channel or FakeChannel()
        self.counted: list[tuple[str, str, str]] = []
        self.slept: list[float] = []
        channels: dict[str, Channel] = {"telegram": self.channel}
        self.delivery = Delivery(
            line, self.rows, channels, PLAN, self.clock.now, self._sleep, dashboard_url=None, on_attempt=self._count
        )

    async def _sleep(self, seconds: float) -> None:
        self.slept.append(seconds)

    def _count(self, channel: str, kind: str, outcome: DeliveryOutcome) -> None:
        self.counted.append((channel, kind, outcome.value))

    async def work(self, *, after_seconds: float = 0.0) -> None:
        self.clock.move(after_seconds)
        await self.delivery.deliver_due()


async def until(is_so: Callable[[], bool]) -> None:
    async with asyncio.timeout(5):
        for _ in iter(is_so, True):
            await asyncio.sleep(0)


def opening(*script: Sent) -> World:
    return World(FakeLine(state_with(incident(OPEN_TOLD))), [OPEN_ROW], FakeChannel(*script))


def replying(kind: MessageKind, *script: Sent, **changes: object) -> World:
    """A message under a card that is up to date."""
    key = f"1:{OPS}:{kind.value}:1"
    told = {OPS: Told(OPS, queued_kind=kind, queued_key=key, root_message_id=7, revision=2)}
    return World(FakeLine(state_with(incident(told, **changes))), [Row(key, 1, OPS, kind)], FakeChannel(*script))


def carding(*script: Sent, revision: int = 1, **changes: object) -> World:
    """A card that is behind its incident."""
    told = {OPS: Told(OPS, root_message_id=7, revision=revision)}
    return World(FakeLine(state_with(incident(told, **changes))), channel=FakeChannel(*script))


RESOLVED = {"status": IncidentStatus.RESOLVED, "resolved_at": START + timedelta(minutes=4)}


async def test_an_opening_is_sent_as_the_card_and_the_line_is_told() -> None:
    world = opening()
    await world.work()
    assert world.channel.attempts == [Attempt("-100", CARD)]
    assert world.line.applied == [
        Delivered(1, OPS, MessageKind.OPEN, OPEN_KEY, DeliveryOutcome.DELIVERED, message_id=1, revision=2)
    ]
    assert world.counted == [("telegram", "open", "delivered")]


async def test_a_reply_goes_under_the_card_and_leaves_its_revision_alone() -> None:
    world = replying(MessageKind.RESOLVE, **RESOLVED)
    await world.work()
    assert world.channel.attempts == [Attempt("-100", "✅ #INC-1 redis.ping is up again after 4 min", reply_to=7)]
    [event] = world.line.applied
    assert isinstance(event, Delivered)
    assert event.revision == 2


async def test_a_silent_message_makes_no_sound() -> None:
    row = replace(OPEN_ROW, is_silent=True)
    world = World(FakeLine(state_with(incident(OPEN_TOLD))), [row])
    await world.work()
    assert world.channel.attempts[0].is_silent


async def test_a_message_surely_not_sent_goes_back_with_growing_waits() -> None:
    world = opening(RETRY, RETRY)
    await world.work()
    first = (world.rows.queued[OPEN_KEY].due_at - world.clock.at).total_seconds()
    await world.work(after_seconds=first)
    second = (world.rows.queued[OPEN_KEY].due_at - world.clock.at).total_seconds()
    assert 0.8 <= first <= 1.2
    assert 1.6 <= second <= 2.4
    assert world.line.applied == []
    await world.work(after_seconds=second)
    assert len(world.line.applied) == 1


async def test_429_pauses_the_chat_a_second_longer_than_asked_and_counts_no_attempt() -> None:
    world = opening(Sent(DeliveryOutcome.RETRY, retry_after_seconds=7.0, detail="slow down"))
    await world.work()
    assert world.rows.paused == {OPS: START + timedelta(seconds=8)}
    assert world.rows.queued[OPEN_KEY].row.attempts == 0
    await world.work(after_seconds=7.9)
    assert len(world.channel.attempts) == 1
    await world.work(after_seconds=0.1)
    assert len(world.channel.attempts) == 2


async def test_a_permanent_refusal_is_told_to_the_line_with_its_reason() -> None:
    world = opening(PERMANENT)
    await world.work()
    assert world.line.applied == [
        Delivered(1, OPS, MessageKind.OPEN, OPEN_KEY, DeliveryOutcome.PERMANENT, revision=2, detail="bot was kicked")
    ]


async def test_a_migrated_chat_gets_its_new_target_and_the_message_at_once() -> None:
    world = opening(Sent(DeliveryOutcome.MIGRATED, migrated_to="-1009"))
    await world.work()
    await world.work()
    assert [attempt.target for attempt in world.channel.attempts] == ["-100", "-1009"]
    assert len(world.line.applied) == 1


async def test_an_opening_that_may_have_arrived_is_sent_again() -> None:
    world = opening(AMBIGUOUS)
    await world.work()
    assert world.line.applied == []
    await world.work(after_seconds=1.3)
    assert [attempt.text for attempt in world.channel.attempts] == [CARD, CARD]


@pytest.mark.parametrize("kind", [MessageKind.RISE, MessageKind.REOPEN, MessageKind.SUMMARY])
async def test_news_that_may_have_arrived_is_sent_again(kind: MessageKind) -> None:
    """Nothing else would say it: a page that is lost here is lost."""
    world = replying(kind, AMBIGUOUS, **(RESOLVED if kind is MessageKind.SUMMARY else {}))
    await world.work()
    assert world.line.applied == []
    await world.work(after_seconds=1.3)
    assert len(world.channel.attempts) == 2
    [event] = world.line.applied
    assert isinstance(event, Delivered)
    assert event.outcome is DeliveryOutcome.DELIVERED


@pytest.mark.parametrize("kind", [MessageKind.REMIND, MessageKind.RESOLVE])
async def test_what_the_card_says_too_is_not_sent_again(kind: MessageKind) -> None:
    world = replying(kind, AMBIGUOUS, **(RESOLVED if kind is MessageKind.RESOLVE else {}))
    await world.work()
    await world.work(after_seconds=120)
    assert len(world.channel.attempts) == 1
    [event] = world.line.applied
    assert isinstance(event, Delivered)
    assert event.outcome is DeliveryOutcome.AMBIGUOUS


async def test_a_recovery_that_may_be_lost_is_sent_again_where_no_card_says_it() -> None:
    key = f"1:{OPS}:resolve:1"
    told = {OPS: Told(OPS, queued_kind=MessageKind.RESOLVE, queued_key=key)}
    line = FakeLine(state_with(incident(told, **RESOLVED)))
    world = World(line, [Row(key, 1, OPS, MessageKind.RESOLVE)], FakeChannel(AMBIGUOUS))
    await world.work()
    await world.work(after_seconds=1.3)
    assert len(world.channel.attempts) == 2


async def test_a_lease_that_ran_out_while_sending_counts_as_perhaps_arrived() -> None:
    world = replying(MessageKind.REMIND)
    world.rows.queued[f"1:{OPS}:remind:1"].row = Row(f"1:{OPS}:remind:1", 1, OPS, MessageKind.REMIND, was_sending=True)
    await world.work()
    assert world.channel.attempts == []
    [event] = world.line.applied
    assert isinstance(event, Delivered)
    assert (event.outcome, event.detail) == (DeliveryOutcome.AMBIGUOUS, "cut off while sending")


async def test_an_opening_whose_lease_ran_out_is_sent_again() -> None:
    world = World(FakeLine(state_with(incident(OPEN_TOLD))), [replace(OPEN_ROW, was_sending=True)])
    await world.work()
    assert len(world.channel.attempts) == 1


async def test_no_opening_is_sent_for_an_incident_that_is_over() -> None:
    world = World(FakeLine(state_with(incident(OPEN_TOLD, **RESOLVED))), [OPEN_ROW])
    await world.work()
    assert world.channel.attempts == []
    assert world.rows.queued[OPEN_KEY].errors == ["no longer wanted"]


async def test_a_message_that_the_engine_no_longer_waits_for_is_not_sent() -> None:
    world = World(FakeLine(state_with(incident({OPS: Told(OPS)}))), [OPEN_ROW])
    await world.work()
    assert world.channel.attempts == []


async def test_a_message_of_an_unknown_incident_is_not_sent() -> None:
    world = World(FakeLine(state_with()), [OPEN_ROW])
    await world.work()
    assert world.channel.attempts == []


@pytest.mark.parametrize(
    ("chat_id", "detail"),
    [
        ("telegram:gone", "chat telegram:gone is not in the configuration"),
        ("mail:ops", "channel mail is not set up"),
    ],
)
async def test_a_chat_that_cannot_be_reached_by_configuration_is_permanent(chat_id: str, detail: str) -> None:
    told = {chat_id: Told(chat_id, queued_key="k")}
    world = World(FakeLine(state_with(incident(told))), [Row("k", 1, chat_id, MessageKind.OPEN)])
    await world.work()
    [event] = world.line.applied
    assert isinstance(event, Delivered)
    assert (event.outcome, event.detail) == (DeliveryOutcome.PERMANENT, detail)


async def test_a_chat_without_a_target_is_permanent() -> None:
    world = opening()
    world.rows.targets = {}
    await world.work()
    [event] = world.line.applied
    assert isinstance(event, Delivered)
    assert event.detail == f"chat {OPS} has no target"


async def test_what_was_sent_is_told_again_until_it_is_committed() -> None:
    world = opening()
    world.line.failures = [RuntimeError("database is away"), RuntimeError("database is away")]
    await world.work()
    assert len(world.channel.attempts) == 1
    assert len(world.line.applied) == 1
    assert len(world.slept) == 2


async def test_a_chat_gets_one_message_at_a_time_and_chats_do_not_wait_for_each_other() -> None:
    told = {OPS: OPEN_TOLD[OPS], DEV: Told(DEV, queued_key="d1")}
    second = {OPS: Told(OPS, queued_key="o2")}
    rows = [OPEN_ROW, Row("o2", 2, OPS, MessageKind.OPEN), Row("d1", 1, DEV, MessageKind.OPEN)]
    world = World(FakeLine(state_with(incident(told), incident(second, number=2))), rows)
    world.channel.hold = asyncio.Event()
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(world.work())
        await until(lambda: len(world.channel.attempts) == 2)
        assert sorted(attempt.target for attempt in world.channel.attempts) == ["-100", "-200/5"]
        world.channel.hold.set()
    world.channel.hold = None
    await world.work()
    assert len(world.channel.attempts) == 3


async def test_a_card_that_is_behind_is_edited() -> None:
    world = carding()
    await world.work()
    assert world.channel.attempts == [Attempt("-100", CARD, edited=7)]
    assert world.line.applied == [CardEdited(1, OPS, 2)]
    assert world.counted == [("telegram", "edit", "delivered")]


async def test_a_card_that_is_true_is_left_alone() -> None:
    world = carding(revision=2)
    await world.work()
    assert world.channel.attempts == []


async def test_a_card_is_edited_at_most_every_five_seconds() -> None:
    world = carding()
    await world.work()
    changed = replace(world.line.state.incidents[1], revision=9)
    world.line.put(changed)
    await world.work(after_seconds=4.9)
    assert len(world.channel.attempts) == 1
    await world.work(after_seconds=0.1)
    assert world.line.applied[-1] == CardEdited(1, OPS, 9)


async def test_a_chat_sees_at_most_ten_edits_a_minute() -> None:
    told = {OPS: Told(OPS, root_message_id=7, revision=1)}
    world = World(FakeLine(state_with(*(incident(told, number=number) for number in range(1, 15)))))
    for _ in range(14):
        await world.work(after_seconds=0.1)
    assert len(world.channel.attempts) == 10
    await world.work(after_seconds=60)
    assert len(world.channel.attempts) == 11


@pytest.mark.parametrize("answer", [RETRY, AMBIGUOUS])
async def test_an_edit_that_failed_is_repeated_after_a_while(answer: Sent) -> None:
    world = carding(answer)
    await world.work()
    assert world.line.applied == []
    await world.work(after_seconds=5)
    assert world.line.applied == [CardEdited(1, OPS, 2)]


async def test_429_on_an_edit_pauses_the_chat() -> None:
    world = carding(Sent(DeliveryOutcome.RETRY, retry_after_seconds=30.0))
    await world.work()
    await world.work(after_seconds=30)
    assert len(world.channel.attempts) == 1
    await world.work(after_seconds=1)
    assert len(world.channel.attempts) == 2


async def test_a_card_that_is_gone_is_sent_anew_without_a_sound() -> None:
    world = carding(Sent(DeliveryOutcome.PERMANENT, is_message_gone=True))
    await world.work()
    assert world.channel.attempts[1] == Attempt("-100", CARD, is_silent=True)
    assert world.line.applied == [CardEdited(1, OPS, 2, message_id=2)]
    world.line.put(replace(world.line.state.incidents[1], revision=3))
    await world.work(after_seconds=5)
    assert world.channel.attempts[2].edited == 2


async def test_a_card_that_can_neither_be_edited_nor_sent_waits() -> None:
    world = carding(Sent(DeliveryOutcome.PERMANENT, is_message_gone=True), RETRY)
    await world.work()
    await world.work(after_seconds=0.5)
    assert len(world.channel.attempts) == 2
    assert world.line.applied == []


async def test_a_migrated_chat_gets_its_card_at_the_new_target() -> None:
    world = carding(Sent(DeliveryOutcome.MIGRATED, migrated_to="-1009"))
    await world.work()
    await world.work(after_seconds=5)
    assert [(attempt.target, attempt.edited) for attempt in world.channel.attempts] == [("-100", 7), ("-1009", None)]


async def test_a_refused_edit_is_tried_hourly_and_given_up_once_the_incident_is_closed() -> None:
    world = carding(PERMANENT, PERMANENT)
    await world.work()
    await world.work(after_seconds=3599)
    assert len(world.channel.attempts) == 1
    world.line.put(replace(world.line.state.incidents[1], status=IncidentStatus.CLOSED, resolved_at=START))
    await world.work(after_seconds=1)
    assert world.line.applied == [CardEdited(1, OPS, 2)]


async def test_a_card_in_a_chat_that_is_not_configured_is_given_up_once_closed() -> None:
    told = {"telegram:gone": Told("telegram:gone", root_message_id=7, revision=1)}
    world = World(FakeLine(state_with(incident(told, status=IncidentStatus.CLOSED, resolved_at=START))))
    await world.work()
    assert world.line.applied == [CardEdited(1, "telegram:gone", 2)]


async def test_a_broken_chat_is_not_edited() -> None:
    world = carding()
    world.line.state = replace(world.line.state, chats={OPS: ChatState(OPS, broken_since=START)})
    await world.work()
    assert world.channel.attempts == []


async def test_the_loop_wakes_on_a_change_and_outlives_a_database_that_is_away() -> None:
    world = World(FakeLine(state_with(incident({OPS: Told(OPS)}))))
    world.rows.failures = [RuntimeError("database is away")]
    loop = asyncio.create_task(world.delivery.run())
    try:
        await until(lambda: not world.rows.failures)
        world.line.put(incident({OPS: Told(OPS, root_message_id=7, revision=1)}))
        world.line.changes.moved.set()
        await until(lambda: bool(world.line.applied))
    finally:
        loop.cancel()
    assert world.line.applied == [CardEdited(1, OPS, 2)]
    with pytest.raises(asyncio.CancelledError):
        await loop


def test_waits_grow_to_a_minute_and_differ_by_message() -> None:
    waits = [backoff_seconds(failures, "a") for failures in range(1, 9)]
    for wait, base in zip(waits, [1, 2, 4, 8, 16, 32, 60, 60], strict=True):
        assert 0.8 * base <= wait <= 1.2 * base
    assert backoff_seconds(3, "a") == backoff_seconds(3, "a")
    assert backoff_seconds(3, "a") != backoff_seconds(3, "b")
    assert backoff_seconds(10_000, "a") <= 72


def test_a_clock_that_was_set_back_holds_up_no_edit() -> None:
    pace = EditPace()
    for _ in range(10):
        pace.edited(1, OPS, START)
    assert not pace.may_edit(2, OPS, START)
    assert pace.may_edit(1, OPS, START - timedelta(hours=1))


async def test_a_message_dropped_when_it_may_have_left_is_admitted() -> None:
    world = World(FakeLine(state_with(incident({OPS: Told(OPS)}))))
    world.rows.doubtful = [OPEN_ROW]
    await world.work()
    [event] = world.line.applied
    assert isinstance(event, Delivered)
    assert (event.dedupe_key, event.outcome) == (OPEN_KEY, DeliveryOutcome.AMBIGUOUS)
    assert world.channel.attempts == []
