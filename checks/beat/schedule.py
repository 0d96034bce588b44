"""beat.schedule: does every entry of the schedule fire when its own expression says so?"""

import asyncio
import json
import uuid
from collections.abc import Awaitable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal, cast

from pydantic import Field

from checks.base import IO, Check, FeedView, Seconds
from checks.beat.ledger import Ledger
from checks.beat.standing import Standing, State, Waiting, Watched, standings
from checks.beat.table import Entry, Table, no_schedule, served_queues, table_of
from checks.celery_broker import AmqpBroker, open_broker
from checks.celery_wire import (
    AFTER_SECONDS,
    BEAT_MARKER,
    CLEAN_UP_SECONDS,
    Broker,
    BrokerConfig,
    told_of_broker,
)
from checks.result import Fact, Reason, Verdict, degraded, failed, ok, unknown
from checks.wording import listed

LOOKED_THROUGH = 100
"""So many of the newest messages of a queue are looked through for one that beat has sent."""

PRIORITIES = ("", "\x06\x163", "\x06\x166", "\x06\x169")
"""What kombu's Redis transport adds to a queue's name for each step of priority."""

SHOWN_ENTRIES = 20

_FAILED = (State.UNSERVED, State.MISSED)
_DEGRADED = (State.MISSED_ONCE, State.BROKE, State.EXPIRED, State.LATE)
_REASONS = {
    State.UNSERVED: Reason.NO_CONSUMER,
    State.MISSED: Reason.SILENT,
    State.MISSED_ONCE: Reason.SILENT,
    State.BROKE: Reason.TASK_FAILED,
    State.EXPIRED: Reason.STALE,
    State.LATE: Reason.SLOW,
}
_HINTS = {
    State.UNSERVED: "Start a worker that serves the queue (-Q), or correct the entry's queue or task_routes.",
    State.MISSED: "If beat.alive is down, repair beat. Otherwise search beat's log for the entry's name: 'Message"
    " Error' (the broker was away when it was due), a renamed or disabled entry, another time zone, or enable_utc.",
    State.MISSED_ONCE: "Wait for the next due time. 'Message Error' in beat's log means that the broker was away: what"
    " was due then is not sent again. Run the task by hand if it matters.",
    State.BROKE: "Read the worker's log for the task's traceback; run the task by hand once it is repaired.",
    State.EXPIRED: "The worker was busy or away for longer than the entry's 'expires': see worker.canary, add a worker,"
    " or give the entry more time.",
    State.LATE: "Workers were busy or away when it was due, or beat was: see worker.canary and beat.alive.",
}


class BeatScheduleConfig(BrokerConfig):
    """The settings of `beat.schedule`."""

    kind: Literal["beat.schedule"] = "beat.schedule"
    interval_seconds: Seconds = 30.0
    timeout_seconds: Seconds = 10.0
    checklist: str = "Beat: scheduled tasks trigger"
    grace_seconds: Seconds = 60.0
    """So much later than its due time an entry may be taken by a worker."""
    marker: str = Field(default=BEAT_MARKER, min_length=4, max_length=80)
    """The argument of the heartbeat entry: its task also runs for others, so it is recognised by this."""


@dataclass(frozen=True, slots=True)
class ScheduleSeen:
    """What one look found."""

    watched: Watched
    answering: int
    """How many workers told their configuration."""
    listening_since: datetime | None
    feed_error: str = ""


class BeatSchedule(Check[BeatScheduleConfig, ScheduleSeen]):
    """Compare the due times of each entry with what workers took, and with what waits for them."""

    Config = BeatScheduleConfig
    __slots__ = ("_ledger", "_nodes", "_reply_id", "_table")

    def __init__(self, config: BeatScheduleConfig) -> None:
        super().__init__(config)
        self._reply_id = str(uuid.uuid4())
        self._nodes: set[str] = set()
        self._ledger = Ledger(config.key_prefix)
        self._table = Table()
        """The last known schedule: a dead worker tells none."""

    async def measure(self, io: IO) -> ScheduleSeen:
        """Read the schedule and the queues, then what the feed heard; wait for a first firing while it is cold."""
        limit_seconds = io.timeout_seconds - AFTER_SECONDS
        deadline = io.monotonic() + limit_seconds
        config = self.config
        async with asyncio.timeout(limit_seconds):
            await io.feeds.celery(config.url)
            async with open_broker(io, config, self._reply_id, self._nodes) as broker:
                told = await broker.ask("conf", "active_queues")
                confs = [conf for _, conf in told["conf"].answers if isinstance(conf, dict)]
                if confs:
                    self._table = table_of(confs, config.marker)
                waiting = await _waiting(broker, self._table.entries)
            view = await self._listen(io, deadline - CLEAN_UP_SECONDS)
        memory = self._ledger.read(view, self._table.entries, answering=len(confs), now=io.now())
        watched = Watched(self._table, memory, waiting, served_queues(told["active_queues"]))
        return ScheduleSeen(watched, len(confs), view.listening_since, view.error)

    def judge(self, seen: ScheduleSeen, now: datetime, before: Sequence[ScheduleSeen] = ()) -> Verdict:
        """The worst entry decides; what could not be seen is said, and is never a failure."""
        table = seen.watched.table
        if not table.entries:
            return no_schedule(seen.answering)
        found = standings(seen.watched, now, timedelta(seconds=self.config.grace_seconds))
        facts = _facts(found, table, now)
        values = {
            "schedule_entries_total": float(len(found)),
            "schedule_entries_on_time_total": float(sum(one.state is State.ON_TIME for one in found)),
            "schedule_entries_missed_total": float(sum(one.state in _FAILED for one in found)),
        }
        worst = found[0].state
        if worst in _REASONS:
            say = failed if worst in _FAILED else degraded
            return say(_REASONS[worst], _told(found, table), *facts, hint=_HINTS[worst], values=values)
        counts = {state: [one for one in found if one.state is state] for state in State}
        if not seen.answering:
            return unknown(
                Reason.DEPENDENCY_DOWN,
                "no worker answers: what beat sends cannot be seen",
                *facts,
                hint="Repair the worker first (worker.online, worker.canary).",
            )
        if waiting := counts[State.WAITING]:
            names = listed([one.entry.name for one in waiting])
            return unknown(
                Reason.DEPENDENCY_DOWN,
                f"beat sent {names}, and no worker takes it yet",
                *facts,
                hint="Repair the worker first (worker.canary): it serves the queue and does not empty it.",
            )
        if seen.listening_since is None:
            return unknown(Reason.STALE, f"not listening to the broker: {seen.feed_error or 'connecting'}", *facts)
        rest = [f"{len(counts[State.NOT_YET])} not seen yet"] if counts[State.NOT_YET] else []
        rest += [f"{len(counts[State.UNCHECKED])} not checked"] if counts[State.UNCHECKED] else []
        seen_count = len(counts[State.ON_TIME])
        if not seen_count:
            summary = f"no entry has been due and seen since the watch began: {', '.join(rest)}"
            return unknown(Reason.STALE, summary + _soonest(found, table), *facts)
        summary = ", ".join([f"{seen_count} of {_entries(len(found))} fired on time", *rest])
        return ok(summary + (_soonest(counts[State.NOT_YET], table)), *facts, values=values)

    def on_failure(self, verdict: Verdict) -> Verdict:
        """Say it of the broker."""
        return told_of_broker(verdict, self.config)

    async def _listen(self, io: IO, deadline: float) -> FeedView:
        """Return the feed's picture; while it is younger than a look may take, wait for a first firing."""
        keys = {entry.key for entry in self._table.entries}
        view = await io.feeds.celery(self.config.url)
        while keys and (left := deadline - io.monotonic()) > 0:
            since = view.listening_since
            is_warm = since is not None and io.now() - since > timedelta(seconds=io.timeout_seconds)
            if is_warm or any(
                heard.type == "task-received" and (heard.data.get("name"), heard.data.get("args", "")) in keys
                for heard in view.heard
            ):
                break
            view = await io.feeds.celery(self.config.url, wait_seconds=left)
        return view


async def _waiting(broker: Broker | AmqpBroker, entries: Iterable[Entry]) -> Waiting:
    """Count the messages of each entry's task that wait in its queue, by what their headers say.

    RabbitMQ shows no headers: a queue in which anything waits is as good as too long to look through.
    """
    keys = {(entry.queue, entry.key) for entry in entries if entry.queue}
    queues = sorted({queue for queue, _ in keys})
    if isinstance(broker, AmqpBroker):
        return Waiting({}, frozenset([queue for queue in queues if await broker.hidden(queue)]))
    pipeline = broker.client.pipeline(transaction=False)
    for queue in queues:
        for step in PRIORITIES:
            pipeline.lrange(broker.prefix + queue + step, 0, LOOKED_THROUGH - 1)
    lists = await cast(Awaitable[list[list[Any]]], pipeline.execute()) if queues else []
    messages: dict[tuple[str, str], int] = {}
    deep: set[str] = set()
    for number, waiting in enumerate(lists):
        queue = queues[number // len(PRIORITIES)]
        if len(waiting) == LOOKED_THROUGH:
            deep.add(queue)
        for message in waiting:
            headers = json.loads(message).get("headers") or {}
            for of_queue, (task, marker) in keys:
                if of_queue == queue and headers.get("task") == task and marker in str(headers.get("argsrepr", "")):
                    messages[task, marker] = messages.get((task, marker), 0) + 1
    return Waiting(messages, frozenset(deep))


def _told(found: Sequence[Standing], table: Table) -> str:
    """Return `entry x (task): missed, due Mon 09:00 CET, last seen …`, and how many more."""
    worst = [one for one in found if one.state is found[0].state]
    first = worst[0]
    said = f"entry {first.entry.name}: {first.state}"
    if first.due_at is not None:
        said += f", due {table.clock(first.due_at)}"
    if first.state is State.UNSERVED:
        said += f", queue {first.entry.queue}"
    if first.why:
        said += f", {first.why}"
    others = [one.entry.name for one in worst[1:]]
    return said + (f"; also {listed(others)}" if others else "")


def _facts(found: Sequence[Standing], table: Table, now: datetime) -> tuple[Fact, ...]:
    facts = [Fact("time zone", table.zone_name or "not known")]
    for one in found[:SHOWN_ENTRIES]:
        said = [str(one.state), str(one.entry.expression)] if one.entry.task else [str(one.state)]
        said += [one.why] if one.why else []
        said += [f"due {table.clock(one.due_at)}"] if one.due_at else []
        said += [f"last seen {table.clock(one.seen_at, seconds=True)}"] if one.seen_at else ["not seen"]
        said += [f"next due {table.clock(one.next_at)}"] if one.next_at else []
        facts.append(Fact(one.entry.name, " · ".join(said)))
    if len(found) > SHOWN_ENTRIES:
        facts.append(Fact("entries not shown, better ones", len(found) - SHOWN_ENTRIES))
    return tuple(facts)


def _soonest(found: Iterable[Standing], table: Table) -> str:
    """Return `; next due x, Mon 09:00 CET` of those whose next due time is known."""
    dated = [(one.next_at, one.entry.name) for one in found if one.next_at is not None]
    if not dated:
        return ""
    at, name = min(dated)
    return f"; next due {name}, {table.clock(at)}"


def _entries(count: int) -> str:
    return f"{count} entry" if count == 1 else f"{count} entries"
