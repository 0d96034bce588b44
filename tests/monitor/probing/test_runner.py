"""The frame around a look: what becomes of an answer, of an exception, of a look that takes too long."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

import pytest
from structlog.testing import capture_logs

from checks.base import IO, Check, CheckConfig
from checks.result import Outcome, Reason, Result, Verdict, degraded, ok
from monitor.probing.runner import GRACE_SECONDS, Runner
from tests.fakes import NOW, io_for


class PaperConfig(CheckConfig):
    kind: Literal["paper"] = "paper"


class Paper(Check[PaperConfig, Any]):
    """A check that sees what it is given."""

    Config = PaperConfig
    remembers = 2

    def __init__(self, look: Callable[[], Awaitable[Any]], *, check_id: str = "paper.sheet", timeout: float = 2.0):
        super().__init__(PaperConfig(id=check_id, service="paper", interval_seconds=5, timeout_seconds=timeout))
        self.look = look
        self.judged: list[tuple[Any, datetime, tuple[Any, ...]]] = []

    async def measure(self, io: IO) -> Any:
        return await self.look()

    def judge(self, seen: Any, now: datetime, before: Sequence[Any] = ()) -> Verdict:
        self.judged.append((seen, now, tuple(before)))
        return ok(f"saw {seen}")

    def on_failure(self, verdict: Verdict) -> Verdict:
        return replace(verdict, summary=f"paper: {verdict.summary}")


class Clock:
    """Turns one second further each time it is read."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def now(self) -> datetime:
        return NOW + timedelta(seconds=self.seconds)

    def monotonic(self) -> float:
        self.seconds += 1.0
        return self.seconds


def runner(*, lag_seconds: float = 0.0, blind: Callable[[str], str] = lambda check_id: "", **more: Any) -> Runner:
    clock = Clock()
    given: list[float] = []

    def make_io(timeout_seconds: float) -> IO:
        given.append(timeout_seconds)
        return io_for(timeout_seconds, loop_lag_seconds=lambda: lag_seconds)

    built = Runner(make_io, clock.now, clock.monotonic, blind=blind, **more)
    built.budgets = given  # type: ignore[attr-defined]
    return built


def seeing(value: Any) -> Callable[[], Awaitable[Any]]:
    async def look() -> Any:
        if isinstance(value, BaseException):
            raise value
        return value

    return look


async def test_a_look_becomes_a_result_with_its_start_and_duration() -> None:
    frame = runner(vantage="frankfurt", epoch=7)
    result = await frame.run(Paper(seeing("ink")))
    assert result == Result("paper.sheet", ok("saw ink"), NOW, 1.0, "frankfurt", 7)
    assert frame.budgets == [2.0]  # type: ignore[attr-defined]


async def test_judge_is_given_the_last_looks_oldest_first_and_no_more_than_it_wants() -> None:
    frame = runner()
    values = iter("abcd")

    async def look() -> str:
        return next(values)

    check = Paper(look)
    for _ in range(4):
        await frame.run(check)
    assert [before for _, _, before in check.judged] == [(), ("a",), ("a", "b"), ("b", "c")]


async def test_each_check_has_a_memory_of_its_own() -> None:
    frame = runner()
    await frame.run(Paper(seeing("mine")))
    other = Paper(seeing("yours"), check_id="paper.other")
    await frame.run(other)
    assert other.judged[0][2] == ()


async def test_a_failed_look_is_not_remembered() -> None:
    frame = runner()
    await frame.run(Paper(seeing(ConnectionRefusedError())))
    check = Paper(seeing("ink"))
    await frame.run(check)
    assert check.judged[0][2] == ()


async def test_a_look_is_ended_after_its_limit_and_a_little_grace() -> None:
    async def never() -> None:
        await asyncio.Event().wait()

    limit = 0.05
    started = asyncio.get_running_loop().time()
    result = await runner().run(Paper(never, timeout=limit))
    took = asyncio.get_running_loop().time() - started
    assert (result.verdict.outcome, result.verdict.reason) == (Outcome.FAILED, Reason.TIMEOUT)
    assert result.verdict.summary == "paper: no answer within 50 ms"
    assert limit + GRACE_SECONDS <= took < limit + GRACE_SECONDS + 2


async def test_an_error_of_the_network_is_told_in_the_check_s_words() -> None:
    result = await runner().run(Paper(seeing(ConnectionRefusedError(111, "refused"))))
    assert (result.verdict.outcome, result.verdict.reason) == (Outcome.FAILED, Reason.CONNECTION_REFUSED)
    assert result.verdict.summary == "paper: connection refused"


async def test_a_fault_of_the_check_itself_is_unknown_and_logged() -> None:
    with capture_logs() as logs:
        result = await runner().run(Paper(seeing(KeyError("ink"))))
    assert (result.verdict.outcome, result.verdict.reason) == (Outcome.UNKNOWN, Reason.CHECK_ERROR)
    assert result.verdict.summary == "the check itself failed: KeyError"
    (line,) = logs
    assert (line["event"], line["log_level"], line["check"], line["error"]) == (
        "check.error", "error", "paper.sheet", "KeyError",
    )  # fmt: skip


async def test_a_fault_in_judge_is_the_check_s_own_too() -> None:
    class Unjudged(Paper):
        def judge(self, seen: Any, now: datetime, before: Sequence[Any] = ()) -> Verdict:
            raise ZeroDivisionError

    with capture_logs():
        result = await runner().run(Unjudged(seeing("ink")))
    assert result.verdict.reason is Reason.CHECK_ERROR


async def test_a_cancelled_look_stays_cancelled() -> None:
    started = asyncio.Event()

    async def never() -> None:
        started.set()
        await asyncio.Event().wait()

    task = asyncio.create_task(runner().run(Paper(never)))
    await started.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


@pytest.mark.parametrize(
    ("timeout_seconds", "lag_seconds", "outcome"),
    [
        (2.0, 1.0, Outcome.OK),
        (2.0, 1.1, Outcome.UNKNOWN),
        (4.9, 1.2, Outcome.OK),  # a quarter of a long limit
        (4.9, 1.3, Outcome.UNKNOWN),
    ],
)
async def test_a_look_during_which_our_loop_was_late_proves_nothing(
    timeout_seconds: float, lag_seconds: float, outcome: Outcome
) -> None:
    result = await runner(lag_seconds=lag_seconds).run(Paper(seeing("ink"), timeout=timeout_seconds))
    assert result.verdict.outcome is outcome
    if outcome is Outcome.UNKNOWN:
        assert result.verdict.reason is Reason.VANTAGE
        assert result.verdict.summary == f"not judged: the monitor itself was {lag_seconds:.1f} s late"


@pytest.mark.parametrize("value", ["ink", ConnectionRefusedError()], ids=["success", "failure"])
async def test_a_look_without_sight_proves_nothing(value: Any) -> None:
    def blind(check_id: str) -> str:
        return f"{check_id} cannot be seen"

    result = await runner(blind=blind).run(Paper(seeing(value)))
    assert (result.verdict.outcome, result.verdict.reason) == (Outcome.UNKNOWN, Reason.VANTAGE)
    assert result.verdict.summary == "not judged: paper.sheet cannot be seen"


async def test_the_vantage_itself_is_judged_however_late_or_blind() -> None:
    frame = runner(lag_seconds=60, blind=lambda check_id: "dark")
    result = await frame.run(Paper(seeing("ink"), check_id="vantage.sheet"))
    assert result.verdict == ok("saw ink")


async def test_a_degraded_verdict_passes_unchanged() -> None:
    verdict = degraded(Reason.SLOW, "slow", hint="wait")

    class Slow(Paper):
        def judge(self, seen: Any, now: datetime, before: Sequence[Any] = ()) -> Verdict:
            return verdict

    result = await runner().run(Slow(seeing("ink")))
    assert result.verdict == verdict
    assert result.started_at.tzinfo is UTC
