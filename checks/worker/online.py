"""worker.online: do the workers hang on the broker, and do their main processes answer?"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from pydantic import Field

from checks.base import IO, Confirm, Seconds
from checks.celery_wire import REPLY_SECONDS
from checks.result import Fact, Reason, Verdict, degraded, failed, ok
from checks.wording import duration, listed
from checks.worker.look import MANY, AskingConfig, BrokerCheck, workers

PATIENCE_SECONDS = 120.0
"""How long fewer workers than expected are a deploy, and not yet a loss."""


class WorkerOnlineConfig(AskingConfig):
    """The settings of `worker.online`."""

    kind: Literal["worker.online"] = "worker.online"
    interval_seconds: Seconds = 30.0
    timeout_seconds: Seconds = 2.0
    confirm: Confirm = Confirm(failures=3, span_seconds=60.0)
    checklist: str = "Worker: connects to broker"
    min_workers: int = Field(default=1, ge=1, le=1000)
    """How many worker nodes there should be at least."""
    expected_nodes: tuple[str, ...] = ()
    """The nodes there were; their number counts, as names change with each deploy. Empty: not known."""


@dataclass(frozen=True, slots=True)
class Ping:
    """What one ping to all nodes found."""

    listening: int
    nodes: tuple[str, ...]
    """The names that answered; two nodes of one name appear twice."""
    seconds: float
    at: datetime | None = None
    """When it was sent."""


class WorkerOnline(BrokerCheck[WorkerOnlineConfig, Ping]):
    """Ping all worker nodes by remote control, and compare the answers with the listeners."""

    Config = WorkerOnlineConfig
    remembers = MANY
    __slots__ = ()

    async def measure(self, io: IO) -> Ping:
        """Ping every node that listens on the broker."""
        async with self.broker(io) as broker:
            at, started = io.now(), io.monotonic()
            ping = (await broker.ask("ping"))["ping"]
            return Ping(ping.listening, tuple(node for node, _ in ping.answers), io.monotonic() - started, at)

    def judge(self, seen: Ping, now: datetime, before: Sequence[Ping] = ()) -> Verdict:
        """Nobody listens, or twice nobody answers: failed.

        Twice some are silent, too few for two minutes, two of one name: degraded.
        """
        answering = len(seen.nodes)
        expected = max(self.config.min_workers, len(self.config.expected_nodes))
        missing = sorted(set(self.config.expected_nodes) - set(seen.nodes))
        facts = (
            Fact("workers that listen", seen.listening),
            Fact("workers that answer", answering),
            Fact("nodes", ", ".join(sorted(seen.nodes))),
            *((Fact("workers expected", expected),) if expected > 1 else ()),
            *((Fact("not there by name", listed(missing)),) if missing else ()),
        )
        values = {"workers_listening": float(seen.listening), "workers_answering": float(answering)}
        if seen.listening == 0:
            return failed(
                Reason.NO_CONSUMER,
                "no worker is connected to the broker",
                *facts,
                values=values,
                hint="Read the worker's log from its last start: an import error, VersionMismatch (kombu and redis"
                " do not fit), or a wrong broker URL. If its remote control is switched off on purpose"
                " (worker_enable_remote_control), remove this check and keep worker.canary.",
            )
        if answering < seen.listening and before and len(before[-1].nodes) < before[-1].listening:
            # One voice with worker.canary: where nobody answers, its canary is lost for the same reason.
            say = degraded if answering else failed
            return say(
                Reason.STUCK,
                f"{answering} of {workers(seen.listening)} answered a ping within {REPLY_SECONDS:g} s",
                *facts,
                values=values,
                hint="A main process hangs: restart that worker. With --pool solo a long task also keeps it silent.",
            )
        short_seconds = _since(seen, now, before, lambda ping: 0 < ping.listening < expected)
        if short_seconds > PATIENCE_SECONDS:
            return degraded(
                Reason.CAPACITY,
                f"{workers(seen.listening)} connected for {duration(short_seconds)}, {expected} expected",
                *facts,
                values=values,
                hint="Read the log of the missing worker from its last start; see how many instances run.",
            )
        twins = sorted({node for node in seen.nodes if seen.nodes.count(node) > 1})
        if twins:
            return degraded(
                Reason.DRIFT,
                f"two workers have one name: {listed(twins)}",
                *facts,
                values=values,
                hint="Give each its own name (-n worker1@%h): remote control and statistics mix them up.",
            )
        values["ping_seconds"] = seen.seconds
        if answering < seen.listening:
            return ok(f"{answering} of {workers(seen.listening)} answered; looking again", *facts, values=values)
        verb = "answers" if answering == 1 else "answer"
        return ok(f"{workers(answering)} {verb} in {duration(seen.seconds)}", *facts, values=values)


def _since(seen: Ping, now: datetime, before: Sequence[Ping], is_so: Callable[[Ping], bool]) -> float:
    """Return for how many seconds every ping was so; 0 when this one is not."""
    since: datetime | None = None
    for ping in (seen, *reversed(before)):
        if not is_so(ping):
            break
        since = ping.at
    return (now - since).total_seconds() if since is not None else 0.0
