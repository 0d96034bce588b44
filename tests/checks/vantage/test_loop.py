"""`vantage.loop`: our own lateness."""

import pytest

from checks.result import Outcome, Reason
from checks.vantage.loop import VantageLoop, VantageLoopConfig, VantageLoopSeen
from tests.fakes import NOW, io_for

CHECK = VantageLoop(VantageLoopConfig(id="vantage.loop", service="monitor"))


@pytest.mark.parametrize(
    ("lag_seconds", "outcome", "reason", "summary"),
    [
        (0.004, Outcome.OK, None, "on time, 4 ms late at most"),
        (1.0, Outcome.OK, None, "on time, 1 s late at most"),
        (1.5, Outcome.FAILED, Reason.VANTAGE, "the monitor itself is 1.5 s late"),
    ],
)
def test_judge(lag_seconds: float, outcome: Outcome, reason: Reason | None, summary: str) -> None:
    verdict = CHECK.judge(VantageLoopSeen(lag_seconds), NOW)

    assert (verdict.outcome, verdict.reason, verdict.summary) == (outcome, reason, summary)
    assert verdict.values == {"lag_seconds": lag_seconds}


async def test_the_meter_is_read() -> None:
    assert await CHECK.measure(io_for(loop_lag_seconds=lambda: 0.25)) == VantageLoopSeen(0.25)
