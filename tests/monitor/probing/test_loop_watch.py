"""The loop's lateness: its peak for the runner, its p99 for the audit."""

import asyncio

import pytest

from monitor.probing import loop_watch
from monitor.probing.loop_watch import LoopWatch
from tests.stores import T0


async def test_one_late_turn_is_a_peak_and_no_habit(monkeypatch: pytest.MonkeyPatch) -> None:
    at = 0.0
    lateness = iter([0.0] * 200 + [3.0])

    async def sleep(seconds: float) -> None:
        nonlocal at
        try:
            at += seconds + next(lateness)
        except StopIteration:
            raise asyncio.CancelledError from None

    monkeypatch.setattr(loop_watch.asyncio, "sleep", sleep)
    watch = LoopWatch(lambda: T0, lambda: at)
    assert watch.lag_p99_seconds() == 0.0
    with pytest.raises(asyncio.CancelledError):
        await watch.run()
    assert watch.lag_seconds() == 3.0
    assert watch.lag_p99_seconds() == 0.0
    late = LoopWatch(lambda: T0, lambda: at)
    lateness = iter([1.5] * 50)
    with pytest.raises(asyncio.CancelledError):
        await late.run()
    assert late.lag_p99_seconds() == 1.5
