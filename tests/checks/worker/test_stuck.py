"""worker.stuck_tasks: the judge as a table."""

from collections.abc import Mapping

import pytest

from checks.result import Outcome, Reason
from checks.worker.stuck import LEAST_RUNS, Running, RunningSeen, WorkerStuckTasks, WorkerStuckTasksConfig, _p95
from tests.worker_looks import NOW, settings

F, D, OK, U = Outcome.FAILED, Outcome.DEGRADED, Outcome.OK, Outcome.UNKNOWN
TWO: Mapping[str, int] = {"w@1": 2}


def run(seconds: float, task: str = "a.b", usual: float | None = None) -> Running:
    return Running("w@1", task, "id-1", seconds, 7, usual)


@pytest.mark.parametrize(
    ("seen", "settled", "outcome", "reason", "summary"),
    [
        (RunningSeen(1, ()), {}, U, Reason.DEPENDENCY_DOWN, "no worker tells what runs"),
        (RunningSeen(1, (), TWO), {}, OK, None, "0 of 2 slots taken"),
        (RunningSeen(1, (run(12), run(3)), TWO), {}, OK, None, "2 of 2 slots taken, the oldest for 12 s"),
        (RunningSeen(1, (run(301), run(3)), TWO), {}, D, Reason.STUCK, "a.b runs for 5 min"),
        (RunningSeen(1, (run(3), run(400), run(360)), TWO), {}, D, Reason.STUCK, "a.b runs for 7 min, and 1 more"),
        (RunningSeen(1, (run(301),), TWO), {"long_tasks": ["a.b"]}, OK, None,
         "1 of 2 slots taken, the oldest for 5 min"),
        (RunningSeen(1, (run(60, usual=10.0),), TWO), {}, D, Reason.STUCK, "a.b runs for 60 s, usually 10 s"),
        (RunningSeen(1, (run(29, usual=1.0),), TWO), {}, OK, None, "1 of 2 slots taken, the oldest for 29 s"),
        (RunningSeen(1, (run(1000), run(901)), TWO), {}, F, Reason.STUCK,
         "all 2 slots are taken for more than 15 min: a.b"),
        (RunningSeen(1, (run(1000), run(899)), TWO), {}, D, Reason.STUCK, "a.b runs for 17 min, and 1 more"),
        (RunningSeen(1, (run(100), run(61)), TWO, 60.0), {}, F, Reason.STUCK,
         "all 2 slots are taken for more than 60 s: a.b"),
        (RunningSeen(1, (run(1000), run(901)), TWO, 7200.0), {}, F, Reason.STUCK,
         "all 2 slots are taken for more than 15 min: a.b"),
    ],
)  # fmt: skip
def test_a_task_that_runs_too_long_is_stuck(
    seen: RunningSeen, settled: dict[str, object], outcome: Outcome, reason: Reason | None, summary: str
) -> None:
    config = WorkerStuckTasksConfig.model_validate(settings("worker.stuck_tasks", **settled))
    verdict = WorkerStuckTasks(config).judge(seen, NOW)
    assert (verdict.outcome, verdict.reason, verdict.summary) == (outcome, reason, summary)
    assert bool(verdict.hint) == (outcome is not OK)


def test_the_evidence_names_task_node_id_and_process() -> None:
    check = WorkerStuckTasks(WorkerStuckTasksConfig.model_validate(settings("worker.stuck_tasks")))
    quiet = Running("w@1", "a.c", "id-2", 1.0)
    facts = check.judge(RunningSeen(1, (run(60, usual=10.0), quiet), TWO), NOW).evidence.facts
    assert [(fact.name, fact.value) for fact in facts[2:]] == [
        ("a.b on w@1", "for 60 s, usually 10 s, id id-1, pid 7"),
        ("a.c on w@1", "for 1 s, id id-2"),
    ]


def test_too_few_runs_are_no_measure() -> None:
    assert _p95((1.0,) * (LEAST_RUNS - 1)) is None
    assert _p95((1.0,) * 18 + (9.0, 99.0)) == 9.0
