"""Sends canaries through queues, waits for their answers, and leaves no key behind."""

import asyncio
import json
import time
import uuid
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Literal

from checks.celery_wire import (
    CANARY_TASK,
    CLEAN_UP_SECONDS,
    RESULT_CHANNEL,
    Broker,
    decode,
    event_channel,
    redis_error,
    task_message,
    text,
)

if TYPE_CHECKING:
    from redis.asyncio import Redis
    from redis.asyncio.client import PubSub

EXPIRES_SECONDS = 30.0
"""A canary that nobody took back is dropped by the worker after this time; longer than clocks usually differ."""

RESULT_GRACE_SECONDS = 0.5
"""The result is stored before the event of success is sent: so long after the event no result will come."""

_ENDINGS = {"task-succeeded": "SUCCESS", "task-failed": "FAILURE", "task-revoked": "REVOKED"}


@dataclass(frozen=True, slots=True)
class Canary:
    """One task of ours on its way through one queue."""

    queue: str
    task_id: str
    """Also the argument that has to come back."""
    message: str


@dataclass(frozen=True, slots=True)
class Flight:
    """What became of one canary."""

    queue: str
    task_id: str
    seconds: float
    """Until the answer, or how long it was waited for."""
    proof: Literal["result", "event", ""] = ""
    """Where the answer was seen; empty when there was none."""
    status: str = ""
    """Celery's word: SUCCESS, FAILURE, REVOKED, …"""
    is_right: bool = False
    """It succeeded, and what came back is what was sent."""
    was_waiting: bool = False
    """Unanswered and still in the list: taken back."""
    waiting_messages: int = 0
    """How many other messages waited in the list of an unanswered canary."""


def canaries_for(queues: Sequence[str], now: datetime) -> tuple[Canary, ...]:
    """Return a canary for each queue. The ids of one call share all but their last four digits."""
    stem = str(uuid.uuid4())[:-4]
    expires_at = now + timedelta(seconds=EXPIRES_SECONDS)
    ids = [f"{stem}{number:04x}" for number in range(len(queues))]
    return tuple(
        Canary(queue, task_id, task_message(queue, task_id, CANARY_TASK, [task_id], {"index": 0}, expires_at))
        for queue, task_id in zip(queues, ids, strict=True)
    )


async def fly(broker: Broker, results: "Redis", canaries: Sequence[Canary], wait_seconds: float) -> tuple[Flight, ...]:
    """Send the canaries at once, and return what became of each after at most `wait_seconds`.

    `results` is a client on the database of the result backend; what is answered is deleted there.
    Clean-up after an error or a cancellation is bounded by `CLEAN_UP_SECONDS`.
    """
    stem = canaries[0].task_id[:-4]
    flights: dict[str, Flight] = {}
    keys: set[str] = set()
    is_clean = False
    pubsub = broker.client.pubsub()
    try:
        patterns = (f"*{RESULT_CHANNEL}{stem}*", event_channel(broker.prefix, broker.database, "task.*"))
        await pubsub.psubscribe(*patterns)
        for _ in patterns:  # the answer must not overtake the subscription
            await pubsub.get_message(timeout=wait_seconds)
        pipeline = broker.client.pipeline(transaction=False)
        for canary in canaries:
            pipeline.lpush(broker.prefix + canary.queue, canary.message)
        await pipeline.execute()
        await _listen(pubsub, {canary.task_id: canary for canary in canaries}, wait_seconds, flights, keys)
        waiting = await _take_back(broker, [canary for canary in canaries if canary.task_id not in flights])
        if keys:
            await results.delete(*keys)
        is_clean = True
    finally:
        with suppress(TimeoutError, OSError, redis_error()):
            async with asyncio.timeout(CLEAN_UP_SECONDS):
                if not is_clean:
                    await settle(broker, results, canaries)
                await pubsub.aclose()  # type: ignore[no-untyped-call]
    return tuple(
        flights.get(canary.task_id)
        or Flight(
            canary.queue,
            canary.task_id,
            wait_seconds,
            was_waiting=waiting[canary.task_id][0],
            waiting_messages=waiting[canary.task_id][1],
        )
        for canary in canaries
    )


async def settle(broker: Broker, results: "Redis", canaries: Sequence[Canary]) -> list[Canary]:
    """Remove what canaries of earlier looks left: message and result. Return those of which nothing was found."""
    if not canaries:
        return []
    lists = broker.client.pipeline(transaction=False)
    stored = results.pipeline(transaction=False)
    for canary in canaries:
        lists.lrem(broker.prefix + canary.queue, 0, canary.message)
        stored.delete(RESULT_CHANNEL + canary.task_id)
    found = zip(canaries, await lists.execute(), await stored.execute(), strict=True)
    return [canary for canary, waiting, result in found if not waiting and not result]


async def _listen(pubsub: "PubSub", canaries: dict[str, Canary], wait_seconds: float, flights: dict[str, Flight],
                  keys: set[str]) -> None:  # fmt: skip
    """Fill `flights` by task id and `keys` with the stored results, until all have answered or the time is over."""
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


_FINAL = frozenset({"SUCCESS", "FAILURE", "REVOKED"})
"""Celery's ready states: any other is followed by one of these."""


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


def _json_object(data: str | bytes) -> dict[str, Any]:
    """Return a JSON object, empty where it is something else (a result of another serializer)."""
    with suppress(ValueError):
        parsed = json.loads(data)
        if isinstance(parsed, dict):
            return parsed
    return {}


async def _take_back(broker: Broker, canaries: Sequence[Canary]) -> dict[str, tuple[bool, int]]:
    """Remove unanswered canaries from their lists; return by id whether it was there, and how many others wait."""
    taken: dict[str, tuple[bool, int]] = {}
    for canary in canaries:
        key = broker.prefix + canary.queue
        was_waiting = await broker.client.lrem(key, 0, canary.message)
        taken[canary.task_id] = (bool(was_waiting), await broker.client.llen(key))
    return taken
