"""Speaks Celery on a Redis broker in its own wire format: task messages, remote control, events and results.

Nothing of celery or kombu is imported. The stock client blocks for more than 25 s on a paused Redis; these calls
are plain Redis commands, and end when the connection's timeout ends.
"""

import asyncio
import base64
import json
import os
import socket
import time
import uuid
from collections.abc import Awaitable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import urlsplit

from pydantic import field_validator

from checks.amqp import SCHEMES as AMQP_SCHEMES
from checks.base import CheckConfig, Secret
from checks.failures import told_as
from checks.redis_url import client_url, database_of, redis_only
from checks.result import Fact, Reason, Verdict
from checks.wording import address

if TYPE_CHECKING:
    from redis.asyncio import Redis

BEAT_MARKER = "nexus-beat-alive"
"""The argument of the heartbeat entry in the schedule of the watched app."""

CANARY_TASK = "celery.accumulate"
"""Registered on every Celery worker; called with `index=0` it returns its first argument."""

DEFAULT_QUEUE = "celery"
RESULT_CHANNEL = "celery-task-meta-"
"""Key and channel of a stored result, before the task's id. The channel knows no database number."""

CLEAN_UP_SECONDS = 0.5
"""How long a look may take to put things back after its time is over."""

AFTER_SECONDS = CLEAN_UP_SECONDS + 0.1
"""What a look keeps free at its end: for the clean-up, and for closing its connections."""

REPLY_SECONDS = 1.0
"""How long a worker has to answer: below 1 s a healthy one is missed, as its own 1 s queue read is in the way."""

_SEPARATOR = "\x06\x16"
"""Between the parts of a member of a binding table (kombu's Redis transport)."""

_GONE = (Reason.TIMEOUT, Reason.CONNECTION_REFUSED, Reason.CONNECTION_RESET)
_UNSEEN = "Workers and beat cannot be seen without it."
_HINTS = dict.fromkeys(_GONE, f"The broker does not answer: see redis.ping first. {_UNSEEN}")
_RABBITMQ_HINTS = dict.fromkeys(_GONE, f"RabbitMQ does not answer: see its status and its log. {_UNSEEN}")

_REPLY_EXCHANGE = "reply.celery.pidbox"


def broker_only(url: Secret) -> Secret:
    """Return `url`. Raises ValueError when it is no broker's that can be watched; the message does not show it."""
    scheme = urlsplit(url.get_secret_value()).scheme
    if scheme in AMQP_SCHEMES:
        return url
    if scheme not in ("redis", "rediss"):
        raise ValueError("only redis://, rediss://, amqp:// and amqps:// can be watched")
    return redis_only(url)


class BrokerConfig(CheckConfig):
    """The settings of every check that speaks to the broker."""

    broker_url: Secret
    """`redis://` or `rediss://`, whose path is the database number; or `amqp://` or `amqps://`."""
    key_prefix: str = ""
    """`global_keyprefix` of the app's `broker_transport_options`."""

    _known_broker = field_validator("broker_url")(broker_only)

    @property
    def is_rabbitmq(self) -> bool:
        """Say whether the broker speaks AMQP."""
        return urlsplit(self.broker_url.get_secret_value()).scheme in AMQP_SCHEMES

    @property
    def url(self) -> str:
        """The broker's URL, with its password, as its client takes it."""
        url = self.broker_url.get_secret_value()
        return url if self.is_rabbitmq else client_url(url)


def told_of_broker(verdict: Verdict, config: BrokerConfig) -> Verdict:
    """Return the verdict of a network error as one about the broker: nothing behind it could be seen."""
    hints = _RABBITMQ_HINTS if config.is_rabbitmq else _HINTS
    return told_as(verdict, "broker", hints, Fact("host", address(config.url)))


@dataclass(frozen=True, slots=True)
class Replies:
    """What one remote control command brought back."""

    listening: int
    """How many worker nodes heard it."""
    answers: tuple[tuple[str, Any], ...]
    """(node, answer), in order of arrival. Two nodes of one name appear twice."""

    @property
    def by_node(self) -> dict[str, Any]:
        """Return the answers by node name."""
        return dict(self.answers)


def task_message(queue: str, task_id: str, task: str, args: Sequence[Any], kwargs: Mapping[str, Any],
                 expires_at: datetime) -> str:  # fmt: skip
    """Return a task as it lies in the Redis list of its queue (task protocol 2).

    The same arguments give the same message, so that it can be taken back by its value.
    https://docs.celeryq.dev/en/stable/internals/protocol.html#version-2
    """
    headers, body = task_parts(task_id, task, args, kwargs, expires_at)
    return _envelope(body, headers, "", queue, correlation_id=task_id, reply_to="", delivery_tag=task_id)


def task_parts(task_id: str, task: str, args: Sequence[Any], kwargs: Mapping[str, Any],
               expires_at: datetime) -> tuple[dict[str, Any], list[Any]]:  # fmt: skip
    """Return headers and body of a task."""
    headers: dict[str, Any] = {
        "lang": "py",
        "task": task,
        "id": task_id,
        "shadow": None,
        "eta": None,
        "expires": expires_at.astimezone(UTC).isoformat(),
        "group": None,
        "group_index": None,
        "retries": 0,
        "timelimit": [None, None],
        "root_id": task_id,
        "parent_id": None,
        "argsrepr": repr(list(args)),
        "kwargsrepr": repr(dict(kwargs)),
        "origin": f"nexus-monitor{os.getpid()}@{socket.gethostname()}",
        "ignore_result": False,
        "replaced_task_nesting": 0,
        "stamped_headers": None,
        "stamps": {},
    }
    return headers, [list(args), dict(kwargs), {"callbacks": None, "errbacks": None, "chain": None, "chord": None}]


def control_message(method: str, arguments: Mapping[str, Any], *, reply_id: str = "", ticket: str = "",
                    clock_seconds: float = 0.0, nodes: Sequence[str] = ()) -> str:  # fmt: skip
    """Return a remote control command (kombu's pidbox); without `reply_id` nobody answers.

    `clock_seconds` is the epoch second after which it is of no use; 0 for no end. `nodes` are the ones that
    obey it; empty: all.
    """
    body = control_body(method, arguments, nodes)
    if reply_id:
        body |= {"ticket": ticket, "reply_to": {"exchange": _REPLY_EXCHANGE, "routing_key": reply_id}}
    return _envelope(body, {"clock": 1, "expires": clock_seconds}, "celery.pidbox", "")


def control_body(method: str, arguments: Mapping[str, Any], nodes: Sequence[str] = ()) -> dict[str, Any]:
    """Return the body of a remote control command that nobody answers."""
    return {
        "method": method,
        "arguments": dict(arguments),
        "destination": list(nodes) or None,
        "pattern": None,
        "matcher": None,
    }


def decode(message: str | bytes) -> Any:
    """Return the body of a message. Raises ValueError or KeyError when it is not one of Celery's JSON messages."""
    envelope = json.loads(message)
    body = envelope["body"]
    if envelope["properties"].get("body_encoding") == "base64":
        body = base64.b64decode(body)
    return json.loads(body)


def control_channel(prefix: str, database: int) -> str:
    """Return the channel on which all nodes hear remote control commands."""
    return f"{prefix}/{database}.celery.pidbox"


def event_channel(prefix: str, database: int, kind: str = "*") -> str:
    """Return the channel (or pattern) of worker events, e.g. of `task.*`."""
    return f"{prefix}/{database}.celeryev/{kind}"


def text(value: str | bytes) -> str:
    """Return what a Redis client gave as text, whether it decodes answers or not."""
    return value if isinstance(value, str) else value.decode(errors="replace")


class Broker:
    """One look's conversation with a Redis broker over an open client. Bounded by the caller's timeout."""

    def __init__(self, client: "Redis", config: BrokerConfig, reply_id: str) -> None:
        """`reply_id` names the mailbox for answers.

        It is one per check, not one per look: what an interrupted look left behind, the next one removes.
        """
        self.client = client
        self.prefix = config.key_prefix
        self.database = database_of(config.url)
        self._reply_id = reply_id

    async def ask(self, *methods: str, seconds: float = REPLY_SECONDS) -> dict[str, Replies]:
        """Send read-only remote control commands to all nodes at once and return each one's answers.

        Ends when every node that listens has answered everything, or after `seconds`.
        """
        mailbox = f"{self._reply_id}.reply.celery.pidbox"
        bindings = f"{self.prefix}_kombu.binding.{_REPLY_EXCHANGE}"
        member = _SEPARATOR.join((self._reply_id, "", mailbox))
        key = self.prefix + mailbox
        tickets = {str(uuid.uuid4()): method for method in methods}
        try:
            pipeline = self.client.pipeline(transaction=False)
            pipeline.delete(key)
            pipeline.sadd(bindings, member)
            for ticket, method in tickets.items():
                command = control_message(
                    method, {}, reply_id=self._reply_id, ticket=ticket, clock_seconds=time.time() + seconds
                )
                pipeline.publish(control_channel(self.prefix, self.database), command)
            listening = [int(heard) for heard in (await pipeline.execute())[2:]]
            answers = await self._collect(key, tickets, sum(listening), seconds)
        finally:
            with suppress(TimeoutError, OSError, redis_error()):
                async with asyncio.timeout(CLEAN_UP_SECONDS):
                    pipeline = self.client.pipeline(transaction=False)
                    pipeline.srem(bindings, member)
                    pipeline.delete(key)
                    await pipeline.execute()
        return {
            method: Replies(heard, tuple(answers[ticket]))
            for (ticket, method), heard in zip(tickets.items(), listening, strict=True)
        }

    async def tell(self, method: str, arguments: Mapping[str, Any] | None = None, nodes: Sequence[str] = ()) -> int:
        """Send a remote control command that nobody answers; return how many nodes heard it."""
        channel = control_channel(self.prefix, self.database)
        return int(await self.client.publish(channel, control_message(method, arguments or {}, nodes=nodes)))

    async def newest(self, queue: str, count: int) -> list[dict[str, Any]]:
        """Return the headers of the newest waiting messages of `queue`, newest first, at most `count`."""
        waiting = await cast(Awaitable[list[Any]], self.client.lrange(self.prefix + queue, 0, count - 1))
        headers = (json.loads(message).get("headers") for message in waiting)
        return [header for header in headers if isinstance(header, dict)]

    async def hidden(self, queue: str) -> int:
        """Return how many messages wait in `queue` that cannot be looked at: none on Redis."""
        return 0

    async def _collect(self, key: str, tickets: Mapping[str, str], expected: int,
                       seconds: float) -> dict[str, list[tuple[str, Any]]]:  # fmt: skip
        answers: dict[str, list[tuple[str, Any]]] = {ticket: [] for ticket in tickets}
        deadline = time.monotonic() + seconds
        while expected and (left := deadline - time.monotonic()) > 0:
            # BRPOP with 0 would wait for ever.
            popped = await cast(Awaitable[Any], self.client.brpop([key], timeout=max(left, 0.05)))
            if popped is None:
                break
            ticket = json.loads(popped[1])["headers"].get("ticket")
            if ticket in answers:
                answers[ticket].extend(decode(popped[1]).items())
                expected -= 1
        return answers


def _envelope(body: Any, headers: Mapping[str, Any], exchange: str, routing_key: str, **properties: Any) -> str:
    return json.dumps(
        {
            "body": base64.b64encode(json.dumps(body).encode()).decode(),
            "content-encoding": "utf-8",
            "content-type": "application/json",
            "headers": headers,
            "properties": {
                "delivery_tag": str(uuid.uuid4()),
                **properties,
                "delivery_mode": 2,
                "delivery_info": {"exchange": exchange, "routing_key": routing_key},
                "priority": 0,
                "body_encoding": "base64",
            },
        }
    )


def redis_error() -> type[Exception]:
    """Return what every error of the Redis client is."""
    from redis.exceptions import RedisError  # imported late: `--help` needs no Redis client

    return RedisError
