"""Speaks Celery's remote control on whichever broker the app has: Redis, or RabbitMQ."""

import json
import time
import uuid
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

from checks.amqp import Amqp, AmqpSession, amqp_errors, amqp_session
from checks.base import IO
from checks.celery_wire import REPLY_SECONDS, Broker, BrokerConfig, Replies, control_body, redis_error

CONTROL_EXCHANGE = "celery.pidbox"
"""A fanout to one queue of each node, which is called like the node and this."""

GRACE_SECONDS = 0.15
"""So much longer than the nodes that are known a new one may take to answer."""

Commands = Mapping[str, tuple[Mapping[str, Any], Sequence[str]]]
"""By method: its arguments, and the nodes it is for (none: all)."""


class AmqpBroker:
    """One look's conversation with the workers over RabbitMQ. Bounded by the caller's timeout.

    All that it declares is one queue of its own, which ends with its connection: exclusive, and bound to nothing.
    """

    def __init__(self, session: AmqpSession, nodes: set[str]) -> None:
        """`nodes` are the nodes that this check has heard of; they are learned and forgotten here.

        RabbitMQ does not tell how many nodes listen, but it tells of each by name.
        """
        self.session = session
        self._nodes = nodes

    async def ask(self, *methods: str, seconds: float = REPLY_SECONDS) -> dict[str, Replies]:
        """Send read-only remote control commands to all nodes at once, and return each one's answers.

        Ends a moment after every known node has answered everything, or after `seconds`. A silent node is counted
        where it has answered before; of silent ones that nobody knows, at most one.
        """
        return await self._send({method: ({}, ()) for method in methods}, seconds)

    async def tell(self, method: str, arguments: Mapping[str, Any] | None = None, nodes: Sequence[str] = ()) -> int:
        """Send a command; return how many nodes have obeyed it."""
        return len((await self._send({method: (arguments or {}, nodes)}, REPLY_SECONDS))[method].answers)

    async def newest(self, queue: str, count: int) -> list[dict[str, Any]]:
        """Return nothing: RabbitMQ shows no message without giving it away."""
        return []

    async def hidden(self, queue: str) -> int:
        """Return how many messages wait in `queue` that cannot be looked at."""
        state = await self.session.run(lambda amqp: amqp.peek(queue))
        return state.messages if state else 0

    async def _send(self, commands: Commands, seconds: float) -> dict[str, Replies]:
        return await self.session.run(lambda amqp: self._exchange(amqp, commands, seconds))

    def _exchange(self, amqp: Amqp, commands: Commands, seconds: float) -> dict[str, Replies]:
        """Send the commands and collect the answers. In the session's thread."""
        mailbox = amqp.listen()  # answered through the default exchange, so that no other has to be there
        tickets: dict[str, str] = {}
        heard = []
        for method, (arguments, nodes) in commands.items():
            ticket = str(uuid.uuid4())
            tickets[ticket] = method
            reply_to = {"exchange": "", "routing_key": mailbox}
            body = control_body(method, arguments, nodes) | {"ticket": ticket, "reply_to": reply_to}
            headers = {"clock": 1, "expires": time.time() + seconds}
            if amqp.publish(CONTROL_EXCHANGE, "", json.dumps(body).encode(), headers=headers):
                heard.append(method)
        awaited = {method: frozenset(commands[method][1] or self._nodes) for method in heard}
        answers = _collect(amqp, tickets, awaited, seconds, 0.0 if all(one[1] for one in commands.values()) else None)
        amqp.end_listening()
        answering = {node for found in answers.values() for node, _ in found}
        self._nodes |= answering
        self._nodes -= {node for node in self._nodes - answering if not _is_there(amqp, node)}
        replies = {}
        for method in commands:
            found = tuple(answers[method])
            silent = self._nodes - {node for node, _ in found}
            replies[method] = Replies(max(1, len(found) + len(silent)) if method in heard else 0, found)
        return replies


@asynccontextmanager
async def open_broker(
    io: IO, config: BrokerConfig, reply_id: str, nodes: set[str]
) -> AsyncIterator[Broker | AmqpBroker]:
    """Open the app's broker for one look. `reply_id` and `nodes` belong to the check, and outlive the look."""
    if config.is_rabbitmq:
        async with amqp_session(config.url, io.timeout_seconds) as session:
            yield AmqpBroker(session, nodes)
    else:
        async with io.redis(config.url) as client:
            yield Broker(client, config, reply_id)


def broker_error() -> tuple[type[Exception], ...]:
    """Return what a broken conversation with any broker raises."""
    return (redis_error(), *amqp_errors())


def _collect(
    amqp: Amqp,
    tickets: Mapping[str, str],
    awaited: Mapping[str, frozenset[str]],
    seconds: float,
    grace_seconds: float | None,
) -> dict[str, list[tuple[str, Any]]]:
    answers: dict[str, list[tuple[str, Any]]] = {method: [] for method in tickets.values()}
    deadline = time.monotonic() + seconds
    is_complete = False
    while awaited and (left := deadline - time.monotonic()) > 0:
        for message in amqp.drain(left):
            method = tickets.get(str(message.headers.get("ticket")))
            if method is not None:
                answers[method].extend(json.loads(message.body).items())
        if not is_complete and all(
            nodes and nodes <= {node for node, _ in answers[method]} for method, nodes in awaited.items()
        ):
            is_complete = True
            deadline = min(deadline, time.monotonic() + (GRACE_SECONDS if grace_seconds is None else grace_seconds))
    return answers


def _is_there(amqp: Amqp, node: str) -> bool:
    """Say whether a node is connected: it reads the queue of its name, and takes it away when it goes."""
    state = amqp.peek(f"{node}.{CONTROL_EXCHANGE}")
    return state is not None and state.consumers > 0
