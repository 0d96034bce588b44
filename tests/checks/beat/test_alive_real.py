"""beat.alive against a real beat, worker and Valkey: alive, killed, and alive without a worker."""

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from pathlib import Path

import psutil
import pytest
from pydantic import SecretStr

from checks.beat.alive import BeatAlive, BeatAliveConfig
from checks.result import Outcome, Reason, Verdict
from demo.servers import ValkeyServer
from monitor.probing.feeds import CeleryFeeds
from tests.celery_stack import beat, look_io, state_of, worker

pytestmark = pytest.mark.real

PERIOD = "1"


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


def alive(url: str, **settings: object) -> BeatAlive:
    base = {"id": "beat.alive", "service": "nexus-beat", "broker_url": SecretStr(url), "timeout_seconds": 5.0}
    return BeatAlive(BeatAliveConfig.model_validate({**base, **settings}))


def own_connections(url: str) -> int:
    port = int(url.rsplit(":", 1)[1].removesuffix("/0"))
    return sum(1 for one in psutil.Process().net_connections() if one.raddr and one.raddr.port == port
               and one.status == psutil.CONN_ESTABLISHED)  # fmt: skip


async def look(check: BeatAlive, feeds: CeleryFeeds) -> Verdict:
    seen = await check.measure(look_io(check.config.timeout_seconds, feeds))
    return check.judge(seen, datetime.now(UTC))


async def until(check: BeatAlive, feeds: CeleryFeeds, outcome: Outcome, seconds: float) -> Verdict:
    deadline = time.monotonic() + seconds
    while (verdict := await look(check, feeds)).outcome is not outcome:
        assert time.monotonic() < deadline, verdict
        await asyncio.sleep(0.05)
    return verdict


async def test_beats_are_seen_and_a_killed_beat_is_silent(url: str, feeds: CeleryFeeds, tmp_path: Path) -> None:
    check = alive(url)
    with worker(tmp_path, "-c", "1", BROKER_URL=url, RESULT_BACKEND=url, BEAT_SECONDS=PERIOD):
        with beat(tmp_path, BROKER_URL=url, RESULT_BACKEND=url, BEAT_SECONDS=PERIOD):
            first = await look(check, feeds)
            assert first.outcome is Outcome.OK, first
            assert first.summary.endswith("every 1 s")
            before = own_connections(url)
            for _ in range(5):
                assert (await look(check, feeds)).outcome is Outcome.OK
            assert own_connections(url) == before
        verdict = await until(check, feeds, Outcome.FAILED, 12.0)
        assert verdict.reason is Reason.SILENT
        cold = alive(url)
        async with CeleryFeeds(lambda: datetime.now(UTC)) as fresh:
            assert (await look(cold, fresh)).reason is Reason.STALE


async def test_without_a_worker_the_waiting_message_proves_beat(url: str, feeds: CeleryFeeds, tmp_path: Path) -> None:
    check = alive(url)
    with worker(tmp_path, "-c", "1", BROKER_URL=url, RESULT_BACKEND=url, BEAT_SECONDS=PERIOD) as working:
        with beat(tmp_path, BROKER_URL=url, RESULT_BACKEND=url, BEAT_SECONDS=PERIOD):
            assert (await look(check, feeds)).outcome is Outcome.OK
            os.kill(working.pid, signal.SIGKILL)
            await asyncio.sleep(3 * float(PERIOD))  # what the worker took must be too old to prove anything
            verdict = await look(check, feeds)
            assert verdict.outcome is Outcome.OK, verdict
            assert verdict.summary.endswith("waiting for a worker")
        verdict = await until(check, feeds, Outcome.FAILED, 12.0)
        assert verdict.reason is Reason.SILENT


async def test_without_worker_and_schedule_beat_is_unknown(url: str, feeds: CeleryFeeds) -> None:
    assert (await look(alive(url), feeds)).reason is Reason.DEPENDENCY_DOWN
    assert (await look(alive(url, period_seconds=1.0), feeds)).reason is Reason.DEPENDENCY_DOWN
    assert state_of(url)[0] == set()


async def test_without_a_beat_schedule_the_line_to_add_is_said(url: str, feeds: CeleryFeeds, tmp_path: Path) -> None:
    with worker(tmp_path, "-c", "1", BROKER_URL=url):
        verdict = await look(alive(url), feeds)
    assert (verdict.outcome, verdict.reason) == (Outcome.UNKNOWN, Reason.NOT_CONFIGURED)
    assert '"args": ["nexus-beat-alive"]' in verdict.hint
