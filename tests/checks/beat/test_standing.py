"""How entries stand, as tables: due times against firings, spans and what waits."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from checks.beat.expressions import Unreadable, expression_of
from checks.beat.ledger import Firing, Memory, Span
from checks.beat.standing import Standing, State, Waiting, Watched, standings
from checks.beat.table import Entry, Table

NOW = datetime(2026, 11, 23, 12, 0, 30, tzinfo=UTC)
GRACE = timedelta(seconds=60)
KEY = ("app.run", "")
EMPTY = Waiting({})


def entry(every: Any, name: str = "job", task: str = "app.run", queue: str = "celery") -> Entry:
    return Entry(
        name, task, expression_of(f"<crontab: {every} (m/h/dM/MY/d)>" if isinstance(every, str) else every), queue
    )


def ago(seconds: float) -> datetime:
    return NOW - timedelta(seconds=seconds)


def at(clock: str) -> datetime:
    return datetime.fromisoformat(f"2026-11-{clock if ' ' in clock else f'23 {clock}'}").replace(tzinfo=UTC)


def watched(
    *entries: Entry,
    fired: tuple[datetime | Firing, ...] = (),
    spans: tuple[tuple[datetime, datetime], ...] = ((at("01 00:00"), NOW),),
    taken_at: datetime | None = NOW,
    waiting: Waiting = EMPTY,
    served: frozenset[str] | None = frozenset({"celery"}),
    complete_since: datetime | None = None,
) -> Watched:
    firings = tuple(one if isinstance(one, Firing) else Firing(one, str(one)) for one in fired)
    memory = Memory(
        {KEY: firings}, {KEY: complete_since} if complete_since else {}, tuple(Span(*span) for span in spans), taken_at
    )
    return Watched(Table(entries), memory, waiting, served)


def one(seen: Watched) -> Standing:
    (found,) = standings(seen, NOW, GRACE)
    return found


MINUTELY, DAILY, TEN = entry("* * * * *"), entry("0 9 * * *"), entry(10.0)
S = State


@pytest.mark.parametrize(
    ("seen", "state", "why"),
    [
        # Each minute; 12:00 is not judged before 12:01.
        (watched(MINUTELY, fired=(at("11:58:00"), at("11:59:00"), at("12:00:00"))), S.ON_TIME, ""),
        (watched(MINUTELY, fired=(at("11:58:00"), at("11:59:00"))), S.ON_TIME, ""),
        (watched(MINUTELY, fired=(at("11:57:00"), at("11:58:00"))), S.MISSED_ONCE, ""),
        (watched(MINUTELY, fired=(at("11:56:00"), at("11:57:00"))), S.MISSED, ""),
        (watched(MINUTELY), S.MISSED, "never seen since the watch began"),
        # One was missed, and the next came: that is the past.
        (watched(MINUTELY, fired=(at("11:57:00"), at("11:59:00"))), S.ON_TIME, ""),
        # After a stop of the worker all came at once: each belongs to a due time of its own.
        (watched(entry("*/2 * * * *"), fired=tuple(Firing(at("11:59:30"), one) for one in "abcd")), S.LATE,
         "90 s late"),
        # A clock that is a second ahead.
        (watched(MINUTELY, fired=(at("11:57:59"), at("11:58:59"))), S.ON_TIME, ""),
        (watched(MINUTELY, fired=(Firing(at("11:59:00"), "a", has_failed=True),)), S.BROKE, ""),
        (watched(MINUTELY, fired=(Firing(at("11:59:00"), "a", was_revoked=True),)), S.EXPIRED, ""),
        # Daily: the next chance is a day away.
        (watched(DAILY, fired=(at("09:00:01"),)), S.ON_TIME, ""),
        (watched(DAILY, fired=(at("09:01:01"),)), S.LATE, "61 s late"),
        (watched(DAILY, fired=(at("22 09:00:00"),)), S.MISSED, ""),
        (watched(DAILY), S.MISSED, "never seen since the watch began"),
        # Hourly: one miss is a warning.
        (watched(entry("30 * * * *"), fired=(at("10:30:00"),)), S.MISSED_ONCE, ""),
        # What could not be heard is not missed.
        (watched(DAILY, spans=()), S.NOT_YET, ""),
        (watched(DAILY, spans=((at("09:00:01"), NOW),)), S.NOT_YET, ""),
        (watched(DAILY, spans=((at("08:00"), at("09:00:30")), (at("09:00:40"), NOW))), S.NOT_YET, ""),
        (watched(DAILY, spans=((at("08:00"), at("09:01:30")), (at("10:00"), NOW))), S.MISSED,
         "never seen since the watch began"),
        (watched(DAILY, complete_since=at("09:00:01")), S.NOT_YET, ""),
        # While workers take nothing, nothing is missed.
        (watched(DAILY, taken_at=at("08:59:00"), spans=((at("08:00"), NOW),)), S.NOT_YET, ""),
        (watched(DAILY, taken_at=None), S.NOT_YET, ""),
        # What waits was sent.
        (watched(MINUTELY, waiting=Waiting({KEY: 2})), S.WAITING, ""),
        (watched(MINUTELY, waiting=Waiting({KEY: 2}), served=frozenset({"slow"})), S.UNSERVED, ""),
        (watched(MINUTELY, waiting=Waiting({KEY: 2}), served=None), S.WAITING, ""),
        (watched(entry("* * * * *", queue=""), waiting=Waiting({KEY: 2})), S.WAITING, ""),
        (watched(MINUTELY, waiting=Waiting({}, frozenset({"celery"}))), S.NOT_YET, ""),
        (watched(entry("0 0 29 2 mon")), S.NOT_YET, "never due in twelve years"),
        # An interval counts from beat's start: once in two periods.
        (watched(TEN, fired=(ago(5),)), S.ON_TIME, ""),
        (watched(TEN, fired=(ago(80),)), S.ON_TIME, ""),
        (watched(TEN, fired=(ago(81),)), S.MISSED, "silent for 81 s, due every 10 s"),
        (watched(TEN), S.MISSED, "never fired in 23 d, due every 10 s"),
        (watched(TEN, spans=((ago(80), NOW),)), S.NOT_YET, "watched for 80 s"),
        (watched(TEN, spans=((ago(80), NOW),), fired=(ago(500),)), S.ON_TIME, ""),
        (watched(TEN, spans=()), S.NOT_YET, "no worker was seen to take part"),
        (watched(TEN, taken_at=None), S.NOT_YET, "workers take no task at all"),
        (watched(TEN, fired=(ago(90),), taken_at=ago(85)), S.NOT_YET, "workers take no task at all"),
        (watched(TEN, fired=(ago(90),), waiting=Waiting({KEY: 1})), S.WAITING, "silent for 90 s, due every 10 s"),
        (watched(TEN, waiting=Waiting({KEY: 9}), served=frozenset()), S.UNSERVED, "silent for 23 d, due every 10 s"),
        (watched(TEN, waiting=Waiting({}, frozenset({"celery"}))), S.WAITING,
         "queue celery holds more than can be looked through"),
        (watched(TEN, fired=(Firing(ago(5), "a", has_failed=True),)), S.BROKE, ""),
    ],
)  # fmt: skip
def test_an_entry_alone_stands_so(seen: Watched, state: State, why: str) -> None:
    found = one(seen)
    assert (found.state, found.why) == (state, why)


def test_what_is_said_of_a_missed_entry() -> None:
    assert one(watched(DAILY, fired=(at("22 09:00:00"),))) == Standing(
        DAILY, S.MISSED, "", due_at=at("09:00:00"), seen_at=at("22 09:00:00"), next_at=at("24 09:00:00")
    )


def test_a_firing_before_the_watch_is_still_the_last_one_seen() -> None:
    found = one(watched(DAILY, fired=(at("22 09:00:00"),), spans=((at("10:00"), NOW),)))
    assert found == Standing(DAILY, S.NOT_YET, "", seen_at=at("22 09:00:00"), next_at=at("24 09:00:00"))


def test_no_entry_is_missed_in_the_hour_of_a_clock_change() -> None:
    now = datetime(2026, 10, 25, 6, 0, tzinfo=UTC)
    seen = watched(entry("30 2 * * *"), spans=((now - timedelta(hours=12), now),), taken_at=now)
    seen = replace(seen, table=replace(seen.table, zone_name="Europe/Berlin", zone=ZoneInfo("Europe/Berlin")))
    (found,) = standings(seen, now, GRACE)
    assert found.state is S.NOT_YET
    (found,) = standings(replace(seen, table=replace(seen.table, zone=UTC)), now, GRACE)
    assert found.state is S.MISSED


def test_the_due_time_is_in_the_zone_of_the_app() -> None:
    seen = watched(DAILY, fired=(at("06:00:00"),))
    moscow = replace(seen, table=replace(seen.table, zone=ZoneInfo("Europe/Moscow")))
    assert one(moscow).state is S.ON_TIME
    assert one(moscow).due_at == at("06:00:00")


def test_without_the_zone_a_crontab_is_not_checked_and_an_interval_is() -> None:
    seen = watched(DAILY, replace(TEN, name="often", task="app.often"))
    seen = replace(seen, table=replace(seen.table, zone=None, zone_name="Mars/Phobos"))
    assert [(found.entry.name, found.state, found.why) for found in standings(seen, NOW, GRACE)] == [
        ("often", S.MISSED, "never fired in 23 d, due every 10 s"),
        ("job", S.UNCHECKED, "the time zone Mars/Phobos is not known"),
    ]


@pytest.mark.parametrize(
    ("fired", "states"),
    [
        ((at("09:00:00"), at("09:00:01")), {"a": S.ON_TIME, "b": S.ON_TIME}),
        # One of two that are due at one instant: which one, the events do not say.
        ((at("09:00:00"),), {"a": S.ON_TIME, "b": S.MISSED}),
        ((), {"a": S.MISSED, "b": S.MISSED}),
    ],
)
def test_entries_of_one_task_are_counted_together(fired: tuple[datetime, ...], states: dict[str, State]) -> None:
    found = standings(watched(replace(DAILY, name="a"), replace(DAILY, name="b"), fired=fired), NOW, GRACE)
    assert {one.entry.name: one.state for one in found} == states
    assert all("counted together with" in one.why or "never seen" in one.why for one in found)


def test_a_frequent_and_a_rare_crontab_of_one_task_are_told_apart_by_count() -> None:
    half_hourly = entry("0,30 * * * *", name="often")
    daily = entry("15 11 * * *", name="daily")
    fired = (at("10:30"), at("11:00"), at("11:30"), at("12:00"))
    both = watched(half_hourly, daily, fired=fired, spans=((at("10:20"), NOW),))
    assert {one.entry.name: one.state for one in standings(both, NOW, GRACE)} == {
        "often": S.ON_TIME, "daily": S.MISSED,
    }  # fmt: skip
    both = watched(half_hourly, daily, fired=(*fired[:2], at("11:15"), *fired[2:]), spans=((at("10:20"), NOW),))
    assert {one.entry.name: one.state for one in standings(both, NOW, GRACE)} == {
        "often": S.ON_TIME, "daily": S.ON_TIME,
    }  # fmt: skip


def test_beside_an_interval_of_the_same_task_nothing_can_be_told_apart() -> None:
    slow = replace(entry(60.0), name="slow")
    found = standings(watched(slow, TEN, replace(DAILY, name="daily"), fired=(ago(1),)), NOW, GRACE)
    same = "runs the same task as job, and events do not name the entry"
    assert [(one.entry.name, one.state, one.why, one.next_at) for one in found] == [
        ("daily", S.UNCHECKED, same, at("24 09:00:00")),
        ("slow", S.UNCHECKED, same, None),
        ("job", S.ON_TIME, "", None),
    ]


def test_what_cannot_be_read_is_not_checked() -> None:
    assert one(watched(Entry("sun", "app.run", Unreadable("a solar schedule")))) == Standing(
        Entry("sun", "app.run", Unreadable("a solar schedule")), S.UNCHECKED, "a solar schedule"
    )
