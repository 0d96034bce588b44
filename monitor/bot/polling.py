"""Long polling with the alert bot's own token: Telegram away or a second poller only make it wait."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import structlog

from monitor.delivery.pace import backoff_seconds

if TYPE_CHECKING:
    from aiogram import Bot
    from aiogram.types import Update

POLL_SECONDS = 20
"""How long Telegram holds a poll without news."""

REQUEST_SECONDS = 15.0
"""One exchange; a poll may take this on top."""

ALLOWED_UPDATES = ["message", "callback_query", "my_chat_member"]
"""Nothing else is asked for: no channel posts, no edits, no guests."""

CONFLICT_SECONDS = 5.0
"""The wait while another polls with our token. In a rolling deploy that is the leader that ends."""

CONFLICT_OVER = timedelta(minutes=1)
"""Without another one for so long, a conflict is over: two pollers take turns, so a poll that works says little."""

CONFLICT_STAYS = timedelta(minutes=2)
"""After so long it is no deploy: somebody else uses the token, or a webhook is set."""

log = structlog.get_logger(__name__)


class Poller:
    """Fetches updates, each once as far as this process knows, and hands them on in order."""

    def __init__(
        self,
        bot: "Bot",
        take: Callable[["Update"], Awaitable[None]],
        prepare: Callable[[], Awaitable[object]],
        *,
        now: Callable[[], datetime],
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
        poll_seconds: int = POLL_SECONDS,
    ) -> None:
        """`take` must not raise. `prepare` is called until it went through once."""
        from monitor.delivery import bot_api

        self._api = bot_api
        self._bot = bot
        self._take = take
        self._prepare = prepare
        self._now = now
        self._sleep = sleep
        self._poll_seconds = poll_seconds
        self._next_update_id: int | None = None
        self._is_prepared = False
        self._failures = 0
        self._conflict: tuple[datetime, datetime] | None = None
        """When the running or last conflict began, and when it was last met."""
        self._has_warned = False

    async def run(self) -> None:
        """Poll until cancelled."""
        while True:
            try:
                if not self._is_prepared:
                    await self._prepare()
                    self._is_prepared = True
                await self.poll_once()
            except self._api.BOT_API_ERRORS as error:
                is_conflict = self._api.is_conflict(error)
                await self._sleep(self._note_conflict(error) if is_conflict else self._note_failure(error))
            else:
                self._note_success()

    async def poll_once(self) -> None:
        """Wait for updates once, and hand them on in order. Raises what the Bot API client raises."""
        updates = await self._bot.get_updates(
            offset=self._next_update_id,
            timeout=self._poll_seconds,
            allowed_updates=ALLOWED_UPDATES,
            request_timeout=self._poll_seconds + int(REQUEST_SECONDS),
        )
        for update in updates:
            # Moved on first: an update that cannot be handled must not come again and again.
            self._next_update_id = update.update_id + 1
            await self._take(update)

    def _note_conflict(self, error: Exception) -> float:
        """Note that another polls, and return how long to wait."""
        detail = self._api.read_error(error).sent.detail
        now = self._now()
        since_at, last_at = self._conflict or (now, now)
        if self._conflict is None or not timedelta() <= now - last_at < CONFLICT_OVER:
            since_at, self._has_warned = now, False
            log.info("bot.poll_conflict", detail=detail)
        elif not self._has_warned and now - since_at >= CONFLICT_STAYS:
            self._has_warned = True
            log.warning("bot.poll_conflict_stays", detail=detail)
        self._conflict = since_at, now
        return CONFLICT_SECONDS

    def _note_failure(self, error: Exception) -> float:
        """Note a failure, and return how long to wait."""
        self._failures += 1
        sent = self._api.read_error(error).sent
        write = log.warning if self._failures in (1, 10) else log.debug
        write("bot.poll_failed", detail=sent.detail, failures=self._failures)
        return sent.retry_after_seconds or backoff_seconds(self._failures, "operators' bot")

    def _note_success(self) -> None:
        if self._failures:
            log.info("bot.poll_recovered", failures=self._failures)
        self._failures = 0
