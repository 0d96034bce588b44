"""clock.skew: the judge as a table, and what is read of heartbeats."""

import time
from datetime import UTC, datetime

import pytest
from pydantic import SecretStr

from checks.base import FeedView, Heard
from checks.result import Outcome
from checks.worker.skew import ClockSkew, ClockSkewConfig, ClocksSeen
from demo.servers import ValkeyServer
from tests.celery_stack import look_io
from tests.worker_looks import NOW, GivenFeeds, settings

D, OK = Outcome.DEGRADED, Outcome.OK


@pytest.mark.parametrize(
    ("seen", "outcome", "summary"),
    [
        (ClocksSeen(0.01, (("w@1", -0.25),)), OK, "2 clocks differ by at most 250 ms"),
        (ClocksSeen(0.01, ()), OK, "1 clocks differ by at most 10 ms; no heartbeat of a worker was heard"),
        (ClocksSeen(None, ()), OK, "0 clocks differ by at most 0 ms; no heartbeat of a worker was heard"),
        (ClocksSeen(3.0, ()), D, "the clock of Redis is 3 s ahead"),
        (ClocksSeen(0.0, (("w@1", -9.0), ("w@2", 0.0))), D, "the clock of w@1 is 9 s behind"),
        (ClocksSeen(60.0, (("w@1", 61.0),)), D, "the monitor's clock differs from all others: w@1 is 61 s ahead"),
    ],
)
def test_clocks_that_differ_are_named(seen: ClocksSeen, outcome: Outcome, summary: str) -> None:
    verdict = ClockSkew(ClockSkewConfig.model_validate(settings("clock.skew"))).judge(seen, NOW)
    assert (verdict.outcome, verdict.summary) == (outcome, summary)
    assert bool(verdict.hint) == (outcome is D)


@pytest.mark.real
async def test_the_brokers_clock_and_the_heartbeats_are_read(valkey_server: ValkeyServer) -> None:
    now = datetime.now(UTC)
    beats = tuple(
        Heard(now, "worker-heartbeat", {"hostname": "w@1", "timestamp": now.timestamp() - late})
        for late in (5.0, 5.1, 60.0)
    )
    feeds = GivenFeeds(FeedView(now, (*beats, Heard(now, "worker-heartbeat", {"hostname": "w@2"}))))
    url = SecretStr(valkey_server.url)
    check = ClockSkew(ClockSkewConfig.model_validate(settings("clock.skew", broker_url=url)))
    seen = await check.measure(look_io(5.0, feeds))
    assert seen.redis_seconds is not None
    assert abs(seen.redis_seconds) < 1.0
    assert [(node, round(seconds, 1)) for node, seconds in seen.workers] == [("w@1", -5.1)]


@pytest.mark.real
async def test_a_cold_feed_is_waited_for_within_the_look(valkey_server: ValkeyServer) -> None:
    url = SecretStr(valkey_server.url)
    config = settings("clock.skew", broker_url=url, timeout_seconds=2.0)
    started = time.monotonic()
    seen = await ClockSkew(ClockSkewConfig.model_validate(config)).measure(look_io(2.0, GivenFeeds(FeedView(None, ()))))
    assert seen.workers == ()
    assert time.monotonic() - started < 1.5
