"""worker.tasks: the judge as a table."""

import pytest

from checks.result import Outcome, Reason
from checks.worker.tasks import TasksSeen, WorkerTasks, WorkerTasksConfig
from tests.worker_looks import NOW, settings

D, OK, U = Outcome.DEGRADED, Outcome.OK, Outcome.UNKNOWN
ONE = ("w@1", frozenset({"a.b"}))
TWO = ("w@2", frozenset({"a.b", "a.c"}))


@pytest.mark.parametrize(
    ("seen", "expected", "outcome", "reason", "summary"),
    [
        (TasksSeen(0, ()), (), U, Reason.DEPENDENCY_DOWN, "no worker tells its tasks"),
        (TasksSeen(1, (ONE,)), (), OK, None, "1 task registered; which there should be is not known yet"),
        (TasksSeen(2, (ONE, TWO)), ("a.b", "a.c"), OK, None, "2 tasks registered"),
        (TasksSeen(1, (ONE,)), ("a.b", "a.c"), D, Reason.MISSING, "no worker knows a.c"),
        (TasksSeen(2, (ONE,)), ("a.c",), U, Reason.DEPENDENCY_DOWN, "1 of 2 workers told their tasks"),
    ],
)
def test_every_expected_task_is_known_to_some_worker(
    seen: TasksSeen, expected: tuple[str, ...], outcome: Outcome, reason: Reason | None, summary: str
) -> None:
    check = WorkerTasks(WorkerTasksConfig.model_validate(settings("worker.tasks", expected_tasks=expected)))
    verdict = check.judge(seen, NOW)
    assert (verdict.outcome, verdict.reason, verdict.summary) == (outcome, reason, summary)
    assert bool(verdict.hint) == (outcome is not OK)
