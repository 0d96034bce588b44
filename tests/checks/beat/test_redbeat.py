"""RedBeat's keys: judged as a table, and read from a real Valkey in the form that RedBeat 2.4 writes."""

import asyncio
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import redis
from pydantic import SecretStr

from checks.beat.alive import BeatAlive, BeatAliveConfig
from checks.beat.redbeat import RedBeat, judge_redbeat, read_redbeat
from checks.result import Outcome, Reason
from demo.servers import ValkeyServer
from monitor.probing.feeds import CeleryFeeds
from tests.celery_stack import look_io, state_of

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
F, OK = Outcome.FAILED, Outcome.OK


def due(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


@pytest.mark.parametrize(
    ("seen", "outcome", "summary"),
    [
        (RedBeat(due(30), 5.0, lock_seconds=22.0), OK, "RedBeat sends: its next entry is due in 30 s"),
        (RedBeat(due(-3), 5.0, lock_seconds=22.0), OK, "RedBeat sends: its next entry is due now"),
        (RedBeat(due(-60), 5.0, lock_seconds=22.0), OK, "RedBeat sends: its next entry is due now"),
        (RedBeat(due(-61), 5.0, lock_seconds=22.0), F, "RedBeat's next entry is overdue for 61 s"),
        # With a loop of 5 minutes it may sleep through the due time of an entry that was added by hand.
        (RedBeat(due(-599), lock_seconds=900.0), OK, "RedBeat sends: its next entry is due now"),
        (RedBeat(due(-601), lock_seconds=900.0), F, "RedBeat's next entry is overdue for 10 min"),
        (RedBeat(due(30), 5.0), F, "no beat holds RedBeat's lock"),
        (RedBeat(due(30), 5.0, locks=False), OK, "RedBeat sends: its next entry is due in 30 s"),
    ],
)
def test_an_overdue_entry_or_a_free_lock_means_that_no_beat_works(
    seen: RedBeat, outcome: Outcome, summary: str
) -> None:
    verdict = judge_redbeat(seen, NOW)
    assert (verdict.outcome, verdict.summary) == (outcome, summary)
    assert verdict.reason is (Reason.SILENT if outcome is F else None)


@pytest.mark.real
@pytest.mark.parametrize(
    ("conf", "prefix", "schedule_key", "lock_key", "expected"),
    [
        ({}, "", "redbeat::schedule", "redbeat::lock", RedBeat(NOW, 300.0, True, 20.0)),
        ({"beat_max_loop_interval": 5}, "", "redbeat::schedule", "redbeat::lock", RedBeat(NOW, 5.0, True, 20.0)),
        ({"beat_max_loop_interval": 0}, "", "redbeat::schedule", "other", RedBeat(NOW, 300.0, True, None)),
        ({"redbeat_key_prefix": "app"}, "", "app:schedule", "app:lock", RedBeat(NOW, 300.0, True, 20.0)),
        ({"redbeat_lock_key": "mine"}, "", "redbeat::schedule", "redbeat:mine", RedBeat(NOW, 300.0, True, 20.0)),
        ({"redbeat_lock_key": None}, "", "redbeat::schedule", "redbeat::lock", RedBeat(NOW, 300.0, False, None)),
        ({}, "staging-", "staging-redbeat::schedule", "staging-redbeat::lock", RedBeat(NOW, 300.0, True, 20.0)),
        ({}, "", "other", "redbeat::lock", None),
    ],
)
async def test_its_keys_are_found_under_their_configured_names(
    valkey_server: ValkeyServer, conf: dict[str, Any], prefix: str, schedule_key: str, lock_key: str,
    expected: RedBeat | None,
) -> None:  # fmt: skip
    with redis.Redis.from_url(valkey_server.url, socket_timeout=5) as client:
        client.flushdb()
        client.zadd(schedule_key, {"redbeat:soon": NOW.timestamp(), "redbeat:later": NOW.timestamp() + 60})
        client.set(lock_key, "token", px=20_000)
    async with look_io(5.0).redis(valkey_server.url) as given:
        found = await read_redbeat(given, conf, prefix)
    if found is not None and found.lock_seconds is not None:
        assert 10 < found.lock_seconds <= 20
        found = RedBeat(found.next_due_at, found.loop_seconds, found.locks, 20.0)
    assert found == expected


@pytest.mark.real
async def test_a_beat_without_a_worker_is_seen_by_its_keys(tmp_path: Path) -> None:
    server = ValkeyServer(tmp_path / "valkey")
    server.start()
    try:
        with redis.Redis.from_url(server.url, socket_timeout=5) as client:
            client.zadd("redbeat::schedule", {"redbeat:job": time.time() + 30})
            client.set("redbeat::lock", "token", px=500)
        check = BeatAlive(
            BeatAliveConfig(kind="beat.alive", id="beat.alive", service="nexus-beat", broker_url=SecretStr(server.url))
        )
        before = state_of(server.url)[0]
        async with CeleryFeeds(lambda: datetime.now(UTC)) as feeds:
            seen = await check.measure(look_io(4.0, feeds))
            assert check.judge(seen, datetime.now(UTC)).outcome is OK
            assert state_of(server.url)[0] == before
            await asyncio.sleep(0.6)
            seen = await check.measure(look_io(4.0, feeds))
            verdict = check.judge(seen, datetime.now(UTC))
        assert verdict.summary == "no beat holds RedBeat's lock"
    finally:
        server.stop()
