"""worker.failures: do tasks fail, and how?"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal

from pydantic import Field

from checks.base import IO, Check, FeedView, Seconds, Tally
from checks.celery_wire import AFTER_SECONDS, CANARY_TASK, BrokerConfig, told_of_broker
from checks.result import Fact, Reason, Verdict, degraded, ok, unknown
from checks.wording import duration, listed

WINDOW_SECONDS = 600.0
LEAST_RUNS = 10
"""So many runs must have ended before their share of failures says something."""
LEARNING_SECONDS = 3600.0
"""An exception is called new when it was not seen in at least so long."""
SILENT_SECONDS = 300.0
"""A feed that has listened so long and heard of no task at all is not sent any."""
CONNECT_SECONDS = 2.0
KNOWN_KINDS = 1000
SHOWN = 8


class WorkerFailuresConfig(BrokerConfig):
    """The settings of `worker.failures`."""

    kind: Literal["worker.failures"] = "worker.failures"
    interval_seconds: Seconds = 30.0
    timeout_seconds: Seconds = 4.0
    checklist: str = "Worker: no errors in logs"
    most_failures: int = Field(default=3, ge=1, le=100_000)
    """So many failed or expired runs of one task within ten minutes are degraded."""
    most_retries: int = Field(default=20, ge=1, le=100_000)
    """So many retries of one task within ten minutes are degraded."""
    most_failed_share: float = Field(default=0.2, gt=0, le=1)
    """A larger share of failures among all runs, of at least ten, is degraded."""
    healed_successes: int = Field(default=3, ge=1, le=1000)
    """A task that has succeeded so often in a row since is no longer failing: an outage of what it needs is over."""
    ignored_tasks: tuple[str, ...] = ()
    """Tasks that may fail."""


@dataclass(frozen=True, slots=True)
class Ended:
    """How the runs of one task ended within ten minutes."""

    task: str
    succeeded: int = 0
    failed: Mapping[str, int] = field(default_factory=dict)
    """By exception class."""
    expired: int = 0
    retried: Mapping[str, int] = field(default_factory=dict)
    """By exception class."""
    is_healed: bool = False
    """It has succeeded several times since its last failure."""
    new: tuple[str, ...] = ()
    """Exception classes that this task had not shown before."""

    @property
    def failures(self) -> int:
        """Return how many runs failed or expired."""
        return sum(self.failed.values()) + self.expired


@dataclass(frozen=True, slots=True)
class FailuresSeen:
    """What one look found."""

    listening_since: datetime | None
    tasks: tuple[Ended, ...] = ()
    heard_tasks: bool = True
    """Any event of a task was heard."""
    error: str = ""


class WorkerFailures(Check[WorkerFailuresConfig, FailuresSeen]):
    """Count the endings of tasks that the feed heard."""

    Config = WorkerFailuresConfig
    __slots__ = ("_first_seen", "_watching_since")

    def __init__(self, config: WorkerFailuresConfig) -> None:
        super().__init__(config)
        self._first_seen: dict[tuple[str, str], datetime] = {}
        """When each (task, exception class) was first seen."""
        self._watching_since: datetime | None = None

    async def measure(self, io: IO) -> FailuresSeen:
        """Read the feed; wait a moment for it to connect when it is cold."""
        view = await io.feeds.celery(self.config.url)
        deadline = io.monotonic() + min(CONNECT_SECONDS, io.timeout_seconds - AFTER_SECONDS)
        while view.listening_since is None and not view.error and (left := deadline - io.monotonic()) > 0:
            view = await io.feeds.celery(self.config.url, wait_seconds=left)
        now = io.now()
        ours = [tally for tally in view.tallies if tally.prefix == self.config.key_prefix]
        if view.listening_since is not None:
            self._watching_since = min(self._watching_since or view.listening_since, view.listening_since)
        new = self._new_kinds(ours, now)
        heard_tasks = bool(ours) or any(one.type.startswith("task-") for one in view.heard)
        start_at = now - timedelta(seconds=WINDOW_SECONDS)
        recent = [tally for tally in ours if tally.minute_at > start_at and tally.task != CANARY_TASK]
        return FailuresSeen(view.listening_since, self._ended(recent, view, new), heard_tasks, view.error)

    def judge(self, seen: FailuresSeen, now: datetime, before: Sequence[FailuresSeen] = ()) -> Verdict:
        """One task fails often, or many of all do, or one fails in a new way: degraded."""
        failing = [one for one in seen.tasks if not one.is_healed and one.task not in self.config.ignored_tasks]
        runs = sum(one.succeeded + one.failures for one in seen.tasks)
        failures = sum(one.failures for one in failing)
        ordered = sorted(seen.tasks, key=lambda one: (-one.failures, -sum(one.retried.values()), one.task))
        facts = (
            Fact("runs in 10 min", runs),
            Fact("failed or expired", sum(one.failures for one in seen.tasks)),
            *(Fact(one.task or "task of unknown name", _told(one)) for one in ordered[:SHOWN] if _is_worth(one)),
        )
        values = {"task_runs": float(runs), "task_failures": float(sum(one.failures for one in seen.tasks))}
        often = [one for one in ordered if one in failing and one.failures >= self.config.most_failures]
        hint = "Read the worker's log for the task's name and this exception; its trace is there. "
        if often:
            worst = often[0]
            return degraded(
                Reason.FAILING,
                f"{_name(worst)}: {worst.failures} of {worst.succeeded + worst.failures} runs failed in 10 min:"
                f" {_how(worst)}",
                *facts,
                values=values,
                hint=hint + _advice(worst),
            )
        if runs >= LEAST_RUNS and failures / runs > self.config.most_failed_share:
            worst = max(failing, key=lambda one: one.failures)
            return degraded(
                Reason.FAILING,
                f"{failures} of {runs} runs of all tasks failed in 10 min, most of {_name(worst)}: {_how(worst)}",
                *facts,
                values=values,
                hint=hint + _advice(worst),
            )
        new = [one for one in failing if one.new]
        if new:
            return degraded(
                Reason.FAILING,
                f"{_name(new[0])} fails in a new way: {listed(new[0].new)}",
                *facts,
                values=values,
                hint=hint + _advice(new[0]),
            )
        retried = [one for one in failing if sum(one.retried.values()) >= self.config.most_retries]
        if retried:
            worst = max(retried, key=lambda one: sum(one.retried.values()))
            return degraded(
                Reason.FAILING,
                f"{_name(worst)}: {sum(worst.retried.values())} retries in 10 min: {listed(sorted(worst.retried))}",
                *facts,
                values=values,
                hint=hint + "What it calls is out of order, or its retry has no end (max_retries).",
            )
        if seen.listening_since is None:
            return unknown(Reason.STALE, f"not listening to the broker: {seen.error or 'connecting'}", *facts)
        listened = (now - seen.listening_since).total_seconds()
        if not seen.heard_tasks and listened > SILENT_SECONDS:
            return unknown(
                Reason.NOT_CONFIGURED,
                f"no event of any task in {duration(listened)}: the workers send none",
                *facts,
                hint="Start workers with -E, or set worker_send_task_events = True in the app.",
            )
        span = duration(min(listened, WINDOW_SECONDS))
        failed = sum(one.failures for one in seen.tasks)
        what = f"{failed} of {runs} runs failed" if failed else f"none of {runs} runs failed"
        return ok(f"{what} in the last {span}", *facts, values=values)

    def on_failure(self, verdict: Verdict) -> Verdict:
        """Say it of the broker."""
        return told_of_broker(verdict, self.config)

    def _new_kinds(self, tallies: Iterable[Tally], now: datetime) -> set[tuple[str, str]]:
        """Return the (task, exception class) first seen within the window, after long enough without them."""
        for tally in tallies:
            key = (tally.task, tally.exception)
            if tally.exception and (key in self._first_seen or len(self._first_seen) < KNOWN_KINDS):
                self._first_seen.setdefault(key, now)
        if self._watching_since is None:
            return set()
        learnt_at = self._watching_since + timedelta(seconds=LEARNING_SECONDS)
        start_at = now - timedelta(seconds=WINDOW_SECONDS)
        return {key for key, at in self._first_seen.items() if at > max(learnt_at, start_at)}

    def _ended(self, tallies: Iterable[Tally], view: FeedView, new: set[tuple[str, str]]) -> tuple[Ended, ...]:
        by_task: dict[str, Counter[tuple[str, str]]] = {}
        for tally in tallies:
            by_task.setdefault(tally.task, Counter())[tally.ending, tally.exception] += tally.count
        return tuple(
            Ended(
                task,
                sum(count for (ending, _), count in counts.items() if ending == "succeeded"),
                {exception: count for (ending, exception), count in counts.items() if ending == "failed"},
                sum(count for (ending, _), count in counts.items() if ending == "expired"),
                {exception: count for (ending, exception), count in counts.items() if ending == "retried"},
                view.successes.get((self.config.key_prefix, task), 0) >= self.config.healed_successes,
                tuple(sorted(exception for name, exception in new if name == task)),
            )
            for task, counts in sorted(by_task.items())
        )


def _name(one: Ended) -> str:
    return one.task or "a task of unknown name"


def _is_worth(one: Ended) -> bool:
    return bool(one.failures or one.retried)


def _how(one: Ended) -> str:
    kinds = [name or "unknown exception" for name, _ in Counter(one.failed).most_common()]
    return listed([*kinds, *(["expired before they began"] if one.expired else [])])


def _told(one: Ended) -> str:
    parts = [f"{count} {name or 'unknown exception'}" for name, count in Counter(one.failed).most_common()]
    parts += [f"{one.expired} expired"] if one.expired else []
    parts += [f"{count} retried after {name}" for name, count in Counter(one.retried).most_common()]
    return f"{', '.join(parts)}; {one.succeeded} succeeded" + (", and again since" if one.is_healed else "")


def _advice(one: Ended) -> str:
    if "WorkerLostError" in one.failed:
        return "WorkerLostError: its process was killed, most often for memory (worker_max_memory_per_child)."
    if "NotRegistered" in one.failed:
        return "NotRegistered: an old worker gets a new task, or a module is missing from include."
    if "TimeLimitExceeded" in one.failed or "SoftTimeLimitExceeded" in one.failed:
        return "It runs into its time limit: what it calls is slow."
    if one.expired and not one.failed:
        return "Its messages wait longer than their expires: the workers do not keep up."
    return "If it began with a deploy, roll back."
