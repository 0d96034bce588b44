"""beat.alive: the judge as a table, and what counts as a beat."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from checks.base import Heard
from checks.beat.alive import BeatAlive, BeatAliveConfig, BeatSeen, _newest_sent_at
from checks.beat.entries import Pulse
from checks.beat.redbeat import RedBeat
from checks.failures import verdict_of
from checks.result import Outcome, Reason

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
BASE = {"id": "beat.alive", "service": "nexus-beat", "broker_url": "redis://127.0.0.1:6379/0"}
PULSE = Pulse("celery.accumulate", 5.0, "nexus-beat-alive", expires_seconds=55.0, entry="nexus-heartbeat")
FIRINGS = Pulse("app.often", 10.0, entry="often")


def ago(seconds: float) -> datetime:
    return NOW - timedelta(seconds=seconds)


def check(**settings: Any) -> BeatAlive:
    return BeatAlive(BeatAliveConfig.model_validate({**BASE, **settings}))


LISTENS = BeatSeen(PULSE, 1, ago(600))
NO_WORKER = BeatSeen(PULSE, 0, ago(600))
NOT_SEEN = "no worker answers and no beat waits: beat cannot be seen"
NO_ENTRY = "beat is not observable: its schedule has no heartbeat entry and no interval, and RedBeat is not used"
NO_SCHEDULE = "no worker answers, so the schedule cannot be read"
F, D, U, OK = Outcome.FAILED, Outcome.DEGRADED, Outcome.UNKNOWN, Outcome.OK


@pytest.mark.parametrize(
    ("seen", "outcome", "reason", "summary"),
    [
        (replace(LISTENS, heard_at=ago(3)), OK, None, "last beat 3 s ago, every 5 s"),
        (replace(LISTENS, heard_at=ago(10)), OK, None, "last beat 10 s ago, every 5 s"),
        (replace(LISTENS, heard_at=ago(11)), D, Reason.SILENT, "no beat for 11 s, due every 5 s"),
        (replace(LISTENS, heard_at=ago(15)), D, Reason.SILENT, "no beat for 15 s, due every 5 s"),
        (replace(LISTENS, heard_at=ago(16)), F, Reason.SILENT, "no beat for 16 s, due every 5 s"),
        (LISTENS, F, Reason.SILENT, "no beat for 10 min, due every 5 s"),
        # A start or a gap: never a guess.
        (replace(LISTENS, listening_since=ago(4)), U, Reason.STALE, "listening for 4 s, a beat is due every 5 s"),
        (replace(LISTENS, listening_since=ago(19)), U, Reason.STALE, "listening for 19 s, a beat is due every 5 s"),
        (replace(LISTENS, listening_since=ago(20)), F, Reason.SILENT, "no beat for 20 s, due every 5 s"),
        (replace(LISTENS, listening_since=None), U, Reason.STALE, "not listening to the broker: connecting"),
        (
            replace(LISTENS, listening_since=None, feed_error="TimeoutError"),
            U,
            Reason.STALE,
            "not listening to the broker: TimeoutError",
        ),
        # A beat that waits proves beat, whatever the worker does.
        (
            replace(LISTENS, waiting_sent_at=ago(4)),
            OK,
            None,
            "last beat 4 s ago, every 5 s, waiting for a worker",
        ),
        (
            replace(NO_WORKER, heard_at=ago(99), waiting_sent_at=ago(2)),
            OK,
            None,
            "last beat 2 s ago, every 5 s, waiting for a worker",
        ),
        # Without a worker, silence says nothing, unless older beats wait and none newer.
        (NO_WORKER, U, Reason.DEPENDENCY_DOWN, NOT_SEEN),
        (
            replace(NO_WORKER, heard_at=ago(60)),
            U,
            Reason.DEPENDENCY_DOWN,
            NOT_SEEN,
        ),
        (replace(NO_WORKER, waiting_sent_at=ago(12)), D, Reason.SILENT, "no beat for 12 s, due every 5 s"),
        (replace(NO_WORKER, waiting_sent_at=ago(40)), F, Reason.SILENT, "no beat for 40 s, due every 5 s"),
        # Remote control is off, and the worker's heartbeat shows that it takes part.
        (replace(NO_WORKER, worker_heard_at=ago(2)), F, Reason.SILENT, "no beat for 10 min, due every 5 s"),
        (replace(NO_WORKER, worker_heard_at=ago(16)), U, Reason.DEPENDENCY_DOWN, NOT_SEEN),
        # The schedule tells nothing of use.
        (replace(LISTENS, pulse=None), U, Reason.NOT_CONFIGURED, NO_ENTRY),
        (replace(NO_WORKER, pulse=None), U, Reason.DEPENDENCY_DOWN, NO_SCHEDULE),
        (replace(NO_WORKER, pulse=None, redbeat=RedBeat(ago(-5), lock_seconds=20.0)), OK, None,
         "RedBeat sends: its next entry is due in 5 s"),
    ],
)  # fmt: skip
def test_silence_counts_only_where_a_beat_would_have_been_seen(
    seen: BeatSeen, outcome: Outcome, reason: Reason | None, summary: str
) -> None:
    verdict = check().judge(seen, NOW)
    assert (verdict.outcome, verdict.reason, verdict.summary) == (outcome, reason, summary)


def test_the_hint_is_the_line_to_add() -> None:
    verdict = check(marker="my-marker").judge(replace(LISTENS, pulse=None), NOW)
    line = verdict.hint.removeprefix("Add one line to the app: ")
    schedule: dict[str, Any] = {}
    exec(line, {"app": type("App", (), {"conf": type("Conf", (), {"beat_schedule": schedule})})})
    assert schedule["nexus-heartbeat"]["args"] == ["my-marker"]


RECEIVED: dict[str, Any] = {"name": "celery.accumulate", "prefix": "", "args": "nexus-beat-alive"}


@pytest.mark.parametrize(
    ("kind", "said", "pulse", "is_beat"),
    [
        ("task-received", RECEIVED, PULSE, True),
        ("task-received", {**RECEIVED, "args": ""}, PULSE, False),
        ("task-received", {**RECEIVED, "prefix": "staging-"}, PULSE, False),
        ("task-succeeded", RECEIVED, PULSE, False),
        ("task-received", {"name": "app.often", "prefix": ""}, FIRINGS, True),
        ("task-received", {"name": "app.other", "prefix": ""}, FIRINGS, False),
        ("result", {"result": "nexus-beat-alive"}, PULSE, True),
        ("result", {"result": "other-marker"}, PULSE, False),
        ("result", {"result": ""}, FIRINGS, False),
        ("task-received", RECEIVED, None, False),
    ],
)
def test_what_counts_as_a_beat(kind: str, said: dict[str, Any], pulse: Pulse | None, is_beat: bool) -> None:
    assert check()._is_beat(Heard(NOW, kind, said), pulse) is is_beat


BEAT = {"task": "celery.accumulate", "argsrepr": "['nexus-beat-alive']", "expires": "2026-11-23T12:00:40+00:00"}


@pytest.mark.parametrize(
    ("headers", "pulse", "sent_at"),
    [
        ([], PULSE, None),
        ([BEAT], None, None),
        ([BEAT], PULSE, ago(15)),
        ([BEAT, {**BEAT, "expires": "2026-11-23T12:00:50+00:00"}], PULSE, ago(5)),
        ([{**BEAT, "expires": "2026-11-23T12:00:40"}], PULSE, ago(15)),
        ([BEAT], replace(PULSE, expires_seconds=None, period_seconds=60.0), ago(20)),
        ([{**BEAT, "argsrepr": "['something']"}, {**BEAT, "expires": None}, {**BEAT, "task": "x"}], PULSE, None),
    ],
)
def test_a_waiting_beat_tells_when_it_was_sent(
    headers: list[dict[str, Any]], pulse: Pulse | None, sent_at: datetime | None
) -> None:
    assert _newest_sent_at(headers, pulse) == sent_at


def test_a_network_error_is_told_of_the_broker() -> None:
    error = verdict_of(ConnectionRefusedError(111, "refused"), 2.0)
    assert error is not None
    verdict = check().on_failure(error)
    assert verdict.reason is Reason.CONNECTION_REFUSED
    assert verdict.summary.startswith("broker: ")
    assert "redis.ping" in verdict.hint
