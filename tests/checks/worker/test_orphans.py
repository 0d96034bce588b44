"""queue.orphans: the judge as a table, and messages that a killed worker left on a real broker."""

import json
import time

import pytest
import redis
from pydantic import SecretStr

from checks.result import Outcome, Reason
from checks.worker.broker import Delivered
from checks.worker.orphans import OrphansSeen, QueueOrphans, QueueOrphansConfig, _ids
from demo.servers import ValkeyServer
from tests.celery_stack import look_io
from tests.worker_looks import NOW, settings

OLD = Delivered("id-1", "a.b", "celery", 90.0)
ANCIENT = Delivered("id-2", "a.c", "celery", 4000.0)
YOUNG = Delivered("id-3", "a.b", "celery", 59.0)
D, OK, U = Outcome.DEGRADED, Outcome.OK, Outcome.UNKNOWN


@pytest.mark.parametrize(
    ("seen", "outcome", "reason", "summary"),
    [
        (OrphansSeen(0, 0, 0, ()), OK, None, "0 messages given to workers, each is held"),
        (OrphansSeen(2, 1, 4, ()), OK, None, "4 messages given to workers, each is held"),
        (OrphansSeen(1, 1, 4, (YOUNG,)), OK, None, "4 messages given to workers, each is held"),
        (OrphansSeen(2, 1, 4, (OLD,)), U, Reason.DEPENDENCY_DOWN, "1 of 2 workers told what they hold"),
        (OrphansSeen(0, 0, 1, (OLD,)), D, Reason.STALE, "1 messages were given to a worker that is gone: a.b"),
        (OrphansSeen(1, 1, 4, (ANCIENT, OLD)), D, Reason.STALE,
         "2 messages were given to a worker that is gone: a.b, a.c"),
    ],
)  # fmt: skip
def test_what_was_given_away_long_ago_and_is_held_by_nobody_is_orphaned(
    seen: OrphansSeen, outcome: Outcome, reason: Reason | None, summary: str
) -> None:
    verdict = QueueOrphans(QueueOrphansConfig.model_validate(settings("queue.orphans"))).judge(seen, NOW)
    assert (verdict.outcome, verdict.reason, verdict.summary) == (outcome, reason, summary)
    assert bool(verdict.hint) == (outcome is not OK)


def test_the_evidence_says_when_each_runs_again() -> None:
    check = QueueOrphans(QueueOrphansConfig.model_validate(settings("queue.orphans")))
    facts = {fact.name: fact.value for fact in check.judge(OrphansSeen(1, 1, 2, (ANCIENT, OLD)), NOW).evidence.facts}
    assert facts["a.c id-2"] == "of queue celery, given away 67 min ago, returns as soon as a worker looks"
    assert facts["a.b id-1"] == "of queue celery, given away 90 s ago, returns in 58 min"


def test_a_scheduled_task_is_wrapped_in_its_time() -> None:
    assert _ids([{"id": "1"}, {"eta": "x", "request": {"id": "2"}}]) == ["1", "2"]


@pytest.mark.real
async def test_messages_of_a_worker_that_is_gone_are_found(valkey_server: ValkeyServer) -> None:
    url = valkey_server.url.replace("/0", "/4")
    check = QueueOrphans(QueueOrphansConfig.model_validate(settings("queue.orphans", broker_url=SecretStr(url))))
    with redis.Redis.from_url(url) as client:
        for number, age in ((1, 3000.0), (2, 70.0), (3, 5.0)):
            message = [{"headers": {"id": f"id-{number}", "task": "a.b"}}, "", "celery"]
            client.hset("unacked", f"tag-{number}", json.dumps(message))
            client.zadd("unacked_index", {f"tag-{number}": time.time() - age})
        client.zadd("unacked_index", {"acknowledged just now": time.time() - 900})
        try:
            seen = await check.measure(look_io(5.0))
        finally:
            client.flushdb()
    verdict = check.judge(seen, NOW)
    assert (seen.delivered, len(seen.unheld)) == (3, 3)
    assert (verdict.outcome, verdict.values) == (D, {"queue_orphaned_messages": 2.0})
