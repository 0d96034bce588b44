"""When each check is looked at next."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from typing import Any, cast

import pytest

from checks.base import Check, CheckConfig
from checks.result import Result, ok
from monitor.engine.model import CheckPolicy, CheckState, CheckStatus, State
from monitor.probing.scheduler import Scheduler, offset_seconds, pause_seconds

AT = datetime(2026, 1, 1, tzinfo=UTC)
POLICY = CheckPolicy("a.b", "a", interval_seconds=30, timeout_seconds=10, retry_seconds=10)


@pytest.mark.parametrize(
    ("state", "is_symptom", "expected"),
    [
        (None, False, 30),
        (CheckState("a.b"), False, 30),
        (CheckState("a.b", status=CheckStatus.UP), False, 30),
        (CheckState("a.b", status=CheckStatus.SUSPECT), False, 10),
        (CheckState("a.b", status=CheckStatus.RECOVERING), False, 10),
        (CheckState("a.b", status=CheckStatus.DOWN), False, 30),
        (CheckState("a.b", status=CheckStatus.DOWN), True, 10),
        (CheckState("a.b", status=CheckStatus.DOWN, held_since=AT), False, 10),
        (CheckState("a.b", status=CheckStatus.DOWN, gate_until=AT), False, 10),
    ],
)
def test_the_retry_time_is_for_checks_that_want_more_evidence(
    state: CheckState | None, is_symptom: bool, expected: float
) -> None:
    assert pause_seconds(POLICY, state, is_symptom=is_symptom) == expected


def test_offsets_lie_within_the_interval_and_spread() -> None:
    offsets = [offset_seconds(f"check.{n}", 30.0) for n in range(300)]
    assert all(0 <= offset < 30 for offset in offsets)
    assert {int(offset // 3) for offset in offsets} == set(range(10))


class _Named:
    """Just enough of a check: it has a name."""

    def __init__(self, check_id: str) -> None:
        self.config = CheckConfig(kind="test", id=check_id, service="test")


def _scheduler(
    ids: list[str],
    look: Callable[[Check[Any, Any]], Awaitable[Result]],
    hand_on: Callable[[Result], Awaitable[None]],
    interval_seconds: float = 1000.0,
) -> Scheduler:
    checks = cast("Mapping[str, Check[Any, Any]]", {check_id: _Named(check_id) for check_id in ids})
    policies = {
        check_id: CheckPolicy(check_id, "test", interval_seconds, interval_seconds / 2, interval_seconds)
        for check_id in ids
    }
    return Scheduler(checks, policies, look, hand_on, State, asyncio.get_running_loop().time)


async def _until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(5):
        while not condition():
            await asyncio.sleep(0.005)


async def test_every_check_is_looked_at_within_the_first_interval() -> None:
    seen: list[str] = []

    async def look(check: Check[Any, Any]) -> Result:
        return Result(check.config.id, ok("fine"), AT, 0.0)

    async def hand_on(result: Result) -> None:
        seen.append(result.check_id)

    scheduler = _scheduler(["a.one", "a.two", "a.three"], look, hand_on)
    running = asyncio.create_task(scheduler.run())
    await _until(lambda: sorted(seen) == ["a.one", "a.three", "a.two"])
    running.cancel()
    await asyncio.wait([running])
    assert (scheduler.looks_due, scheduler.looks_run) == (3, 3)


async def test_a_look_asked_for_while_one_runs_starts_after_it_and_never_beside_it() -> None:
    gate = asyncio.Event()
    started: list[int] = []
    at_once = 0

    async def look(check: Check[Any, Any]) -> Result:
        nonlocal at_once
        at_once += 1
        assert at_once == 1
        started.append(1)
        await gate.wait()
        at_once -= 1
        return Result(check.config.id, ok("fine"), AT, 0.0)

    async def hand_on(result: Result) -> None:
        pass

    scheduler = _scheduler(["a.one"], look, hand_on)
    running = asyncio.create_task(scheduler.run())
    await _until(lambda: len(started) == 1)
    scheduler.probe_now("a.one")
    gate.set()
    await _until(lambda: len(started) == 2)
    running.cancel()
    await asyncio.wait([running])


async def test_a_look_is_brought_forward_and_unknown_ids_are_ignored() -> None:
    seen: list[str] = []

    async def look(check: Check[Any, Any]) -> Result:
        return Result(check.config.id, ok("fine"), AT, 0.0)

    async def hand_on(result: Result) -> None:
        seen.append(result.check_id)

    scheduler = _scheduler(["a.one"], look, hand_on)
    running = asyncio.create_task(scheduler.run())
    await _until(lambda: len(seen) == 1)
    await asyncio.sleep(0)
    scheduler.probe_now("no.such")
    scheduler.probe_now("a.one", 0.01)
    await _until(lambda: len(seen) == 2)
    running.cancel()
    await asyncio.wait([running])
