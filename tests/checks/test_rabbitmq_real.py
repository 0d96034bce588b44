"""The worker and beat checks against real workers on a real RabbitMQ: healthy, broken, and with nothing left behind."""

import asyncio
import time
from pathlib import Path
from typing import Any

import pytest
import redis
from pydantic import SecretStr

from checks.amqp import Amqp, BrokerBlockedError, connect
from checks.base import Check
from checks.failures import verdict_of
from checks.result import Outcome, Reason
from demo.servers import ValkeyServer
from monitor.probing.feeds import CeleryFeeds
from monitor.probing.runner import GRACE_SECONDS
from tests.celery_stack import CeleryProcess, beat, look_io, worker
from tests.rabbit import RabbitServer, needs_rabbitmq, rabbit
from tests.rabbit_looks import (
    amqp_threads,
    built,
    canary,
    feeds,
    hosts,
    look,
    running,
    until_ok,
    until_state,
    wall_clock,
)

__all__ = ["feeds", "hosts", "rabbit", "running"]

pytestmark = [pytest.mark.real, needs_rabbitmq, pytest.mark.timeout(180)]

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
    "clock.skew",
    "beat.alive",
    "beat.config",
)
FEW, MANY = 3, 10
"""Looks of each kind: a canary takes a second. More than a hundred together."""


def test_a_broker_without_a_worker_gets_nothing_from_a_look(rabbit: RabbitServer) -> None:
    before = rabbit.state()
    check = canary(rabbit.url)
    verdict = asyncio.run(look(check))
    assert (verdict.outcome, verdict.reason) == (Outcome.FAILED, Reason.NO_CONSUMER)
    assert asyncio.run(look(built("worker.online", rabbit.url))).summary == "no worker is connected to the broker"
    asyncio.run(until_state(rabbit, before))


async def test_every_check_is_content_and_a_hundred_looks_leave_nothing(
    rabbit: RabbitServer, running: CeleryProcess, feeds: CeleryFeeds, tmp_path: Path
) -> None:
    checks = [built(kind, rabbit.url) for kind in KINDS]
    with beat(tmp_path, BROKER_URL=rabbit.url, BEAT_SECONDS="1"):
        for check in checks:
            await until_ok(check, feeds)
        before, threads, clock = rabbit.state(), amqp_threads(), wall_clock()

        async def again(check: Check[Any, Any]) -> None:
            for _ in range(FEW if check.config.kind == "worker.canary" else MANY):
                verdict = await look(check, feeds)
                if verdict.outcome is not Outcome.OK:
                    assert abs(wall_clock() - clock) > 0.5, verdict  # the machine's clock was set: skew, for a while
                    await until_ok(check, feeds)

        async with asyncio.TaskGroup() as group:
            for check in checks:
                group.create_task(again(check), name=check.config.id)
        await until_state(rabbit, before)
        assert amqp_threads() == threads


async def test_a_task_runs_through_both_queues_and_comes_back_as_a_message(
    rabbit: RabbitServer, running: CeleryProcess
) -> None:
    verdict = await look(canary(rabbit.url))
    assert verdict.summary.startswith("a task ran through 2 queues in ")
    assert {fact.name for fact in verdict.evidence.facts} == {"queue celery", "queue slow"}


async def test_each_node_runs_a_canary_of_its_own_and_nothing_stays(
    rabbit: RabbitServer, running: CeleryProcess
) -> None:
    check = built("worker.each", rabbit.url)
    await until_ok(check)
    before = rabbit.state()
    assert (await look(check)).summary == "a task ran on each of 1 worker"
    assert rabbit.state() == before


async def test_frozen_children_are_a_frozen_pool(rabbit: RabbitServer, running: CeleryProcess) -> None:
    check = canary(rabbit.url)
    await until_ok(check)
    with running.paused(*running.children()):
        verdict = await look(check)
    assert (verdict.outcome, verdict.reason) == (Outcome.FAILED, Reason.POOL_FROZEN)
    await until_ok(check)


async def test_a_stopped_main_process_is_stuck(rabbit: RabbitServer, running: CeleryProcess) -> None:
    check, ping = canary(rabbit.url), built("worker.online", rabbit.url)
    await until_ok(check)
    await until_ok(ping)
    with running.paused(running.pid):
        verdict, pinged = await asyncio.gather(look(check), ping.measure(look_io(2.0)))
    assert (verdict.outcome, verdict.reason) == (Outcome.FAILED, Reason.STUCK)
    assert (pinged.listening, pinged.nodes) == (1, ())
    await until_ok(check)


async def test_full_slots_are_saturated(rabbit: RabbitServer, running: CeleryProcess) -> None:
    from celery import Celery

    check = canary(rabbit.url)
    await until_ok(check)
    with Celery("nexus", broker=rabbit.url) as app:
        for _ in range(2):
            app.send_task("tests.nap", [3])
    verdict = await look(check)
    assert (verdict.outcome, verdict.reason) == (Outcome.DEGRADED, Reason.SATURATED)
    await until_ok(check)


async def test_a_queue_without_its_worker_is_known_by_its_consumers_and_keeps_no_canary(
    hosts: dict[str, str], tmp_path: Path
) -> None:
    url = hosts["gone"]
    check, consumers, depth = canary(url), built("queue.no_consumer", url), built("queue.depth", url)
    with worker(tmp_path, "-c", "1", "-n", "w2@here", BROKER_URL=url) as process:
        for one in (check, consumers, depth):
            await until_ok(one)
        process.kill()
    verdict = await look(check)
    assert (verdict.outcome, verdict.reason) == (Outcome.FAILED, Reason.NO_CONSUMER)
    seen = await consumers.measure(look_io(5.0))
    assert [(use.queue, use.consumers, use.was_served) for use in seen.uses] == [("celery", 0, True)]
    await asyncio.sleep(1.2)
    assert (await look(depth)).summary == "no message waits in 1 queue"


async def test_results_on_a_redis_are_looked_for_where_they_are_said_to_be_and_removed(
    hosts: dict[str, str], tmp_path: Path
) -> None:
    url = hosts["redis-results"]
    server = ValkeyServer(tmp_path / "valkey")
    server.start()
    try:
        with worker(tmp_path, "-c", "1", "-n", "w3@here", BROKER_URL=url, RESULT_BACKEND=server.url):
            await until_ok(canary(url, result_backend=SecretStr(server.url)))
            unseen = await until_ok(canary(url))
        with redis.Redis.from_url(server.url) as client:
            assert client.keys("celery-task-meta-*") == []
    finally:
        server.stop()
    assert unseen.summary.startswith("a task ran through queue celery in ")


async def test_without_a_result_backend_the_event_is_the_proof(hosts: dict[str, str], tmp_path: Path) -> None:
    url = hosts["no-results"]
    with worker(tmp_path, "-c", "1", "-n", "w4@here", BROKER_URL=url):
        verdict = await until_ok(canary(url))
    assert verdict.summary.startswith("a task ran through queue celery in ")


async def test_a_paused_broker_ends_every_look_in_time(rabbit: RabbitServer) -> None:
    checks = [canary(rabbit.url), built("beat.config", rabbit.url, timeout_seconds=4.0)]
    checks += [built(kind, rabbit.url) for kind in ("worker.online", "queue.depth")]

    async def one(check: Check[Any, Any]) -> None:
        started = time.monotonic()
        with pytest.raises(TimeoutError):
            await look(check)
        assert time.monotonic() - started < check.config.timeout_seconds + GRACE_SECONDS, check.config.id

    rabbit.pause()
    try:
        async with asyncio.TaskGroup() as group:
            for check in checks:
                group.create_task(one(check), name=check.config.id)
    finally:
        rabbit.resume()


async def test_a_broker_that_pauses_while_the_canary_flies_ends_the_look_in_time(
    rabbit: RabbitServer, running: CeleryProcess
) -> None:
    check = canary(rabbit.url)
    await until_ok(check)
    before = rabbit.state()
    with running.paused(running.pid):
        flying = asyncio.create_task(look(check))
        await asyncio.sleep(1.3)
        rabbit.pause()
        try:
            started = time.monotonic()
            with pytest.raises(TimeoutError):
                await flying
            assert time.monotonic() - started < 4.0
        finally:
            rabbit.resume()
    await until_ok(check)
    deadline = time.monotonic() + 20
    while rabbit.state() != before:
        assert time.monotonic() < deadline, (rabbit.state(), before)
        await asyncio.sleep(0.2)


async def test_what_a_broker_refuses_is_named(rabbit: RabbitServer, tmp_path: Path) -> None:
    gone = RabbitServer(tmp_path)
    for url, reason in (
        (gone.url, Reason.CONNECTION_REFUSED),
        (rabbit.url.replace("nexus:nexus", "nexus:wrong"), Reason.AUTH_REJECTED),
        (rabbit.url.removesuffix("//") + "/nowhere", Reason.AUTH_REJECTED),
    ):
        check = built("worker.online", url)
        started = time.monotonic()
        with pytest.raises(Exception) as caught:
            await look(check)
        verdict = verdict_of(caught.value)
        assert verdict is not None
        assert verdict.reason is reason, verdict
        assert "wrong" not in str(verdict)
        assert time.monotonic() - started < 1.9
        assert check.on_failure(verdict).summary.startswith("broker: ")


async def test_a_broker_that_takes_no_messages_is_blocked(rabbit: RabbitServer, running: CeleryProcess) -> None:
    rabbit.control("set_vm_memory_high_watermark", "0.0000001")
    try:
        amqp = Amqp(await asyncio.to_thread(connect, rabbit.url, 1.0))
        with pytest.raises(BrokerBlockedError):
            await asyncio.to_thread(amqp.publish, "", "nowhere", b"{}", headers={})
    finally:
        rabbit.control("set_vm_memory_high_watermark", "0.4")
        await asyncio.to_thread(amqp.close)


async def test_a_feed_notices_a_paused_broker_and_comes_back(
    rabbit: RabbitServer, running: CeleryProcess, feeds: CeleryFeeds
) -> None:
    check = built("clock.skew", rabbit.url)
    await until_ok(check, feeds)
    deadline = time.monotonic() + 20
    rabbit.pause()
    try:
        while (view := await feeds.celery(rabbit.url, wait_seconds=0.5)).listening_since is not None:
            assert time.monotonic() < deadline
        assert view.error
    finally:
        rabbit.resume()
    while (view := await feeds.celery(rabbit.url, wait_seconds=0.5)).listening_since is None:
        assert time.monotonic() < deadline + 20
