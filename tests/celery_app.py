"""A tiny Celery app for tests with real workers and beats; its settings come from the environment."""

import json
import os
import time

from celery import Celery
from celery.schedules import crontab

app = Celery("nexus", broker=os.environ["BROKER_URL"], backend=os.environ.get("RESULT_BACKEND") or None)
app.conf.broker_connection_retry_on_startup = True
app.conf.worker_enable_remote_control = os.environ.get("REMOTE_CONTROL") != "off"
if accepted := os.environ.get("ACCEPT_CONTENT"):
    app.conf.accept_content = [accepted]
if period := os.environ.get("BEAT_SECONDS"):
    app.conf.beat_schedule = {
        "nexus-heartbeat": {
            "task": "celery.accumulate",
            "schedule": float(period),
            "args": ["nexus-beat-alive"],
            "kwargs": {"index": 0},
            "options": {"expires": 55},
        },
        "nightly": {"task": "tests.nap", "schedule": 3600.0, "args": [0]},
    }
for name, (task, every, queue) in json.loads(os.environ.get("BEAT_ENTRIES", "{}")).items():
    app.conf.beat_schedule[name] = {
        "task": task,
        "schedule": crontab(*every.split()) if isinstance(every, str) else every,
        "args": ["a-secret-argument"],
        "options": {"queue": queue},
    }


@app.task(name="tests.nap")  # type: ignore[untyped-decorator]
def nap(seconds: float) -> None:
    """Hold a slot."""
    time.sleep(seconds)


@app.task(name="tests.note")  # type: ignore[untyped-decorator]
def note(what: str) -> None:
    """Take anything, do nothing."""


@app.task(name="tests.fail")  # type: ignore[untyped-decorator]
def fail(what: str) -> None:
    """Raise."""
    raise ValueError("on purpose")
