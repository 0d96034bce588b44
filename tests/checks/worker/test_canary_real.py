"""worker.canary and worker.online against real workers on a real Valkey, healthy and broken."""

import asyncio
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
import redis
from pydantic import SecretStr

from checks.celery_wire import task_message
from checks.result import Outcome, Reason, Verdict
from checks.worker.canary import WorkerCanary, WorkerCanaryConfig
from checks.worker.online import WorkerOnline, WorkerOnlineConfig
from demo.servers import ValkeyServer
from monitor.probing.runner import GRACE_SECONDS
from tests.celery_stack import CeleryProcess, look_io, state_of, worker

pytestmark = pytest.mark.real


@pytest.fixture(scope="module")
def valkey(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ValkeyServer]:
    server = ValkeyServer(tmp_path_factory.mktemp("valkey"))
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="module")
def two_queues(valkey: ValkeyServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[CeleryProcess]:
    folder = tmp_path_factory.mktemp("worker")
    results = valkey.url.replace("/0", "/1")
    with worker(
        folder, "-c", "2", "-Q", "celery,slow", "-n", "w1@here", BROKER_URL=valkey.url, RESULT_BACKEND=results
    ) as process:
        yield process


def canary(url: str, **settings: object) -> WorkerCanary:
    base = {"id": "worker.canary", "service": "nexus-worker", "broker_url": SecretStr(url), "timeout_seconds": 4.0}
    return WorkerCanary(WorkerCanaryConfig.model_validate({**base, "canary_timeout_seconds": 1.0, **settings}))


def online(url: str) -> WorkerOnline:
    return WorkerOnline(
        WorkerOnlineConfig(id="worker.online", service="nexus-worker", broker_url=SecretStr(url), kind="worker.online")
    )


async def look(check: WorkerCanary | WorkerOnline) -> Verdict:
    seen = await check.measure(look_io(check.config.timeout_seconds))
    return check.judge(seen, datetime.now(UTC))  # type: ignore[arg-type]


async def test_without_a_worker_the_default_queue_is_tried_and_nothing_stays(valkey: ValkeyServer) -> None:
    before = state_of(valkey.url)
    verdict = await look(canary(valkey.url))
    assert (verdict.outcome, verdict.reason) == (Outcome.FAILED, Reason.NO_CONSUMER)
    assert verdict.summary == "no worker is connected to the broker"
    assert (await look(online(valkey.url))).reason is Reason.NO_CONSUMER
    assert state_of(valkey.url) == before


async def test_a_task_runs_through_both_queues(valkey: ValkeyServer, two_queues: CeleryProcess) -> None:
    verdict = await look(canary(valkey.url))
    assert verdict.outcome is Outcome.OK, verdict
    assert verdict.summary.startswith("a task ran through 2 queues in ")
    assert [fact.name for fact in verdict.evidence.facts] == ["queue celery", "queue slow"]
    assert (await look(online(valkey.url))).summary.startswith("1 worker answers in ")


async def test_a_hundred_looks_leave_no_key_and_no_connection(valkey: ValkeyServer, two_queues: CeleryProcess) -> None:
    check = canary(valkey.url)
    pinging = online(valkey.url)
    await look(check)
    before = state_of(valkey.url)
    for _ in range(50):
        assert (await look(check)).outcome is Outcome.OK
        assert (await look(pinging)).outcome is Outcome.OK
    assert state_of(valkey.url) == before


async def test_a_queue_that_lost_its_worker_is_still_known(valkey: ValkeyServer, two_queues: CeleryProcess) -> None:
    check = canary(valkey.url)
    await look(check)
    with redis.Redis.from_url(valkey.url) as client:
        _control(client, "cancel_consumer", {"queue": "slow"})
        try:
            verdict = await look(check)
        finally:
            _control(client, "add_consumer", {"queue": "slow"})
    assert (verdict.outcome, verdict.reason) == (Outcome.FAILED, Reason.NO_CONSUMER)
    assert verdict.summary == "queue slow: no answer in 1 s; no worker serves this queue"


def _control(client: "redis.Redis", method: str, arguments: dict[str, str]) -> None:
    from checks.celery_wire import control_message

    client.publish("/0.celery.pidbox", control_message(method, arguments))
    time.sleep(0.3)  # nobody answers this command, and the worker has to do it first


async def test_frozen_children_are_a_frozen_pool_though_the_worker_answers_pings(
    valkey: ValkeyServer, two_queues: CeleryProcess
) -> None:
    check = canary(valkey.url)
    await look(check)
    before = state_of(valkey.url)
    with two_queues.paused(*two_queues.children()):
        verdict = await look(check)
        assert (await look(online(valkey.url))).outcome is Outcome.OK
    assert (verdict.outcome, verdict.reason) == (Outcome.FAILED, Reason.POOL_FROZEN)
    await _until_ok(check)
    assert state_of(valkey.url) == before


async def test_full_slots_are_saturated(valkey: ValkeyServer, two_queues: CeleryProcess) -> None:
    check = canary(valkey.url)
    await look(check)
    before = state_of(valkey.url)
    soon = datetime.fromtimestamp(time.time() + 60, UTC)
    with redis.Redis.from_url(valkey.url) as client:
        for number in range(2):
            client.lpush("celery", task_message("celery", f"nap-{number}", "tests.nap", [3.0], {}, soon))
        verdict = await look(check)
        assert (verdict.outcome, verdict.reason) == (Outcome.DEGRADED, Reason.SATURATED)
        assert "all 2 slots are busy" in verdict.summary
        await _until_ok(check)
        with redis.Redis.from_url(valkey.url, db=1) as results:
            results.delete("celery-task-meta-nap-0", "celery-task-meta-nap-1")
    assert state_of(valkey.url) == before


async def test_a_stopped_main_process_is_stuck(valkey: ValkeyServer, two_queues: CeleryProcess) -> None:
    check = canary(valkey.url)
    await look(check)
    before = state_of(valkey.url)
    with two_queues.paused(two_queues.pid):
        verdict = await look(check)
        pinging = online(valkey.url)
        pings = [await pinging.measure(look_io(2.0)) for _ in range(2)]
        ping = pinging.judge(pings[1], datetime.now(UTC), pings[:1])
    assert (verdict.outcome, verdict.reason) == (Outcome.FAILED, Reason.STUCK)
    assert (ping.outcome, ping.reason) == (Outcome.FAILED, Reason.STUCK)
    await _until_ok(check)
    await _until_ok(online(valkey.url))
    assert state_of(valkey.url) == before


async def test_a_paused_redis_ends_every_look_in_time_and_nothing_stays(
    valkey: ValkeyServer, two_queues: CeleryProcess
) -> None:
    checks = (canary(valkey.url), online(valkey.url))
    for check in checks:
        await look(check)
    before = state_of(valkey.url)
    valkey.pause()
    try:
        for check in checks:
            started = time.monotonic()
            with pytest.raises(TimeoutError):
                await look(check)
            assert time.monotonic() - started < check.config.timeout_seconds + GRACE_SECONDS  # what the frame allows
    finally:
        valkey.resume()
    for check in checks:
        await _until_ok(check)
    assert state_of(valkey.url) == before


async def test_a_redis_that_pauses_while_the_canary_flies_ends_the_look_in_time(
    valkey: ValkeyServer, two_queues: CeleryProcess
) -> None:
    check = canary(valkey.url)
    await look(check)
    before = state_of(valkey.url)
    with two_queues.paused(two_queues.pid):
        started = time.monotonic()
        flying = asyncio.create_task(look(check))
        await asyncio.sleep(1.5)
        valkey.pause()
        try:
            with pytest.raises(TimeoutError):
                await flying
            assert time.monotonic() - started < check.config.timeout_seconds + GRACE_SECONDS  # what the frame allows
        finally:
            valkey.resume()
    await _until_ok(check)
    assert state_of(valkey.url)[0] == before[0]


async def test_without_a_result_backend_the_event_is_the_proof(valkey: ValkeyServer, tmp_path: Path) -> None:
    url = valkey.url.replace("/0", "/5")
    check = canary(url)
    with worker(tmp_path, "-c", "1", "-n", "w5@here", BROKER_URL=url):
        verdict = await look(check)
        assert (verdict.outcome, verdict.reason) == (Outcome.DEGRADED, Reason.NO_RESULT_BACKEND)
        assert "the task ran in" in verdict.summary


async def test_results_on_another_server_are_learned_to_be_proven_by_events(
    valkey: ValkeyServer, tmp_path: Path
) -> None:
    url = valkey.url.replace("/0", "/6")
    other = ValkeyServer(tmp_path / "other")
    other.start()
    try:
        check = canary(url)
        with worker(tmp_path, "-c", "1", BROKER_URL=url, RESULT_BACKEND=other.url):
            for _ in range(2):
                verdict = await look(check)
                assert (verdict.outcome, verdict.reason) == (Outcome.DEGRADED, Reason.NO_RESULT_BACKEND)
                assert "the task ran in" in verdict.summary
    finally:
        other.stop()


async def test_switched_off_remote_control_is_fine_as_long_as_tasks_run(valkey: ValkeyServer, tmp_path: Path) -> None:
    url = valkey.url.replace("/0", "/7")
    with worker(tmp_path, "-c", "1", BROKER_URL=url, RESULT_BACKEND=url, REMOTE_CONTROL="off"):
        assert (await look(canary(url))).outcome is Outcome.OK


async def test_a_refusing_redis_ends_the_look_at_once(valkey: ValkeyServer, tmp_path: Path) -> None:
    gone = ValkeyServer(tmp_path)
    started = time.monotonic()
    with pytest.raises(redis.ConnectionError):
        await look(canary(gone.url))
    assert time.monotonic() - started < 1.0


async def _until_ok(check: WorkerCanary | WorkerOnline) -> None:
    deadline = time.monotonic() + 15
    while (verdict := await look(check)).outcome is not Outcome.OK:
        assert time.monotonic() < deadline, verdict
