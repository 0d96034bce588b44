"""worker.restarts: do workers start again and again?"""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from pydantic import Field

from checks.base import IO, Seconds
from checks.result import Fact, Reason, Verdict, degraded, failed, ok, unknown
from checks.wording import duration
from checks.worker.look import AskingConfig, BrokerCheck, workers

HOUR_SECONDS = 3600.0
TEN_MINUTES_SECONDS = 600.0
SAME_START_SECONDS = 5.0
"""Uptimes are told in whole seconds, and answers take their time."""
KEPT_RESTARTS = 200
SHOWN = 8


class WorkerRestartsConfig(AskingConfig):
    """The settings of `worker.restarts`."""

    kind: Literal["worker.restarts"] = "worker.restarts"
    interval_seconds: Seconds = 30.0
    timeout_seconds: Seconds = 2.0
    checklist: str = "Worker: connects to broker"
    failed_restarts: int = Field(default=5, ge=2, le=1000)
    """So many within ten minutes: failed."""
    degraded_restarts: int = Field(default=3, ge=2, le=1000)
    """So many within an hour: degraded."""


@dataclass(frozen=True, slots=True)
class Restart:
    """One start of a worker that was there before, or that took the place of one."""

    node: str
    at: datetime
    pid: int | None = None


@dataclass(frozen=True, slots=True)
class RestartsSeen:
    """What one look found."""

    uptimes: tuple[tuple[str, float], ...]
    """(node, seconds since it started)."""
    restarts: tuple[Restart, ...]
    """Of the last hour, oldest first."""
    listening: int = 0


class WorkerRestarts(BrokerCheck[WorkerRestartsConfig, RestartsSeen]):
    """Ask the workers for their uptime, and compare when they started with what they told before."""

    Config = WorkerRestartsConfig
    __slots__ = ("_pids", "_restarts", "_started", "_vacant")

    def __init__(self, config: WorkerRestartsConfig) -> None:
        super().__init__(config)
        self._started: dict[str, datetime] = {}
        """When each node that answered last time had started."""
        self._pids: dict[str, int] = {}
        """In a container a new start may have the same process number, elsewhere a new one within seconds."""
        self._vacant = 0
        """Nodes that went away and were not replaced: a new name takes the place of one (deploys bring new names)."""
        self._restarts: deque[Restart] = deque(maxlen=KEPT_RESTARTS)

    async def measure(self, io: IO) -> RestartsSeen:
        """Ask for the statistics of every node."""
        async with self.broker(io) as broker:
            told = (await broker.ask("stats"))["stats"]
        now = io.now()
        self._note(now, told.by_node)
        hour_ago = now - timedelta(seconds=HOUR_SECONDS)
        uptimes = tuple((node, (now - at).total_seconds()) for node, at in sorted(self._started.items()))
        return RestartsSeen(uptimes, tuple(one for one in self._restarts if one.at > hour_ago), told.listening)

    def judge(self, seen: RestartsSeen, now: datetime, before: Sequence[RestartsSeen] = ()) -> Verdict:
        """Five starts in ten minutes: failed. Three in an hour: degraded."""
        facts = (
            *(Fact(f"{node}: up for", duration(seconds)) for node, seconds in seen.uptimes),
            *(Fact(f"{one.node}: started at", _moment(one)) for one in seen.restarts[-SHOWN:]),
        )
        recent = [one for one in seen.restarts if (now - one.at).total_seconds() <= TEN_MINUTES_SECONDS]
        values = {"worker_restarts": float(len(seen.restarts))}
        hint = (
            "Read the worker's log before each start: out of memory (worker_max_memory_per_child, a larger plan), an"
            " uncaught error, or a platform health check that ends it. After several deploys in a row this is fine."
        )
        if len(recent) >= self.config.failed_restarts:
            summary = f"{len(recent)} worker starts in 10 min, the last at {_moment(recent[-1])}"
            return failed(Reason.STUCK, summary, *facts, hint=hint, values=values)
        if len(seen.restarts) >= self.config.degraded_restarts:
            summary = f"{len(seen.restarts)} worker starts in an hour, the last at {_moment(seen.restarts[-1])}"
            return degraded(Reason.STUCK, summary, *facts, hint=hint, values=values)
        if not seen.uptimes:
            return unknown(
                Reason.DEPENDENCY_DOWN,
                "no worker tells since when it runs",
                Fact("workers that listen", seen.listening),
                hint="Repair the worker first (worker.online); before Celery 5.0 workers do not tell their uptime.",
            )
        youngest = min(seconds for _, seconds in seen.uptimes)
        starts = f"{len(seen.restarts)} restarts" if len(seen.restarts) != 1 else "1 restart"
        return ok(
            f"{workers(len(seen.uptimes))} up for {duration(youngest)} or more, {starts} in an hour",
            *facts,
            values=values,
        )

    def _note(self, now: datetime, stats: dict[str, Any]) -> None:
        """Compare when each node started with what it told before."""
        started = {
            node: now - timedelta(seconds=float(one["uptime"]))
            for node, one in stats.items()
            if isinstance(one.get("uptime"), int | float)
        }
        if not started:  # nobody answers: who comes next is compared with who was there last
            return
        pids = {node: one["pid"] for node, one in stats.items() if isinstance(one.get("pid"), int)}
        gone = self._started.keys() - started.keys()
        self._vacant += len(gone)
        for node, at in started.items():
            known = self._started.get(node)
            pid = pids.get(node)
            is_later = known is not None and at - known > timedelta(seconds=SAME_START_SECONDS)
            is_again = is_later or (pid is not None and pid != self._pids.get(node, pid))
            if known is None and self._vacant and self._started:
                self._vacant -= 1
                is_again = True
            if is_again:
                self._restarts.append(Restart(node, at, pid))
        self._started, self._pids = started, pids


def _moment(one: Restart) -> str:
    return f"{one.at:%H:%M:%S} UTC" + (f", pid {one.pid}" if one.pid is not None else "")
