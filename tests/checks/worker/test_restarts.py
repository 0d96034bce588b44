"""worker.restarts: the judge as a table, and what counts as a restart."""

from collections import deque
from datetime import datetime, timedelta

import pytest

from checks.result import Outcome, Reason
from checks.worker.restarts import Restart, RestartsSeen, WorkerRestarts, WorkerRestartsConfig
from tests.worker_looks import NOW, settings

F, D, OK, U = Outcome.FAILED, Outcome.DEGRADED, Outcome.OK, Outcome.UNKNOWN
UP = (("w@1", 30.0), ("w@2", 4000.0))


def starts(*ago: float) -> tuple[Restart, ...]:
    return tuple(Restart("w@1", NOW - timedelta(seconds=seconds), 7) for seconds in ago)


def check() -> WorkerRestarts:
    return WorkerRestarts(WorkerRestartsConfig.model_validate(settings("worker.restarts")))


@pytest.mark.parametrize(
    ("seen", "outcome", "reason", "summary"),
    [
        (RestartsSeen((), ()), U, Reason.DEPENDENCY_DOWN, "no worker tells since when it runs"),
        (RestartsSeen(UP, ()), OK, None, "2 workers up for 30 s or more, 0 restarts in an hour"),
        (RestartsSeen(UP, starts(30)), OK, None, "2 workers up for 30 s or more, 1 restart in an hour"),
        (RestartsSeen(UP, starts(3000, 2000, 60)), D, Reason.STUCK,
         "3 worker starts in an hour, the last at 11:59:00 UTC, pid 7"),
        (RestartsSeen(UP, starts(700, 400, 300, 200, 60)), D, Reason.STUCK,
         "5 worker starts in an hour, the last at 11:59:00 UTC, pid 7"),
        (RestartsSeen((), starts(600, 400, 300, 200, 60)), F, Reason.STUCK,
         "5 worker starts in 10 min, the last at 11:59:00 UTC, pid 7"),
    ],
)  # fmt: skip
def test_workers_that_start_often_are_named(
    seen: RestartsSeen, outcome: Outcome, reason: Reason | None, summary: str
) -> None:
    verdict = check().judge(seen, NOW)
    assert (verdict.outcome, verdict.reason, verdict.summary) == (outcome, reason, summary)
    assert bool(verdict.hint) == (outcome is not OK)


def at(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


@pytest.mark.parametrize(
    ("looks", "restarted"),
    [
        ([{"a": 5}, {"a": 35}], []),
        ([{"a": 5}, {"a": 36}], []),
        ([{"a": 500}, {"a": 3}], ["a"]),
        ([{"a": 500}, {}, {"a": 3}], ["a"]),
        ([{"a": 500}, {"b": 3}], ["b"]),
        ([{"a": 500}, {"a": 530, "b": 3}], []),
        ([{"a": 500, "b": 500}, {"a": 530}, {"a": 560, "c": 3}, {"a": 590, "c": 33, "d": 3}], ["c"]),
        ([{"a": None}, {"a": None}], []),
    ],
)
def test_a_new_start_of_a_node_or_in_place_of_one_is_a_restart(
    looks: list[dict[str, float | None]], restarted: list[str]
) -> None:
    looking = check()
    for number, uptimes in enumerate(looks):
        stats = {node: {"uptime": uptime, "pid": None} for node, uptime in uptimes.items()}
        looking._note(at(30.0 * number), stats)
    assert [one.node for one in looking._restarts] == restarted


def test_a_new_process_within_seconds_is_a_restart() -> None:
    looking = check()
    looking._note(at(0), {"a": {"uptime": 2, "pid": 7}})
    looking._note(at(1), {"a": {"uptime": 0, "pid": 8}})
    assert looking._restarts == deque([Restart("a", at(1), 8)])
