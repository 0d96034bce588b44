"""Listens to the events of Celery's workers on RabbitMQ, for as long as it is there and answers."""

import asyncio
import json
import time
from collections.abc import Callable, Mapping
from typing import Any

from checks.amqp import Amqp, amqp_session
from checks.celery_broker import CONTROL_EXCHANGE
from checks.celery_wire import control_body

EVENT_EXCHANGE = "celeryev"
ANSWER_SECONDS = 2.0
"""How long the broker may take to connect, and to answer."""
SILENCE_SECONDS = 2.0
"""After so long without a word from the broker it is asked for one: a paused one is noticed within 4 s."""
ENABLE_EVENTS_SECONDS = 60.0
"""How often the workers are told to send task events: a restarted one has forgotten it."""


class NoExchangeError(Exception):
    """No worker has ever been there: the exchange of the events is made by the first one."""


async def listen(
    url: str,
    connected: Callable[[], None],
    keep: Callable[[list[dict[str, Any]]], bool],
    *,
    enable_events: bool,
) -> None:
    """Give each batch of events to `keep`, which says whether a worker came online. Raises when the broker is lost."""
    async with amqp_session(url, ANSWER_SECONDS) as session:
        async with asyncio.timeout(3 * ANSWER_SECONDS):
            await session.run(_subscribe)
            if enable_events:
                await session.run(_tell)
        told = time.monotonic()
        connected()
        while True:
            messages = await session.run(lambda amqp: amqp.drain(SILENCE_SECONDS))
            events = [event for message in messages for event in _events(message.body)]
            if events and keep(events):
                told = time.monotonic() - ENABLE_EVENTS_SECONDS
            if not messages:
                await session.run(Amqp.ping)
            if enable_events and time.monotonic() - told >= ENABLE_EVENTS_SECONDS:
                await session.run(_tell)
                told = time.monotonic()


def _subscribe(amqp: Amqp) -> None:
    if not amqp.bind(amqp.listen(), EVENT_EXCHANGE, ("#",)):
        raise NoExchangeError("no worker has been there yet")


def _tell(amqp: Amqp) -> None:
    """Tell the workers to send task events. Nobody answers."""
    body: Mapping[str, Any] = control_body("enable_events", {})
    amqp.publish(CONTROL_EXCHANGE, "", json.dumps(body).encode(), headers={"clock": 1, "expires": 0})


def _events(body: str | bytes) -> list[dict[str, Any]]:
    """Return the events of one message: one, or many of a `task.multi`; none when it is not Celery's."""
    try:
        found = json.loads(body)
    except ValueError:
        return []
    return [one for one in (found if isinstance(found, list) else [found]) if isinstance(one, dict) and "type" in one]
