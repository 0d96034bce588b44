"""worker.online: the judge as a table, and its settings."""

from datetime import UTC, datetime, timedelta

import pytest
from pydantic import ValidationError

from checks.failures import verdict_of
from checks.result import Outcome, Reason
from checks.worker.online import Ping, WorkerOnline, WorkerOnlineConfig

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
F, D, OK = Outcome.FAILED, Outcome.DEGRADED, Outcome.OK
BASE = {"id": "worker.online", "service": "nexus-worker", "broker_url": "redis://:pw@127.0.0.1:6379/0"}


def ping(listening: int, *nodes: str, ago: float = 0.0) -> Ping:
    return Ping(listening, nodes, 0.003, NOW - timedelta(seconds=ago))


SHORT = tuple(ping(1, "a@x", ago=ago) for ago in (150.0, 121.0, 60.0))
LATE = (ping(1, "a@x", ago=119.0), ping(1, "a@x", ago=60.0))
BROKEN = (ping(1, "a@x", ago=150.0), ping(2, "a@x", "b@x", ago=100.0), ping(1, "a@x", ago=60.0))


@pytest.mark.parametrize(
    ("seen", "before", "settings", "outcome", "reason", "summary"),
    [
        (ping(0), (), {}, F, Reason.NO_CONSUMER, "no worker is connected to the broker"),
        (ping(1), (), {}, OK, None, "0 of 1 worker answered; looking again"),
        (ping(1), (ping(1, "a@x"),), {}, OK, None, "0 of 1 worker answered; looking again"),
        (ping(1), (ping(1),), {}, F, Reason.STUCK, "0 of 1 worker answered a ping within 1 s"),
        (ping(2, "a@x"), (ping(2, "a@x"),), {}, D, Reason.STUCK, "1 of 2 workers answered a ping within 1 s"),
        (ping(1, "a@x"), (), {"min_workers": 2}, OK, None, "1 worker answers in 3 ms"),
        (ping(1, "a@x"), LATE, {"min_workers": 2}, OK, None, "1 worker answers in 3 ms"),
        (ping(1, "a@x"), BROKEN, {"min_workers": 2}, OK, None, "1 worker answers in 3 ms"),
        (ping(1, "a@x"), SHORT, {"min_workers": 2}, D, Reason.CAPACITY, "1 worker connected for 2 min, 2 expected"),
        (ping(1, "a@x"), SHORT, {"expected_nodes": ["a@x", "b@x"]}, D, Reason.CAPACITY,
         "1 worker connected for 2 min, 2 expected"),
        (ping(2, "a@x", "a@x"), (), {}, D, Reason.DRIFT, "two workers have one name: a@x"),
        (ping(1, "a@x"), (), {"expected_nodes": ["old@x"]}, OK, None, "1 worker answers in 3 ms"),
        (ping(2, "b@x", "a@x"), (), {"min_workers": 2}, OK, None, "2 workers answer in 3 ms"),
    ],
)  # fmt: skip
def test_the_answers_are_compared_with_the_listeners(
    seen: Ping,
    before: tuple[Ping, ...],
    settings: dict[str, object],
    outcome: Outcome,
    reason: Reason | None,
    summary: str,
) -> None:
    check = WorkerOnline(WorkerOnlineConfig.model_validate({**BASE, **settings}))
    verdict = check.judge(seen, NOW, before)
    assert (verdict.outcome, verdict.reason, verdict.summary) == (outcome, reason, summary)
    assert bool(verdict.hint) == (outcome is not Outcome.OK)
    assert verdict.values["workers_listening"] == seen.listening


def test_a_missing_node_is_named() -> None:
    check = WorkerOnline(WorkerOnlineConfig.model_validate({**BASE, "expected_nodes": ["a@x", "b@x"]}))
    facts = {fact.name: fact.value for fact in check.judge(SHORT[0], NOW).evidence.facts}
    assert (facts["workers expected"], facts["not there by name"]) == (2, "b@x")


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ({"timeout_seconds": 1.5}, "timeout_seconds: 1.5 must be at least 2: a worker has 1 s to answer a ping"),
        ({"broker_url": "sqs://u:hidden@host"}, "only redis://, rediss://, amqp:// and amqps:// can be watched"),
        ({"broker_url": "redis://:hidden@host/x"}, "the URL's path must be a database number, e.g. /0"),
    ],
)
def test_a_wrong_setting_is_named_without_its_secret(setting: dict[str, object], message: str) -> None:
    with pytest.raises(ValidationError) as caught:
        WorkerOnlineConfig.model_validate({**BASE, **setting})
    assert message in str(caught.value)
    assert "hidden" not in str([error["msg"] for error in caught.value.errors()])


def test_a_network_error_is_told_of_the_broker() -> None:
    error = verdict_of(ConnectionRefusedError(111, "refused"), 2.0)
    assert error is not None
    verdict = WorkerOnline(WorkerOnlineConfig.model_validate(BASE)).on_failure(error)
    assert verdict.reason is Reason.CONNECTION_REFUSED
    assert verdict.summary.startswith("broker: ")
    assert "redis.ping" in verdict.hint
