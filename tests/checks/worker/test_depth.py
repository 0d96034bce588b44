"""queue.depth: the judge as a table, and priorities of a real queue."""

from datetime import timedelta

import pytest
import redis
from pydantic import SecretStr

from checks.result import Outcome, Reason
from checks.worker.broker import Waiting
from checks.worker.depth import DepthSeen, QueueDepth, QueueDepthConfig
from demo.servers import ValkeyServer
from tests.celery_stack import look_io
from tests.worker_looks import NOW, settings


def seen(messages: int, ago: float = 0.0) -> DepthSeen:
    return DepthSeen(NOW - timedelta(seconds=ago), (Waiting("celery", messages, ((0, messages),)), Waiting("slow")))


@pytest.mark.parametrize(
    ("now", "before", "reason", "summary"),
    [
        (seen(0), (), None, "no message waits in 2 queues"),
        (seen(1), (), None, "1 message waits in 2 queues"),
        (seen(500), (), None, "500 messages wait in 2 queues"),
        (seen(500), (seen(200, 299),), None, "500 messages wait in 2 queues"),
        (seen(500), (seen(200, 300), seen(300, 150)), Reason.BACKLOG,
         "queue celery: 500 messages wait, and more come for 5 min"),
        (seen(500), (seen(900, 300), seen(700, 150)), None, "500 messages wait in 2 queues"),
        (seen(500), (seen(200, 300), seen(90, 150)), None, "500 messages wait in 2 queues"),
        (seen(500), (seen(100, 300), seen(200, 150)), None, "500 messages wait in 2 queues"),
        (seen(100), (seen(50, 300),), None, "100 messages wait in 2 queues"),
    ],
)  # fmt: skip
def test_a_queue_that_is_deep_and_rises_is_a_backlog(
    now: DepthSeen, before: tuple[DepthSeen, ...], reason: Reason | None, summary: str
) -> None:
    verdict = QueueDepth(QueueDepthConfig.model_validate(settings("queue.depth"))).judge(now, NOW, before)
    assert (verdict.reason, verdict.summary) == (reason, summary)
    assert bool(verdict.hint) == (reason is not None)
    assert verdict.values["queue_celery_messages"] == now.messages("celery")


def test_one_queue_is_said_in_the_singular() -> None:
    check = QueueDepth(QueueDepthConfig.model_validate(settings("queue.depth")))
    assert check.judge(DepthSeen(NOW, (Waiting("celery"),)), NOW).summary == "no message waits in 1 queue"


@pytest.mark.real
async def test_the_messages_of_every_priority_count(valkey_server: ValkeyServer) -> None:
    url = valkey_server.url.replace("/0", "/4")
    config = settings("queue.depth", broker_url=SecretStr(url), expected_queues=["deep", "empty"])
    check = QueueDepth(QueueDepthConfig.model_validate(config))
    with redis.Redis.from_url(url) as client:
        client.lpush("deep", "{}", "{}")
        client.lpush("deep\x06\x163", "{}")
        client.lpush("deep\x06\x169", "no json")
        try:
            verdict = check.judge(await check.measure(look_io(2.0)), NOW)
        finally:
            client.flushdb()
    assert verdict.outcome is Outcome.OK
    assert verdict.values == {"queue_deep_messages": 4.0, "queue_empty_messages": 0.0, "queue_messages": 4.0}
    assert verdict.evidence.facts[0].value == "4 (2 of priority 0, 1 of priority 3, 1 of priority 9)"
