"""All worker and queue checks against one real worker: healthy, half dead, with Redis paused, and a thousand looks."""

import asyncio
import os
import time
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import redis
from pydantic import SecretStr

from checks.base import Check
from checks.celery_wire import control_channel, control_message, task_message
from checks.registry import CHECKS
from checks.result import Outcome, Reason, Verdict
from demo.servers import ValkeyServer
from monitor.probing.feeds import CeleryFeeds
from monitor.probing.runner import GRACE_SECONDS
from tests.celery_stack import CeleryProcess, look_io, state_of, worker
from tests.worker_looks import settings

pytestmark = pytest.mark.real

LOOKS = int(os.environ.get("WORKER_LOOKS", "1000"))
NODE = "w1@here"
KINDS = (
    "worker.online",
    "worker.canary",
    "worker.stuck_tasks",
    "worker.tasks",
    "worker.failures",
    "worker.restarts",
    "queue.depth",
    "queue.stalled",
    "queue.no_consumer",
    "queue.orphans",
    "clock.skew",
)
"""Every kind but `worker.each`, which takes half a second a look."""


@pytest.fixture(scope="module")
def valkey(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ValkeyServer]:
    server = ValkeyServer(tmp_path_factory.mktemp("valkey"))
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="module")
def running(valkey: ValkeyServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[CeleryProcess]:
    folder = tmp_path_factory.mktemp("worker")
    with worker(
        folder, "-c", "2", "-Q", "celery,slow", "-n", NODE, BROKER_URL=valkey.url, RESULT_BACKEND=valkey.url
    ) as process:
        yield process


@pytest.fixture
async def feeds() -> AsyncIterator[CeleryFeeds]:
    async with CeleryFeeds(lambda: datetime.now(UTC)) as made:
        yield made


def built(kind: str, url: str, **more: Any) -> Check[Any, Any]:
    check = CHECKS[kind]
    return check(check.Config.model_validate(settings(kind, broker_url=SecretStr(url), **more)))


async def look(check: Check[Any, Any], feeds: CeleryFeeds) -> Verdict:
    return check.judge(await check.measure(look_io(check.config.timeout_seconds, feeds)), datetime.now(UTC))


async def warm(checks: list[Check[Any, Any]], feeds: CeleryFeeds) -> None:
    """Look with each until all are content: the feed connects, and the worker comes back."""
    deadline = time.monotonic() + 20
    for check in checks:
        while (verdict := await look(check, feeds)).outcome is not Outcome.OK:
            assert time.monotonic() < deadline, (check.config.id, verdict)
            await asyncio.sleep(0.1)


async def test_a_thousand_looks_leave_no_key_no_queue_and_no_connection(
    valkey: ValkeyServer, running: CeleryProcess, feeds: CeleryFeeds
) -> None:
    checks = [built(kind, valkey.url) for kind in KINDS]
    await warm(checks, feeds)
    before = state_of(valkey.url)
    started = time.monotonic()
    for number in range(LOOKS):
        verdict = await look(checks[number % len(checks)], feeds)
        assert verdict.outcome is Outcome.OK, verdict
    assert time.monotonic() - started < 0.1 * LOOKS  # a machine of two cores is shared
    assert state_of(valkey.url) == before


async def test_each_node_runs_a_canary_of_its_own_and_nothing_stays(
    valkey: ValkeyServer, running: CeleryProcess, feeds: CeleryFeeds
) -> None:
    check = built("worker.each", valkey.url)
    before = state_of(valkey.url)
    for _ in range(5):
        verdict = await look(check, feeds)
        assert (verdict.outcome, verdict.summary) == (Outcome.OK, "a task ran on each of 1 worker")
    assert state_of(valkey.url) == before
    depth = await look(built("queue.depth", valkey.url), feeds)
    assert [fact.name for fact in depth.evidence.facts] == ["queue celery", "queue slow"]


async def test_a_twin_that_takes_no_task_is_found_by_its_own_canary(
    valkey: ValkeyServer, feeds: CeleryFeeds, tmp_path: Path
) -> None:
    url = valkey.url.replace("/0", "/3")
    check = built("worker.each", url, timeout_seconds=5.0)
    with (
        worker(tmp_path, "-c", "1", "-n", "a@here", BROKER_URL=url, RESULT_BACKEND=url),
        worker(tmp_path, "-c", "1", "-n", "b@here", BROKER_URL=url, RESULT_BACKEND=url) as twin,
    ):
        _wait_for_nodes(url, 2)
        with twin.paused(*twin.children()):
            verdict = await look(check, feeds)
    assert (verdict.outcome, verdict.summary) == (Outcome.FAILED, "1 of 2 workers ran no task: b@here")


def _wait_for_nodes(url: str, count: int) -> None:
    deadline = time.monotonic() + 10
    with redis.Redis.from_url(url) as client:
        while client.publish(control_channel("", 3), control_message("ping", {})) < count:
            assert time.monotonic() < deadline
            time.sleep(0.05)


async def test_a_paused_redis_ends_every_look_in_time_and_nothing_stays(
    valkey: ValkeyServer, running: CeleryProcess, feeds: CeleryFeeds
) -> None:
    checks = [
        built(kind, valkey.url, **({"timeout_seconds": 4.0} if kind in ("worker.canary", "worker.each") else {}))
        for kind in (*KINDS, "worker.each")
        if kind != "worker.failures"  # it reads the feed alone
    ]
    await warm(checks, feeds)
    before = state_of(valkey.url)

    async def until_it_ends(check: Check[Any, Any]) -> float:
        started = time.monotonic()
        with pytest.raises(TimeoutError):
            await look(check, feeds)
        return time.monotonic() - started

    valkey.pause()
    try:
        looks = await asyncio.gather(*(until_it_ends(check) for check in checks))
    finally:
        valkey.resume()
    for check, seconds in zip(checks, looks, strict=True):
        assert seconds < check.config.timeout_seconds + GRACE_SECONDS, check.config.id
    await warm(checks, feeds)
    assert state_of(valkey.url)[0] == before[0]


async def test_what_runs_and_what_is_registered_is_seen(
    valkey: ValkeyServer, running: CeleryProcess, feeds: CeleryFeeds
) -> None:
    stuck = built("worker.stuck_tasks", valkey.url, long_seconds=0.5)
    _send(valkey.url, "nap-1", "tests.nap", [2.0])
    verdict = await _until(stuck, feeds, Outcome.DEGRADED)
    assert verdict.summary.startswith("tests.nap runs for ")
    assert "id nap-1" in str(verdict.evidence.facts[2].value)
    await _until(stuck, feeds, Outcome.OK)

    tasks = built("worker.tasks", valkey.url, expected_tasks=["tests.nap", "tests.gone"])
    verdict = await look(tasks, feeds)
    assert (verdict.reason, verdict.summary) == (Reason.MISSING, "no worker knows tests.gone")


async def test_failing_expired_and_unknown_tasks_are_counted_by_name(
    valkey: ValkeyServer, running: CeleryProcess, feeds: CeleryFeeds
) -> None:
    check = built("worker.failures", valkey.url)
    assert (await look(check, feeds)).outcome is Outcome.OK
    for number in range(3):
        _send(valkey.url, f"fails-{number}", "tests.nap", ["a secret"])
    _send(valkey.url, "old", "tests.nap", [0], seconds=-5.0)
    _send(valkey.url, "strange", "tests.gone", [])
    deadline = time.monotonic() + 10
    while (verdict := await look(check, feeds)).values.get("task_failures") != 5.0:
        assert time.monotonic() < deadline, verdict
        await asyncio.sleep(0.1)
    facts = {fact.name: str(fact.value) for fact in verdict.evidence.facts}
    assert facts["tests.nap"].startswith("3 TypeError; ")
    assert facts["task of unknown name"] == "1 expired; 0 succeeded"  # Celery does not say of which it was
    assert facts["tests.gone"].startswith("1 NotRegistered")
    assert "secret" not in repr(verdict)


async def test_messages_of_a_killed_worker_and_its_empty_seat_are_found(
    valkey: ValkeyServer, feeds: CeleryFeeds, tmp_path: Path
) -> None:
    url = valkey.url.replace("/0", "/2")
    checks = {
        "queue.orphans": built("queue.orphans", url, orphaned_seconds=0.1),
        "queue.no_consumer": built("queue.no_consumer", url, unserved_seconds=0.1),
        "worker.restarts": built("worker.restarts", url, degraded_restarts=2),
    }
    with worker(tmp_path, "-c", "1", "-n", "w@here", BROKER_URL=url, RESULT_BACKEND=url) as doomed:
        for number in range(4):
            _send(url, f"nap-{number}", "tests.nap", [30.0])
        await _until(built("worker.stuck_tasks", url, long_seconds=0.1), feeds, Outcome.DEGRADED)
        for check in checks.values():
            await look(check, feeds)
        assert (await look(checks["queue.orphans"], feeds)).summary.endswith("each is held")
        doomed.kill()
    orphans = await look(checks["queue.orphans"], feeds)
    assert (orphans.reason, orphans.values) == (Reason.STALE, {"queue_orphaned_messages": 3.0})
    empty = checks["queue.no_consumer"]
    first = await empty.measure(look_io(5.0, feeds))
    await asyncio.sleep(0.2)
    verdict = empty.judge(await empty.measure(look_io(5.0, feeds)), datetime.now(UTC), (first,))
    assert (verdict.outcome, verdict.reason) == (Outcome.FAILED, Reason.NO_CONSUMER)
    with worker(tmp_path, "-c", "1", "-n", "w@here", BROKER_URL=url, RESULT_BACKEND=url):
        assert (await look(checks["worker.restarts"], feeds)).values == {"worker_restarts": 1.0}


async def test_an_app_that_refuses_json_is_told_from_a_stuck_worker(
    valkey: ValkeyServer, feeds: CeleryFeeds, tmp_path: Path
) -> None:
    url = valkey.url.replace("/0", "/8")
    with worker(tmp_path, "-c", "1", "-n", "w@here", BROKER_URL=url, RESULT_BACKEND=url, ACCEPT_CONTENT="yaml"):
        verdict = await look(built("worker.canary", url, canary_timeout_seconds=4.0), feeds)
    assert (verdict.outcome, verdict.reason) == (Outcome.FAILED, Reason.PROTOCOL_ERROR)
    assert "content is refused" in verdict.summary


def _send(url: str, task_id: str, task: str, args: list[Any], seconds: float = 60.0) -> None:
    expires_at = datetime.fromtimestamp(time.time() + seconds, UTC)
    with redis.Redis.from_url(url) as client:
        client.lpush("celery", task_message("celery", task_id, task, args, {}, expires_at))


async def _until(check: Check[Any, Any], feeds: CeleryFeeds, outcome: Outcome) -> Verdict:
    deadline = time.monotonic() + 15
    while (verdict := await look(check, feeds)).outcome is not outcome:
        assert time.monotonic() < deadline, verdict
        await asyncio.sleep(0.1)
    return verdict
