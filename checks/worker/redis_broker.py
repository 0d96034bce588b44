"""A Redis broker: canaries as raw messages in its lists, and queues as kombu lays them out."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from typing import TYPE_CHECKING, Any, cast

from checks.celery_wire import (
    CANARY_TASK,
    CLEAN_UP_SECONDS,
    RESULT_CHANNEL,
    BrokerConfig,
    decode,
    event_channel,
    redis_error,
    task_message,
    text,
)
from checks.celery_wire import Broker as Wire
from checks.worker.broker import Canary, Delivered, Flight, Head, Waiting

if TYPE_CHECKING:
    from redis.asyncio import Redis
    from redis.asyncio.client import PubSub

RESULT_GRACE_SECONDS = 0.5
"""The result is stored before the event of success is sent: so long after the event no result will come."""

SEARCH_ROUNDS = 5
SEARCH_KEYS = 500
"""How many keys one round of a search goes through."""

_SEPARATOR = "\x06\x16"
"""Between a queue's name and its priority, where that is not 0 (kombu's `sep`)."""

_HEARTBEAT = "worker.heartbeat"
_ENDINGS = {"task-succeeded": "SUCCESS", "task-failed": "FAILURE", "task-revoked": "REVOKED"}
_FINAL = frozenset({"SUCCESS", "FAILURE", "REVOKED"})
"""Celery's ready states: any other is followed by one of these."""

OpenRedis = Callable[[str], AbstractAsyncContextManager["Redis"]]


class RedisBroker(Wire):
    """A `checks.worker.broker.Broker` over an open Redis client."""

    def __init__(self, client: "Redis", config: BrokerConfig, reply_id: str, open_redis: OpenRedis) -> None:
        """`open_redis` opens another database, where results may lie."""
        super().__init__(client, config, reply_id)
        self._url = config.url
        self._open_redis = open_redis

    async def fly(self, canaries: Sequence[Canary], wait_seconds: float, results_url: str = "") -> tuple[Flight, ...]:
        """Send the canaries at once, and return what became of each after at most `wait_seconds`.

        Clean-up after an error or a cancellation is bounded by `CLEAN_UP_SECONDS`.
        """
        stem = canaries[0].task_id[:-4]
        flights: dict[str, Flight] = {}
        keys: set[str] = set()
        alive: set[str] = set()
        is_clean = False
        pubsub = self.client.pubsub()
        async with self._results(results_url) as results:
            try:
                patterns = (
                    f"*{RESULT_CHANNEL}{stem}*",
                    event_channel(self.prefix, self.database, "task.*"),
                    event_channel(self.prefix, self.database, _HEARTBEAT),
                )
                await pubsub.psubscribe(*patterns)
                for _ in patterns:  # the answer must not overtake the subscription
                    await pubsub.get_message(timeout=wait_seconds)
                pipeline = self.client.pipeline(transaction=False)
                for canary in canaries:
                    pipeline.lpush(self.prefix + canary.queue, _message(canary))
                await pipeline.execute()
                by_id = {canary.task_id: canary for canary in canaries}
                await _listen(pubsub, by_id, wait_seconds, flights, keys, alive)
                lost = [canary for canary in canaries if canary.task_id not in flights]
                flights |= await self._take_back(lost, wait_seconds, len(alive))
                if keys:
                    await results.delete(*keys)
                is_clean = True
            finally:
                with suppress(TimeoutError, OSError, redis_error()):
                    async with asyncio.timeout(CLEAN_UP_SECONDS):
                        if not is_clean:
                            await self._settle(results, canaries)
                        await pubsub.aclose()  # type: ignore[no-untyped-call]
        return tuple(flights[canary.task_id] for canary in canaries)

    async def settle(self, canaries: Sequence[Canary], results_url: str = "") -> list[Canary]:
        """Remove what canaries of earlier looks left: message and result. Return those of which nothing was found."""
        if not canaries:
            return []
        async with self._results(results_url) as results:
            return await self._settle(results, canaries)

    async def waiting(self, queues: Sequence[str], priorities: Sequence[int]) -> tuple[Waiting, ...]:
        """Return what waits in each of the queues: kombu keeps a list for each step of priorities."""
        pipeline = self.client.pipeline(transaction=False)
        for queue in queues:
            for priority in priorities:
                key = self.prefix + (f"{queue}{_SEPARATOR}{priority}" if priority else queue)
                pipeline.llen(key)
                pipeline.lindex(key, -1)
        answers = iter(await pipeline.execute())
        found = []
        for queue in queues:
            counts, heads = [], []
            for priority in priorities:
                count, message = int(next(answers)), next(answers)
                if count:
                    counts.append((priority, count))
                    task_id, task = _named(message)
                    heads.append(Head(priority, task_id, task))
            found.append(Waiting(queue, sum(count for _, count in counts), tuple(counts), tuple(heads)))
        return tuple(found)

    async def search(self, cursor: int) -> tuple[int, frozenset[str]]:
        """Look through some keys for lists of task messages: a queue on Redis is nothing but such a list."""
        names: set[str] = set()
        for _ in range(SEARCH_ROUNDS):
            cursor, keys = await self.client.scan(cursor, match=f"{self.prefix}*", count=SEARCH_KEYS, _type="list")
            names |= {name for name in map(text, keys) if not name.endswith(".reply.celery.pidbox")}
            if not cursor:
                break
        pipeline = self.client.pipeline(transaction=False)
        for name in names:
            pipeline.lindex(name, -1)
        heads = zip(names, await pipeline.execute() if names else (), strict=True)
        return cursor, frozenset(
            name.removeprefix(self.prefix).partition(_SEPARATOR)[0] for name, head in heads if _named(head)[1]
        )

    async def delivered(self, most: int) -> tuple[Delivered, ...]:
        """Read kombu's `unacked` and its index, whose score is the time of delivery."""
        index: Any = await self.client.zrange(f"{self.prefix}unacked_index", 0, most - 1, withscores=True)
        if not index:
            return ()
        tags = [tag for tag, _ in index]
        messages = await cast(Awaitable[list[Any]], self.client.hmget(f"{self.prefix}unacked", tags))
        now = await self.clock_seconds()
        found = []
        for (_, at), message in zip(index, messages, strict=True):
            if message is None:  # acknowledged between the two questions
                continue
            envelope, _, queue = json.loads(message)
            headers = envelope["headers"]
            found.append(Delivered(str(headers["id"]), str(headers["task"]), str(queue), max(0.0, now - float(at))))
        return tuple(found)

    async def forget(self, queue: str) -> None:
        """Remove the list and kombu's binding of a queue of ours."""
        bindings = (f"{self.prefix}_kombu.binding.{queue}", f"{self.prefix}_kombu.binding_permanent.{queue}")
        await self.client.delete(self.prefix + queue, *bindings)

    async def clock_seconds(self) -> float:
        """Return the server's clock in epoch seconds."""
        seconds, microseconds = await self.client.time()
        return seconds + microseconds / 1e6

    @asynccontextmanager
    async def _results(self, url: str) -> "AsyncIterator[Redis]":
        if url in ("", self._url):
            yield self.client
        else:
            async with self._open_redis(url) as other:
                yield other

    async def _settle(self, results: "Redis", canaries: Sequence[Canary]) -> list[Canary]:
        lists = self.client.pipeline(transaction=False)
        stored = results.pipeline(transaction=False)
        for canary in canaries:
            lists.lrem(self.prefix + canary.queue, 0, _message(canary))
            stored.delete(RESULT_CHANNEL + canary.task_id)
        found = zip(canaries, await lists.execute(), await stored.execute(), strict=True)
        return [canary for canary, waiting, result in found if not waiting and not result]

    async def _take_back(self, canaries: Sequence[Canary], waited_seconds: float, alive: int) -> dict[str, Flight]:
        """Remove unanswered canaries from their lists."""
        flights = {}
        for canary in canaries:
            key = self.prefix + canary.queue
            was_waiting = bool(await self.client.lrem(key, 0, _message(canary)))
            others = await self.client.llen(key)
            flights[canary.task_id] = Flight(
                canary.queue,
                canary.task_id,
                waited_seconds,
                was_waiting=was_waiting,
                waiting_messages=others,
                alive=alive,
            )
        return flights


def _message(canary: Canary) -> str:
    return task_message(canary.queue, canary.task_id, CANARY_TASK, [canary.task_id], {"index": 0}, canary.expires_at)


async def _listen(pubsub: "PubSub", canaries: dict[str, Canary], wait_seconds: float, flights: dict[str, Flight],
                  keys: set[str], alive: set[str]) -> None:  # fmt: skip
    """Fill `flights` by task id until all have answered or the time is over; `keys` and `alive` on the way.

    `keys` are the stored results, `alive` the nodes that sent a heartbeat.
    """
    started = time.monotonic()
    deadline = started + wait_seconds
    while (left := deadline - time.monotonic()) > 0:
        if len(flights) == len(canaries):
            if all(flight.proof == "result" for flight in flights.values()):
                return
            deadline = min(deadline, started + max(f.seconds for f in flights.values()) + RESULT_GRACE_SECONDS)
        message = await pubsub.get_message(timeout=left)
        if message is None or message["type"] != "pmessage":
            continue
        channel = text(message["channel"])
        if channel.endswith(_HEARTBEAT):
            alive.add(str(decode(message["data"]).get("hostname")))
            continue
        is_result = RESULT_CHANNEL in channel
        for task_id, status, value in _result(message["data"]) if is_result else _events(channel, message["data"]):
            canary = canaries.get(task_id)
            if canary is None or (task_id in flights and not is_result):
                continue
            if is_result:
                keys.add(channel)
            flights[task_id] = Flight(
                canary.queue,
                task_id,
                time.monotonic() - started,
                proof="result" if is_result else "event",
                status=status,
                is_right=status == "SUCCESS" and task_id in value,
            )


def _result(data: str | bytes) -> list[tuple[str, str, str]]:
    stored = _json_object(data)
    if stored.get("status") not in _FINAL:  # with `task_track_started` the first word is STARTED
        return []
    return [(str(stored.get("task_id")), str(stored.get("status")), str(stored.get("result")))]


def _events(channel: str, data: str | bytes) -> list[tuple[str, str, str]]:
    if not channel.endswith(("task.multi", *(kind.replace("-", ".") for kind in _ENDINGS))):
        return []
    body = decode(data)
    return [
        (str(event.get("uuid")), _ENDINGS[event["type"]], str(event.get("result")))
        for event in (body if isinstance(body, list) else [body])
        if event.get("type") in _ENDINGS
    ]


def _named(message: str | bytes | None) -> tuple[str, str]:
    """Return id and task of a message, empty where it is none of Celery's."""
    headers = _json_object(message or b"").get("headers")
    return (str(headers.get("id") or ""), str(headers.get("task") or "")) if isinstance(headers, dict) else ("", "")


def _json_object(data: str | bytes) -> dict[str, Any]:
    """Return a JSON object, empty where it is something else (a result of another serializer)."""
    with suppress(ValueError):
        parsed = json.loads(data)
        if isinstance(parsed, dict):
            return parsed
    return {}
