"""queue.no_consumer: the judge as a table, what an app's configuration names, and a search through real lists."""

import json
from datetime import timedelta

import pytest
import redis
from pydantic import SecretStr

from checks.result import Outcome, Reason
from checks.worker.consumers import ConsumersSeen, QueueNoConsumer, QueueNoConsumerConfig, Use
from checks.worker.names import MOST_QUEUES, QueueNames, named_in
from demo.servers import ValkeyServer
from tests.celery_stack import look_io
from tests.worker_looks import NOW, settings

F, D, OK, U = Outcome.FAILED, Outcome.DEGRADED, Outcome.OK, Outcome.UNKNOWN
SERVED = Use("celery", 3, 2, "the default queue", was_served=True)
GONE = Use("celery", 3, 0, "the default queue", was_served=True)
UNUSED = Use("celery", 0, 0, "the default queue")
MAILS = Use("mails", 9, 0)


def seen(*uses: Use, ago: float = 0.0, listening: int = 1, answering: int = 1) -> ConsumersSeen:
    return ConsumersSeen(NOW - timedelta(seconds=ago), listening, answering, "celery", uses)


@pytest.mark.parametrize(
    ("now", "before", "outcome", "reason", "summary"),
    [
        (seen(SERVED), (), OK, None, "1 queue is served"),
        (seen(SERVED, Use("slow", 0, 1)), (), OK, None, "2 queues are served"),
        (seen(UNUSED, Use("slow", 0, 1)), (seen(UNUSED, ago=900),), OK, None, "1 queue is served"),
        (seen(GONE), (), OK, None, "0 queues are served"),
        (seen(GONE), (seen(GONE, ago=119),), OK, None, "0 queues are served"),
        (seen(GONE), (seen(GONE, ago=500), seen(SERVED, ago=119)), OK, None, "0 queues are served"),
        (seen(GONE), (seen(GONE, ago=120),), F, Reason.NO_CONSUMER,
         "no worker serves the default queue celery for 2 min, 3 messages wait"),
        (seen(GONE, listening=0, answering=0), (seen(GONE, ago=300),), F, Reason.NO_CONSUMER,
         "no worker serves the default queue celery for 5 min, 3 messages wait"),
        (seen(SERVED, MAILS), (), D, Reason.NO_CONSUMER, "no worker serves queue mails, 9 messages wait"),
        (seen(SERVED, MAILS, Use("x", 1, 0)), (), D, Reason.NO_CONSUMER,
         "no worker serves queue mails, 9 messages wait; and x"),
        (seen(MAILS, listening=2), (), U, Reason.DEPENDENCY_DOWN, "1 of 2 workers told what they serve"),
    ],
)  # fmt: skip
def test_a_queue_that_is_used_needs_a_worker(
    now: ConsumersSeen, before: tuple[ConsumersSeen, ...], outcome: Outcome, reason: Reason | None, summary: str
) -> None:
    check = QueueNoConsumer(QueueNoConsumerConfig.model_validate(settings("queue.no_consumer")))
    verdict = check.judge(now, NOW, before)
    assert (verdict.outcome, verdict.reason, verdict.summary) == (outcome, reason, summary)
    assert bool(verdict.hint) == (outcome is not OK)
    assert [fact.name for fact in verdict.evidence.facts] == [f"queue {use.queue}" for use in now.uses]


def test_the_configuration_names_queues() -> None:
    conf = {
        "task_default_queue": "main",
        "task_routes": {"a.b": {"queue": "mails"}, "a.c": "slow", "a.d": {"priority": 3}},
        "beat_schedule": {"tick": {"options": {"queue": "ticks"}}, "tock": {"options": None}},
    }
    assert named_in(conf) == {
        "mails": "route of a.b",
        "slow": "route of a.c",
        "ticks": "schedule entry tick",
        "main": "the default queue",
    }
    assert named_in({"task_routes": ["a function"]}) == {"celery": "the default queue"}


def test_the_queues_of_single_nodes_are_not_remembered_and_the_rest_is_bounded() -> None:
    names = QueueNames()
    assert names.all == ("celery",)
    names.learn(["w1@x.dq2", "nexus-monitor.canary.w1@x", "slow"])
    assert names.all == ("slow",)
    names.learn(f"q{number}" for number in range(2 * MOST_QUEUES))
    assert len(names.all) == MOST_QUEUES
    assert QueueNames(("mine",)).all == ("mine",)


@pytest.mark.real
async def test_a_list_of_task_messages_that_nobody_named_is_found(valkey_server: ValkeyServer) -> None:
    url = valkey_server.url.replace("/0", "/4")
    message = json.dumps({"headers": {"id": "1", "task": "a.b"}})
    with redis.Redis.from_url(url) as client:
        client.lpush("lost", message)
        client.lpush("lost\x06\x166", message)
        client.lpush("ignored", message)
        client.lpush("a list of the app", "{}", "[1]")
        client.set("a string", message)
        config = settings("queue.no_consumer", broker_url=SecretStr(url), ignored_queues=["ignored"])
        check = QueueNoConsumer(QueueNoConsumerConfig.model_validate(config))
        try:
            verdict = check.judge(await check.measure(look_io(5.0)), NOW)
        finally:
            client.flushdb()
    assert (verdict.outcome, verdict.summary) == (D, "no worker serves queue lost, 2 messages wait")
    assert [(fact.name, fact.value) for fact in verdict.evidence.facts] == [
        ("queue lost", "nobody serves it, 2 wait"),
    ]
