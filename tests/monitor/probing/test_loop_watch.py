"""How late our own event loop is, by a clock that the test turns."""

import asyncio
from datetime import datetime, timedelta

import pytest

from monitor.probing.loop_watch import STEP_SECONDS, WINDOW_SECONDS, LoopWatch
from tests.fakes import NOW


class Clock:
    def __init__(self) -> None:
        self.seconds = 100.0

    def now(self) -> datetime:
        return NOW + timedelta(seconds=self.seconds - 100.0)

    def monotonic(self) -> float:
        return self.seconds


class Sleeper:
    """Stands for `asyncio.sleep`: wakes when the test says so, as late as it says."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._wakes: asyncio.Queue[None] = asyncio.Queue()
        self.asleep = asyncio.Event()

    async def sleep(self, seconds: float) -> None:
        assert seconds == STEP_SECONDS
        self.asleep.set()
        await self._wakes.get()

    async def wake(self, *, late: float = 0.0) -> None:
        await self.asleep.wait()
        self.asleep.clear()
        self._clock.seconds += STEP_SECONDS + late
        self._wakes.put_nowait(None)
        await self.asleep.wait()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def watch(clock: Clock) -> LoopWatch:
    return LoopWatch(clock.now, clock.monotonic)


def test_before_it_runs_nothing_is_late(watch: LoopWatch) -> None:
    assert watch.lag_seconds() == 0.0
    assert watch.ticked_at == NOW


async def test_it_keeps_the_largest_lateness_of_the_last_five_seconds(clock: Clock) -> None:
    sleeper = Sleeper(clock)
    watch = LoopWatch(clock.now, clock.monotonic, sleeper.sleep)
    running = asyncio.create_task(watch.run())
    await sleeper.wake()
    assert watch.lag_seconds() == 0.0
    await sleeper.wake(late=2.0)
    await sleeper.wake(late=0.5)
    assert watch.lag_seconds() == pytest.approx(2.0)
    assert watch.ticked_at == clock.now()
    for _ in range(int(WINDOW_SECONDS / STEP_SECONDS)):
        await sleeper.wake()
    assert watch.lag_seconds() == pytest.approx(0.0)
    running.cancel()
    await asyncio.wait([running])


async def test_a_loop_that_stands_now_counts_before_it_wakes(clock: Clock) -> None:
    sleeper = Sleeper(clock)
    watch = LoopWatch(clock.now, clock.monotonic, sleeper.sleep)
    running = asyncio.create_task(watch.run())
    await sleeper.wake()
    clock.seconds += STEP_SECONDS + 3.0
    assert watch.lag_seconds() == pytest.approx(3.0)
    running.cancel()
    await asyncio.wait([running])


async def test_one_late_turn_in_two_minutes_is_no_habit(clock: Clock) -> None:
    sleeper = Sleeper(clock)
    watch = LoopWatch(clock.now, clock.monotonic, sleeper.sleep)
    assert watch.lag_p99_seconds() == 0.0
    running = asyncio.create_task(watch.run())
    for _ in range(200):
        await sleeper.wake()
    await sleeper.wake(late=3.0)
    assert watch.lag_p99_seconds() == pytest.approx(0.0)
    for _ in range(10):
        await sleeper.wake(late=1.5)
    assert watch.lag_p99_seconds() == pytest.approx(1.5)
    running.cancel()
    await asyncio.wait([running])
