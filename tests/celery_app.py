"""A tiny Celery app for tests with real workers and beats; its settings come from the environment."""

import os
import time

from celery import Celery

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


@app.task(name="tests.nap")  # type: ignore[untyped-decorator]
def nap(seconds: float) -> None:
    """Hold a slot."""
    time.sleep(seconds)
