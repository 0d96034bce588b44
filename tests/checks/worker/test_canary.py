"""worker.canary: classification and judge as tables, and its settings."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from pydantic import ValidationError

from checks.celery_wire import Replies
from checks.failures import verdict_of
from checks.result import Outcome, Reason
from checks.worker.broker import Flight
from checks.worker.canary import CanarySeen, WorkerCanary, WorkerCanaryConfig
from checks.worker.classify import Node, Workers, classify, workers_of

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
BASE = {"id": "worker.canary", "service": "nexus-worker", "broker_url": "redis://127.0.0.1:6379/0"}
FINE = Flight("celery", "id-0", 0.003, "result", "SUCCESS", is_right=True)
WAITS = Flight("celery", "id-0", 5.0, was_waiting=True)
TAKEN = Flight("celery", "id-0", 5.0)
OTHER = frozenset({"other"})
IDLE = Node("w@1", frozenset({"celery"}), 0, 0, frozenset(), 2, 0.0, 0)
HOLDS = replace(IDLE, held=1, ids=frozenset({"id-0"}))
FULL = replace(HOLDS, running=2, oldest_seconds=12.0)

F, D, OK = Outcome.FAILED, Outcome.DEGRADED, Outcome.OK


@pytest.mark.parametrize(
    ("flight", "workers", "has_events", "outcome", "reason", "words"),
    [
        (FINE, None, False, OK, None, "answered in 3 ms"),
        (replace(FINE, status="FAILURE", is_right=False), None, False, F, Reason.BODY_MISMATCH, "ended as FAILURE"),
        (replace(FINE, proof="event"), None, True, D, Reason.NO_RESULT_BACKEND, "the task ran in 3 ms"),
        (WAITS, Workers(0, ()), False, F, Reason.NO_CONSUMER, "no worker is connected to the broker"),
        (WAITS, Workers(1, ()), False, F, Reason.STUCK, "1 worker connected, none answers"),
        (TAKEN, Workers(2, ()), False, F, Reason.STUCK, "2 workers connected, none answers"),
        (replace(TAKEN, alive=1), Workers(1, ()), False, F, Reason.PROTOCOL_ERROR, "content is refused"),
        (WAITS, Workers(1, (replace(IDLE, queues=OTHER),)), False, F, Reason.NO_CONSUMER, "no worker serves"),
        (WAITS, Workers(2, (replace(IDLE, queues=frozenset()),)), False, F, Reason.STUCK, "1 worker connected but"),
        (WAITS, Workers(1, (IDLE,)), False, F, Reason.NOT_CONSUMING, "the message still waits"),
        (WAITS, Workers(1, (replace(IDLE, running=1),)), False, F, Reason.NOT_CONSUMING, "the message still waits"),
        (TAKEN, Workers(1, (HOLDS,)), False, F, Reason.POOL_FROZEN, "1 task taken, none starts"),
        (WAITS, Workers(1, (replace(IDLE, held=8),)), False, F, Reason.POOL_FROZEN, "8 tasks taken, none starts"),
        (TAKEN, Workers(1, (FULL,)), False, D, Reason.SATURATED, "all 2 slots are busy, the oldest task runs for 12 s"),
        (WAITS, Workers(1, (replace(FULL, oldest_seconds=900.0),)), False, D, Reason.SATURATED, "all 2 slots are hung"),
        (replace(WAITS, waiting_messages=70), Workers(1, (replace(HOLDS, started=9),)), False, D, Reason.BACKLOG,
         "tasks are being run, 70 wait"),
        (TAKEN, Workers(2, (IDLE,)), False, F, Reason.STUCK, "1 of 2 workers took it"),
        (TAKEN, Workers(1, (IDLE,)), True, F, Reason.MISSING, "neither its result nor its event came"),
        (TAKEN, Workers(1, (IDLE,)), False, D, Reason.NO_RESULT_BACKEND, "its result does not come to where the"),
    ],
)  # fmt: skip
def test_a_canary_names_what_is_wrong_with_the_workers(
    flight: Flight, workers: Workers | None, has_events: bool, outcome: Outcome, reason: Reason | None, words: str
) -> None:
    finding = classify(flight, workers, answered=1, has_events=has_events)
    assert (finding.outcome, finding.reason) == (outcome, reason)
    assert words in finding.words
    assert bool(finding.hint) == (outcome is not Outcome.OK)


def test_the_canaries_own_starts_are_not_the_queues_progress() -> None:
    node = replace(HOLDS, started=1)
    assert classify(TAKEN, Workers(1, (node,)), 1, has_events=False).reason is Reason.POOL_FROZEN
    assert classify(TAKEN, Workers(1, (node,)), 0, has_events=False).reason is Reason.BACKLOG


def test_the_answers_before_and_after_become_one_picture_of_each_node() -> None:
    def said(**answers: object) -> Replies:
        return Replies(2, tuple(answers.items()))

    before = {
        "active_queues": said(a=[{"name": "celery"}, {"name": "slow"}]),
        "stats": said(a={"total": {"x": 3}, "pool": {"max-concurrency": 4}}),
    }
    after = {
        "active": said(a=[{"id": "1", "time_start": 90.0}, {"id": "2", "time_start": None}], b=[]),
        "reserved": said(a=[{"id": "3"}], b=[]),
        "stats": said(a={"total": {"x": 5, "y": 1}, "pool": {"max-concurrency": 4}}, b={"total": {"x": 9}}, c={}),
    }
    assert workers_of(before, after, 100.0) == Workers(
        2,
        (
            Node("a", frozenset({"celery", "slow"}), 2, 1, frozenset({"1", "2", "3"}), 4, 10.0, 3),
            Node("b", frozenset(), 0, 0, frozenset(), 1, 0.0, 0),
        ),
    )


SLOW_QUEUE = Flight("slow", "id-1", 0.041, "result", "SUCCESS", is_right=True)
LOST_SLOW = Flight("slow", "id-1", 5.0, was_waiting=True)
BOTH = replace(IDLE, queues=frozenset({"celery", "slow"}))


@pytest.mark.parametrize(
    ("seen", "outcome", "reason", "summary"),
    [
        (CanarySeen((FINE,)), OK, None, "a task ran through queue celery in 3 ms"),
        (CanarySeen((FINE, SLOW_QUEUE)), OK, None, "a task ran through 2 queues in 41 ms"),
        (CanarySeen((replace(FINE, seconds=2.5),)), D, Reason.SLOW, "answered after 2.5 s"),
        (
            CanarySeen((FINE, LOST_SLOW), Workers(1, (BOTH,))),
            F,
            Reason.NOT_CONSUMING,
            "queue slow: no answer in 5 s, and the message still waits: the worker answers a ping, but takes no task",
        ),
        (
            CanarySeen((WAITS, LOST_SLOW), Workers(0, ())),
            F,
            Reason.NO_CONSUMER,
            "no worker is connected to the broker",
        ),
        (
            CanarySeen((TAKEN,), Workers(1, (FULL,))),
            D,
            Reason.SATURATED,
            "no answer in 5 s; all 2 slots are busy, the oldest task runs for 12 s",
        ),
    ],
)
def test_the_worst_queue_speaks_for_the_look(
    seen: CanarySeen, outcome: Outcome, reason: Reason | None, summary: str
) -> None:
    verdict = WorkerCanary(WorkerCanaryConfig.model_validate(BASE)).judge(seen, NOW)
    assert (verdict.outcome, verdict.reason, verdict.summary) == (outcome, reason, summary)
    assert ("canary_seconds" in verdict.values) == all(flight.proof for flight in seen.flights)


def test_the_evidence_shows_the_slots_of_each_worker() -> None:
    verdict = WorkerCanary(WorkerCanaryConfig.model_validate(BASE)).judge(
        CanarySeen((TAKEN,), Workers(1, (FULL,))), NOW
    )
    assert [(fact.name, fact.value) for fact in verdict.evidence.facts[1:]] == [
        ("workers that listen", 1),
        ("workers that answer", 1),
        ("w@1: slots taken", "2 of 2"),
        ("w@1: taken, not started", 1),
        ("w@1: oldest running task", 12.0),
    ]


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ({"timeout_seconds": 2.0}, "timeout_seconds: 2 must be at least 3"),
        ({"canary_timeout_seconds": 8.0}, "canary_timeout_seconds: 8 must be at most timeout_seconds 10 less 2.5"),
        ({"result_backend": "db+postgresql://u:hidden@host"}, "only redis:// and rediss:// can be watched"),
    ],
)
def test_a_wrong_setting_is_named(setting: dict[str, object], message: str) -> None:
    with pytest.raises(ValidationError) as caught:
        WorkerCanaryConfig.model_validate({**BASE, **setting})
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("setting", "seconds"),
    [({}, 5.0), ({"timeout_seconds": 4.0}, 1.5), ({"canary_timeout_seconds": 2.0}, 2.0)],
)
def test_a_canary_is_waited_for_as_long_as_the_look_allows(setting: dict[str, float], seconds: float) -> None:
    assert WorkerCanaryConfig.model_validate({**BASE, **setting}).wait_seconds == seconds


def test_a_network_error_is_told_of_the_broker() -> None:
    error = verdict_of(ConnectionRefusedError(111, "refused"), 2.0)
    assert error is not None
    verdict = WorkerCanary(WorkerCanaryConfig.model_validate(BASE)).on_failure(error)
    assert verdict.reason is Reason.CONNECTION_REFUSED
    assert verdict.summary.startswith("broker: ")
    assert "redis.ping" in verdict.hint
