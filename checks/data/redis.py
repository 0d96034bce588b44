"""`redis.ping` and `redis.write`: a fresh connection to Redis answers as a master, and takes a write."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from checks.base import IO, Check, CheckConfig, Seconds, Secret
from checks.failures import told_as
from checks.result import Fact, Reason, Verdict, degraded, failed, ok
from checks.wording import address, duration

KEY_PREFIX = "nexus-monitor:probe:"
KEY_SECONDS = 30
"""The key of a look that was cut off goes away by itself after this."""


class RedisPingConfig(CheckConfig):
    """Which Redis."""

    kind: Literal["redis.ping"] = "redis.ping"
    interval_seconds: Seconds = 30.0
    timeout_seconds: Seconds = 3.0
    url: Secret
    """`redis://user:password@host:port/db` or `rediss://…`."""
    expect_master: bool = True
    """False where a replica is watched."""
    slow_seconds: Seconds = 0.25
    """A PING above this is degraded."""


@dataclass(frozen=True, slots=True)
class RedisPingSeen:
    """The answer to PING, and what INFO says."""

    is_pong: bool
    ping_seconds: float
    """Without the connection."""
    connect_seconds: float
    server: str
    version: str
    role: str
    is_loading: bool


class RedisPing(Check[RedisPingConfig, RedisPingSeen]):
    """Connect, PING, ask for the role."""

    Config = RedisPingConfig

    async def measure(self, io: IO) -> RedisPingSeen:
        """Connect by a first PING, time a second one, read INFO."""
        started = io.monotonic()
        async with io.redis(self.config.url.get_secret_value()) as client:
            await client.ping()
            connected = io.monotonic()
            pong = await client.ping()
            ponged = io.monotonic()
            info = await client.info()
        return RedisPingSeen(
            is_pong=pong in (True, b"PONG", "PONG"),
            ping_seconds=ponged - connected,
            connect_seconds=connected - started,
            server=str(info.get("server_name", "redis")),
            version=str(info.get("valkey_version") or info.get("redis_version", "?")),
            role=str(info.get("role", "?")),
            is_loading=str(info.get("loading", "0")) == "1",
        )

    def judge(self, seen: RedisPingSeen, now: datetime, before: Sequence[RedisPingSeen] = ()) -> Verdict:
        """Judge the answer, the role, then the time."""
        service = self.config.service
        facts = (
            _host(self.config.url),
            Fact("server", f"{seen.server} {seen.version}"),
            Fact("role", seen.role),
            Fact("ping", round(seen.ping_seconds, 4), "s"),
            Fact("connect", round(seen.connect_seconds, 4), "s"),
        )
        values = {"latency_seconds": seen.ping_seconds, "connect_seconds": seen.connect_seconds}
        if not seen.is_pong:
            return failed(
                Reason.PROTOCOL_ERROR, "PING was not answered with PONG", *facts,
                hint="Another program may answer on this port: check the Redis URL.", values=values,
            )  # fmt: skip
        if seen.is_loading:
            return failed(
                Reason.UNREACHABLE, "Redis is loading its data", *facts,
                hint=f"It restarted: Render → {service} → Events. Wait until the data is loaded.", values=values,
            )  # fmt: skip
        if self.config.expect_master and seen.role != "master":
            return failed(
                Reason.READ_ONLY, f"Redis is a {seen.role}, a master is expected", *facts,
                hint=f"A failover ran, or the URL points to a replica: Render → {service} → Info.", values=values,
            )  # fmt: skip
        if seen.ping_seconds > self.config.slow_seconds:
            return degraded(
                Reason.SLOW, f"PING took {duration(seen.ping_seconds)}", *facts,
                hint=f"Render → {service} → Metrics: CPU and memory; SLOWLOG shows slow commands.",
                values=values,
            )  # fmt: skip
        return ok(f"PONG in {duration(seen.ping_seconds)}", *facts, values=values)

    def on_failure(self, verdict: Verdict) -> Verdict:
        """Say it of the PING, with where to look."""
        return told_as(verdict, "Redis PING", _hints(self.config.service), _host(self.config.url))


class RedisWriteConfig(CheckConfig):
    """Which Redis."""

    kind: Literal["redis.write"] = "redis.write"
    interval_seconds: Seconds = 30.0
    timeout_seconds: Seconds = 3.0
    url: Secret
    """As of `redis.ping`."""


@dataclass(frozen=True, slots=True)
class RedisWriteSeen:
    """Whether what was written came back."""

    was_read_back: bool
    was_deleted: bool
    round_trip_seconds: float
    """SET, GET and DEL together."""


class RedisWrite(Check[RedisWriteConfig, RedisWriteSeen]):
    """SET, GET and DEL one key of our own, which expires should we not come to the DEL."""

    Config = RedisWriteConfig

    async def measure(self, io: IO) -> RedisWriteSeen:
        """Write, read and delete one key; leaves nothing."""
        nonce = secrets.token_hex(8)
        key = KEY_PREFIX + nonce
        async with io.redis(self.config.url.get_secret_value()) as client:
            started = io.monotonic()
            await client.set(key, nonce, ex=KEY_SECONDS)
            value = await client.get(key)
            deleted = await client.delete(key)
            took = io.monotonic() - started
        return RedisWriteSeen(value in (nonce, nonce.encode()), deleted == 1, took)

    def judge(self, seen: RedisWriteSeen, now: datetime, before: Sequence[RedisWriteSeen] = ()) -> Verdict:
        """Judge whether the key came back."""
        facts = (_host(self.config.url), Fact("SET GET DEL", round(seen.round_trip_seconds, 4), "s"))
        values = {"latency_seconds": seen.round_trip_seconds}
        if not (seen.was_read_back and seen.was_deleted):
            lost = "read back" if not seen.was_read_back else "deleted"
            return failed(
                Reason.WRITE_REFUSED, f"a key just written could not be {lost}", *facts,
                hint="Keys vanish at once: evictions (memory full), a proxy over several servers, or a FLUSHALL loop.",
                values=values,
            )  # fmt: skip
        return ok(f"SET, GET and DEL in {duration(seen.round_trip_seconds)}", *facts, values=values)

    def on_failure(self, verdict: Verdict) -> Verdict:
        """Say it of the write, with where to look."""
        return told_as(verdict, "Redis write", _hints(self.config.service), _host(self.config.url))


def _host(url: Secret) -> Fact:
    return Fact("host", address(url.get_secret_value()))


def _hints(service: str) -> dict[Reason, str]:
    return {
        Reason.CONNECTION_REFUSED: f"Render → {service} → Info: is it suspended, restarting or deleted?",
        Reason.TIMEOUT: f"Render → {service} → Info: is it suspended, out of memory, or hung in a slow command?",
        Reason.AUTH_REJECTED: f"Render → {service} → Connect: compare password and ACL with the URL in use.",
        Reason.WRITE_REFUSED: f"Render → {service} → Metrics: memory or disk is full? Enlarge or clean up.",
        Reason.READ_ONLY: f"Render → {service} → Info: a failover ran, or the URL points to a replica.",
        Reason.CAPACITY: f"Render → {service} → Metrics: too many clients; lower the pools' sizes.",
        Reason.CONNECTION_RESET: f"Render → {service} → Events: it may have restarted (out of memory?).",
    }
