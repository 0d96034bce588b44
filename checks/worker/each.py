"""worker.each: does a task run on every node? A broken twin hides behind a healthy one in a shared queue."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from pydantic import model_validator

from checks.base import IO, Seconds
from checks.celery_broker import broker_error
from checks.celery_wire import AFTER_SECONDS, CLEAN_UP_SECONDS, REPLY_SECONDS
from checks.result import Fact, Reason, Verdict, failed, ok, unknown
from checks.wording import duration, listed
from checks.worker.broker import Flight, canaries_for
from checks.worker.look import OWN_QUEUE, AskingConfig, BrokerCheck, workers

MOST_NODES = 64
LEAST_WAIT_SECONDS = 1.5
"""A worker ends its running queue read of 1 s before it reads another queue."""
AROUND_SECONDS = REPLY_SECONDS + CLEAN_UP_SECONDS + AFTER_SECONDS


class WorkerEachConfig(AskingConfig):
    """The settings of `worker.each`."""

    kind: Literal["worker.each"] = "worker.each"
    interval_seconds: Seconds = 300.0
    timeout_seconds: Seconds = 10.0
    checklist: str = "Worker: tasks execute successfully"

    @model_validator(mode="after")
    def _time_for_a_canary(self) -> "WorkerEachConfig":
        least = AROUND_SECONDS + LEAST_WAIT_SECONDS
        if self.timeout_seconds < least:
            raise ValueError(f"timeout_seconds: {self.timeout_seconds:g} must be at least {least:g}")
        return self


@dataclass(frozen=True, slots=True)
class EachSeen:
    """What one look found."""

    flights: tuple[tuple[str, Flight], ...]
    """(node, its canary)."""


class WorkerEach(BrokerCheck[WorkerEachConfig, EachSeen]):
    """Give each node a queue of its own for a moment and run a canary through it. It changes the workers: opt-in."""

    Config = WorkerEachConfig
    __slots__ = ()

    async def measure(self, io: IO) -> EachSeen:
        """Add the queues by remote control, send the canaries, and take everything back."""
        async with self.broker(io) as broker:
            started = io.monotonic()
            nodes = sorted({node for node, _ in (await broker.ask("ping"))["ping"].answers})[:MOST_NODES]
            if not nodes:
                return EachSeen(())
            queues = {node: OWN_QUEUE + node for node in nodes}
            try:
                if self.config.is_rabbitmq:  # there a result proves it only where it comes as a message
                    await broker.tell("enable_events")
                for node, queue in queues.items():
                    await broker.tell("add_consumer", {"queue": queue}, [node])
                spent = io.monotonic() - started
                wait = max(LEAST_WAIT_SECONDS, min(5.0, io.timeout_seconds - AROUND_SECONDS - spent))
                flights = await broker.fly(canaries_for(tuple(queues.values()), io.now()), wait)
            finally:
                with suppress(*broker_error()):  # the next look tries again
                    async with asyncio.timeout(CLEAN_UP_SECONDS):
                        for node, queue in queues.items():
                            await broker.tell("cancel_consumer", {"queue": queue}, [node])
                            await broker.forget(queue)
        return EachSeen(tuple(zip(nodes, flights, strict=True)))

    def judge(self, seen: EachSeen, now: datetime, before: Sequence[EachSeen] = ()) -> Verdict:
        """A node that does not run its canary: failed."""
        facts = tuple(
            Fact(node, f"ran a task in {duration(flight.seconds)}" if flight.proof else "ran nothing")
            for node, flight in seen.flights
        )
        if not seen.flights:
            return unknown(Reason.DEPENDENCY_DOWN, "no worker answers", hint="Repair the worker first (worker.online).")
        silent = [node for node, flight in seen.flights if not flight.proof]
        if silent:
            return failed(
                Reason.NOT_CONSUMING,
                f"{len(silent)} of {workers(len(seen.flights))} ran no task: {listed(silent)}",
                *facts,
                hint="Restart that worker: it answers a ping, but takes or runs no task. See worker.stuck_tasks if"
                " all its slots are taken.",
            )
        slowest = max(flight.seconds for _, flight in seen.flights)
        return ok(f"a task ran on each of {workers(len(seen.flights))}", *facts, values={"canary_seconds": slowest})
