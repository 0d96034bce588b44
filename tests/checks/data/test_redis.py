"""`redis.ping` and `redis.write`: their judgements, and looks at a real server."""

from collections.abc import AsyncIterator

import pytest
import redis.asyncio
import redis.exceptions as redis_errors

from checks.data.redis import (
    KEY_PREFIX,
    RedisPing,
    RedisPingConfig,
    RedisPingSeen,
    RedisWrite,
    RedisWriteConfig,
    RedisWriteSeen,
)
from checks.failures import verdict_of
from checks.result import Outcome, Reason
from demo.servers import ValkeyServer
from tests.fakes import NOW, io_for

URL = "redis://default:secretword@127.0.0.1:6379/0"


def ping_of(url: str = URL, **settings: object) -> RedisPing:
    return RedisPing(
        RedisPingConfig(id="redis.ping", service="nexus-redis", url=url, **settings)  # type: ignore[arg-type]
    )


def write_of(url: str = URL) -> RedisWrite:
    return RedisWrite(RedisWriteConfig(id="redis.write", service="nexus-redis", url=url))  # type: ignore[arg-type]


def pinged(
    *, is_pong: bool = True, seconds: float = 0.001, role: str = "master", is_loading: bool = False
) -> RedisPingSeen:
    return RedisPingSeen(is_pong, seconds, 0.002, "valkey", "9.1.2", role, is_loading)


PINGED = {
    "good": (ping_of(), pinged(), Outcome.OK, None, "PONG in 1 ms"),
    "no pong": (
        ping_of(),
        pinged(is_pong=False),
        Outcome.FAILED,
        Reason.PROTOCOL_ERROR,
        "PING was not answered with PONG",
    ),
    "loading": (
        ping_of(),
        pinged(is_loading=True),
        Outcome.FAILED,
        Reason.UNREACHABLE,
        "Redis is loading its data",
    ),
    "replica": (
        ping_of(),
        pinged(role="slave"),
        Outcome.FAILED,
        Reason.READ_ONLY,
        "Redis is a slave, a master is expected",
    ),
    "replica wanted": (ping_of(expect_master=False), pinged(role="slave"), Outcome.OK, None, "PONG in 1 ms"),
    "slow": (ping_of(), pinged(seconds=0.3), Outcome.DEGRADED, Reason.SLOW, "PING took 300 ms"),
}


@pytest.mark.parametrize(("check", "seen", "outcome", "reason", "summary"), PINGED.values(), ids=PINGED)
def test_judge_of_ping(
    check: RedisPing, seen: RedisPingSeen, outcome: Outcome, reason: Reason | None, summary: str
) -> None:
    verdict = check.judge(seen, NOW)

    assert (verdict.outcome, verdict.reason, verdict.summary) == (outcome, reason, summary)
    assert bool(verdict.hint) == (outcome is not Outcome.OK)
    assert "secretword" not in repr(verdict)


WRITTEN = {
    "good": (RedisWriteSeen(True, True, 0.002), Outcome.OK, None, "SET, GET and DEL in 2 ms"),
    "vanished": (
        RedisWriteSeen(False, False, 0.002),
        Outcome.FAILED,
        Reason.WRITE_REFUSED,
        "a key just written could not be read back",
    ),
    "not deleted": (
        RedisWriteSeen(True, False, 0.002),
        Outcome.FAILED,
        Reason.WRITE_REFUSED,
        "a key just written could not be deleted",
    ),
}


@pytest.mark.parametrize(("seen", "outcome", "reason", "summary"), WRITTEN.values(), ids=WRITTEN)
def test_judge_of_write(seen: RedisWriteSeen, outcome: Outcome, reason: Reason | None, summary: str) -> None:
    verdict = write_of().judge(seen, NOW)

    assert (verdict.outcome, verdict.reason, verdict.summary) == (outcome, reason, summary)


def test_a_failure_names_the_command_and_where_to_look() -> None:
    error = verdict_of(TimeoutError(), 3.0)
    assert error is not None

    assert ping_of().on_failure(error).summary == "Redis PING: no answer within 3 s"
    told = write_of().on_failure(error)
    assert told.summary == "Redis write: no answer within 3 s"
    assert told.hint == "Render → nexus-redis → Info: is it suspended, out of memory, or hung in a slow command?"


@pytest.fixture
async def client(valkey_server: ValkeyServer) -> AsyncIterator[redis.asyncio.Redis]:
    async with redis.asyncio.Redis.from_url(valkey_server.url, decode_responses=True) as client:
        yield client


@pytest.mark.real
async def test_a_real_server_answers_ping(valkey_server: ValkeyServer) -> None:
    check = ping_of(valkey_server.url)

    seen = await check.measure(io_for())

    assert (seen.is_pong, seen.server, seen.role, seen.is_loading) == (True, "valkey", "master", False)
    assert seen.version.startswith("9.")
    assert check.judge(seen, NOW).outcome is Outcome.OK


@pytest.mark.real
async def test_a_write_leaves_no_key(valkey_server: ValkeyServer, client: redis.asyncio.Redis) -> None:
    check = write_of(valkey_server.url)

    seen = await check.measure(io_for())

    assert check.judge(seen, NOW).outcome is Outcome.OK
    assert await client.keys(f"{KEY_PREFIX}*") == []


@pytest.mark.real
async def test_a_full_server_refuses_writes_and_still_answers_ping(
    valkey_server: ValkeyServer, client: redis.asyncio.Redis
) -> None:
    await client.config_set("maxmemory", "1")
    try:
        with pytest.raises(redis_errors.RedisError) as caught:
            await write_of(valkey_server.url).measure(io_for())
        assert (await ping_of(valkey_server.url).measure(io_for())).is_pong
    finally:
        await client.config_set("maxmemory", "0")
    verdict = verdict_of(caught.value)

    assert verdict is not None
    assert (verdict.reason, verdict.summary) == (Reason.WRITE_REFUSED, "out of memory")


@pytest.mark.real
async def test_a_wrong_password_is_certain(valkey_server: ValkeyServer, client: redis.asyncio.Redis) -> None:
    await client.execute_command("ACL", "SETUSER", "probe", "on", ">right", "+@all", "~*")
    host = valkey_server.url.rsplit("@", 1)[-1].removeprefix("redis://")
    try:
        with pytest.raises(redis_errors.AuthenticationError) as caught:
            await ping_of(f"redis://probe:wrong@{host}").measure(io_for())
    finally:
        await client.execute_command("ACL", "DELUSER", "probe")
    verdict = verdict_of(caught.value)

    assert verdict is not None
    assert (verdict.reason, verdict.certain) == (Reason.AUTH_REJECTED, True)


@pytest.mark.real
async def test_a_paused_server_is_a_timeout(valkey_server: ValkeyServer) -> None:
    valkey_server.pause()
    try:
        with pytest.raises(redis_errors.TimeoutError) as caught:
            await ping_of(valkey_server.url).measure(io_for(0.3))
    finally:
        valkey_server.resume()
    verdict = verdict_of(caught.value, 0.3)

    assert verdict is not None
    assert verdict.reason is Reason.TIMEOUT


@pytest.mark.real
async def test_a_replica_and_a_narrow_acl_refuse_writes_and_are_told_apart(
    valkey_server: ValkeyServer, client: redis.asyncio.Redis
) -> None:
    host = valkey_server.url.removeprefix("redis://")
    await client.execute_command("ACL", "SETUSER", "narrow", "on", ">narrow", "+@all", "~queue:*")
    await client.execute_command("REPLICAOF", "127.0.0.1", "1")
    try:
        with pytest.raises(redis_errors.ReadOnlyError) as replica:
            await write_of(valkey_server.url).measure(io_for())
        with pytest.raises(redis_errors.NoPermissionError) as narrow:
            await write_of(f"redis://narrow:narrow@{host}").measure(io_for())
    finally:
        await client.execute_command("REPLICAOF", "NO", "ONE")
        await client.execute_command("ACL", "DELUSER", "narrow")
    verdicts = [verdict_of(caught.value) for caught in (replica, narrow)]
    assert [None if one is None else one.reason for one in verdicts] == [Reason.READ_ONLY, Reason.AUTH_REJECTED]
    assert narrow.value.args
