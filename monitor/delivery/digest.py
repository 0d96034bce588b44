"""Tells each chat every morning of the warnings of the day before: once, without a sound, if there were any."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

from monitor.delivery.channel import Channel, Sent
from monitor.delivery.desk import Desk, guarded
from monitor.delivery.digest_message import render_digest, warnings_of
from monitor.delivery.neighbours import Digests
from monitor.engine.model import DeliveryOutcome, Plan

LOOK_SECONDS = 30.0
LATE = timedelta(hours=6)
"""A morning that long ago is let go: a digest at night helps nobody."""

MOST_INCIDENTS = 500
KIND = "digest"


class DigestKeeper:
    """Sends the digests of the chats that are told first. What was told stands in the store."""

    def __init__(
        self,
        desk: Desk,
        digests: Digests,
        channel: Channel,
        plan: Plan,
        *,
        title: str,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
        channel_name: str = "telegram",
    ) -> None:
        self._desk = desk
        self._digests = digests
        self._channel = channel
        self._plan = plan
        self._title = title
        self._sleep = sleep
        self._chat_ids = [chat.id for chat in plan.chats if chat.is_first and chat.channel == channel_name]

    async def run(self) -> None:
        """Look every half minute whether it is morning, until cancelled. Nothing that goes wrong ends it."""
        while True:
            await self._sleep(LOOK_SECONDS)
            await self.tell_due()

    async def tell_due(self) -> None:
        """Tell each chat that has not heard of this morning."""
        now = self._desk.now()
        morning = self._plan.morning.before(now)
        if now - morning > LATE:
            return
        for chat_id in self._chat_ids:
            await guarded("digest.failed", lambda chat_id=chat_id: self._tell(chat_id, morning), chat=chat_id)  # type: ignore[misc]

    async def _tell(self, chat_id: str, morning: datetime) -> None:
        told_at = await self._digests.digest_at(chat_id)
        if (told_at is not None and told_at >= morning) or not self._desk.may_reach(chat_id):
            return
        place = await self._desk.place(chat_id)
        if isinstance(place, str):
            return
        warnings = warnings_of(await self._digests.incidents(MOST_INCIDENTS), morning)
        rendered = render_digest(self._title, warnings, self._desk.state.checks, self._desk.now())
        # Noted first: a digest lost in a crash is better than one that comes with every restart.
        await self._digests.set_digest(chat_id, morning)
        if rendered is None:
            return
        sent = await self._channel.send(place.target, rendered, reply_to=None, is_silent=True)
        self._desk.attempted(place, KIND, sent, chat=chat_id)
        if await self._is_to_be_repeated(chat_id, sent):
            await self._digests.set_digest(chat_id, told_at)

    async def _is_to_be_repeated(self, chat_id: str, sent: Sent) -> bool:
        """Say whether it surely did not arrive, and may another time."""
        if sent.retry_after_seconds is not None:
            await self._desk.pause(chat_id, sent.retry_after_seconds)
        elif sent.migrated_to is not None:
            await self._desk.move(chat_id, sent.migrated_to)
        return sent.outcome in (DeliveryOutcome.RETRY, DeliveryOutcome.MIGRATED)
