"""What is kept of a feed: firings once each, and the times in which one would have been heard."""

from datetime import UTC, datetime, timedelta
from typing import Any

from checks.base import FeedView, Heard
from checks.beat.expressions import Interval
from checks.beat.ledger import KEPT_FIRINGS, KEPT_SPANS, Firing, Ledger, Memory, Span
from checks.beat.table import Entry

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
JOB = Entry("job", "app.job", Interval(10.0))
BEAT = Entry("beat", "celery.accumulate", Interval(60.0), marker="nexus-beat-alive")


def at(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


def heard(seconds: float, kind: str, uuid: str = "", **data: Any) -> Heard:
    return Heard(at(seconds), kind, {"uuid": uuid, "prefix": "", **data})


def taken(seconds: float, uuid: str, name: str = "app.job", **data: Any) -> Heard:
    return heard(seconds, "task-received", uuid, name=name, **data)


def read(ledger: Ledger, seconds: float, *events: Heard, since: float | None = 0, answering: int = 1) -> Memory:
    view = FeedView(None if since is None else at(since), events)
    return ledger.read(view, [JOB, BEAT], answering=answering, now=at(seconds))


def test_a_firing_is_kept_once_and_remembers_how_it_ended() -> None:
    ledger = Ledger("")
    read(ledger, 10, taken(1, "a"), taken(2, "other", name="app.other"))
    memory = read(
        ledger, 20, taken(1, "a"), heard(3, "task-failed", "a"), taken(11, "b"), heard(12, "task-revoked", "b")
    )
    assert memory.firings[JOB.key] == (
        Firing(at(1), "a", has_failed=True),
        Firing(at(11), "b", was_revoked=True),
    )
    assert memory.last_taken_at == at(11)
    assert memory.complete_since == {}


def test_the_heartbeat_is_told_from_the_canary_by_its_marker() -> None:
    canary = taken(1, "a", name="celery.accumulate")
    beat = taken(2, "b", name="celery.accumulate", args="nexus-beat-alive")
    foreign = taken(3, "c", name="celery.accumulate", args="nexus-beat-alive", prefix="other")
    memory = read(Ledger(""), 10, canary, beat, foreign)
    assert memory.firings[BEAT.key] == (Firing(at(2), "b"),)
    assert memory.last_taken_at == at(2)


def test_older_firings_may_be_lost_when_a_whole_view_is_new() -> None:
    ledger = Ledger("")
    memory = read(ledger, 60, *(taken(second, str(second)) for second in range(51, 56)))
    assert memory.complete_since == {JOB.key: at(51)}
    memory = read(ledger, 70, *(taken(second, str(second)) for second in range(53, 58)))
    assert memory.complete_since == {JOB.key: at(51)}
    assert len(memory.firings[JOB.key]) == 7


def test_only_so_many_firings_are_kept() -> None:
    ledger = Ledger("")
    for second in range(KEPT_FIRINGS + 3):
        memory = read(ledger, second, taken(second, str(second)))
    assert len(memory.firings[JOB.key]) == KEPT_FIRINGS
    assert memory.complete_since == {JOB.key: at(3)}


def test_a_task_that_left_the_schedule_is_forgotten() -> None:
    ledger = Ledger("")
    read(ledger, 60, *(taken(second, str(second)) for second in range(51, 56)))
    memory = ledger.read(FeedView(at(0), ()), [], answering=1, now=at(70))
    assert (memory.firings, memory.complete_since) == ({}, {})


def test_a_span_grows_while_the_feed_listens_and_a_worker_takes_part() -> None:
    ledger = Ledger("")
    read(ledger, 10)
    assert read(ledger, 20).spans == (Span(at(0), at(20)),)


def test_a_gap_in_the_feed_ends_a_span_and_keeps_the_firings() -> None:
    ledger = Ledger("")
    read(ledger, 10, taken(1, "a"))
    assert read(ledger, 20, since=None).spans == (Span(at(0), at(10)),)
    memory = read(ledger, 30, since=25)
    assert memory.spans == (Span(at(0), at(10)), Span(at(25), at(30)))
    assert memory.firings[JOB.key] == (Firing(at(1), "a"),)
    assert memory.last_taken_at == at(1)


def test_without_a_worker_a_span_ends() -> None:
    ledger = Ledger("")
    read(ledger, 10)
    assert read(ledger, 20, answering=0).spans == (Span(at(0), at(10)),)
    assert read(ledger, 30).spans == (Span(at(0), at(10)), Span(at(30), at(30)))
    assert read(ledger, 40).spans[1:] == (Span(at(30), at(40)),)


def test_a_heartbeat_event_shows_a_worker_that_answers_nothing() -> None:
    ledger = Ledger("")
    assert read(ledger, 10, heard(8, "worker-heartbeat"), answering=0).spans == (Span(at(0), at(10)),)
    assert read(ledger, 30, heard(8, "worker-heartbeat"), answering=0).spans == (Span(at(0), at(10)),)


def test_a_worker_that_has_just_started_sends_no_task_events_yet() -> None:
    ledger = Ledger("")
    read(ledger, 10)
    started = heard(12, "worker-online")
    assert read(ledger, 14, started).spans == (Span(at(0), at(10)),)
    assert read(ledger, 30, started).spans == (Span(at(0), at(10)), Span(at(17), at(30)))


def test_only_so_many_spans_are_kept() -> None:
    ledger = Ledger("")
    for second in range(KEPT_SPANS + 5):
        memory = read(ledger, second, since=second)
    assert len(memory.spans) == KEPT_SPANS
