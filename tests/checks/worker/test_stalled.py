"""queue.stalled: the judge as a table, and a real queue that nobody reads."""

import json
from datetime import timedelta

import pytest
import redis
from pydantic import SecretStr

from checks.result import Outcome, Reason
from checks.worker.broker import Head, Waiting
from checks.worker.stalled import QueueStalled, QueueStalledConfig, StalledSeen
from demo.servers import ValkeyServer
from tests.celery_stack import look_io
from tests.worker_looks import NOW, settings

ONE = (("celery", 1),)
F, D, OK = Outcome.FAILED, Outcome.DEGRADED, Outcome.OK


def seen(*ids: str, ago: float = 0.0, consumers: tuple[tuple[str, int], ...] = ONE, busy: bool = False) -> StalledSeen:
    heads = tuple(Head(3 * number, task_id, "nexus.tick") for number, task_id in enumerate(ids))
    queue = Waiting("celery", 7 * len(ids), tuple((head.priority, 7) for head in heads), heads)
    at = NOW - timedelta(seconds=ago)
    return StalledSeen(at, (queue, Waiting("slow")), consumers, frozenset({"celery"} if busy else ()))


def counted(messages: int, ago: float = 0.0, consumers: tuple[tuple[str, int], ...] = ONE) -> StalledSeen:
    """Return what RabbitMQ shows: no message."""
    return StalledSeen(NOW - timedelta(seconds=ago), (Waiting("celery", messages),), consumers, frozenset())


@pytest.mark.parametrize(
    ("now", "before", "outcome", "reason", "summary"),
    [
        (counted(0), (counted(0, 900),), OK, None, "every queue is empty"),
        (counted(3), (counted(0, 900),), OK, None, "1 of 1 queues hold messages, and they move"),
        (counted(3), (counted(4, 900),), OK, None, "1 of 1 queues hold messages, and they move"),
        (counted(3), (counted(2, 900), counted(4, 60)), OK, None, "1 of 1 queues hold messages, and they move"),
        (counted(3), (counted(2, 150), counted(3, 60)), D, Reason.NOT_CONSUMING,
         "queue celery: 3 messages wait, and not one fewer for 2 min; its workers have free slots"),
        (counted(3, 0, ()), (counted(2, 300), counted(3, 60)), F, Reason.NO_CONSUMER,
         "queue celery: 3 messages wait, and not one fewer for 5 min; no worker that answers serves it"),
        (seen(), (), OK, None, "every queue is empty"),
        (seen("a"), (), OK, None, "1 of 2 queues hold messages, and they move"),
        (seen("b"), (seen("a", ago=900),), OK, None, "1 of 2 queues hold messages, and they move"),
        (seen("a"), (seen(ago=900),), OK, None, "1 of 2 queues hold messages, and they move"),
        (seen("a"), (seen("a", ago=900), seen(ago=200)), OK, None, "1 of 2 queues hold messages, and they move"),
        (seen("a", "b"), (seen("a", "c", ago=900),), OK, None, "1 of 2 queues hold messages, and they move"),
        (seen("a"), (seen("a", ago=119),), OK, None, "1 of 2 queues hold messages, and they move"),
        (seen("a"), (seen("a", ago=120),), D, Reason.NOT_CONSUMING,
         "queue celery: nothing left it for 2 min, next is nexus.tick; its workers have free slots"),
        (seen("a"), (seen("a", ago=300),), F, Reason.NOT_CONSUMING,
         "queue celery: nothing left it for 5 min, next is nexus.tick; its workers have free slots"),
        (seen("a", "b"), (seen("a", ago=300),), F, Reason.NOT_CONSUMING,
         "queue celery: nothing left it for 5 min, next is nexus.tick; its workers have free slots"),
        (seen("a", busy=True), (seen("a", ago=900),), D, Reason.SATURATED,
         "queue celery: nothing left it for 15 min, next is nexus.tick; every slot is taken"),
        (seen("a", consumers=()), (seen("a", ago=200),), D, Reason.NO_CONSUMER,
         "queue celery: nothing left it for 3 min, next is nexus.tick; no worker that answers serves it"),
        (seen("a", consumers=()), (seen("a", ago=300),), F, Reason.NO_CONSUMER,
         "queue celery: nothing left it for 5 min, next is nexus.tick; no worker that answers serves it"),
    ],
)  # fmt: skip
def test_a_queue_whose_next_message_stays_is_stalled(
    now: StalledSeen, before: tuple[StalledSeen, ...], outcome: Outcome, reason: Reason | None, summary: str
) -> None:
    verdict = QueueStalled(QueueStalledConfig.model_validate(settings("queue.stalled"))).judge(now, NOW, before)
    assert (verdict.outcome, verdict.reason, verdict.summary) == (outcome, reason, summary)
    assert bool(verdict.hint) == (outcome is not OK)


@pytest.mark.real
async def test_the_next_message_of_a_real_queue_is_known_by_id_and_task(valkey_server: ValkeyServer) -> None:
    url = valkey_server.url.replace("/0", "/4")
    config = settings("queue.stalled", broker_url=SecretStr(url), expected_queues=["stands"])
    check = QueueStalled(QueueStalledConfig.model_validate(config))
    with redis.Redis.from_url(url) as client:
        client.lpush("stands", json.dumps({"headers": {"id": "first", "task": "nexus.tick"}}), "{}")
        try:
            found = await check.measure(look_io(2.0))
        finally:
            client.flushdb()
    assert found.queues == (Waiting("stands", 2, ((0, 2),), (Head(0, "first", "nexus.tick"),)),)
    assert (found.consumers, found.busy) == ((), frozenset())
