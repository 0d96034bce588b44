"""worker.failures: the judge as a table, and what is learned from the feed's counts."""

from dataclasses import replace
from datetime import timedelta

import pytest

from checks.base import FeedView, Tally
from checks.celery_wire import CANARY_TASK
from checks.failures import verdict_of
from checks.result import Outcome, Reason
from checks.worker.failures import Ended, FailuresSeen, WorkerFailures, WorkerFailuresConfig
from tests.celery_stack import look_io
from tests.worker_looks import NOW, GivenFeeds, settings

D, OK, U = Outcome.DEGRADED, Outcome.OK, Outcome.UNKNOWN
HOUR_AGO = NOW - timedelta(hours=1)
TICK = Ended("a.tick", succeeded=50)
MAIL = Ended("a.mail", succeeded=2, failed={"KeyError": 2, "OSError": 1})


def check(**more: object) -> WorkerFailures:
    return WorkerFailures(WorkerFailuresConfig.model_validate(settings("worker.failures", **more)))


def seen(*tasks: Ended) -> FailuresSeen:
    return FailuresSeen(HOUR_AGO, tasks)


@pytest.mark.parametrize(
    ("found", "settled", "outcome", "reason", "summary"),
    [
        (seen(), {}, OK, None, "none of 0 runs failed in the last 10 min"),
        (seen(TICK), {}, OK, None, "none of 50 runs failed in the last 10 min"),
        (replace(seen(TICK), listening_since=NOW - timedelta(seconds=9)), {}, OK, None,
         "none of 50 runs failed in the last 9 s"),
        (seen(TICK, replace(MAIL, failed={"KeyError": 2})), {}, OK, None, "2 of 54 runs failed in the last 10 min"),
        (seen(TICK, MAIL), {}, D, Reason.FAILING, "a.mail: 3 of 5 runs failed in 10 min: KeyError, OSError"),
        (seen(TICK, replace(MAIL, is_healed=True)), {}, OK, None, "3 of 55 runs failed in the last 10 min"),
        (seen(TICK, MAIL), {"ignored_tasks": ["a.mail"]}, OK, None, "3 of 55 runs failed in the last 10 min"),
        (seen(Ended("", 0, {"": 2}, expired=1)), {}, D, Reason.FAILING,
         "a task of unknown name: 3 of 3 runs failed in 10 min: unknown exception, expired before they began"),
        (seen(Ended("a", 3, {"E": 1}), Ended("b", 4, expired=2)), {}, D, Reason.FAILING,
         "3 of 10 runs of all tasks failed in 10 min, most of b: expired before they began"),
        (seen(Ended("a", 2, {"E": 1}), Ended("b", 4, expired=2)), {}, OK, None,
         "3 of 9 runs failed in the last 10 min"),
        (seen(TICK, Ended("a", 9, {"E": 1}, new=("E",))), {}, D, Reason.FAILING, "a fails in a new way: E"),
        (seen(TICK, Ended("a", 9, retried={"E": 20})), {}, D, Reason.FAILING, "a: 20 retries in 10 min: E"),
        (seen(TICK, Ended("a", 9, retried={"E": 19})), {}, OK, None, "none of 59 runs failed in the last 10 min"),
        (FailuresSeen(None), {}, U, Reason.STALE, "not listening to the broker: connecting"),
        (FailuresSeen(None, error="TimeoutError"), {}, U, Reason.STALE, "not listening to the broker: TimeoutError"),
        (FailuresSeen(None, (MAIL,)), {}, D, Reason.FAILING, "a.mail: 3 of 5 runs failed in 10 min: KeyError, OSError"),
        (FailuresSeen(HOUR_AGO, heard_tasks=False), {}, U, Reason.NOT_CONFIGURED,
         "no event of any task in 60 min: the workers send none"),
        (FailuresSeen(NOW - timedelta(seconds=60), heard_tasks=False), {}, OK, None,
         "none of 0 runs failed in the last 60 s"),
    ],
)  # fmt: skip
def test_tasks_that_fail_are_named_with_their_exception(
    found: FailuresSeen, settled: dict[str, object], outcome: Outcome, reason: Reason | None, summary: str
) -> None:
    verdict = check(**settled).judge(found, NOW)
    assert (verdict.outcome, verdict.reason, verdict.summary) == (outcome, reason, summary)


@pytest.mark.parametrize(
    ("ended", "advice"),
    [
        (Ended("a", 0, {"WorkerLostError": 3}), "killed, most often for memory"),
        (Ended("a", 0, {"NotRegistered": 3}), "an old worker gets a new task"),
        (Ended("a", 0, {"SoftTimeLimitExceeded": 3}), "time limit"),
        (Ended("a", 0, expired=3), "do not keep up"),
        (Ended("a", 0, {"KeyError": 3}), "roll back"),
    ],
)
def test_the_hint_fits_the_exception(ended: Ended, advice: str) -> None:
    assert advice in check().judge(seen(ended), NOW).hint


def test_the_evidence_counts_by_exception() -> None:
    odd = replace(MAIL, expired=1, retried={"OSError": 4}, is_healed=True)
    facts = check().judge(seen(TICK, odd), NOW).evidence.facts
    assert [(fact.name, fact.value) for fact in facts] == [
        ("runs in 10 min", 56),
        ("failed or expired", 4),
        ("a.mail", "2 KeyError, 1 OSError, 1 expired, 4 retried after OSError; 2 succeeded, and again since"),
    ]


def tally(task: str, ending: str, exception: str = "", ago: float = 60.0, prefix: str = "", count: int = 1) -> Tally:
    return Tally(NOW - timedelta(seconds=ago), prefix, task, ending, exception, count)


async def look(looking: WorkerFailures, view: FeedView, later: float = 0.0) -> FailuresSeen:
    now = NOW + timedelta(seconds=later)
    return await looking.measure(replace(look_io(4.0, GivenFeeds(view)), now=lambda: now))


async def test_counts_of_the_window_and_of_this_app_become_tasks() -> None:
    view = FeedView(
        HOUR_AGO,
        (),
        tallies=(
            tally("a", "failed", "KeyError", ago=700),
            tally("a", "failed", "KeyError", count=2),
            tally("a", "succeeded", count=5),
            tally("a", "expired"),
            tally("a", "retried", "OSError"),
            tally("a", "failed", "E", prefix="other-"),
            tally(CANARY_TASK, "expired", count=9),
        ),
        successes={("", "a"): 3},
    )
    assert await look(check(), view) == FailuresSeen(
        HOUR_AGO, (Ended("a", 5, {"KeyError": 2}, 1, {"OSError": 1}, is_healed=True),)
    )


async def test_an_exception_is_new_when_an_hour_has_not_shown_it() -> None:
    looking = check()
    known, new = tally("a", "failed", "KeyError"), tally("a", "failed", "OSError")
    await look(looking, FeedView(NOW, (), tallies=(known,)))
    late = tuple(replace(one, minute_at=NOW + timedelta(seconds=4000)) for one in (known, new))
    found = await look(looking, FeedView(NOW, (), tallies=late), later=4000)
    assert [one.new for one in found.tasks] == [("OSError",)]
    later = tuple(replace(one, minute_at=NOW + timedelta(seconds=4601)) for one in (known, new))
    found = await look(looking, FeedView(NOW, (), tallies=later), later=4601)
    assert [one.new for one in found.tasks] == [()]


async def test_a_feed_that_never_listened_has_learned_nothing() -> None:
    found = await look(check(), FeedView(None, (), "TimeoutError", tallies=(tally("a", "failed", "KeyError"),)))
    assert (found.listening_since, found.error, [one.new for one in found.tasks]) == (None, "TimeoutError", [()])


def test_a_network_error_is_told_of_the_broker() -> None:
    error = verdict_of(ConnectionRefusedError(111, "refused"), 2.0)
    assert error is not None
    assert check().on_failure(error).summary.startswith("broker: ")
