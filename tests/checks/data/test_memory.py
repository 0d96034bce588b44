"""`redis.memory`: its judgement, and INFO of a real server."""

from dataclasses import replace

import pytest
import redis.asyncio
import redis.exceptions as redis_errors

from checks.data.memory import RedisMemory, RedisMemoryConfig, RedisMemorySeen, seen_in
from checks.failures import verdict_of
from checks.result import Outcome, Reason
from demo.servers import ValkeyServer
from tests.fakes import NOW, io_for

MIB = 2**20
GOOD = RedisMemorySeen("run1", 30 * MIB, 100 * MIB, "noeviction", 0, 0, 12, 100, 3, (), 60.0)


def check_of(url: str = "redis://:secretword@127.0.0.1:6379/0", *, is_broker: bool = True) -> RedisMemory:
    config = RedisMemoryConfig(
        id="redis.memory",
        service="nexus-redis",
        url=url,  # type: ignore[arg-type]
        is_broker=is_broker,
    )
    return RedisMemory(config)


BROKER, CACHE = check_of(), check_of(is_broker=False)
OK, DEGRADED, FAILED = Outcome.OK, Outcome.DEGRADED, Outcome.FAILED
JUDGED = {
    "good": (BROKER, GOOD, None, OK, None, "30.0 MiB in use, 30% of 100.0 MiB, noeviction"),
    "no limit": (
        BROKER,
        replace(GOOD, max_bytes=0, used_bytes=3 * 2**30, last_save_seconds=None),
        None,
        OK,
        None,
        "3.0 GiB in use, no limit, noeviction",
    ),
    "nearly full": (
        BROKER,
        replace(GOOD, used_bytes=85 * MIB),
        None,
        DEGRADED,
        Reason.CAPACITY,
        "85.0 MiB of 100.0 MiB in use (85%)",
    ),
    "full": (
        BROKER,
        replace(GOOD, used_bytes=99 * MIB),
        None,
        FAILED,
        Reason.CAPACITY,
        "99.0 MiB of 100.0 MiB in use (99%): writes are refused",
    ),
    "a full broker that evicts": (
        BROKER,
        replace(GOOD, used_bytes=99 * MIB, policy="allkeys-lru"),
        None,
        DEGRADED,
        Reason.CAPACITY,
        "99.0 MiB of 100.0 MiB in use (99%)",
    ),
    "a full cache": (
        CACHE,
        replace(GOOD, used_bytes=99 * MIB, policy="allkeys-lru", evicted_keys=9),
        GOOD,
        OK,
        None,
        "99.0 MiB in use, 99% of 100.0 MiB, allkeys-lru",
    ),
    "policy": (
        BROKER,
        replace(GOOD, policy="allkeys-lru"),
        None,
        DEGRADED,
        Reason.DRIFT,
        "maxmemory-policy is allkeys-lru: a full Redis would throw Celery's tasks away",
    ),
    "evictions": (
        BROKER,
        replace(GOOD, evicted_keys=9),
        replace(GOOD, evicted_keys=4),
        DEGRADED,
        Reason.CAPACITY,
        "5 keys evicted since the last look",
    ),
    "evictions long ago": (
        BROKER,
        replace(GOOD, evicted_keys=9),
        replace(GOOD, evicted_keys=9),
        OK,
        None,
        "30.0 MiB in use, 30% of 100.0 MiB, noeviction",
    ),
    "counters of another run": (
        BROKER,
        replace(GOOD, evicted_keys=9),
        replace(GOOD, run_id="run0"),
        OK,
        None,
        "30.0 MiB in use, 30% of 100.0 MiB, noeviction",
    ),
    "save failed": (
        BROKER,
        replace(GOOD, failed_saves=("RDB save", "AOF write")),
        None,
        DEGRADED,
        Reason.WRITE_REFUSED,
        "RDB save and AOF write failed",
    ),
    "rejected": (
        BROKER,
        replace(GOOD, rejected_connections=2),
        GOOD,
        DEGRADED,
        Reason.CAPACITY,
        "2 connections rejected since the last look: too many clients",
    ),
    "crowded": (
        BROKER,
        replace(GOOD, connected_clients=80),
        None,
        DEGRADED,
        Reason.CAPACITY,
        "80 of 100 clients are connected",
    ),
}


@pytest.mark.parametrize(("check", "seen", "before", "outcome", "reason", "summary"), JUDGED.values(), ids=JUDGED)
def test_judge(
    check: RedisMemory,
    seen: RedisMemorySeen,
    before: RedisMemorySeen | None,
    outcome: Outcome,
    reason: Reason | None,
    summary: str,
) -> None:
    verdict = check.judge(seen, NOW, () if before is None else (before,))

    assert (verdict.outcome, verdict.reason, verdict.summary) == (outcome, reason, summary)
    assert bool(verdict.hint) == (outcome is not OK)
    assert "secretword" not in repr(verdict)


def test_fields_that_a_server_does_not_tell_are_no_fault() -> None:
    seen = seen_in({"used_memory": 7, "maxmemory": "?", "aof_last_write_status": "ok"}, 0.0)
    assert seen == RedisMemorySeen("", 7, 0, "noeviction", 0, 0, 0, 0, 0, (), None)
    assert check_of().judge(seen, NOW).outcome is OK


def test_an_acl_that_forbids_info_is_not_a_fault_of_redis() -> None:
    forbidden = verdict_of(redis_errors.NoPermissionError("this user has no permissions to run 'info'"))
    refused = verdict_of(redis_errors.AuthenticationError("invalid password"))
    assert forbidden is not None
    assert refused is not None
    told = check_of().on_failure(forbidden)
    assert (told.outcome, told.reason) == (Outcome.UNKNOWN, Reason.NOT_CONFIGURED)
    assert "+info" in told.hint
    assert check_of().on_failure(refused).outcome is FAILED


@pytest.mark.real
async def test_a_real_server_that_fills_up_and_evicts(valkey_server: ValkeyServer) -> None:
    check = check_of(valkey_server.url)
    async with redis.asyncio.Redis.from_url(valkey_server.url) as client:
        good = await check.measure(io_for())
        try:
            await client.config_set("maxmemory", good.used_bytes + 4 * MIB)
            await client.config_set("maxmemory-policy", "allkeys-random")
            for number in range(100):
                await client.set(f"filling:{number}", b"x" * 100_000, ex=60)
            evicting = await check.measure(io_for())
        finally:
            await client.config_set("maxmemory", 0)
            await client.config_set("maxmemory-policy", "noeviction")
            await client.flushdb()
    assert check.judge(good, NOW).outcome is OK
    assert (good.policy, good.max_bytes, evicting.policy) == ("noeviction", 0, "allkeys-random")
    assert evicting.evicted_keys > good.evicted_keys
    assert check.judge(evicting, NOW, (good,)).outcome is DEGRADED
