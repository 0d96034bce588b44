"""worker.canary: does a task run, through every consumed queue? If not, what is wrong with the workers?"""

from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from urllib.parse import urlsplit

from pydantic import Field, field_validator, model_validator

from checks.base import IO, Confirm, Seconds, Secret
from checks.celery_wire import AFTER_SECONDS, CLEAN_UP_SECONDS, DEFAULT_QUEUE, REPLY_SECONDS, BrokerConfig, Replies
from checks.redis_url import client_url, database_of, redis_only, with_database
from checks.result import Evidence, Fact, Outcome, Reason, Verdict
from checks.wording import duration
from checks.worker.broker import Broker, Canary, Flight, canaries_for
from checks.worker.classify import Finding, Workers, classify, workers_of
from checks.worker.kombu_broker import NO_RESULTS
from checks.worker.look import BrokerCheck, is_private

AROUND_SECONDS = 2 * REPLY_SECONDS + CLEAN_UP_SECONDS
"""What a look needs beside waiting for the canary: to ask the workers before and after, and to clean up."""

CLOSE_SECONDS = 0.1
"""What a question leaves of a look's time for the answer to be worked on."""

SECOND_WAIT_SECONDS = 2.0
"""How long a second canary is waited for, once the workers were told to send events."""

MOST_QUEUES = 64

_RANK = {Outcome.OK: 0, Outcome.DEGRADED: 1, Outcome.UNKNOWN: 1, Outcome.FAILED: 2}


class WorkerCanaryConfig(BrokerConfig):
    """The settings of `worker.canary`."""

    kind: Literal["worker.canary"] = "worker.canary"
    interval_seconds: Seconds = 60.0
    timeout_seconds: Seconds = 10.0
    confirm: Confirm = Confirm(failures=2, span_seconds=10.0)
    checklist: str = "Worker: tasks execute successfully"
    queues: tuple[str, ...] = Field(default=(), max_length=MOST_QUEUES)
    """The queues to try; empty: all that workers consume, and all they were ever seen to consume."""
    result_backend: Secret | None = None
    """The Redis where results are stored, if not the broker; None: read from the app's configuration."""
    canary_timeout_seconds: Seconds | None = None
    """How long a canary is waited for; None: 5 s, or what `timeout_seconds` leaves."""
    slow_seconds: Seconds = 2.0
    """An answer slower than this is degraded."""
    enable_events: bool = True
    """Tell the workers to send task events where results cannot be seen. It changes their run-time state."""

    @field_validator("result_backend")
    @classmethod
    def _results_on_redis(cls, url: Secret | None) -> Secret | None:
        return None if url is None else redis_only(url)

    @model_validator(mode="after")
    def _time_for_a_canary(self) -> "WorkerCanaryConfig":
        most = self.timeout_seconds - AROUND_SECONDS
        if most < 0.5:
            raise ValueError(f"timeout_seconds: {self.timeout_seconds:g} must be at least {AROUND_SECONDS + 0.5:g}")
        if self.canary_timeout_seconds is not None and self.canary_timeout_seconds > most:
            raise ValueError(
                f"canary_timeout_seconds: {self.canary_timeout_seconds:g} must be at most"
                f" timeout_seconds {self.timeout_seconds:g} less {AROUND_SECONDS:g}"
            )
        return self

    @property
    def wait_seconds(self) -> float:
        """How long a canary is waited for."""
        return self.canary_timeout_seconds or min(5.0, self.timeout_seconds - AROUND_SECONDS)


@dataclass(frozen=True, slots=True)
class CanarySeen:
    """What one look found."""

    flights: tuple[Flight, ...]
    workers: Workers | None = None
    """The workers after a canary was lost; None when none was."""
    has_events: bool = False
    """The workers were told to send task events."""


class WorkerCanary(BrokerCheck[WorkerCanaryConfig, CanarySeen]):
    """Run the built-in task `celery.accumulate` through each queue; classify the worker when it does not answer."""

    Config = WorkerCanaryConfig
    __slots__ = ("_backend", "_consumed", "_is_silent", "_lost")

    def __init__(self, config: WorkerCanaryConfig) -> None:
        super().__init__(config)
        self._consumed: set[str] = set()
        """Queues ever seen consumed: a dead worker's queue stays known."""
        self._backend: str | None = None
        """The app's result backend, masked, once a worker has told it; asked again after a lost canary."""
        self._is_silent = False
        """Results were seen not to come: events are needed."""
        self._lost: deque[Canary] = deque(maxlen=MOST_QUEUES)
        """Canaries taken and not answered: a result that comes late is removed by the next look."""

    async def measure(self, io: IO) -> CanarySeen:
        """Send a canary through every queue; ask the workers how they are when one is not answered."""
        deadline = io.monotonic() + io.timeout_seconds - AFTER_SECONDS
        async with self.broker(io) as broker:
            before = await broker.ask("active_queues", "stats", *(("conf",) if self._backend is None else ()))
            self._learn(before)
            has_events = self._wants_events and await broker.tell("enable_events") > 0
            flights = await self._fly(broker, self._queues(before), io, self.config.wait_seconds)
            if all(flight.proof for flight in flights):
                return CanarySeen(flights, None, has_events)
            self._backend = None
            left = deadline - io.monotonic() - CLOSE_SECONDS
            after = await broker.ask("active", "reserved", "stats", seconds=min(REPLY_SECONDS, left))
            workers = workers_of(before, after, io.now().timestamp())
            unproven = [flight.queue for flight in flights if _may_have_run(flight, workers)]
            left = deadline - io.monotonic() - CLEAN_UP_SECONDS
            if unproven and self.config.enable_events and not has_events and left > CLEAN_UP_SECONDS:
                has_events = await broker.tell("enable_events") > 0
                again = await self._fly(broker, unproven, io, min(SECOND_WAIT_SECONDS, left))
                self._is_silent = any(flight.proof == "event" for flight in again)
                second = {flight.queue: flight for flight in again}
                flights = tuple(second.get(flight.queue, flight) for flight in flights)
            return CanarySeen(flights, workers, has_events)

    def judge(self, seen: CanarySeen, now: datetime, before: Sequence[CanarySeen] = ()) -> Verdict:
        """Classify every queue; the worst one speaks for the look."""
        answered = sum(1 for flight in seen.flights if flight.proof)
        findings = [
            (flight, self._slow(flight, classify(flight, seen.workers, answered, has_events=seen.has_events)))
            for flight in seen.flights
        ]
        slowest = max(flight.seconds for flight, _ in findings)
        facts = [Fact(f"queue {flight.queue}", finding.words) for flight, finding in findings]
        if seen.workers is not None:
            facts += _facts(seen.workers)
        flight, worst = max(findings, key=lambda pair: _RANK[pair[1].outcome])
        if worst.outcome is Outcome.OK:
            count = len(findings)
            what = f"queue {flight.queue}" if count == 1 else f"{count} queues"
            summary = f"a task ran through {what} in {duration(slowest)}"
        elif len(findings) == 1 or all(finding == worst for _, finding in findings):
            summary = worst.words
        else:
            summary = f"queue {flight.queue}: {worst.words}"
        return Verdict(
            worst.outcome,
            summary,
            worst.reason,
            worst.hint,
            Evidence(tuple(facts)),
            _values(seen.flights),
        )

    @property
    def _wants_events(self) -> bool:
        is_elsewhere = bool(self._backend) and self._results_url() in (NO_RESULTS, None)
        return self.config.enable_events and (self._is_silent or is_elsewhere)

    def _slow(self, flight: Flight, finding: Finding) -> Finding:
        if finding.outcome is Outcome.OK and flight.seconds > self.config.slow_seconds:
            return Finding(
                Outcome.DEGRADED,
                Reason.SLOW,
                f"answered after {duration(flight.seconds)}",
                "Tasks wait for a slot or run slowly: look at the queue's depth and at what runs now.",
            )
        return finding

    async def _fly(self, broker: Broker, queues: Iterable[str], io: IO, wait_seconds: float) -> tuple[Flight, ...]:
        results_url = self._results_url() or ""
        owed = await broker.settle(list(self._lost), results_url)
        canaries = canaries_for(tuple(queues), io.now())
        self._lost.clear()
        self._lost.extend((*owed, *canaries))
        flights = await broker.fly(canaries, wait_seconds, results_url)
        done = {flight.task_id for flight in flights if flight.proof or flight.was_waiting}
        kept = [canary for canary in self._lost if canary.task_id not in done]
        self._lost.clear()
        self._lost.extend(kept)
        return flights

    def _learn(self, replies: Mapping[str, Replies]) -> None:
        for _, queues in replies["active_queues"].answers:
            self._consumed.update(str(queue["name"]) for queue in queues if not is_private(str(queue["name"])))
        for _, conf in replies["conf"].answers if "conf" in replies else ():
            self._backend = str(conf.get("result_backend") or conf.get("CELERY_RESULT_BACKEND") or "disabled://")

    def _queues(self, replies: Mapping[str, Replies]) -> tuple[str, ...]:
        return self.config.queues or tuple(sorted(self._consumed))[:MOST_QUEUES] or (DEFAULT_QUEUE,)

    def _results_url(self) -> str | None:
        """Return where results can be seen: empty with the broker, None nowhere on a Redis broker."""
        broker_url = self.config.url
        if self.config.result_backend is not None:
            return client_url(self.config.result_backend.get_secret_value())
        if self.config.is_rabbitmq:
            return "" if self._backend is None or self._backend.startswith("rpc") else NO_RESULTS
        if self._backend is None:
            return ""
        if not _is_redis(self._backend):
            return None
        # What a worker tells is masked and may name the server differently: only its database number is used.
        database = database_of(self._backend)
        return "" if database == database_of(broker_url) else with_database(broker_url, database)


def _may_have_run(flight: Flight, workers: Workers) -> bool:
    """Say whether the task may have run unseen: taken, and no worker holds it or is silent."""
    is_gone = not flight.proof and not flight.was_waiting
    is_held = any(flight.task_id in node.ids for node in workers.nodes)
    return is_gone and not is_held and len(workers.nodes) == workers.listening > 0


def _is_redis(url: str | None) -> bool:
    return url is not None and urlsplit(url).scheme in ("redis", "rediss")


def _values(flights: Sequence[Flight]) -> dict[str, float]:
    """Return the time of each queue that answered, and the slowest where all did."""
    values = {f"canary_{flight.queue}_seconds": flight.seconds for flight in flights if flight.proof}
    if len(values) == len(flights):
        values["canary_seconds"] = max(values.values())
    return values


def _facts(workers: Workers) -> list[Fact]:
    facts: list[Any] = [Fact("workers that listen", workers.listening), Fact("workers that answer", len(workers.nodes))]
    for node in workers.nodes:
        facts.append(Fact(f"{node.name}: slots taken", f"{node.running} of {node.slots}"))
        facts.append(Fact(f"{node.name}: taken, not started", node.held))
        if node.running:
            facts.append(Fact(f"{node.name}: oldest running task", round(node.oldest_seconds, 1), "s"))
    return facts
