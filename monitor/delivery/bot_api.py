"""The Bot API through aiogram: how a client is made, what its errors mean, how our values become its types.

Importing this costs seconds and a hundred megabytes: import it where a bot is made, never earlier.
"""

import re
from dataclasses import dataclass
from enum import Enum
from typing import Any, cast

import aiohttp
from aiogram import Bot
from aiogram.client.session.aiohttp import AiohttpSession
from aiogram.client.telegram import TelegramAPIServer
from aiogram.exceptions import (
    AiogramError,
    TelegramAPIError,
    TelegramBadRequest,
    TelegramConflictError,
    TelegramEntityTooLarge,
    TelegramMigrateToChat,
    TelegramNetworkError,
    TelegramRetryAfter,
    TelegramServerError,
)
from aiogram.types import InlineKeyboardButton, InlineKeyboardMarkup, MessageEntity, WebAppInfo
from pydantic import SecretStr

from checks.redaction import redact
from monitor.delivery.channel import Sent
from monitor.delivery.entities import Rendered, clean, clip
from monitor.engine.model import DeliveryOutcome

BOT_API_ERRORS = (AiogramError, OSError, ValueError, LookupError)
"""What a call may raise. The last three: a broken body that aiogram lets through while it is read as text."""

CONNECT_SHARE = 0.4
"""How much of the time-out a connection may take. Up to there nothing was sent, so that error is a sure one."""

DNS_CACHE_SECONDS = 30


class Mend(Enum):
    """What can be left out so that a refused message goes through."""

    FORMATTING = "sent as plain text without buttons"
    THREAD = "sent outside its topic"
    REPLY = "sent without the message it answers"


@dataclass(frozen=True, slots=True)
class Reading:
    """What an error means, and what to leave out in a second attempt, if that can help."""

    sent: Sent
    mend: Mend | None = None


class FreshSession(AiohttpSession):
    """A session without kept connections.

    One that was kept may be closed by the other side just as we write: then nobody knows whether the message left.
    """

    def __init__(self, api_url: str, timeout_seconds: float) -> None:
        timeout = aiohttp.ClientTimeout(total=timeout_seconds, connect=CONNECT_SHARE * timeout_seconds)
        super().__init__(api=TelegramAPIServer.from_base(api_url), timeout=cast(Any, timeout))
        self._connector_init |= {"force_close": True, "ttl_dns_cache": DNS_CACHE_SECONDS}


def open_bot(token: SecretStr, api_url: str, timeout_seconds: float) -> Bot:
    """Return a client for this token; `api_url` is the server, e.g. `https://api.telegram.org`."""
    return Bot(token.get_secret_value(), session=FreshSession(api_url, timeout_seconds))


def read_error(error: Exception) -> Reading:
    """Return what an error of a call means (Bot API: making requests; the classes of delivery outcomes)."""
    detail = clip(clean(redact(_description(error))), 200)
    match error:
        case TelegramRetryAfter():
            return Reading(Sent(DeliveryOutcome.RETRY, retry_after_seconds=float(error.retry_after), detail=detail))
        case TelegramMigrateToChat():
            return Reading(Sent(DeliveryOutcome.MIGRATED, migrated_to=str(error.migrate_to_chat_id), detail=detail))
        case TelegramEntityTooLarge():
            return Reading(Sent(DeliveryOutcome.PERMANENT, detail=detail), Mend.FORMATTING)
        case TelegramNetworkError():
            return Reading(Sent(_network_outcome(error), detail=detail))
        case TelegramServerError():
            return Reading(Sent(DeliveryOutcome.AMBIGUOUS, detail=detail))
        case TelegramConflictError():
            return Reading(Sent(DeliveryOutcome.RETRY, detail=detail))
        case TelegramBadRequest():
            return _read_bad_request(error.message, detail)
        case TelegramAPIError() if error.message.startswith("Too Many Requests"):
            seconds = re.search(r"retry after (\d+)", error.message)
            wait = float(seconds.group(1)) if seconds else 5.0
            return Reading(Sent(DeliveryOutcome.RETRY, retry_after_seconds=wait, detail=detail))
        case TelegramAPIError():
            return Reading(Sent(DeliveryOutcome.PERMANENT, detail=detail))
        case _:
            return Reading(Sent(DeliveryOutcome.AMBIGUOUS, detail=detail))


def is_conflict(error: Exception) -> bool:
    """Say whether somebody else takes this bot's updates: another poller, or a webhook."""
    return isinstance(error, TelegramConflictError)


def is_too_late(error: Exception) -> bool:
    """Say whether a press waited too long for its answer."""
    return isinstance(error, TelegramBadRequest) and "query is too old" in error.message.lower()


def _description(error: Exception) -> str:
    if isinstance(error, TelegramAPIError):
        return error.message.rsplit("Original description: ", 1)[-1]
    # A body that cannot be read stays out of logs and pages: it may be anything.
    return f"answer that cannot be read ({type(error).__name__})"


def _network_outcome(error: TelegramNetworkError) -> DeliveryOutcome:
    """Return `retry` for what surely failed before the request was written, else `ambiguous`.

    `aiohttp`: a `ClientConnectorError` is name resolution, refusal or TLS; a `ConnectionTimeoutError` is our limit
    on these. Anything else may have come after the write.
    """
    cause = error.__cause__
    never_written = (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError, aiohttp.InvalidURL)
    return DeliveryOutcome.RETRY if isinstance(cause, never_written) else DeliveryOutcome.AMBIGUOUS


_GONE = ("message to edit not found", "message can't be edited", "message_id_invalid")
_THREAD = ("message thread not found", "topic_deleted", "topic_closed", "topic deleted", "topic closed")
_REPLY = ("message to be replied not found", "message to reply not found", "replied message not found")
_FORMATTING = (
    "can't parse",
    "entity",
    "entities",
    "button",
    "keyboard",
    "reply markup",
    "reply_markup",
    "too long",
    "too_long",
    "wrong http url",
    "url_invalid",
)


def _read_bad_request(description: str, detail: str) -> Reading:
    text = description.lower()
    if "message is not modified" in text:
        return Reading(Sent(DeliveryOutcome.DELIVERED, detail=detail))
    refused = Sent(DeliveryOutcome.PERMANENT, detail=detail)
    if any(words in text for words in _GONE):
        return Reading(Sent(DeliveryOutcome.PERMANENT, detail=detail, is_message_gone=True))
    for mend, phrases in ((Mend.THREAD, _THREAD), (Mend.REPLY, _REPLY), (Mend.FORMATTING, _FORMATTING)):
        if any(words in text for words in phrases):
            return Reading(refused, mend)
    return Reading(refused)


def entities_of(rendered: Rendered) -> list[MessageEntity]:
    """Return the entities in aiogram's type."""
    return [
        MessageEntity(
            type=entity.type,
            offset=entity.offset,
            length=entity.length,
            url=entity.url,
            unix_time=entity.unix_time,
            date_time_format=entity.date_time_format,
        )
        for entity in rendered.entities
    ]


def markup_of(rendered: Rendered, *, is_private: bool = False) -> InlineKeyboardMarkup | None:
    """Return the buttons in aiogram's type, None without any: an edit without markup takes the buttons away."""
    if not rendered.buttons:
        return None
    rows = [
        [
            InlineKeyboardButton(text=button.text, web_app=WebAppInfo(url=button.app_url), style=button.style)
            if is_private and button.app_url is not None
            else InlineKeyboardButton(
                text=button.text, callback_data=button.callback_data, url=button.url, style=button.style
            )
            for button in row
        ]
        for row in rendered.buttons
    ]
    return InlineKeyboardMarkup(inline_keyboard=rows)
