"""worker.online: the judge as a table, and its settings."""

from datetime import UTC, datetime

import pytest
from pydantic import ValidationError

from checks.failures import verdict_of
from checks.result import Outcome, Reason
from checks.worker.online import Ping, WorkerOnline, WorkerOnlineConfig

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
BASE = {"id": "worker.online", "service": "nexus-worker", "broker_url": "redis://:pw@127.0.0.1:6379/0"}


@pytest.mark.parametrize(
    ("seen", "least", "outcome", "reason", "summary"),
    [
        (Ping(0, (), 1.0), 1, Outcome.FAILED, Reason.NO_CONSUMER, "no worker is connected to the broker"),
        (Ping(1, (), 1.0), 1, Outcome.DEGRADED, Reason.STUCK, "0 of 1 worker answered a ping within 1 s"),
        (Ping(2, ("a@x",), 1.0), 1, Outcome.DEGRADED, Reason.STUCK, "1 of 2 workers answered a ping within 1 s"),
        (Ping(1, ("a@x",), 0.003), 2, Outcome.DEGRADED, Reason.CAPACITY, "1 worker connected, 2 expected"),
        (Ping(1, ("a@x",), 0.003), 1, Outcome.OK, None, "1 worker answers in 3 ms"),
        (Ping(2, ("b@x", "a@x"), 0.012), 2, Outcome.OK, None, "2 workers answer in 12 ms"),
    ],
)
def test_the_answers_are_compared_with_the_listeners(
    seen: Ping, least: int, outcome: Outcome, reason: Reason | None, summary: str
) -> None:
    check = WorkerOnline(WorkerOnlineConfig.model_validate({**BASE, "min_workers": least}))
    verdict = check.judge(seen, NOW)
    assert (verdict.outcome, verdict.reason, verdict.summary) == (outcome, reason, summary)
    assert bool(verdict.hint) == (outcome is not Outcome.OK)
    assert verdict.values["workers_listening"] == seen.listening


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ({"timeout_seconds": 1.5}, "timeout_seconds: 1.5 must be at least 2: a worker has 1 s to answer a ping"),
        ({"broker_url": "amqp://u:hidden@host"}, "only redis:// and rediss:// can be watched"),
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
