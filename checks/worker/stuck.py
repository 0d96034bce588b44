"""worker.stuck_tasks: does a task run for too long?"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from checks.base import IO, Seconds
from checks.result import Fact, Reason, Verdict, degraded, failed, ok, unknown
from checks.wording import duration
from checks.worker.look import AskingConfig, BrokerCheck

LEAST_RUNS = 20
"""So many runs of a task must be known before its own time is a measure."""
USUAL_TIMES = 5.0
"""A task that runs so many times longer than its 95th percentile is stuck …"""
USUAL_LEAST_SECONDS = 30.0
"""… if it also runs at least so long."""
SHOWN = 8


class WorkerStuckTasksConfig(AskingConfig):
    """The settings of `worker.stuck_tasks`."""

    kind: Literal["worker.stuck_tasks"] = "worker.stuck_tasks"
    interval_seconds: Seconds = 60.0
    timeout_seconds: Seconds = 2.0
    checklist: str = "Worker: tasks execute successfully"
    long_seconds: Seconds = 300.0
    """A task that runs longer is degraded."""
    hung_seconds: Seconds = 900.0
    """Every slot taken for longer than this, or than the app's `task_time_limit` if that is shorter: failed."""
    long_tasks: tuple[str, ...] = ()
    """Tasks that may run long."""


@dataclass(frozen=True, slots=True)
class Running:
    """One task in a slot."""

    node: str
    task: str
    task_id: str
    seconds: float
    pid: int | None = None
    usual_seconds: float | None = None
    """The 95th percentile of its runs; None while too few are known."""


@dataclass(frozen=True, slots=True)
class RunningSeen:
    """What one look found."""

    listening: int
    running: tuple[Running, ...]
    slots: Mapping[str, int] = field(default_factory=dict)
    """By node, of the nodes that answered."""
    limit_seconds: float | None = None
    """The app's `task_time_limit`."""


class WorkerStuckTasks(BrokerCheck[WorkerStuckTasksConfig, RunningSeen]):
    """Ask the workers what runs, and since when."""

    Config = WorkerStuckTasksConfig
    __slots__ = ()

    async def measure(self, io: IO) -> RunningSeen:
        """Ask for the running tasks, and compare with how long they usually take."""
        view = await io.feeds.celery(self.config.url)
        async with self.broker(io) as broker:
            told = await broker.ask("active", "stats", "conf")
        epoch = io.now().timestamp()
        running = [
            Running(
                node,
                str(task.get("name")),
                str(task.get("id")),
                max(0.0, epoch - float(task["time_start"])),
                task.get("worker_pid"),
                _p95(view.runtimes.get(str(task.get("name")), ())),
            )
            for node, tasks in told["active"].answers
            for task in tasks
            if task.get("time_start")
        ]
        stats = told["stats"].by_node
        slots = {node: int(stats[node].get("pool", {}).get("max-concurrency") or 1) for node in stats}
        limits = [conf.get("task_time_limit") for _, conf in told["conf"].answers]
        limit = next((float(one) for one in limits if isinstance(one, int | float)), None)
        return RunningSeen(told["active"].listening, tuple(running), slots, limit)

    def judge(self, seen: RunningSeen, now: datetime, before: Sequence[RunningSeen] = ()) -> Verdict:
        """Every slot taken by an old task: failed. One task far over its time: degraded."""
        if not seen.slots:
            return unknown(
                Reason.DEPENDENCY_DOWN,
                "no worker tells what runs",
                Fact("workers that listen", seen.listening),
                hint="Repair the worker first (worker.online).",
            )
        ordered = sorted(seen.running, key=lambda one: -one.seconds)
        slots = sum(seen.slots.values())
        facts = (
            Fact("slots", slots),
            Fact("tasks that run", len(ordered)),
            *(Fact(f"{one.task} on {one.node}", _told(one)) for one in ordered[:SHOWN]),
        )
        values = {"slots_taken_ratio": len(ordered) / slots}
        if ordered:
            values["oldest_task_seconds"] = ordered[0].seconds
        hung_seconds = min(self.config.hung_seconds, seen.limit_seconds or self.config.hung_seconds)
        if len(ordered) >= slots and ordered[-1].seconds > hung_seconds:
            return failed(
                Reason.STUCK,
                f"all {slots} slots are taken for more than {duration(hung_seconds)}: {ordered[0].task}",
                *facts,
                values=values,
                hint="Nothing else runs. Restart the worker; set task_soft_time_limit and task_time_limit, and"
                " timeouts on what the task calls.",
            )
        stuck = [one for one in ordered if one.task not in self.config.long_tasks and self._is_long(one)]
        if stuck:
            worst = stuck[0]
            usual = f", usually {duration(worst.usual_seconds)}" if worst.usual_seconds is not None else ""
            return degraded(
                Reason.STUCK,
                f"{worst.task} runs for {duration(worst.seconds)}{usual}"
                + (f", and {len(stuck) - 1} more" if len(stuck) > 1 else ""),
                *facts,
                values=values,
                hint=f"Look what it waits for; to end it: celery control terminate KILL {worst.task_id}. Set"
                " task_time_limit; if it may take so long, name it in long_tasks.",
            )
        oldest = f", the oldest for {duration(ordered[0].seconds)}" if ordered else ""
        return ok(f"{len(ordered)} of {slots} slots taken{oldest}", *facts, values=values)

    def _is_long(self, one: Running) -> bool:
        usual = one.usual_seconds
        is_unusual = usual is not None and one.seconds > max(USUAL_TIMES * usual, USUAL_LEAST_SECONDS)
        return one.seconds > self.config.long_seconds or is_unusual


def _p95(runtimes: Sequence[float]) -> float | None:
    if len(runtimes) < LEAST_RUNS:
        return None
    return sorted(runtimes)[int(0.95 * (len(runtimes) - 1))]


def _told(one: Running) -> str:
    pid = f", pid {one.pid}" if one.pid is not None else ""
    usual = f", usually {duration(one.usual_seconds)}" if one.usual_seconds is not None else ""
    return f"for {duration(one.seconds)}{usual}, id {one.task_id}{pid}"
