"""What a worker tells of the schedule, and which entry tells that beat lives."""

from typing import Any

import pytest

from checks.beat.entries import Pulse, interval_seconds, pulse_of

MARKED = {
    "task": "celery.accumulate",
    "schedule": 60.0,
    "args": ["nexus-beat-alive"],
    "options": {"expires": 55, "queue": "beats"},
}
OFTEN = {"task": "app.often", "schedule": "0:00:10", "args": ["secret"]}
DAILY = {"task": "app.daily", "schedule": "<crontab: 0 9 * * * (m/h/dM/MY/d)>", "args": []}
MARKED_DAILY = {**MARKED, "schedule": DAILY["schedule"]}


@pytest.mark.parametrize(
    ("said", "seconds"),
    [
        (5, 5.0),
        (60.0, 60.0),
        ("0:05:00", 300.0),
        ("1 day, 1:00:00", 90_000.0),
        ("0:00:00.500000", 0.5),
        ("<freq: 1.50 minutes>", 90.0),
        ("<freq: 1.00 second>", 1.0),
        ("<crontab: */15 8-20 * * mon-fri (m/h/dM/MY/d)>", None),
        (None, None),
        (True, None),
    ],
)
def test_an_interval_is_read_as_inspect_writes_it(said: object, seconds: float | None) -> None:
    assert interval_seconds(said) == seconds


@pytest.mark.parametrize(
    ("schedule", "period_seconds", "pulse"),
    [
        (
            {"a": OFTEN, "b": MARKED},
            None,
            Pulse("celery.accumulate", 60.0, "nexus-beat-alive", "beats", 55.0, "b"),
        ),
        (
            {"b": MARKED_DAILY},
            5.0,
            Pulse("celery.accumulate", 5.0, "nexus-beat-alive", "beats", 55.0, "b"),
        ),
        ({"a": {**OFTEN, "schedule": 30}, "c": OFTEN, "d": DAILY}, None, Pulse("app.often", 10.0, entry="c")),
        ({"a": OFTEN}, 5.0, Pulse("celery.accumulate", 5.0, "nexus-beat-alive")),
        ({}, 5.0, Pulse("celery.accumulate", 5.0, "nexus-beat-alive")),
        ({"b": MARKED_DAILY, "d": DAILY}, None, None),
        ({}, None, None),
    ],
)
def test_the_heartbeat_entry_comes_before_the_shortest_interval(
    schedule: dict[str, Any], period_seconds: float | None, pulse: Pulse | None
) -> None:
    assert pulse_of({"beat_schedule": schedule}, "nexus-beat-alive", period_seconds) == pulse


def test_settings_of_the_old_names_are_read_too() -> None:
    assert pulse_of({"CELERYBEAT_SCHEDULE": {"c": OFTEN}}, "nexus-beat-alive", None) is not None
