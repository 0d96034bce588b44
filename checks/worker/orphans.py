"""queue.orphans: were messages given to workers that are gone?"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from checks.base import IO, Seconds
from checks.result import Fact, Reason, Verdict, degraded, ok, unknown
from checks.wording import duration, listed
from checks.worker.broker import Delivered
from checks.worker.look import AskingConfig, BrokerCheck

MOST_DELIVERED = 500
"""So many unacknowledged messages are compared, the oldest first."""

SHOWN = 5


class QueueOrphansConfig(AskingConfig):
    """The settings of `queue.orphans`."""

    kind: Literal["queue.orphans"] = "queue.orphans"
    interval_seconds: Seconds = 60.0
    timeout_seconds: Seconds = 5.0
    checklist: str = "Worker: tasks execute successfully"
    orphaned_seconds: Seconds = 60.0
    """A message given away longer ago, and held by nobody, is orphaned."""
    visibility_timeout_seconds: Seconds = 3600.0
    """`visibility_timeout` of the app's `broker_transport_options`: an orphan returns to its queue after it."""


@dataclass(frozen=True, slots=True)
class OrphansSeen:
    """What one look found."""

    listening: int
    answering: int
    """The nodes that told everything they hold."""
    delivered: int
    """Messages given away and not acknowledged."""
    unheld: tuple[Delivered, ...]
    """Those of them that no node admits to hold, before and after it was asked."""


class QueueOrphans(BrokerCheck[QueueOrphansConfig, OrphansSeen]):
    """Compare what the broker gave away with what the workers admit to hold."""

    Config = QueueOrphansConfig
    __slots__ = ()

    async def measure(self, io: IO) -> OrphansSeen:
        """Read what was given away, ask the workers what they hold, and read again: what ended between is no orphan."""
        async with self.broker(io) as broker:
            first = await broker.delivered(MOST_DELIVERED)
            told = await broker.ask("active", "reserved", "scheduled")
            held = {task_id for replies in told.values() for _, tasks in replies.answers for task_id in _ids(tasks)}
            unheld = [one for one in first if one.task_id not in held]
            still = {one.task_id for one in await broker.delivered(MOST_DELIVERED)} if unheld else set()
        return OrphansSeen(
            max(replies.listening for replies in told.values()),
            min(len(replies.answers) for replies in told.values()),
            len(first),
            tuple(one for one in unheld if one.task_id in still),
        )

    def judge(self, seen: OrphansSeen, now: datetime, before: Sequence[OrphansSeen] = ()) -> Verdict:
        """Old and held by nobody: degraded; it counts only when every worker has answered."""
        orphans = [one for one in seen.unheld if one.age_seconds >= self.config.orphaned_seconds]
        facts = (
            Fact("given to workers, not acknowledged", seen.delivered, "messages"),
            Fact("workers that listen", seen.listening),
            Fact("workers that answer", seen.answering),
            *(Fact(f"{one.task} {one.task_id}", self._told(one)) for one in orphans[:SHOWN]),
        )
        if seen.unheld and seen.answering < seen.listening:
            return unknown(
                Reason.DEPENDENCY_DOWN,
                f"{seen.answering} of {seen.listening} workers told what they hold",
                *facts,
                hint="See worker.online: a silent worker may hold the messages.",
            )
        values = {"queue_orphaned_messages": float(len(orphans))}
        if not orphans:
            return ok(f"{seen.delivered} messages given to workers, each is held", *facts, values=values)
        tasks = listed(sorted({one.task for one in orphans}))
        oldest = max(orphans, key=lambda one: one.age_seconds)
        return degraded(
            Reason.STALE,
            f"{len(orphans)} messages were given to a worker that is gone: {tasks}",
            *facts,
            hint=f"A worker was killed with messages in hand. They run again after visibility_timeout, the oldest"
            f" {self._returns(oldest)}; wait, or enqueue them again. For the next time: stop workers with SIGTERM"
            " and enough time, acks_late with idempotent tasks, a lower visibility_timeout.",
            values=values,
        )

    def _told(self, one: Delivered) -> str:
        return f"of queue {one.queue}, given away {duration(one.age_seconds)} ago, returns {self._returns(one)}"

    def _returns(self, one: Delivered) -> str:
        left = self.config.visibility_timeout_seconds - one.age_seconds
        return f"in {duration(left)}" if left > 0 else "as soon as a worker looks"


def _ids(tasks: Any) -> list[str]:
    """Return the ids of an answer: `scheduled` wraps each task in its time."""
    return [str((task.get("request") or task).get("id")) for task in tasks]
