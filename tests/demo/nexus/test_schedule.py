"""What beat sends: intervals, crontabs in a time zone, and the heartbeat the monitor looks for."""

from datetime import UTC, datetime, timedelta

import pytest
from celery import Celery
from celery.beat import Scheduler
from celery.schedules import crontab

from demo.nexus.schedule import schedule


@pytest.fixture
def app(monkeypatch: pytest.MonkeyPatch) -> Celery:
    monkeypatch.setenv("REDIS_URL", "redis://127.0.0.1:1/0")
    monkeypatch.setenv("DATABASE_URL", "postgresql://nexus@127.0.0.1:1/nexus")
    from demo.nexus.celery_app import build

    return build("redis://127.0.0.1:1/0", 12)


@pytest.mark.parametrize(("period", "expires"), [(60.0, 55.0), (12.0, 11.0)])
def test_the_heartbeat_is_the_recommended_entry(period: float, expires: float) -> None:
    assert schedule(period)["nexus-heartbeat"] == {
        "task": "celery.accumulate",
        "schedule": period,
        "args": ["nexus-beat-alive"],
        "kwargs": {"index": 0},
        "options": {"expires": expires},
    }


def test_beat_loads_every_entry_and_every_task_is_known(app: Celery) -> None:
    app.loader.import_default_modules()
    loaded = Scheduler(app=app, lazy=True)
    loaded.merge_inplace(app.conf.beat_schedule)
    assert set(loaded.schedule) == {
        "nexus-heartbeat", "tick", "count-open-tasks", "clean-up", "count-ticks", "morning-report",
    }  # fmt: skip
    assert {entry.task for entry in loaded.schedule.values()} <= set(app.tasks)
    assert sum(isinstance(entry.schedule, crontab) for entry in loaded.schedule.values()) == 3


def test_the_morning_report_is_due_at_nine_in_berlin(app: Celery) -> None:
    at_eight = datetime(2026, 1, 5, 7, 0, tzinfo=UTC)
    entry: crontab = app.conf.beat_schedule["morning-report"]["schedule"]
    entry.app = app
    entry.nowfun = lambda: at_eight
    assert entry.remaining_estimate(at_eight) == timedelta(hours=1)
