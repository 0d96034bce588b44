"""queue.depth: do messages pile up?"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from pydantic import Field

from checks.base import IO, Seconds
from checks.result import Fact, Reason, Verdict, degraded, ok
from checks.wording import duration
from checks.worker.broker import Waiting
from checks.worker.look import MANY, BrokerCheck, QueuesConfig
from checks.worker.names import QueueNames, consumed


class QueueDepthConfig(QueuesConfig):
    """The settings of `queue.depth`."""

    kind: Literal["queue.depth"] = "queue.depth"
    interval_seconds: Seconds = 15.0
    timeout_seconds: Seconds = 2.0
    checklist: str = "Worker: tasks execute successfully"
    most_messages: int = Field(default=100, ge=1, le=10_000_000)
    """More than so many waiting messages are a backlog, if they also rise."""
    rising_seconds: Seconds = 300.0
    """For how long."""


@dataclass(frozen=True, slots=True)
class DepthSeen:
    """What one look found."""

    at: datetime
    queues: tuple[Waiting, ...]

    def messages(self, queue: str) -> int:
        """Return how many wait in this queue."""
        return sum(waiting.messages for waiting in self.queues if waiting.queue == queue)


class QueueDepth(BrokerCheck[QueueDepthConfig, DepthSeen]):
    """Count the waiting messages of each queue, over all priorities."""

    Config = QueueDepthConfig
    remembers = MANY
    __slots__ = ("_names",)

    def __init__(self, config: QueueDepthConfig) -> None:
        super().__init__(config)
        self._names = QueueNames(config.expected_queues)

    async def measure(self, io: IO) -> DepthSeen:
        """Ask the workers which queues there are, and count what waits in them."""
        async with self.broker(io) as broker:
            self._names.learn(consumed((await broker.ask("active_queues"))["active_queues"]))
            return DepthSeen(io.now(), await broker.waiting(self._names.all, self.config.priority_steps))

    def judge(self, seen: DepthSeen, now: datetime, before: Sequence[DepthSeen] = ()) -> Verdict:
        """Above the limit all the time, and more than at its beginning: degraded."""
        total = sum(waiting.messages for waiting in seen.queues)
        facts = tuple(Fact(f"queue {waiting.queue}", _told(waiting), "messages") for waiting in seen.queues)
        values = {f"queue_{waiting.queue}_messages": float(waiting.messages) for waiting in seen.queues}
        values["queue_messages"] = float(total)
        rising = [waiting for waiting in seen.queues if self._is_rising(waiting.queue, seen, before)]
        if rising:
            worst = max(rising, key=lambda waiting: waiting.messages)
            return degraded(
                Reason.BACKLOG,
                f"queue {worst.queue}: {worst.messages} messages wait,"
                f" and more come for {duration(self.config.rising_seconds)}",
                *facts,
                hint="More comes in than the workers run: add workers or slots, or find the producer. If nothing"
                " runs at all, see worker.canary.",
                values=values,
            )
        few = "no message waits" if total == 0 else "1 message waits" if total == 1 else f"{total} messages wait"
        return ok(
            f"{few} in {len(seen.queues)} {'queue' if len(seen.queues) == 1 else 'queues'}", *facts, values=values
        )

    def _is_rising(self, queue: str, seen: DepthSeen, before: Sequence[DepthSeen]) -> bool:
        depths = [seen.messages(queue)]
        for earlier in reversed(before):
            if depths[-1] <= self.config.most_messages:
                return False
            depths.append(earlier.messages(queue))
            if (seen.at - earlier.at).total_seconds() >= self.config.rising_seconds:
                return depths[-1] > self.config.most_messages and depths[0] > depths[-1]
        return False


def _told(waiting: Waiting) -> str | int:
    if len(waiting.by_priority) <= 1:
        return waiting.messages
    parts = ", ".join(f"{count} of priority {priority}" for priority, count in waiting.by_priority)
    return f"{waiting.messages} ({parts})"
