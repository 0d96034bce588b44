"""The schedule as workers tell it: queues as Celery routes them, zones by name, and nothing of any argument."""

from datetime import UTC, datetime
from typing import Any

import pytest

from checks.beat.expressions import Interval, Unreadable
from checks.beat.table import Entry, Table, no_schedule, registered_tasks, served_queues, table_of
from checks.celery_wire import Replies
from checks.result import Reason

MARKER = "nexus-beat-alive"
JOB = {"task": "app.report", "schedule": 10.0, "args": ["a-secret"], "kwargs": {"token": "a-secret"}}


def read(**conf: Any) -> Table:
    return table_of([{"beat_schedule": {"job": JOB}, **conf}], MARKER)


def test_entries_are_read_without_their_arguments() -> None:
    told = {"z": JOB, "a": {"task": "celery.accumulate", "schedule": 60.0, "args": [MARKER]}}
    table = table_of([{"beat_schedule": told}], MARKER)
    assert table.entries == (
        Entry("a", "celery.accumulate", Interval(60.0), "celery", MARKER),
        Entry("z", "app.report", Interval(10.0), "celery"),
    )
    assert "a-secret" not in repr(table)


@pytest.mark.parametrize("rendered", [None, "text", {}, {"task": None, "schedule": 5.0}, {"schedule": 5.0}, []])
def test_an_entry_without_a_task_is_a_finding(rendered: Any) -> None:
    table = table_of([{"beat_schedule": {"odd": rendered}}], MARKER)
    assert table.entries == (Entry("odd", "", Unreadable("an entry without a task")),)


@pytest.mark.parametrize("conf", [{}, {"beat_schedule": None}, {"beat_schedule": []}, {"beat_schedule": "text"}])
def test_no_schedule_is_an_empty_table(conf: dict[str, Any]) -> None:
    assert table_of([conf], MARKER) == Table()
    assert table_of([], MARKER) == Table()


@pytest.mark.parametrize(
    ("conf", "queue"),
    [
        ({}, "celery"),
        ({"task_default_queue": "main"}, "main"),
        ({"task_routes": {"app.report": {"queue": "reports"}}}, "reports"),
        ({"task_routes": {"app.*": "reports"}}, "reports"),
        ({"task_routes": {"other.*": "reports"}}, "celery"),
        ({"task_routes": [{"other.*": "x"}, {"app.*": {"queue": "reports"}}]}, "reports"),
        # What only code knows is not guessed.
        ({"task_routes": ["<function route at 0x7f>"]}, ""),
        ({"task_routes": {"app.*": {"routing_key": "x"}}}, ""),
        ({"task_routes": {"app.*": 5}}, ""),
        ({"beat_schedule": {"job": {**JOB, "options": {"queue": "own"}}}}, "own"),
        ({"beat_schedule": {"job": {**JOB, "options": {"routing_key": "x"}}}}, ""),
        ({"beat_schedule": {"job": {**JOB, "options": "text"}}}, "celery"),
    ],
)
def test_the_queue_is_the_one_that_celery_routes_to(conf: dict[str, Any], queue: str) -> None:
    assert read(**conf).entries[0].queue == queue


@pytest.mark.parametrize(
    ("conf", "name", "is_known"),
    [
        ({}, "UTC", True),
        ({"timezone": "Europe/Moscow"}, "Europe/Moscow", True),
        ({"timezone": "zoneinfo.ZoneInfo(key='Europe/Berlin')"}, "Europe/Berlin", True),
        ({"CELERY_TIMEZONE": "Asia/Tokyo"}, "Asia/Tokyo", True),
        ({"enable_utc": False}, "", False),
        ({"enable_utc": False, "timezone": "UTC"}, "UTC", True),
        ({"timezone": "Mars/Phobos"}, "Mars/Phobos", False),
        ({"timezone": "../../etc/passwd"}, "../../etc/passwd", False),
    ],
)
def test_the_time_zone_of_the_app(conf: dict[str, Any], name: str, is_known: bool) -> None:
    table = read(**conf)
    assert table.zone_name == name
    assert (table.zone is not None) is is_known
    assert str(table.zone) == name or not is_known


def test_workers_that_tell_other_things_are_named() -> None:
    other = {"beat_schedule": {"job": {**JOB, "schedule": 20.0}, "more": JOB}, "timezone": "Europe/Moscow"}
    table = table_of([{}, {"beat_schedule": {"job": JOB}}, other], MARKER)
    assert [entry.name for entry in table.entries] == ["job", "more"]
    assert table.entries[0].expression == Interval(10.0)
    assert table.differing == ("job",)
    assert table.zone_name == "UTC"


def test_the_fingerprint_changes_with_what_is_due() -> None:
    assert read().fingerprint == read(other="x").fingerprint
    assert read().fingerprint != read(timezone="Europe/Moscow").fingerprint
    assert read().fingerprint != read(task_default_queue="main").fingerprint


def test_queues_and_tasks_are_known_when_every_worker_has_told() -> None:
    queues = (("a", [{"name": "celery"}, {"name": "slow"}]), ("b", None))
    assert served_queues(Replies(2, queues)) == frozenset({"celery", "slow"})
    assert served_queues(Replies(3, queues)) is None
    assert served_queues(Replies(0, ())) is None
    tasks = (("a", ["app.report [rate_limit=10/m]", "app.tick"]), ("b", None))
    assert registered_tasks(Replies(2, tasks)) == frozenset({"app.report", "app.tick"})
    assert registered_tasks(Replies(3, tasks)) is None


def test_why_there_is_no_schedule_is_said() -> None:
    assert no_schedule(0).reason is Reason.DEPENDENCY_DOWN
    assert no_schedule(1).reason is Reason.NOT_CONFIGURED
    assert "app.conf.beat_schedule" in no_schedule(1).hint


def test_a_clock_shows_the_zone_of_the_app() -> None:

    at = datetime(2026, 11, 23, 12, 0, 5, tzinfo=UTC)
    assert read(timezone="Europe/Moscow").clock(at) == "Mon 23 Nov 15:00 MSK"
    assert Table((), "", None).clock(at, seconds=True) == "Mon 23 Nov 12:00:05 UTC"
