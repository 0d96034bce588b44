"""beat.single: is there one beat? Two send everything twice, and each looks healthy by itself."""

import asyncio
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from typing import Literal

from pydantic import Field

from checks.base import IO, Check, Heard, Seconds
from checks.beat.entries import Pulse, pulse_of, told_pulse
from checks.celery_broker import open_broker
from checks.celery_wire import AFTER_SECONDS, BEAT_MARKER, BrokerConfig, told_of_broker
from checks.result import Fact, Reason, Verdict, degraded, ok, unknown
from checks.wording import duration

MOST_PER_PERIOD = 1.5
"""One beat sends once in a period, two send twice."""

LEAST_BEATS = 5
"""So many beats are counted: of two beats, that is two periods."""

SILENT_PERIODS = 3
"""After so many periods without a beat there is nothing to count."""

SHOWN_ORIGINS = 3


class BeatSingleConfig(BrokerConfig):
    """The settings of `beat.single`."""

    kind: Literal["beat.single"] = "beat.single"
    interval_seconds: Seconds = 60.0
    timeout_seconds: Seconds = 10.0
    checklist: str = "Beat: starts"
    marker: str = Field(default=BEAT_MARKER, min_length=4, max_length=80)
    """The argument of the heartbeat entry."""
    period_seconds: Seconds | None = None
    """How often beat sends the heartbeat entry; None: read from the schedule that a worker tells."""


@dataclass(frozen=True, slots=True)
class BeatsSeen:
    """What one look found."""

    pulse: Pulse | None
    """The heartbeat entry, or the most frequent other one; None without either."""
    answering: int
    """How many workers answered by remote control."""
    listening_since: datetime | None
    feed_error: str = ""
    beats_at: tuple[datetime, ...] = ()
    """When workers took the newest of them, oldest first; one message counts once."""
    origins: tuple[str, ...] = ()
    """The processes that sent them, where the app sends `task-sent` events."""


class BeatSingle(Check[BeatSingleConfig, BeatsSeen]):
    """Count how many heartbeats of the schedule arrive in a period."""

    Config = BeatSingleConfig
    __slots__ = ("_nodes", "_pulse", "_reply_id")

    def __init__(self, config: BeatSingleConfig) -> None:
        super().__init__(config)
        self._reply_id = str(uuid.uuid4())
        self._nodes: set[str] = set()
        self._pulse = pulse_of({}, config.marker, config.period_seconds)
        """The last known schedule: a dead worker tells none."""

    async def measure(self, io: IO) -> BeatsSeen:
        """Read the schedule, then which beats the feed heard."""
        config = self.config
        async with asyncio.timeout(io.timeout_seconds - AFTER_SECONDS):
            await io.feeds.celery(config.url)
            async with open_broker(io, config, self._reply_id, self._nodes) as broker:
                told = (await broker.ask("conf"))["conf"].answers
            if told:
                self._pulse = told_pulse([conf for _, conf in told], config.marker, config.period_seconds)
            view = await io.feeds.celery(config.url)
        beats = [heard for heard in view.heard if self._is_of_beat(heard)]
        taken = {str(heard.data.get("uuid")): heard.at for heard in reversed(beats) if heard.type == "task-received"}
        origins = dict.fromkeys(str(heard.data.get("hostname")) for heard in beats if heard.type == "task-sent")
        return BeatsSeen(
            self._pulse,
            len(told),
            view.listening_since,
            view.error,
            tuple(sorted(taken.values())),
            tuple(origins),
        )

    def judge(self, seen: BeatsSeen, now: datetime, before: Sequence[BeatsSeen] = ()) -> Verdict:
        """More than 1.5 in a period are two beats, where only beat sends what is counted."""
        pulse = seen.pulse
        if pulse is None:
            return _not_observable(seen, self.config.marker)
        every = duration(pulse.period_seconds)
        facts = _facts(seen, pulse)
        if seen.listening_since is None:
            return unknown(Reason.STALE, f"not listening to the broker: {seen.feed_error or 'connecting'}", *facts)
        if len(seen.beats_at) < LEAST_BEATS:
            return unknown(
                Reason.STALE, f"heard {len(seen.beats_at)} of {LEAST_BEATS} beats, one is due every {every}", *facts
            )
        silence = (now - seen.beats_at[-1]).total_seconds()
        if silence > SILENT_PERIODS * pulse.period_seconds:
            return unknown(Reason.STALE, f"no beat for {duration(silence)}: see beat.alive", *facts)
        span = (seen.beats_at[-1] - seen.beats_at[0]).total_seconds()
        rate = (len(seen.beats_at) - 1) * pulse.period_seconds / max(span, pulse.period_seconds / 10)
        values = {"beats_per_period": rate}
        if rate <= MOST_PER_PERIOD:
            return ok(f"one beat sends, every {every}", *facts, values=values)
        if not pulse.marker:
            return unknown(
                Reason.NOT_CONFIGURED,
                f"task {pulse.task} runs {rate:.1f} times in {every}: by two beats, or called by others too",
                *facts,
                hint="Add the heartbeat entry, which nobody but beat sends: see beat.alive.",
            )
        return degraded(
            Reason.DRIFT,
            f"{rate:.1f} beats arrive every {every} instead of one: more than one beat runs",
            *facts,
            hint="Every scheduled task runs twice. Keep one instance of beat, and start no worker with -B. After a"
            " deploy the old beat may still run: stop it.",
            values=values,
        )

    def on_failure(self, verdict: Verdict) -> Verdict:
        """Say it of the broker."""
        return told_of_broker(verdict, self.config)

    def _is_of_beat(self, heard: Heard) -> bool:
        pulse = self._pulse
        if pulse is None or heard.data.get("prefix", "") != self.config.key_prefix:
            return False
        return (heard.data.get("name"), heard.data.get("args", "")) == (pulse.task, pulse.marker)


def _not_observable(seen: BeatsSeen, marker: str) -> Verdict:
    if not seen.answering:
        return unknown(
            Reason.DEPENDENCY_DOWN,
            "no worker answers, so the schedule cannot be read",
            hint="Repair the worker first (worker.online).",
        )
    return unknown(
        Reason.NOT_CONFIGURED,
        "beats cannot be counted: the schedule has no heartbeat entry and no interval",
        Fact("workers that answer", seen.answering),
        hint=f"Add the heartbeat entry with the argument {marker}: see beat.alive.",
    )


def _facts(seen: BeatsSeen, pulse: Pulse) -> tuple[Fact, ...]:
    gaps = [f"{(later - earlier).total_seconds():.1f}" for earlier, later in pairwise(seen.beats_at)]
    facts = [
        Fact("recognised by", pulse.marker or f"task {pulse.task}"),
        Fact("period", pulse.period_seconds, "s"),
        Fact("seconds between the last beats", ", ".join(gaps) or None),
    ]
    facts += [Fact("sent by", ", ".join(seen.origins[-SHOWN_ORIGINS:]))] if seen.origins else []
    return tuple(facts)
