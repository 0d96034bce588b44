"""Real Celery workers and beats as processes of their own, and the IO to look at them with."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path

import psutil
import redis

from checks.amqp import Amqp, connect
from checks.base import IO, Feeds, FeedView
from checks.celery_broker import CONTROL_EXCHANGE
from checks.celery_wire import control_channel, control_message
from checks.redis_url import database_of
from monitor.probing.io import real_io

START_SECONDS = 30.0
ROOT = Path(__file__).parent.parent


class CeleryProcess:
    """One `celery -A tests.celery_app …` process tree, in an environment of its own where `PYTHON` names one."""

    def __init__(self, folder: Path, arguments: list[str], ready: str, **environment: str) -> None:
        python = environment.pop("PYTHON", sys.executable)
        self.log = folder / f"{arguments[0]}-{time.monotonic_ns()}.log"
        with self.log.open("wb") as output:
            self._process = subprocess.Popen(
                [python, "-m", "celery", "-A", "tests.celery_app", *arguments],
                cwd=ROOT,
                env={**os.environ, **environment, "PYTHONPATH": str(ROOT)},
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        deadline = time.monotonic() + START_SECONDS
        while ready not in self.log.read_text():
            if self._process.poll() is not None or time.monotonic() > deadline:
                self.kill()
                raise RuntimeError(self.log.read_text())
            time.sleep(0.05)

    @property
    def pid(self) -> int:
        return self._process.pid

    def children(self) -> list[int]:
        return [child.pid for child in psutil.Process(self.pid).children(recursive=True)]

    @contextmanager
    def paused(self, *pids: int) -> Iterator[None]:
        for pid in pids:
            os.kill(pid, signal.SIGSTOP)
        try:
            yield
        finally:
            for pid in pids:
                os.kill(pid, signal.SIGCONT)

    def kill(self) -> None:
        """Kill the whole tree: it is a session of its own."""
        if self._process.poll() is None:
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait(10)


@contextmanager
def worker(folder: Path, *arguments: str, **environment: str) -> Iterator[CeleryProcess]:
    """Run a worker until the block ends; killed, so that a paused one ends too."""
    process = CeleryProcess(folder, ["worker", "-l", "INFO", *arguments], " ready.", **environment)
    try:
        if environment.get("REMOTE_CONTROL") != "off":
            _wait_for_listener(environment["BROKER_URL"], dict(pairwise(arguments)).get("-n", ""))
        yield process
    finally:
        process.kill()


def _wait_for_listener(url: str, node: str) -> None:
    """Return when a worker hears remote control: it subscribes only after it has said that it is ready."""
    deadline = time.monotonic() + START_SECONDS
    if url.startswith("amqp:"):
        amqp = Amqp(connect(url, 5.0))
        while amqp.peek(f"{node}.{CONTROL_EXCHANGE}") is None:
            assert time.monotonic() < deadline, "the worker does not listen"
            time.sleep(0.05)
        amqp.close()
        return
    with redis.Redis.from_url(url, socket_timeout=5) as client:
        while not client.publish(control_channel("", database_of(url)), control_message("ping", {})):
            assert time.monotonic() < deadline, "the worker does not listen"
            time.sleep(0.05)


@contextmanager
def beat(folder: Path, **environment: str) -> Iterator[CeleryProcess]:
    """Run a beat until the block ends."""
    schedule = folder / f"schedule-{time.monotonic_ns()}"
    process = CeleryProcess(folder, ["beat", "-l", "INFO", "-s", str(schedule)], "beat: Starting", **environment)
    try:
        yield process
    finally:
        process.kill()


class NoFeeds:
    """Feeds for looks that listen to nothing."""

    async def celery(self, broker_url: str, *, wait_seconds: float = 0.0) -> FeedView:
        raise AssertionError("this look must not use a feed")


def look_io(timeout_seconds: float, feeds: Feeds | None = None) -> IO:
    """Return the real IO."""

    async def no_store() -> None:
        raise AssertionError("this look must not use the store")

    return real_io(
        timeout_seconds=timeout_seconds,
        now=lambda: datetime.now(UTC),
        monotonic=time.monotonic,
        feeds=feeds or NoFeeds(),
        own_store=no_store,
        loop_lag_seconds=lambda: 0.0,
    )


def state_of(url: str) -> tuple[set[bytes], int]:
    """Return the keys in all databases and the number of connections of others."""
    with redis.Redis.from_url(url, socket_timeout=5) as client:
        keys: set[bytes] = set()
        for database in client.info("keyspace"):
            with redis.Redis.from_url(url, db=int(database[2:]), socket_timeout=5) as other:
                keys |= set(other.keys())
        return keys, len(client.client_list()) - 1
