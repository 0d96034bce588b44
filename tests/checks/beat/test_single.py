"""beat.single: the judge as a table, and two real beats."""

import asyncio
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from checks.base import Heard
from checks.beat.entries import Pulse, told_pulse
from checks.beat.single import BeatSingle, BeatSingleConfig, BeatsSeen
from checks.failures import verdict_of
from checks.result import Outcome, Reason
from demo.servers import ValkeyServer
from monitor.probing.feeds import CeleryFeeds
from tests.celery_stack import beat, look_io, worker

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
PULSE = Pulse("celery.accumulate", 60.0, "nexus-beat-alive", entry="nexus-heartbeat")
WEAK = Pulse("app.often", 60.0, entry="often")
F, D, U, OK = Outcome.FAILED, Outcome.DEGRADED, Outcome.UNKNOWN, Outcome.OK


def beats(*seconds_ago: float) -> tuple[datetime, ...]:
    return tuple(NOW - timedelta(seconds=seconds) for seconds in seconds_ago)


def check(url: str = "redis://127.0.0.1:6379/0", **settings: Any) -> BeatSingle:
    base = {"id": "beat.single", "service": "nexus-beat", "broker_url": SecretStr(url)}
    return BeatSingle(BeatSingleConfig.model_validate({**base, **settings}))


ONE = BeatsSeen(PULSE, 1, NOW - timedelta(hours=1), beats_at=beats(250, 190, 130, 70, 10))
TWO = replace(ONE, beats_at=beats(130, 110, 70, 50, 10), origins=("gen1@a", "gen1@b"))


@pytest.mark.parametrize(
    ("seen", "outcome", "reason", "summary"),
    [
        (ONE, OK, None, "one beat sends, every 60 s"),
        (TWO, D, Reason.DRIFT, "2.0 beats arrive every 60 s instead of one: more than one beat runs"),
        # A worker that was busy takes two at once: still one beat.
        (replace(ONE, beats_at=beats(250, 190, 72, 70, 10)), OK, None, "one beat sends, every 60 s"),
        # A new beat took over from the old one.
        (replace(ONE, beats_at=beats(220, 160, 100, 70, 10)), OK, None, "one beat sends, every 60 s"),
        # Both were started at one instant.
        (replace(ONE, beats_at=beats(130, 130, 70, 70, 10)), D, Reason.DRIFT,
         "2.0 beats arrive every 60 s instead of one: more than one beat runs"),
        (replace(ONE, beats_at=beats(10, 10, 10, 10, 10)), D, Reason.DRIFT,
         "40.0 beats arrive every 60 s instead of one: more than one beat runs"),
        (replace(ONE, beats_at=beats(70, 10)), U, Reason.STALE, "heard 2 of 5 beats, one is due every 60 s"),
        (replace(TWO, beats_at=beats(330, 310, 270, 250, 210)), U, Reason.STALE, "no beat for 4 min: see beat.alive"),
        (replace(ONE, listening_since=None), U, Reason.STALE, "not listening to the broker: connecting"),
        (replace(ONE, listening_since=None, feed_error="TimeoutError"), U, Reason.STALE,
         "not listening to the broker: TimeoutError"),
        # Without the marker, others may call the task.
        (replace(ONE, pulse=WEAK), OK, None, "one beat sends, every 60 s"),
        (replace(TWO, pulse=WEAK), U, Reason.NOT_CONFIGURED,
         "task app.often runs 2.0 times in 60 s: by two beats, or called by others too"),
        (replace(ONE, pulse=None), U, Reason.NOT_CONFIGURED,
         "beats cannot be counted: the schedule has no heartbeat entry and no interval"),
        (replace(ONE, pulse=None, answering=0), U, Reason.DEPENDENCY_DOWN,
         "no worker answers, so the schedule cannot be read"),
    ],
)  # fmt: skip
def test_two_beats_send_twice(seen: BeatsSeen, outcome: Outcome, reason: Reason | None, summary: str) -> None:
    verdict = check().judge(seen, NOW)
    assert (verdict.outcome, verdict.reason, verdict.summary) == (outcome, reason, summary)
    assert verdict.outcome is not D or verdict.hint


def test_the_evidence_shows_the_gaps_and_who_sent() -> None:
    facts = {fact.name: fact.value for fact in check().judge(TWO, NOW).evidence.facts}
    assert facts["seconds between the last beats"] == "20.0, 40.0, 20.0, 40.0"
    assert facts["sent by"] == "gen1@a, gen1@b"


@pytest.mark.parametrize(
    ("said", "is_of_beat"),
    [
        ({"name": "celery.accumulate", "args": "nexus-beat-alive", "prefix": ""}, True),
        ({"name": "celery.accumulate", "prefix": ""}, False),
        ({"name": "celery.accumulate", "args": "nexus-beat-alive", "prefix": "other"}, False),
    ],
)
def test_only_the_marked_task_of_this_app_counts(said: dict[str, str], is_of_beat: bool) -> None:
    heard = Heard(NOW, "task-received", said)
    assert check(period_seconds=60.0)._is_of_beat(heard) is is_of_beat
    assert not check()._is_of_beat(heard)


def test_the_marked_entry_is_taken_whichever_worker_tells_it() -> None:
    weak = {"beat_schedule": {"often": {"task": "app.often", "schedule": 60.0}}}
    marked = {"beat_schedule": {"beat": {"task": "celery.accumulate", "schedule": 60.0, "args": ["nexus-beat-alive"]}}}
    pulse = told_pulse([{}, weak, marked], "nexus-beat-alive", None)
    assert pulse is not None
    assert pulse.entry == "beat"
    assert told_pulse([{}, weak], "nexus-beat-alive", None) == WEAK
    assert told_pulse([{}], "nexus-beat-alive", None) is None


def test_a_network_error_is_told_of_the_broker() -> None:
    error = verdict_of(ConnectionRefusedError(111, "refused"), 2.0)
    assert error is not None
    assert check().on_failure(error).summary.startswith("broker: ")


@pytest.mark.real
async def test_a_second_beat_is_seen_and_its_end_too(tmp_path: Path) -> None:
    server = ValkeyServer(tmp_path / "valkey")
    server.start()
    given = {"BROKER_URL": server.url, "RESULT_BACKEND": server.url, "BEAT_SECONDS": "1"}
    single = check(server.url, timeout_seconds=4.0)
    try:
        async with CeleryFeeds(lambda: datetime.now(UTC)) as feeds:

            async def until(outcome: Outcome) -> str:
                deadline = time.monotonic() + 15
                while True:
                    seen = await single.measure(look_io(4.0, feeds))
                    verdict = single.judge(seen, datetime.now(UTC))
                    if verdict.outcome is outcome:
                        return verdict.summary
                    assert time.monotonic() < deadline, verdict
                    await asyncio.sleep(0.1)

            with worker(tmp_path, "-c", "1", **given), beat(tmp_path, **given):
                assert await until(Outcome.OK) == "one beat sends, every 1 s"
                with beat(tmp_path, **given):
                    assert (await until(Outcome.DEGRADED)).endswith("instead of one: more than one beat runs")
                await until(Outcome.OK)
    finally:
        server.stop()
