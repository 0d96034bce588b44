"""worker.each: the judge as a table, and its settings."""

import pytest
from pydantic import ValidationError

from checks.result import Outcome, Reason
from checks.worker.broker import Flight
from checks.worker.each import EachSeen, WorkerEach, WorkerEachConfig
from tests.worker_looks import NOW, settings

FINE = Flight("q1", "id-0", 0.6, "result", "SUCCESS", is_right=True)
LOST = Flight("q2", "id-1", 5.0, was_waiting=True)


@pytest.mark.parametrize(
    ("seen", "outcome", "reason", "summary"),
    [
        (EachSeen(()), Outcome.UNKNOWN, Reason.DEPENDENCY_DOWN, "no worker answers"),
        (EachSeen((("w@1", FINE),)), Outcome.OK, None, "a task ran on each of 1 worker"),
        (EachSeen((("w@1", FINE), ("w@2", LOST))), Outcome.FAILED, Reason.NOT_CONSUMING,
         "1 of 2 workers ran no task: w@2"),
    ],
)  # fmt: skip
def test_a_node_that_runs_nothing_is_named(
    seen: EachSeen, outcome: Outcome, reason: Reason | None, summary: str
) -> None:
    verdict = WorkerEach(WorkerEachConfig.model_validate(settings("worker.each"))).judge(seen, NOW)
    assert (verdict.outcome, verdict.reason, verdict.summary) == (outcome, reason, summary)
    assert bool(verdict.hint) == (outcome is not Outcome.OK)


def test_a_limit_too_short_for_a_worker_to_turn_is_named() -> None:
    with pytest.raises(ValidationError, match=r"timeout_seconds: 3 must be at least 3\.6"):
        WorkerEachConfig.model_validate(settings("worker.each", timeout_seconds=3.0))
