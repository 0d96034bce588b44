"""worker.online: do the workers hang on the broker, and do their main processes answer?"""

import asyncio
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from pydantic import Field, model_validator

from checks.base import IO, Check, Confirm, Seconds
from checks.celery_wire import AFTER_SECONDS, CLEAN_UP_SECONDS, REPLY_SECONDS, Broker, BrokerConfig, told_of_broker
from checks.result import Fact, Reason, Verdict, degraded, failed, ok
from checks.wording import duration

LEAST_TIMEOUT_SECONDS = REPLY_SECONDS + CLEAN_UP_SECONDS + 0.5
"""A ping takes up to 1 s, and connecting and cleaning up need their time too."""


class WorkerOnlineConfig(BrokerConfig):
    """The settings of `worker.online`."""

    kind: Literal["worker.online"] = "worker.online"
    interval_seconds: Seconds = 30.0
    timeout_seconds: Seconds = 2.0
    confirm: Confirm = Confirm(failures=3, span_seconds=60.0)
    checklist: str = "Worker: connects to broker"
    min_workers: int = Field(default=1, ge=1, le=1000)
    """How many worker nodes there should be at least."""

    @model_validator(mode="after")
    def _time_for_a_ping(self) -> "WorkerOnlineConfig":
        if self.timeout_seconds < LEAST_TIMEOUT_SECONDS:
            raise ValueError(
                f"timeout_seconds: {self.timeout_seconds:g} must be at least {LEAST_TIMEOUT_SECONDS:g}:"
                f" a worker has {REPLY_SECONDS:g} s to answer a ping"
            )
        return self


@dataclass(frozen=True, slots=True)
class Ping:
    """What one ping to all nodes found."""

    listening: int
    nodes: tuple[str, ...]
    """The names that answered; two nodes of one name appear twice."""
    seconds: float


class WorkerOnline(Check[WorkerOnlineConfig, Ping]):
    """Ping all worker nodes by remote control, and compare the answers with the listeners."""

    Config = WorkerOnlineConfig
    __slots__ = ("_reply_id",)

    def __init__(self, config: WorkerOnlineConfig) -> None:
        super().__init__(config)
        self._reply_id = str(uuid.uuid4())

    async def measure(self, io: IO) -> Ping:
        """Ping every node that listens on the broker."""
        async with (
            asyncio.timeout(io.timeout_seconds - AFTER_SECONDS),
            io.redis(self.config.url) as client,
        ):
            broker = Broker(client, self.config, self._reply_id)
            started = io.monotonic()
            ping = (await broker.ask("ping"))["ping"]
            return Ping(ping.listening, tuple(node for node, _ in ping.answers), io.monotonic() - started)

    def judge(self, seen: Ping, now: datetime, before: Sequence[Ping] = ()) -> Verdict:
        """Nobody listens: failed. Some are silent, or too few: degraded."""
        answering = len(seen.nodes)
        facts = (
            Fact("workers that listen", seen.listening),
            Fact("workers that answer", answering),
            Fact("nodes", ", ".join(sorted(seen.nodes))),
        )
        values = {"workers_listening": float(seen.listening), "workers_answering": float(answering)}
        if seen.listening == 0:
            return failed(
                Reason.NO_CONSUMER,
                "no worker is connected to the broker",
                *facts,
                values=values,
                hint="Read the worker's log from its last start: an import error, VersionMismatch (kombu and redis"
                " do not fit), or a wrong broker URL. If its remote control is switched off on purpose"
                " (worker_enable_remote_control), remove this check and keep worker.canary.",
            )
        if answering < seen.listening:
            return degraded(
                Reason.STUCK,
                f"{answering} of {_workers(seen.listening)} answered a ping within {REPLY_SECONDS:g} s",
                *facts,
                values=values,
                hint="A main process hangs: restart that worker. With --pool solo a long task also keeps it silent.",
            )
        if seen.listening < self.config.min_workers:
            return degraded(
                Reason.CAPACITY,
                f"{_workers(seen.listening)} connected, {self.config.min_workers} expected",
                *facts,
                values=values,
                hint="Read the log of the missing worker from its last start; see how many instances run.",
            )
        verb = "answers" if answering == 1 else "answer"
        values["ping_seconds"] = seen.seconds
        return ok(f"{_workers(answering)} {verb} in {duration(seen.seconds)}", *facts, values=values)

    def on_failure(self, verdict: Verdict) -> Verdict:
        """Say it of the broker."""
        return told_of_broker(verdict, self.config)


def _workers(count: int) -> str:
    return f"{count} worker" if count == 1 else f"{count} workers"
