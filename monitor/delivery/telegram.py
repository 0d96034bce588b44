"""Telegram as a channel: one message out or one edit, and what became of it."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from pydantic import SecretStr

from monitor.delivery.channel import Sent
from monitor.delivery.entities import Rendered
from monitor.engine.model import DeliveryOutcome

if TYPE_CHECKING:
    from aiogram.types import Message

    from monitor.delivery.bot_api import Mend

API_URL = "https://api.telegram.org"
TIMEOUT_SECONDS = 15.0
"""Of one HTTP exchange; a third of the lease of a message in the outbox."""


class TelegramChannel:
    """Sends with the alert bot's own token: it shares nothing with the bot that is watched.

    A target is `chat_id` or `chat_id/thread_id`, where chat_id is a number or a channel's @name.
    """

    def __init__(self, token: SecretStr, *, api_url: str = API_URL, timeout_seconds: float = TIMEOUT_SECONDS) -> None:
        # Here and not at the first alert: the import takes seconds, in which the loop would stand still.
        from monitor.delivery import bot_api

        self._api = bot_api
        self._bot = bot_api.open_bot(token, api_url, timeout_seconds)
        self._timeout_seconds = timeout_seconds

    async def send(self, target: str, rendered: Rendered, *, reply_to: int | None, is_silent: bool) -> Sent:
        from aiogram.types import LinkPreviewOptions, ReplyParameters

        place = read_target(target)
        if place is None:
            return _bad_target(target)
        chat_id, thread_id = place
        mend = self._api.Mend

        async def call(without: "frozenset[Mend]") -> "Message":
            is_plain = mend.FORMATTING in without
            has_reply = reply_to is not None and mend.REPLY not in without
            return await self._bot.send_message(
                chat_id=chat_id,
                text=rendered.text,
                entities=None if is_plain else self._api.entities_of(rendered),
                parse_mode=None,
                reply_markup=None if is_plain else self._api.markup_of(rendered, is_private=_is_private(chat_id)),
                message_thread_id=None if mend.THREAD in without else thread_id,
                reply_parameters=(
                    ReplyParameters(message_id=reply_to, allow_sending_without_reply=True)
                    if has_reply and reply_to is not None
                    else None
                ),
                disable_notification=is_silent,
                link_preview_options=LinkPreviewOptions(is_disabled=True),
            )

        return await self._attempt(call)

    async def edit(self, target: str, message_id: int, rendered: Rendered) -> Sent:
        from aiogram.types import LinkPreviewOptions

        place = read_target(target)
        if place is None:
            return _bad_target(target)
        chat_id, _ = place

        async def call(without: "frozenset[Mend]") -> "Message | bool":
            is_plain = self._api.Mend.FORMATTING in without
            return await self._bot.edit_message_text(
                chat_id=chat_id,
                message_id=message_id,
                text=rendered.text,
                entities=None if is_plain else self._api.entities_of(rendered),
                parse_mode=None,
                reply_markup=None if is_plain else self._api.markup_of(rendered, is_private=_is_private(chat_id)),
                link_preview_options=LinkPreviewOptions(is_disabled=True),
            )

        return replace(await self._attempt(call), message_id=message_id)

    async def pin(self, target: str, message_id: int) -> Sent:
        place = read_target(target)
        if place is None:
            return _bad_target(target)
        chat_id, _ = place

        async def call(_: "frozenset[Mend]") -> bool:
            return await self._bot.pin_chat_message(chat_id=chat_id, message_id=message_id, disable_notification=True)

        return replace(await self._attempt(call), message_id=message_id)

    async def close(self) -> None:
        """Close what is open. Nothing can be sent afterwards."""
        await self._bot.session.close()

    async def _attempt(self, call: "Callable[[frozenset[Mend]], Awaitable[Message | bool]]") -> Sent:
        """Call, and call again without what was refused: each part is left out at most once."""
        without: frozenset[Mend] = frozenset()
        try:
            async with asyncio.timeout(2 * self._timeout_seconds):
                while True:
                    try:
                        message = await call(without)
                    except self._api.BOT_API_ERRORS as error:
                        reading = self._api.read_error(error)
                        if reading.mend is None or reading.mend in without:
                            return reading.sent
                        without |= {reading.mend}
                    else:
                        left_out = "; ".join(sorted(mend.value for mend in without))
                        # An answer may say ok and nothing else; then it is delivered, and cannot be edited.
                        message_id: int | None = getattr(message, "message_id", None)
                        return Sent(DeliveryOutcome.DELIVERED, message_id, detail=left_out)
        except TimeoutError:
            return Sent(DeliveryOutcome.AMBIGUOUS, detail=f"no answer within {2 * self._timeout_seconds:g} s")


def read_target(target: str) -> tuple[int | str, int | None] | None:
    """Return (chat id, thread id) of `chat_id` or `chat_id/thread_id`; None when it is neither."""
    chat, separator, thread = target.strip().partition("/")
    if separator and not (thread.isascii() and thread.isdigit()):
        return None
    thread_id = int(thread) if separator else None
    number = chat.removeprefix("-")
    if number.isascii() and number.isdigit():
        return int(chat), thread_id
    return (chat, thread_id) if chat.startswith("@") and len(chat) > 1 else None


def _is_private(chat_id: int | str) -> bool:
    """Say whether it is a person's chat: groups and channels have numbers below zero, or names."""
    return isinstance(chat_id, int) and chat_id > 0


def _bad_target(target: str) -> Sent:
    return Sent(DeliveryOutcome.PERMANENT, detail=f"target {target[:80]!r}: must be <chat id> or <chat id>/<thread id>")
