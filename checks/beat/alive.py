"""beat.alive: does beat send? Seen by what arrives at the workers, or by what waits for one."""

import asyncio
import uuid
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from pydantic import Field

from checks.base import IO, Check, FeedView, Heard, Seconds
from checks.beat.entries import Pulse, pulse_of, told_pulse
from checks.beat.redbeat import RedBeat, judge_redbeat, read_redbeat
from checks.celery_broker import open_broker
from checks.celery_wire import (
    AFTER_SECONDS,
    BEAT_MARKER,
    CLEAN_UP_SECONDS,
    DEFAULT_QUEUE,
    Broker,
    BrokerConfig,
    told_of_broker,
)
from checks.result import Fact, Reason, Verdict, degraded, failed, ok, unknown
from checks.wording import duration

NEWEST_MESSAGES = 50
"""How many waiting messages are looked through for a beat, newest first."""

COLD_PERIODS = 2.2
"""So many periods a look waits for a first beat when nothing was heard yet."""

MARGIN_SECONDS = 5.0
"""At most so much longer than three periods a feed must have listened before silence counts."""

WORKER_HEARTBEAT_SECONDS = 15.0
"""A worker whose heartbeat event is younger takes part: it is sent every 2 s."""

CONFIG_LINE = (
    'app.conf.beat_schedule["nexus-heartbeat"] = {{"task": "celery.accumulate", "schedule": 60.0,'
    ' "args": ["{marker}"], "kwargs": {{"index": 0}}, "options": {{"expires": 55}}}}'
)
"""The line that makes beat observable; it runs a task that every worker has."""


class BeatAliveConfig(BrokerConfig):
    """The settings of `beat.alive`."""

    kind: Literal["beat.alive"] = "beat.alive"
    interval_seconds: Seconds = 30.0
    timeout_seconds: Seconds = 10.0
    checklist: str = "Beat: starts"
    marker: str = Field(default=BEAT_MARKER, min_length=4, max_length=80)
    """The argument of the heartbeat entry. Two stacks on one Redis server need two markers."""
    period_seconds: Seconds | None = None
    """How often beat sends the heartbeat entry; None: read from the schedule that a worker tells."""
    queue: str = DEFAULT_QUEUE
    """Where the heartbeat entry goes, if the schedule does not say."""


@dataclass(frozen=True, slots=True)
class BeatSeen:
    """What one look found."""

    pulse: Pulse | None
    """What to expect from beat; None when the schedule holds nothing of use, or no worker has told it."""
    answering: int
    """How many workers answered by remote control."""
    listening_since: datetime | None
    """Since when the feed listens without a gap."""
    feed_error: str = ""
    heard_at: datetime | None = None
    """When the last beat arrived at a worker."""
    worker_heard_at: datetime | None = None
    """When the last heartbeat event of a worker arrived."""
    waiting_sent_at: datetime | None = None
    """When the newest beat that waits in the queue was sent: no worker has taken it."""
    redbeat: RedBeat | None = None
    """What RedBeat's keys say; read only where the schedule holds nothing of use."""
    hidden_messages: int = 0
    """How many messages wait in the beats' queue of which the broker shows none."""


class BeatAlive(Check[BeatAliveConfig, BeatSeen]):
    """Look for the last beat: heard by the feed, or waiting in the queue."""

    Config = BeatAliveConfig
    __slots__ = ("_nodes", "_pulse", "_reply_id")

    def __init__(self, config: BeatAliveConfig) -> None:
        super().__init__(config)
        self._reply_id = str(uuid.uuid4())
        self._nodes: set[str] = set()
        self._pulse = pulse_of({}, config.marker, config.period_seconds)
        """The last known schedule: a dead worker tells none."""

    async def measure(self, io: IO) -> BeatSeen:
        """Read schedule and queue, then what the feed heard; wait for a first beat while the feed is cold."""
        limit_seconds = io.timeout_seconds - AFTER_SECONDS
        deadline = io.monotonic() + limit_seconds
        config = self.config
        async with asyncio.timeout(limit_seconds):
            await io.feeds.celery(config.url)
            async with open_broker(io, config, self._reply_id, self._nodes) as broker:
                told = (await broker.ask("conf"))["conf"].answers
                if told:
                    self._pulse = told_pulse([conf for _, conf in told], config.marker, config.period_seconds)
                pulse = self._pulse
                redbeat = None
                if pulse is None and isinstance(broker, Broker):
                    redbeat = await read_redbeat(broker.client, told[0][1] if told else {}, config.key_prefix)
                queue = (pulse and pulse.queue) or config.queue
                waiting = await broker.newest(queue, NEWEST_MESSAGES)
                hidden = await broker.hidden(queue)
            view = await self._listen(io, pulse, deadline - CLEAN_UP_SECONDS)
        return BeatSeen(
            pulse,
            len(told),
            view.listening_since,
            view.error,
            _last(view.heard, lambda heard: self._is_beat(heard, pulse)),
            _last(view.heard, self._is_worker),
            _newest_sent_at(waiting, pulse),
            redbeat,
            hidden,
        )

    def judge(self, seen: BeatSeen, now: datetime, before: Sequence[BeatSeen] = ()) -> Verdict:
        """Silence counts only where a beat would have been seen; otherwise the worker is to be named, not beat."""
        pulse = seen.pulse
        if pulse is None:
            return judge_redbeat(seen.redbeat, now) if seen.redbeat is not None else self._not_observable(seen)
        period = pulse.period_seconds
        every = duration(period)
        last_at = max((at for at in (seen.heard_at, seen.waiting_sent_at) if at is not None), default=None)
        facts = _facts(seen, pulse, now)
        if last_at is not None and _age(now, last_at) <= 2 * period:
            values = {"beat_age_seconds": _age(now, last_at), "beat_period_seconds": period}
            note = "" if last_at == seen.heard_at else ", waiting for a worker"
            return ok(f"last beat {duration(_age(now, last_at))} ago, every {every}{note}", *facts, values=values)

        worker_age = _age(now, seen.worker_heard_at) if seen.worker_heard_at is not None else None
        takes_tasks = seen.answering > 0 or (worker_age is not None and worker_age <= WORKER_HEARTBEAT_SECONDS)
        if not takes_tasks and seen.waiting_sent_at is None:
            return unknown(
                Reason.DEPENDENCY_DOWN,
                "no worker answers and no beat waits: beat cannot be seen",
                *facts,
                hint="Repair the worker first (worker.online, worker.canary).",
            )
        if takes_tasks:
            if seen.listening_since is None:
                return unknown(Reason.STALE, f"not listening to the broker: {seen.feed_error or 'connecting'}", *facts)
            listened = _age(now, seen.listening_since)
            if seen.heard_at is None and listened < 3 * period + min(period, MARGIN_SECONDS):
                return unknown(Reason.STALE, f"listening for {duration(listened)}, a beat is due every {every}", *facts)
            last_at = last_at or seen.listening_since
        assert last_at is not None
        silence = _age(now, last_at)
        summary = f"no beat for {duration(silence)}, due every {every}"
        values = {"beat_silence_seconds": silence, "beat_period_seconds": period}
        if seen.hidden_messages:
            return unknown(
                Reason.DEPENDENCY_DOWN,
                f"{summary}; {seen.hidden_messages} messages wait, and RabbitMQ does not show whether one is beat's",
                *facts,
                hint="See worker.canary and queue.depth first: no worker takes them in time.",
            )
        if silence > 3 * period:
            hint = (
                "Restart beat, and read its log: a lost lock, or 'Message Error' while sending. With redis-py 6 and"
                " later and an old Celery, beat stops after many sends: upgrade both."
            )
            return failed(Reason.SILENT, summary, *facts, hint=hint, values=values)
        hint = "Wait for the next look; if it stays silent, read beat's log."
        return degraded(Reason.SILENT, summary, *facts, hint=hint, values=values)

    def on_failure(self, verdict: Verdict) -> Verdict:
        """Say it of the broker."""
        return told_of_broker(verdict, self.config)

    def _not_observable(self, seen: BeatSeen) -> Verdict:
        if seen.answering == 0:
            return unknown(
                Reason.DEPENDENCY_DOWN,
                "no worker answers, so the schedule cannot be read",
                hint="Repair the worker first (worker.online). Or set period_seconds of this check.",
            )
        return unknown(
            Reason.NOT_CONFIGURED,
            "beat is not observable: its schedule has no heartbeat entry and no interval, and RedBeat is not used",
            Fact("workers that answer", seen.answering),
            hint=f"Add one line to the app: {CONFIG_LINE.format(marker=self.config.marker)}",
        )

    async def _listen(self, io: IO, pulse: Pulse | None, deadline: float) -> FeedView:
        """Return the feed's picture; wait for a first beat while the feed is younger than 2.2 periods."""
        view = await io.feeds.celery(self.config.url)
        if pulse is None:
            return view
        patience = COLD_PERIODS * pulse.period_seconds
        deadline = min(deadline, io.monotonic() + patience)
        while (left := deadline - io.monotonic()) > 0:
            is_warm = view.listening_since is not None and _age(io.now(), view.listening_since) > patience
            if is_warm or any(self._is_beat(heard, pulse) for heard in view.heard):
                break
            view = await io.feeds.celery(self.config.url, wait_seconds=left)
        return view

    def _is_beat(self, heard: Heard, pulse: Pulse | None) -> bool:
        if pulse is None:
            return False
        if heard.type == "result":
            return bool(pulse.marker and heard.data.get("result") == pulse.marker)
        if heard.type != "task-received" or not self._is_ours(heard):
            return False
        if pulse.marker:
            return pulse.marker in str(heard.data.get("args", ""))
        return bool(heard.data.get("name") == pulse.task)

    def _is_worker(self, heard: Heard) -> bool:
        return heard.type == "worker-heartbeat" and self._is_ours(heard)

    def _is_ours(self, heard: Heard) -> bool:
        return bool(heard.data.get("prefix", "") == self.config.key_prefix)


def _last(heard: Iterable[Heard], is_wanted: Callable[[Heard], bool]) -> datetime | None:
    return max((one.at for one in heard if is_wanted(one)), default=None)


def _newest_sent_at(headers: Iterable[dict[str, Any]], pulse: Pulse | None) -> datetime | None:
    """Return when the newest waiting beat was sent: what it says of its end, less its life time.

    A message bears no time of sending. With an unknown life time a period is taken, the longest sensible one: the
    beat then seems older than it is, never younger.
    """
    if pulse is None:
        return None
    life = timedelta(seconds=pulse.period_seconds if pulse.expires_seconds is None else pulse.expires_seconds)
    sent = [
        _instant(str(header["expires"])) - life
        for header in headers
        if header.get("task") == pulse.task and header.get("expires") and pulse.marker in str(header.get("argsrepr"))
    ]
    return max(sent, default=None)


def _instant(iso: str) -> datetime:
    instant = datetime.fromisoformat(iso)
    return instant if instant.tzinfo is not None else instant.replace(tzinfo=UTC)


def _age(now: datetime, at: datetime) -> float:
    return max(0.0, (now - at).total_seconds())


def _facts(seen: BeatSeen, pulse: Pulse, now: datetime) -> tuple[Fact, ...]:
    def ago(at: datetime | None) -> float | None:
        return None if at is None else round(_age(now, at), 1)

    return (
        Fact("schedule entry", pulse.entry or None),
        Fact("recognised by", pulse.marker or f"task {pulse.task}"),
        Fact("period", pulse.period_seconds, "s"),
        Fact("last beat heard ago", ago(seen.heard_at), "s"),
        Fact("newest waiting beat sent ago", ago(seen.waiting_sent_at), "s"),
        Fact("listening for", ago(seen.listening_since), "s"),
        Fact("workers that answer", seen.answering),
    )
