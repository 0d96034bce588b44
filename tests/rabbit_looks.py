"""What the tests on a real RabbitMQ share: virtual hosts, a worker, looks, and what there is to be left behind."""

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from pydantic import SecretStr

from checks.base import Check
from checks.registry import CHECKS
from checks.result import Outcome, Verdict
from monitor.probing.feeds import CeleryFeeds
from tests.celery_stack import CeleryProcess, look_io, worker
from tests.rabbit import RabbitServer
from tests.worker_looks import settings

NODE = "w1@here"

HOSTS = ("gone", "redis-results", "no-results")
"""Virtual hosts beside the default one."""


@pytest.fixture(scope="module")
def hosts(rabbit: RabbitServer) -> dict[str, str]:
    """Make the virtual hosts, all in one call: each call of rabbitmqctl starts an Erlang; return their addresses."""
    names = ", ".join(f'<<"{name}">>' for name in HOSTS)
    everything = ", ".join(['<<".*">>'] * 3)
    rabbit.control(
        "eval",
        '[begin rabbit_vhost:add(Name, <<"nexus">>), rabbit_auth_backend_internal:set_permissions('
        f'<<"nexus">>, Name, {everything}, <<"nexus">>) end || Name <- [{names}]].',
    )
    return {name: f"{rabbit.url.removesuffix('//')}/{name}" for name in HOSTS}


@pytest.fixture(scope="module")
def running(rabbit: RabbitServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[CeleryProcess]:
    folder = tmp_path_factory.mktemp("worker")
    with worker(
        folder, "-c", "2", "-Q", "celery,slow", "-n", NODE,
        BROKER_URL=rabbit.url, RESULT_BACKEND="rpc://", BEAT_SECONDS="1",
    ) as process:  # fmt: skip
        yield process


@pytest.fixture
async def feeds() -> AsyncIterator[CeleryFeeds]:
    async with CeleryFeeds(lambda: datetime.now(UTC)) as made:
        yield made


def built(kind: str, url: str, **more: Any) -> Check[Any, Any]:
    check = CHECKS[kind]
    return check(check.Config.model_validate(settings(kind, broker_url=SecretStr(url), **more)))


def canary(url: str, **more: Any) -> Check[Any, Any]:
    return built("worker.canary", url, timeout_seconds=4.0, canary_timeout_seconds=1.0, **more)


async def look(check: Check[Any, Any], feeds: CeleryFeeds | None = None) -> Verdict:
    return check.judge(await check.measure(look_io(check.config.timeout_seconds, feeds)), datetime.now(UTC))


async def until_ok(check: Check[Any, Any], feeds: CeleryFeeds | None = None) -> Verdict:
    deadline = time.monotonic() + 20
    while (verdict := await look(check, feeds)).outcome is not Outcome.OK:
        assert time.monotonic() < deadline, verdict
        await asyncio.sleep(0.1)
    return verdict


def wall_clock() -> float:
    """Return where the wall clock stands against the one that nobody sets, in seconds."""
    return time.time() - time.monotonic()


def amqp_threads() -> list[str]:
    """Return the threads that talk to the broker: the feed's stays."""
    return [one.name for one in threading.enumerate() if one.name.startswith("amqp")]


async def until_state(rabbit: RabbitServer, expected: object) -> None:
    """Wait until the broker holds no more than before: it notices a little later that a connection has ended."""
    deadline = time.monotonic() + 20
    while (state := await asyncio.to_thread(rabbit.state)) != expected:
        assert time.monotonic() < deadline, state
        await asyncio.sleep(0.2)
