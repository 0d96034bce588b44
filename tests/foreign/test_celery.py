"""Celery 5.4 with redis 5.2.1 and kombu 5.4.2 on Debian's Redis: every check of workers, queues and beat."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest
import redis

from checks.base import Check
from checks.celery_wire import task_message
from checks.registry import CHECKS
from checks.result import Outcome, Reason, Verdict
from monitor.probing.feeds import CeleryFeeds
from tests.celery_stack import CeleryProcess, beat, state_of, worker
from tests.foreign.environments import environment
from tests.foreign.looking import DEGRADED, FAILED, OK, built, look
from tests.foreign.servers import Redis, needs_redis, running

pytestmark = [pytest.mark.real, needs_redis]

KINDS = tuple(kind for kind in CHECKS if kind.startswith(("worker.", "queue.", "beat.", "clock.")))
LOOKS = 100
ENTRIES = json.dumps({"often": ["tests.note", 1.0, "celery"]})


@pytest.fixture(scope="module")
def python() -> str:
    return str(environment("celery-5.4", "celery==5.4.0", "kombu==5.4.2", "redis==5.2.1"))


@pytest.fixture(scope="module")
def broker() -> Iterator[str]:
    with running(Redis) as server:
        yield server.url


@pytest.fixture(scope="module")
def celery_5_4(python: str, broker: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[CeleryProcess]:
    folder, node = tmp_path_factory.mktemp("celery"), "w1@here"
    shared = {"PYTHON": python, "BROKER_URL": broker, "RESULT_BACKEND": broker}
    shared |= {"BEAT_SECONDS": "1", "BEAT_ENTRIES": ENTRIES}
    with worker(folder, "-c", "2", "-n", node, **shared) as process, beat(folder, **shared):
        assert "5.4.0" in process.log.read_text()
        yield process


@pytest.fixture
async def feeds() -> AsyncIterator[CeleryFeeds]:
    async with CeleryFeeds(lambda: datetime.now(UTC)) as made:
        yield made


def of(kind: str, broker: str) -> Check:  # type: ignore[type-arg]
    settings = {"worker.canary": {"timeout_seconds": 4.0, "canary_timeout_seconds": 1.0}}
    return built(kind, broker_url=broker, **settings.get(kind, {}))


async def until(check: Check, feeds: CeleryFeeds, outcome: Outcome) -> Verdict:  # type: ignore[type-arg]
    """Look until it is as it should be: feeds connect, heartbeats come, a worker returns."""
    deadline = time.monotonic() + 60
    while (verdict := await look(check, feeds)).outcome is not outcome:
        assert time.monotonic() < deadline, (check.config.id, verdict)
        await asyncio.sleep(0.2)
    return verdict


@pytest.mark.parametrize("kind", KINDS)
async def test_a_celery_of_5_4_is_well(broker: str, celery_5_4: CeleryProcess, feeds: CeleryFeeds, kind: str) -> None:
    await until(of(kind, broker), feeds, OK)


async def test_a_hundred_looks_leave_nothing_behind(broker: str, celery_5_4: CeleryProcess, feeds: CeleryFeeds) -> None:
    checks = [of(kind, broker) for kind in KINDS if kind != "worker.each"]
    for check in checks:
        await until(check, feeds, OK)
    with redis.Redis.from_url(broker) as client:
        lasting = {key for key in state_of(broker)[0] if not is_their_result(client, key)}
        clients = state_of(broker)[1]
        for number in range(LOOKS):
            await look(checks[number % len(checks)], feeds)
        deadline = time.monotonic() + 20
        while True:
            keys, connections = state_of(broker)
            if ({key for key in keys if not is_their_result(client, key)}, connections) == (lasting, clients):
                break
            assert time.monotonic() < deadline, (keys - lasting, connections, clients)
            await asyncio.sleep(0.1)


def is_their_result(client: redis.Redis, key: bytes) -> bool:
    """Say whether it is the result of a task that beat sent, or something that a worker holds for a moment."""
    if key in (b"unacked", b"unacked_index", b"celery", b"unacked_mutex"):
        return True
    if not key.startswith(b"celery-task-meta-"):
        return False
    stored = client.get(key)
    return stored is None or json.loads(stored).get("result") in (None, "nexus-beat-alive")


@contextmanager
def pool_frozen(celery: CeleryProcess, broker: str) -> Iterator[None]:
    with celery.paused(*celery.children()):
        yield


@contextmanager
def main_stuck(celery: CeleryProcess, broker: str) -> Iterator[None]:
    with celery.paused(celery.pid):
        yield


@contextmanager
def slots_taken(celery: CeleryProcess, broker: str) -> Iterator[None]:
    expires_at = datetime.fromtimestamp(time.time() + 60, UTC)
    with redis.Redis.from_url(broker) as client:
        for number in range(2):
            client.lpush("celery", task_message("celery", f"nap-{number}", "tests.nap", [4], {}, expires_at))
        deadline = time.monotonic() + 10
        while not client.hlen("unacked"):
            assert time.monotonic() < deadline
            time.sleep(0.01)
        yield


@pytest.mark.parametrize(
    ("state", "outcome", "reason"),
    [
        (pool_frozen, FAILED, Reason.POOL_FROZEN),
        (main_stuck, FAILED, Reason.STUCK),
        (slots_taken, DEGRADED, Reason.SATURATED),
    ],
)
async def test_a_celery_of_5_4_that_runs_nothing_is_classified(
    broker: str, celery_5_4: CeleryProcess, feeds: CeleryFeeds, state: object, outcome: Outcome, reason: Reason
) -> None:
    check = of("worker.canary", broker)
    await until(check, feeds, OK)
    with state(celery_5_4, broker):  # type: ignore[operator]
        verdict = await look(check, feeds)
    assert (verdict.outcome, verdict.reason) == (outcome, reason), verdict
    await until(check, feeds, OK)


async def test_a_celery_of_5_4_without_a_result_backend_and_then_without_a_worker(
    python: str, broker: str, feeds: CeleryFeeds, tmp_path: Path
) -> None:
    url = broker.replace("/0", "/5")
    check = of("worker.canary", url)
    with worker(tmp_path, "-c", "1", "-n", "w2@here", PYTHON=python, BROKER_URL=url):
        verdict = await until(check, feeds, DEGRADED)
        assert verdict.reason is Reason.NO_RESULT_BACKEND
    verdict = await until(check, feeds, FAILED)
    assert verdict.reason is Reason.NO_CONSUMER
