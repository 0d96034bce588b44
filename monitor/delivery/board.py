"""Keeps the board of each chat: a pinned message edited every minute, the noiseless proof that telling works."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

import structlog

from monitor.delivery.board_message import render_board
from monitor.delivery.channel import PinningChannel, Sent
from monitor.delivery.desk import Desk, Place, guarded
from monitor.delivery.neighbours import Boards
from monitor.engine.model import ChatMended, DeliveryOutcome, Plan

BOARD_SECONDS = 60.0
"""Between two edits: a board that is older says that the monitor, or its way to Telegram, is gone."""

FIRST_SECONDS = 5.0
"""After the start: time for the first looks."""

REFUSED_SECONDS = 3600.0
"""How long a board is left alone that the chat refuses, or of which nobody knows whether it was posted: an hour of
bad gateways must not leave sixty boards."""

KIND = "board"

log = structlog.get_logger(__name__)


class BoardKeeper:
    """Posts, pins and edits the boards of the chats that are told first. What it remembers are waits only."""

    def __init__(
        self,
        desk: Desk,
        boards: Boards,
        channel: PinningChannel,
        plan: Plan,
        *,
        title: str,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
        board_seconds: float = BOARD_SECONDS,
        channel_name: str = "telegram",
    ) -> None:
        self._desk = desk
        self._boards = boards
        self._channel = channel
        self._plan = plan
        self._title = title
        self._sleep = sleep
        self._board_seconds = board_seconds
        self._chat_ids = [chat.id for chat in plan.chats if chat.is_first and chat.channel == channel_name]
        self._not_before: dict[str, datetime] = {}
        self._pin_not_before: dict[str, datetime] = {}
        self._said_unpinned: set[str] = set()

    async def run(self) -> None:
        """Keep the boards until cancelled. Nothing that goes wrong ends it."""
        await self._sleep(min(FIRST_SECONDS, self._board_seconds))
        while True:
            await self.refresh()
            await self._sleep(self._board_seconds)

    async def refresh(self) -> None:
        """Bring each board up to date, once."""
        for chat_id in self._chat_ids:
            await guarded("board.refresh_failed", lambda chat_id=chat_id: self._refresh(chat_id), chat=chat_id)  # type: ignore[misc]

    async def _refresh(self, chat_id: str) -> None:
        if not self._is_due(self._not_before, chat_id) or self._desk.is_paused(chat_id):
            return
        place = await self._desk.place(chat_id)
        if isinstance(place, str):
            self._wait(self._not_before, chat_id, REFUSED_SECONDS)
            return
        board = await self._boards.board(chat_id)
        rendered = render_board(self._title, self._plan, self._desk.state, self._desk.now())
        if board is not None:
            sent = await self._channel.edit(place.target, board.message_id, rendered)
            self._desk.attempted(place, KIND, sent, chat=chat_id)
            if not sent.is_message_gone:
                await self._settle(chat_id, sent, is_new=False)
                if sent.outcome is DeliveryOutcome.DELIVERED and not board.is_pinned:
                    await self._pin(chat_id, place, board.message_id)
                return
            await self._boards.set_board(chat_id, None)
        sent = await self._channel.send(place.target, rendered, reply_to=None, is_silent=True)
        self._desk.attempted(place, KIND, sent, chat=chat_id)
        await self._settle(chat_id, sent, is_new=True)
        if sent.outcome is DeliveryOutcome.DELIVERED and sent.message_id is not None:
            await self._boards.set_board(chat_id, sent.message_id)
            await self._pin(chat_id, place, sent.message_id)

    async def _settle(self, chat_id: str, sent: Sent, *, is_new: bool) -> None:
        """Do what the outcome of a post or an edit calls for; an edit that failed is simply made again."""
        if sent.retry_after_seconds is not None:
            await self._desk.pause(chat_id, sent.retry_after_seconds)
        elif sent.migrated_to is not None:
            await self._desk.move(chat_id, sent.migrated_to)
        elif sent.outcome is DeliveryOutcome.PERMANENT or (is_new and sent.outcome is DeliveryOutcome.AMBIGUOUS):
            self._wait(self._not_before, chat_id, REFUSED_SECONDS)
        elif sent.outcome is DeliveryOutcome.DELIVERED and self._desk.is_broken(chat_id):
            await self._desk.tell(ChatMended(chat_id))

    async def _pin(self, chat_id: str, place: Place, message_id: int) -> None:
        if not self._is_due(self._pin_not_before, chat_id):
            return
        sent = await self._channel.pin(place.target, message_id)
        if sent.outcome is DeliveryOutcome.DELIVERED:
            await self._boards.set_board(chat_id, message_id, is_pinned=True)
        elif sent.retry_after_seconds is not None:
            await self._desk.pause(chat_id, sent.retry_after_seconds)
        elif sent.outcome is DeliveryOutcome.PERMANENT:
            self._wait(self._pin_not_before, chat_id, REFUSED_SECONDS)
            if chat_id not in self._said_unpinned:
                self._said_unpinned.add(chat_id)
                log.warning("board.not_pinned", chat=chat_id, detail=sent.detail)

    def _is_due(self, waits: dict[str, datetime], chat_id: str) -> bool:
        not_before = waits.get(chat_id)
        # One further away than it was ever set is left from before the clock was set back.
        return not_before is None or not timedelta() < not_before - self._desk.now() <= timedelta(
            seconds=REFUSED_SECONDS
        )

    def _wait(self, waits: dict[str, datetime], chat_id: str, seconds: float) -> None:
        waits[chat_id] = self._desk.now() + timedelta(seconds=seconds)
