"""beat.schedule against a real beat, worker and Valkey: on time, stopped, never served, failing."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
import redis
from pydantic import SecretStr

from checks.beat.schedule import BeatSchedule, BeatScheduleConfig
from checks.celery_wire import task_message
from checks.result import Outcome, Reason, Verdict
from demo.servers import ValkeyServer
from monitor.probing.feeds import CeleryFeeds
from tests.celery_stack import beat, look_io, state_of, worker

pytestmark = pytest.mark.real

ENTRIES = {
    "often": ["tests.note", 1.0, "celery"],
    "unserved": ["tests.nap", 1.0, "reports"],
    "broken": ["tests.fail", 1.0, "celery"],
    "each-minute": ["tests.minutely", "* * * * *", "celery"],
    "daily": ["tests.daily", "0 4 * * *", "celery"],
}


def environment(url: str, *names: str) -> dict[str, str]:
    return {
        "BROKER_URL": url,
        "RESULT_BACKEND": url,
        "BEAT_SECONDS": "1",
        "BEAT_ENTRIES": json.dumps({name: ENTRIES[name] for name in names}),
    }


@pytest.fixture
def url(tmp_path: Path) -> Iterator[str]:
    server = ValkeyServer(tmp_path / "valkey")
    server.start()
    yield server.url
    server.stop()


@pytest.fixture
async def feeds() -> AsyncIterator[CeleryFeeds]:
    async with CeleryFeeds(lambda: datetime.now(UTC)) as made:
        yield made


def schedule(url: str) -> BeatSchedule:
    return BeatSchedule(
        BeatScheduleConfig(
            kind="beat.schedule",
            id="beat.schedule",
            service="nexus-beat",
            broker_url=SecretStr(url),
            timeout_seconds=4.0,
            grace_seconds=1.0,
        )
    )


async def look(check: BeatSchedule, feeds: CeleryFeeds) -> Verdict:
    seen = await check.measure(look_io(check.config.timeout_seconds, feeds))
    return check.judge(seen, datetime.now(UTC))


async def until(check: BeatSchedule, feeds: CeleryFeeds, outcome: Outcome, said: str, seconds: float = 20.0) -> Verdict:
    deadline = time.monotonic() + seconds
    while (verdict := await look(check, feeds)).outcome is not outcome or said not in verdict.summary:
        assert time.monotonic() < deadline, verdict
        await asyncio.sleep(0.1)
    return verdict


def facts(verdict: Verdict) -> dict[str, str]:
    return {fact.name: str(fact.value) for fact in verdict.evidence.facts}


def run_a_task(url: str) -> None:
    """Have the worker take a task, as the canary does every minute."""
    with redis.Redis.from_url(url, socket_timeout=5) as client:
        expires_at = datetime.fromtimestamp(time.time() + 60, UTC)
        message = task_message("celery", str(time.time_ns()), "celery.accumulate", ["x"], {"index": 0}, expires_at)
        client.lpush("celery", message)


async def test_entries_fire_on_time_and_a_stopped_beat_misses_them(
    url: str, feeds: CeleryFeeds, tmp_path: Path
) -> None:
    check = schedule(url)
    given = environment(url, "often", "daily")
    with worker(tmp_path, "-c", "1", **given):
        with beat(tmp_path, **given):
            verdict = await until(check, feeds, Outcome.OK, "2 of 4 entries fired on time, 2 not seen yet")
            assert verdict.summary.count("next due daily, ") == 1
            assert facts(verdict)["often"].startswith("on time · every 1 s · last seen ")
            assert facts(verdict)["daily"].startswith("not seen yet · 0 4 * * * · not seen · next due ")
            assert "a-secret-argument" not in repr(verdict)
        await asyncio.sleep(2.5)
        run_a_task(url)
        verdict = await until(check, feeds, Outcome.FAILED, " s, due every 1 s; also often")
    assert verdict.reason is Reason.SILENT
    assert verdict.summary.startswith("entry nexus-heartbeat: missed, silent for ")


async def test_an_entry_whose_queue_nobody_serves(url: str, feeds: CeleryFeeds, tmp_path: Path) -> None:
    given = environment(url, "unserved")
    with worker(tmp_path, "-c", "1", **given), beat(tmp_path, **given):
        verdict = await until(
            schedule(url), feeds, Outcome.FAILED, "entry unserved: sent, and no worker serves its queue, queue reports"
        )
    assert verdict.reason is Reason.NO_CONSUMER
    assert facts(verdict)["nexus-heartbeat"].startswith("on time")


async def test_a_task_that_raises_ran_and_failed(url: str, feeds: CeleryFeeds, tmp_path: Path) -> None:
    given = environment(url, "broken", "often")
    with worker(tmp_path, "-c", "1", **given), beat(tmp_path, **given):
        verdict = await until(schedule(url), feeds, Outcome.DEGRADED, "entry broken: ran, and failed")
    assert verdict.reason is Reason.TASK_FAILED


async def test_while_no_worker_takes_tasks_nothing_is_missed(url: str, feeds: CeleryFeeds, tmp_path: Path) -> None:
    check = schedule(url)
    given = environment(url, "often")
    with worker(tmp_path, "-c", "1", **given) as working, beat(tmp_path, **given):
        await until(check, feeds, Outcome.OK, "2 of 3 entries fired on time")
        children = working.children()
        with working.paused(working.pid, *children):
            deadline = time.monotonic() + 6
            while time.monotonic() < deadline:
                verdict = await look(check, feeds)
                assert verdict.outcome in (Outcome.OK, Outcome.UNKNOWN), verdict
                await asyncio.sleep(0.3)
            assert verdict.reason is Reason.DEPENDENCY_DOWN
        await until(check, feeds, Outcome.OK, "2 of 3 entries fired on time")


async def test_looks_leave_nothing_behind(url: str, feeds: CeleryFeeds, tmp_path: Path) -> None:
    check = schedule(url)
    with worker(tmp_path, "-c", "1", **environment(url, "often", "daily")):
        await look(check, feeds)
        before = state_of(url)
        for _ in range(20):
            await look(check, feeds)
        assert state_of(url) == before


async def test_without_a_worker_the_schedule_cannot_be_read(url: str, feeds: CeleryFeeds) -> None:
    verdict = await look(schedule(url), feeds)
    assert verdict.summary == "no worker answers, so the schedule cannot be read"
