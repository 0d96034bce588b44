"""A RabbitMQ broker: canaries through the default exchange, and queues as far as it tells of them without giving."""

import json
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from checks.amqp import Amqp, AmqpSession, Incoming
from checks.celery_broker import AmqpBroker
from checks.celery_wire import CANARY_TASK, RESULT_CHANNEL, task_parts
from checks.worker.broker import Canary, Delivered, Flight, Waiting

if TYPE_CHECKING:
    from redis.asyncio import Redis

NO_RESULTS = "disabled://"
"""As address of the results: they are stored where we cannot look, so canaries ask for none. Events prove them."""

EVENT_EXCHANGE = "celeryev"
HEARTBEAT = "worker.heartbeat"
ENDINGS = {"task-succeeded": "SUCCESS", "task-failed": "FAILURE", "task-revoked": "REVOKED"}

RESULT_GRACE_SECONDS = 0.5
"""The result is sent before the event of success: so long after the event no result will come."""

LINGER_SECONDS = 1.0
"""So much longer than it is waited for an unanswered canary lives in its queue: RabbitMQ then drops it."""

OpenRedis = Callable[[str], AbstractAsyncContextManager["Redis"]]


class KombuBroker(AmqpBroker):
    """A `checks.worker.broker.Broker` over an open session."""

    def __init__(self, session: AmqpSession, nodes: set[str], open_redis: OpenRedis) -> None:
        """`open_redis` opens the Redis where results may lie."""
        super().__init__(session, nodes)
        self._open_redis = open_redis

    async def fly(self, canaries: Sequence[Canary], wait_seconds: float, results_url: str = "") -> tuple[Flight, ...]:
        """Send the canaries at once, and return what became of each after at most `wait_seconds`.

        `results_url`: empty where results come back as messages (`rpc://`), a Redis, or `NO_RESULTS`.
        """
        flights = await self.session.run(lambda amqp: _fly(amqp, canaries, wait_seconds, results_url))
        if results_url in ("", NO_RESULTS):
            return flights
        stored = await self._take_results(canaries, results_url)
        return tuple(_with_result(flight, stored[flight.task_id]) for flight in flights)

    async def settle(self, canaries: Sequence[Canary], results_url: str = "") -> list[Canary]:
        """Remove results that came late. Messages end by themselves; return those of which no result was found."""
        if not canaries or results_url in ("", NO_RESULTS):
            return []
        stored = await self._take_results(canaries, results_url)
        return [canary for canary in canaries if stored[canary.task_id] is None]

    async def waiting(self, queues: Sequence[str], priorities: Sequence[int]) -> tuple[Waiting, ...]:
        """Return how much waits in each queue, and how many read it. No message is shown."""
        states = await self.session.run(lambda amqp: [amqp.peek(queue) for queue in queues])
        return tuple(
            Waiting(queue, state.messages if state else 0, consumers=state.consumers if state else 0)
            for queue, state in zip(queues, states, strict=True)
        )

    async def search(self, cursor: int) -> tuple[int, frozenset[str]]:
        """Return none: RabbitMQ lists its queues over its management API only."""
        return 0, frozenset()

    async def delivered(self, most: int) -> tuple[Delivered, ...]:
        """Return none: RabbitMQ gives a message back as soon as its worker's connection ends."""
        return ()

    async def forget(self, queue: str) -> None:
        """Remove a queue of ours, and the exchange that Celery has made for it."""
        await self.session.run(lambda amqp: amqp.remove(queue))

    async def clock_seconds(self) -> None:
        """Return nothing: RabbitMQ does not tell its clock."""
        return

    async def _take_results(self, canaries: Sequence[Canary], results_url: str) -> dict[str, dict[str, Any] | None]:
        keys = [RESULT_CHANNEL + canary.task_id for canary in canaries]
        async with self._open_redis(results_url) as client:
            values = await client.mget(keys)
            await client.delete(*keys)
        return {
            canary.task_id: json.loads(value) if value else None for canary, value in zip(canaries, values, strict=True)
        }


def _fly(amqp: Amqp, canaries: Sequence[Canary], wait_seconds: float, results_url: str) -> tuple[Flight, ...]:
    """Do it all in the session's thread."""
    wants_reply = results_url == ""
    started = time.monotonic()
    mailbox = amqp.listen()
    amqp.bind(mailbox, EVENT_EXCHANGE, ("task.#", HEARTBEAT))
    sent: dict[str, Canary] = {}
    for canary in canaries:
        headers, body = task_parts(canary.task_id, CANARY_TASK, [canary.task_id], {"index": 0}, canary.expires_at)
        is_routed = amqp.publish(
            "",
            canary.queue,
            json.dumps(body).encode(),
            headers=headers | {"ignore_result": results_url == NO_RESULTS},
            correlation_id=canary.task_id,
            reply_to=mailbox,
            delivery_mode=1,
            priority=0,
            expiration=str(int((wait_seconds + LINGER_SECONDS) * 1000)),
        )
        if is_routed:
            sent[canary.task_id] = canary
    flights, alive = _listen(amqp, sent, started, wait_seconds, wants_reply=wants_reply)
    amqp.end_listening()
    for canary in canaries:
        if canary.task_id not in flights:
            state = amqp.peek(canary.queue)
            messages = state.messages if state else 0
            flights[canary.task_id] = Flight(
                canary.queue,
                canary.task_id,
                wait_seconds,
                was_waiting=messages > 0,
                waiting_messages=max(0, messages - 1),
                alive=len(alive),
            )
    return tuple(flights[canary.task_id] for canary in canaries)


def _listen(
    amqp: Amqp, sent: dict[str, Canary], started: float, wait_seconds: float, *, wants_reply: bool
) -> tuple[dict[str, Flight], set[str]]:
    """Return the flights that ended, by task id, and the nodes of which a heartbeat was heard."""
    flights: dict[str, Flight] = {}
    alive: set[str] = set()
    deadline = started + wait_seconds
    while sent and (left := deadline - time.monotonic()) > 0:
        if len(flights) == len(sent):
            if not wants_reply or all(flight.proof == "result" for flight in flights.values()):
                break
            deadline = min(deadline, started + max(f.seconds for f in flights.values()) + RESULT_GRACE_SECONDS)
        for message in amqp.drain(left):
            if message.routing_key == HEARTBEAT:
                alive |= {str(event.get("hostname")) for event in _objects(message)}
            is_result = message.correlation_id in sent
            for found in _objects(message):
                task_id = message.correlation_id if is_result else str(found.get("uuid"))
                status = str(found.get("status")) if is_result else ENDINGS.get(str(found.get("type")), "")
                if task_id not in sent or status not in ENDINGS.values() or (task_id in flights and not is_result):
                    continue
                flights[task_id] = Flight(
                    sent[task_id].queue,
                    task_id,
                    time.monotonic() - started,
                    proof="result" if is_result else "event",
                    status=status,
                    is_right=status == "SUCCESS" and task_id in str(found.get("result")),
                    wants_result=wants_reply,
                )
    return flights, alive


def _with_result(flight: Flight, stored: dict[str, Any] | None) -> Flight:
    if stored is None:
        return replace(flight, wants_result=True)
    status = str(stored.get("status"))
    is_right = status == "SUCCESS" and flight.task_id in str(stored.get("result"))
    return replace(flight, proof="result", status=status, is_right=is_right)


def _objects(message: Incoming) -> list[dict[str, Any]]:
    """Return the events of a message, or its result; none where it is not Celery's JSON."""
    try:
        body = json.loads(message.body)
    except ValueError:
        return []
    return [one for one in (body if isinstance(body, list) else [body]) if isinstance(one, dict)]
