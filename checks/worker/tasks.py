"""worker.tasks: do the workers know every task?"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from checks.base import IO, Seconds
from checks.result import Fact, Reason, Verdict, degraded, ok, unknown
from checks.wording import listed
from checks.worker.look import AskingConfig, BrokerCheck

SHOWN = 40


class WorkerTasksConfig(AskingConfig):
    """The settings of `worker.tasks`."""

    kind: Literal["worker.tasks"] = "worker.tasks"
    interval_seconds: Seconds = 300.0
    timeout_seconds: Seconds = 5.0
    checklist: str = "Worker: tasks execute successfully"
    expected_tasks: tuple[str, ...] = ()
    """The tasks there should be; empty: not known."""


@dataclass(frozen=True, slots=True)
class TasksSeen:
    """What one look found."""

    listening: int
    nodes: tuple[tuple[str, frozenset[str]], ...]
    """(node, the tasks it knows)."""


class WorkerTasks(BrokerCheck[WorkerTasksConfig, TasksSeen]):
    """Ask every worker for its registered tasks."""

    Config = WorkerTasksConfig
    __slots__ = ()

    async def measure(self, io: IO) -> TasksSeen:
        """Ask for the registered tasks; Celery's own are not told."""
        async with self.broker(io) as broker:
            told = (await broker.ask("registered"))["registered"]
        # Some versions write a task's attributes behind its name: `name [rate_limit=1/s]`.
        nodes = tuple((node, frozenset(str(task).split(" ", 1)[0] for task in tasks)) for node, tasks in told.answers)
        return TasksSeen(told.listening, nodes)

    def judge(self, seen: TasksSeen, now: datetime, before: Sequence[TasksSeen] = ()) -> Verdict:
        """An expected task that no worker knows, or only some of them: degraded."""
        known = frozenset().union(*(tasks for _, tasks in seen.nodes))
        facts = (
            Fact("workers that answer", len(seen.nodes)),
            Fact("workers that listen", seen.listening),
            Fact("tasks", listed(sorted(known), SHOWN)),
        )
        values = {"registered_tasks": float(len(known))}
        if not seen.nodes:
            return unknown(
                Reason.DEPENDENCY_DOWN,
                "no worker tells its tasks",
                *facts,
                hint="Repair the worker first (worker.online).",
            )
        missing = sorted(set(self.config.expected_tasks) - known)
        if missing and len(seen.nodes) < seen.listening:
            return unknown(
                Reason.DEPENDENCY_DOWN,
                f"{len(seen.nodes)} of {seen.listening} workers told their tasks",
                *facts,
                hint="See worker.online: a silent worker may know the missing task.",
            )
        if missing:
            return degraded(
                Reason.MISSING,
                f"no worker knows {listed(missing)}",
                *facts,
                Fact("missing", listed(missing, SHOWN)),
                values=values,
                hint="Whoever sends it gets NotRegistered. Was it renamed, or its module dropped from include or"
                " autodiscover_tasks? Read the worker's log from its start for an ImportError.",
            )
        what = "1 task" if len(known) == 1 else f"{len(known)} tasks"
        note = "" if self.config.expected_tasks else "; which there should be is not known yet"
        return ok(f"{what} registered{note}", *facts, values=values)
