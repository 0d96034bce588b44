"""queue.no_consumer: does a worker serve every queue that is used?"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from checks.base import IO, Seconds
from checks.celery_wire import DEFAULT_QUEUE
from checks.result import Fact, Reason, Verdict, degraded, failed, ok, unknown
from checks.wording import duration, listed
from checks.worker.look import MANY, BrokerCheck, QueuesConfig
from checks.worker.names import QueueNames, consumed, named_in


class QueueNoConsumerConfig(QueuesConfig):
    """The settings of `queue.no_consumer`."""

    kind: Literal["queue.no_consumer"] = "queue.no_consumer"
    interval_seconds: Seconds = 60.0
    timeout_seconds: Seconds = 5.0
    checklist: str = "Worker: tasks execute successfully"
    unserved_seconds: Seconds = 120.0
    """For how long the default queue may have no consumer: a deploy takes its time."""
    ignored_queues: tuple[str, ...] = ()
    """Queues that somebody else than a Celery worker reads."""


@dataclass(frozen=True, slots=True)
class Use:
    """One queue and who uses it."""

    queue: str
    messages: int
    consumers: int
    """Nodes, or connections, that consume it."""
    used_by: str = ""
    """Who sends to it, by the app's configuration; empty where only its messages show it."""
    was_served: bool = False
    """A worker was seen to consume it earlier."""


@dataclass(frozen=True, slots=True)
class ConsumersSeen:
    """What one look found."""

    at: datetime
    listening: int
    answering: int
    default_queue: str
    uses: tuple[Use, ...]
    is_told: bool = False
    """The broker itself told how many read each queue, whether workers answer or not."""


class QueueNoConsumer(BrokerCheck[QueueNoConsumerConfig, ConsumersSeen]):
    """Compare the queues that workers consume with those that are used."""

    Config = QueueNoConsumerConfig
    remembers = MANY
    __slots__ = ("_cursor", "_default_queue", "_names", "_served", "_used")

    def __init__(self, config: QueueNoConsumerConfig) -> None:
        super().__init__(config)
        self._names = QueueNames()
        self._names.learn(config.expected_queues)
        self._used: dict[str, str] = dict.fromkeys(config.expected_queues, "expected_queues of this check")
        self._served = QueueNames()
        self._default_queue = DEFAULT_QUEUE
        self._cursor = 0
        """Where the search for queues with messages goes on: a look goes through a part of the keys."""

    async def measure(self, io: IO) -> ConsumersSeen:
        """Ask the workers what they consume and what the app's configuration names, and search for other queues."""
        async with self.broker(io) as broker:
            told = await broker.ask("active_queues", "conf")
            consumers = consumed(told["active_queues"])
            for _, conf in told["conf"].answers:
                named = named_in(conf)
                self._used |= named
                self._default_queue = next(
                    (queue for queue, by in named.items() if by == "the default queue"), self._default_queue
                )
            self._cursor, found = await broker.search(self._cursor)
            for names in (consumers, self._used, found):
                self._names.learn(names)
            waiting = await broker.waiting(self._names.all, self.config.priority_steps)
        served = set(self._served.all)
        self._served.learn({*consumers, *(one.queue for one in waiting if one.consumers)})
        uses = tuple(
            Use(one.queue, one.messages, consumers.get(one.queue, 0) if one.consumers is None else one.consumers,
                self._used.get(one.queue, ""), one.queue in served)
            for one in waiting
            if one.queue not in self.config.ignored_queues
        )  # fmt: skip
        active = told["active_queues"]
        is_told = all(one.consumers is not None for one in waiting)
        return ConsumersSeen(io.now(), active.listening, len(active.answers), self._default_queue, uses, is_told)

    def judge(self, seen: ConsumersSeen, now: datetime, before: Sequence[ConsumersSeen] = ()) -> Verdict:
        """The default queue long unserved, though used: failed. Another unserved with messages: degraded."""
        facts = tuple(Fact(f"queue {use.queue}", _told(use)) for use in seen.uses)
        if seen.answering < seen.listening and not seen.is_told:
            return unknown(
                Reason.DEPENDENCY_DOWN,
                f"{seen.answering} of {seen.listening} workers told what they serve",
                *facts,
                hint="See worker.online: a worker that does not answer may serve the queue.",
            )
        lacking = [use for use in seen.uses if not use.consumers and (use.messages or use.was_served)]
        default = next((use for use in lacking if use.queue == seen.default_queue), None)
        values = {"queue_unserved_messages": float(sum(use.messages for use in lacking))}
        hint = (
            "Start the worker that serves it, or add the queue to a worker's -Q; look at task_routes for a wrong name."
        )
        if default is not None:
            seconds = _unserved_seconds(seen, before)
            if seconds >= self.config.unserved_seconds:
                return failed(
                    Reason.NO_CONSUMER,
                    f"no worker serves the default queue {default.queue} for {duration(seconds)},"
                    f" {default.messages} messages wait",
                    *facts,
                    hint=hint,
                    values=values,
                )
        filled = [use for use in lacking if use.messages and use is not default]
        if filled:
            worst = max(filled, key=lambda use: use.messages)
            others = f"; and {listed([use.queue for use in filled if use is not worst])}" if len(filled) > 1 else ""
            return degraded(
                Reason.NO_CONSUMER,
                f"no worker serves queue {worst.queue}, {worst.messages} messages wait{others}",
                *facts,
                hint=hint + " If something else than Celery reads it, name it in ignored_queues.",
                values=values,
            )
        served = sum(1 for use in seen.uses if use.consumers)
        return ok(f"{served} {'queue is' if served == 1 else 'queues are'} served", *facts, values=values)


def _unserved_seconds(seen: ConsumersSeen, before: Sequence[ConsumersSeen]) -> float:
    since = seen.at
    for earlier in reversed(before):
        if any(use.consumers for use in earlier.uses if use.queue == seen.default_queue):
            break
        since = earlier.at
    return (seen.at - since).total_seconds()


def _told(use: Use) -> str:
    consumers = (
        "nobody serves it" if not use.consumers else f"{use.consumers} consumers" if use.consumers > 1 else "1 consumer"
    )
    return ", ".join((consumers, f"{use.messages} wait", *((use.used_by,) if use.used_by else ())))
