"""queue.stalled: does anything leave a queue in which something waits?"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from checks.base import IO, Seconds
from checks.result import Fact, Reason, Verdict, degraded, failed, ok
from checks.wording import duration
from checks.worker.broker import Waiting
from checks.worker.look import MANY, BrokerCheck, QueuesConfig
from checks.worker.names import QueueNames, consumed


class QueueStalledConfig(QueuesConfig):
    """The settings of `queue.stalled`."""

    kind: Literal["queue.stalled"] = "queue.stalled"
    interval_seconds: Seconds = 15.0
    timeout_seconds: Seconds = 2.0
    checklist: str = "Worker: tasks execute successfully"
    stalled_seconds: Seconds = 120.0
    """Nothing left the queue for so long: degraded."""
    dead_seconds: Seconds = 300.0
    """Nothing left it for so long, though its workers have free slots, or there are none: failed."""


@dataclass(frozen=True, slots=True)
class StalledSeen:
    """What one look found."""

    at: datetime
    queues: tuple[Waiting, ...]
    consumers: tuple[tuple[str, int], ...]
    """(queue, nodes that answer and consume it)."""
    busy: frozenset[str]
    """The queues all of whose nodes have every slot taken."""

    def messages(self, queue: str) -> int:
        """Return how many wait in this queue."""
        return sum(one.messages for one in self.queues if one.queue == queue)

    def heads(self, queue: str) -> frozenset[tuple[int, str]]:
        """Return (priority, id) of the next messages out of this queue."""
        return frozenset(
            (head.priority, head.task_id) for one in self.queues if one.queue == queue for head in one.heads
        )


class QueueStalled(BrokerCheck[QueueStalledConfig, StalledSeen]):
    """Watch the next message out of each queue: no message bears the time at which it was sent.

    RabbitMQ does not show it; there the number of messages is watched instead, which does not fall.
    """

    Config = QueueStalledConfig
    remembers = MANY
    __slots__ = ("_names",)

    def __init__(self, config: QueueStalledConfig) -> None:
        super().__init__(config)
        self._names = QueueNames(config.expected_queues)

    async def measure(self, io: IO) -> StalledSeen:
        """Ask the workers which queues they consume and how busy they are, and look at the heads of the queues."""
        async with self.broker(io) as broker:
            told = await broker.ask("active_queues", "active", "stats")
            consumers = consumed(told["active_queues"])
            self._names.learn(consumers)
            waiting = await broker.waiting(self._names.all, self.config.priority_steps)
        direct = {one.queue: one.consumers for one in waiting if one.consumers is not None}
        active, stats = told["active"].by_node, told["stats"].by_node
        free = {
            str(queue["name"])
            for node, queues in told["active_queues"].answers
            for queue in queues
            if len(active.get(node, ())) < int(stats.get(node, {}).get("pool", {}).get("max-concurrency") or 1)
        }
        busy = frozenset(consumers.keys() - free)
        return StalledSeen(io.now(), waiting, tuple(sorted((consumers | direct).items())), busy)

    def judge(self, seen: StalledSeen, now: datetime, before: Sequence[StalledSeen] = ()) -> Verdict:
        """The queue that stands still longest speaks for the look."""
        still = {waiting.queue: _still_seconds(waiting.queue, seen, before) for waiting in seen.queues}
        facts = tuple(Fact(f"queue {waiting.queue}", _told(waiting, still[waiting.queue])) for waiting in seen.queues)
        values = {f"queue_{queue}_still_seconds": seconds for queue, seconds in still.items()}
        queue = max(still, key=lambda name: still[name])
        seconds = still[queue]
        if seconds < self.config.stalled_seconds:
            return ok(_fine(seen), *facts, values=values)
        waiting = next(one for one in seen.queues if one.queue == queue)
        if waiting.heads:
            summary = f"queue {queue}: nothing left it for {duration(seconds)}, next is {waiting.heads[0].task}"
        else:
            summary = f"queue {queue}: {waiting.messages} messages wait, and not one fewer for {duration(seconds)}"
        consumers = dict(seen.consumers).get(queue, 0)
        if queue in seen.busy:
            return degraded(
                Reason.SATURATED,
                f"{summary}; every slot is taken",
                *facts,
                values=values,
                hint="See worker.stuck_tasks for what runs. Add workers or slots, or set task_time_limit.",
            )
        verdict = failed if seconds >= self.config.dead_seconds else degraded
        if not consumers:
            return verdict(
                Reason.NO_CONSUMER,
                f"{summary}; no worker that answers serves it",
                *facts,
                values=values,
                hint="Start the worker that serves this queue, or add the queue to a worker's -Q.",
            )
        return verdict(
            Reason.NOT_CONSUMING,
            f"{summary}; its workers have free slots",
            *facts,
            values=values,
            hint="Restart the worker: it does not take from its queue (see worker.canary).",
        )


def _still_seconds(queue: str, seen: StalledSeen, before: Sequence[StalledSeen]) -> float:
    """Return for how long none of the next messages out of the queue has changed; 0 when it is empty.

    Where they are not shown: for how long there were messages, and never fewer than before.
    """
    heads = seen.heads(queue)
    since, later = seen.at, seen
    for earlier in reversed(before):
        first = earlier.heads(queue)
        if heads and not (heads & first and first <= heads):
            break
        if not heads and not 0 < earlier.messages(queue) <= later.messages(queue):
            break
        since, later = earlier.at, earlier
    return (seen.at - since).total_seconds()


def _fine(seen: StalledSeen) -> str:
    filled = sum(1 for waiting in seen.queues if waiting.messages)
    return f"{filled} of {len(seen.queues)} queues hold messages, and they move" if filled else "every queue is empty"


def _told(waiting: Waiting, still_seconds: float) -> str:
    if not waiting.messages:
        return "empty"
    heads = ", ".join(f"{head.task} {head.task_id}" for head in waiting.heads)
    return f"{waiting.messages} wait, next {heads or 'not shown'}, unchanged for {duration(still_seconds)}"
