"""What every worker check shares: its mailbox, one bounded conversation a look, and who is to blame for an error."""

import asyncio
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TypeVar

from pydantic import Field, model_validator

from checks.amqp import amqp_session
from checks.base import IO, Check
from checks.celery_wire import AFTER_SECONDS, CLEAN_UP_SECONDS, REPLY_SECONDS, BrokerConfig, told_of_broker
from checks.result import Verdict
from checks.worker.broker import Broker
from checks.worker.kombu_broker import KombuBroker
from checks.worker.redis_broker import RedisBroker

LEAST_TIMEOUT_SECONDS = REPLY_SECONDS + CLEAN_UP_SECONDS + 0.5
"""A question takes up to 1 s, and connecting and cleaning up need their time too."""

MANY = 400
"""So many earlier looks are remembered where minutes are judged: they are few bytes each."""


class AskingConfig(BrokerConfig):
    """The settings of a check that asks the workers by remote control."""

    @model_validator(mode="after")
    def _time_for_an_answer(self) -> "AskingConfig":
        if self.timeout_seconds < LEAST_TIMEOUT_SECONDS:
            raise ValueError(
                f"timeout_seconds: {self.timeout_seconds:g} must be at least {LEAST_TIMEOUT_SECONDS:g}:"
                f" a worker has {REPLY_SECONDS:g} s to answer a ping"
            )
        return self


class QueuesConfig(AskingConfig):
    """The settings of a check that looks at queues."""

    expected_queues: tuple[str, ...] = Field(default=(), max_length=64)
    """The queues there are; empty: those that workers consume, and were ever seen to consume."""
    priority_steps: tuple[int, ...] = (0, 3, 6, 9)
    """`priority_steps` of the app's `broker_transport_options`."""


ConfigT = TypeVar("ConfigT", bound=BrokerConfig)
SeenT = TypeVar("SeenT")


class BrokerCheck(Check[ConfigT, SeenT]):
    """A check that speaks to the broker."""

    __slots__ = ("_nodes", "_reply_id")

    def __init__(self, config: ConfigT) -> None:
        super().__init__(config)
        self._reply_id = str(uuid.uuid4())
        self._nodes: set[str] = set()
        """The nodes that have answered on RabbitMQ, which tells of a node by its name only."""

    @asynccontextmanager
    async def broker(self, io: IO) -> AsyncIterator[Broker]:
        """Open the broker for one look, which ends in time to clean up."""
        limit_seconds = io.timeout_seconds - AFTER_SECONDS
        if self.config.is_rabbitmq:
            async with asyncio.timeout(limit_seconds), amqp_session(self.config.url, limit_seconds) as session:
                yield KombuBroker(session, self._nodes, io.redis)
        else:
            async with asyncio.timeout(limit_seconds), io.redis(self.config.url) as client:
                yield RedisBroker(client, self.config, self._reply_id, io.redis)

    def on_failure(self, verdict: Verdict) -> Verdict:
        """Say it of the broker."""
        return told_of_broker(verdict, self.config)


def workers(count: int) -> str:
    """Return `1 worker` or `2 workers`."""
    return f"{count} worker" if count == 1 else f"{count} workers"


def is_private(queue: str) -> bool:
    """Say whether it is a node's own direct queue: it ends with the node, and must not be remembered."""
    return queue.endswith((".dq", ".dq2")) or queue.startswith(OWN_QUEUE)


OWN_QUEUE = "nexus-monitor.canary."
"""How the queues of `worker.each` begin; a node's name follows."""
