"""clock.skew: do the clocks of workers, Redis and the monitor agree?"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from statistics import median
from typing import Literal

from checks.base import IO, FeedView, Seconds
from checks.celery_wire import AFTER_SECONDS, BrokerConfig
from checks.result import Fact, Reason, Verdict, degraded, ok
from checks.wording import duration, listed
from checks.worker.broker import Broker
from checks.worker.look import BrokerCheck

FRESH_SECONDS = 60.0
"""Older heartbeats say nothing of now."""
HEARTBEAT_SECONDS = 3.0
"""How long a cold feed is waited for: workers send a heartbeat every 2 s."""
READINGS = 3


class ClockSkewConfig(BrokerConfig):
    """The settings of `clock.skew`."""

    kind: Literal["clock.skew"] = "clock.skew"
    interval_seconds: Seconds = 300.0
    timeout_seconds: Seconds = 5.0
    checklist: str = "Beat: scheduled tasks trigger"
    most_skew_seconds: Seconds = 2.0


@dataclass(frozen=True, slots=True)
class ClocksSeen:
    """How far each clock is ahead of ours."""

    redis_seconds: float | None
    workers: tuple[tuple[str, float], ...]
    """(node, seconds), the median of its last heartbeats."""


class ClockSkew(BrokerCheck[ClockSkewConfig, ClocksSeen]):
    """Compare the broker's clock and the time stamps of worker heartbeats with our clock."""

    Config = ClockSkewConfig
    __slots__ = ()

    async def measure(self, io: IO) -> ClocksSeen:
        """Read the broker's clock in the middle of a question, and the heartbeats that the feed heard."""
        await io.feeds.celery(self.config.url)
        async with self.broker(io) as broker:
            readings = [await _ahead(broker, io) for _ in range(READINGS)]
        view = await self._heartbeats(io)
        ahead: dict[str, list[float]] = {}
        for one in view.heard:
            stamp, is_fresh = one.data.get("timestamp"), (io.now() - one.at).total_seconds() < FRESH_SECONDS
            if one.type == "worker-heartbeat" and isinstance(stamp, int | float) and is_fresh:
                ahead.setdefault(str(one.data.get("hostname")), []).append(stamp - one.at.timestamp())
        known = [reading for reading in readings if reading is not None]
        return ClocksSeen(
            median(known) if known else None, tuple((node, median(found)) for node, found in sorted(ahead.items()))
        )

    def judge(self, seen: ClocksSeen, now: datetime, before: Sequence[ClocksSeen] = ()) -> Verdict:
        """Any clock too far from ours: degraded."""
        clocks = [*((("Redis", seen.redis_seconds),) if seen.redis_seconds is not None else ()), *seen.workers]
        facts = tuple(Fact(f"{name}: ahead of the monitor", round(seconds, 3), "s") for name, seconds in clocks)
        values = {"clock_skew_seconds": max((abs(seconds) for _, seconds in clocks), default=0.0)}
        wrong = [(name, seconds) for name, seconds in clocks if abs(seconds) > self.config.most_skew_seconds]
        if wrong:
            if len(wrong) == len(clocks) > 1:
                who = "the monitor's clock differs from all others"
                name, seconds = max(wrong, key=lambda one: abs(one[1]))
                said = f"{who}: {name} is {_way(seconds)}"
            else:
                said = listed([f"the clock of {name} is {_way(seconds)}" for name, seconds in wrong])
            return degraded(
                Reason.DRIFT,
                said,
                *facts,
                hint="Set the clock (NTP) of that machine: expires, countdowns and schedules are kept by it.",
                values=values,
            )
        largest = duration(values["clock_skew_seconds"])
        unseen = "" if seen.workers else "; no heartbeat of a worker was heard"
        return ok(f"{len(clocks)} clocks differ by at most {largest}{unseen}", *facts, values=values)

    async def _heartbeats(self, io: IO) -> FeedView:
        view = await io.feeds.celery(self.config.url)
        deadline = io.monotonic() + max(0.0, min(HEARTBEAT_SECONDS, io.timeout_seconds - 2 * AFTER_SECONDS))
        while (left := deadline - io.monotonic()) > 0:
            if any(one.type == "worker-heartbeat" for one in view.heard):
                break
            view = await io.feeds.celery(self.config.url, wait_seconds=left)
            await asyncio.sleep(0)
        return view


async def _ahead(broker: Broker, io: IO) -> float | None:
    before = io.now().timestamp()
    clock = await broker.clock_seconds()
    return None if clock is None else clock - (before + io.now().timestamp()) / 2


def _way(seconds: float) -> str:
    return f"{duration(abs(seconds))} {'ahead' if seconds > 0 else 'behind'}"
