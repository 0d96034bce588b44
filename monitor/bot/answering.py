"""Answers into the chat that asked: in its topic, under the question, once more where Telegram says how."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import structlog

from monitor.bot.asking import Pending
from monitor.delivery.channel import Channel, Sent
from monitor.delivery.entities import Rendered
from monitor.engine.model import DeliveryOutcome

WAIT_MOST_SECONDS = 15.0
"""An answer that Telegram wants later than this has lost its worth."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Place:
    """Where an answer goes."""

    chat_id: int
    topic_id: int | None = None
    reply_to: int | None = None
    """The question, where others may have written since."""

    @property
    def target(self) -> str:
        return str(self.chat_id) if self.topic_id is None else f"{self.chat_id}/{self.topic_id}"


class Answers:
    """Sends answers without a sound. One that does not arrive is logged and let go: the person asks again."""

    def __init__(self, channel: Channel, sleep: Callable[[float], Awaitable[object]] = asyncio.sleep) -> None:
        self._channel = channel
        self._sleep = sleep

    async def give(self, place: Place, answer: Rendered | Pending, tasks: asyncio.TaskGroup) -> None:
        """Send an answer; the rest of one that takes a while follows from `tasks`."""
        if isinstance(answer, Rendered):
            await self._send(place, answer)
            return
        sent = await self._send(place, answer.first)
        tasks.create_task(self._finish(place, sent, answer), name="bot.answer")

    async def _finish(self, place: Place, first: Sent, answer: Pending) -> None:
        try:
            rest = await answer.rest()
            if first.message_id is not None:
                edited = await self._channel.edit(place.target, first.message_id, rest)
                if edited.outcome is DeliveryOutcome.DELIVERED:
                    return
            await self._send(place, rest)
        except Exception as error:  # noqa: BLE001  # the guard of a task: one answer must not end the bot
            log.warning("bot.answer_failed", error=type(error).__name__)

    async def _send(self, place: Place, rendered: Rendered) -> Sent:
        sent = await self._channel.send(place.target, rendered, reply_to=place.reply_to, is_silent=True)
        if sent.retry_after_seconds is not None and sent.retry_after_seconds <= WAIT_MOST_SECONDS:
            await self._sleep(sent.retry_after_seconds)
            sent = await self._channel.send(place.target, rendered, reply_to=place.reply_to, is_silent=True)
        elif sent.migrated_to is not None:
            sent = await self._channel.send(sent.migrated_to, rendered, reply_to=None, is_silent=True)
        if sent.outcome is not DeliveryOutcome.DELIVERED:
            log.warning("bot.answer_not_sent", outcome=sent.outcome.value, detail=sent.detail)
        return sent
