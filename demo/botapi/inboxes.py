"""What each bot has yet to receive, and how it wants to: updates, webhook, long poll."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from demo.botapi.errors import conflict
from demo.botapi.people import Json

KEPT_FOR = timedelta(hours=24)
"""How long Telegram keeps an update nobody takes."""

NOT_BY_DEFAULT = frozenset({"chat_member", "message_reaction", "message_reaction_count"})
POLL_CONFLICT = "terminated by other getUpdates request; make sure that only one bot instance is running"


@dataclass(frozen=True, slots=True)
class Update:
    """One update; those of the same lane (chat) are delivered one after the other."""

    id: int
    lane: str
    queued_at: datetime
    body: Json


@dataclass(frozen=True, slots=True)
class Webhook:
    """Where updates go, and the last failure to bring one."""

    url: str = ""
    secret_token: str = field(default="", repr=False)
    max_connections: int = 40
    last_error_at: datetime | None = None
    last_error_message: str = ""


class Inbox:
    """The queue of one bot.

    Only a webhook that really changes forgets its last error: success does not, nor setting the same again.
    """

    def __init__(self, bot_id: int, now: Callable[[], datetime]) -> None:
        self.bot_id = bot_id
        self.webhook = Webhook()
        self.webhook_set_at: datetime | None = None
        self.allowed: tuple[str, ...] = ()
        """Kinds the bot asked for; empty means Telegram's default set."""
        self.on_update: Callable[[], None] = lambda: None
        self.on_webhook: Callable[[], None] = lambda: None
        self._now = now
        self._pending: dict[int, Update] = {}
        self._next_id = 520_000_000 + bot_id % 1_000_000
        self._poll: asyncio.Future[None] | None = None

    def put(self, kind: str, payload: Json, lane: str) -> None:
        """Queue an update unless the bot did not ask for its kind."""
        if (kind not in self.allowed) if self.allowed else (kind in NOT_BY_DEFAULT):
            return
        self._next_id += 1
        update_id = self._next_id
        self._pending[update_id] = Update(update_id, lane, self._now(), {"update_id": update_id, kind: payload})
        if self._poll is not None and not self._poll.done():
            self._poll.set_result(None)
        self.on_update()

    def pending(self) -> list[Update]:
        """Return what waits, oldest first, without what is older than a day."""
        oldest = self._now() - KEPT_FOR
        for update in [update for update in self._pending.values() if update.queued_at < oldest]:
            del self._pending[update.id]
        return list(self._pending.values())

    def first(self, lane: str) -> Update | None:
        """Return the oldest update of a lane, or None."""
        return next((update for update in self.pending() if update.lane == lane), None)

    def done(self, update_id: int) -> None:
        """Forget an update that was delivered."""
        self._pending.pop(update_id, None)

    def clear(self) -> None:
        """Forget everything that waits."""
        self._pending.clear()

    def failed(self, message: str) -> None:
        """Note that the webhook did not take an update."""
        self.webhook = replace(self.webhook, last_error_at=self._now(), last_error_message=message)

    def set_webhook(self, webhook: Webhook, *, drop_pending: bool) -> bool:
        """Change where updates go and return whether anything changed; an empty address deletes the webhook."""
        if drop_pending:
            self.clear()
        before = replace(self.webhook, last_error_at=None, last_error_message="")
        if webhook == before or not (webhook.url or before.url):
            return False
        self.webhook = webhook
        if webhook.url:
            self.end_poll("terminated by setWebhook request")
            self.webhook_set_at = self._now()
        self.on_webhook()
        return True

    def end_poll(self, reason: str) -> None:
        """Answer a running getUpdates with a conflict."""
        if self._poll is not None and not self._poll.done():
            self._poll.set_exception(conflict(reason))

    async def take(self, *, offset: int, limit: int, timeout_seconds: float, gone: asyncio.Future[None]) -> list[Json]:
        """Return up to `limit` updates from `offset` on, waiting at most `timeout_seconds` for the first.

        `gone` completes when the caller hangs up. Raises ApiError 409 while a webhook is set and when a second call
        or a setWebhook ends this one.
        """
        if self.webhook.url:
            raise conflict(
                "can't use getUpdates method while webhook is active; use deleteWebhook to delete the webhook first"
            )
        self.end_poll(POLL_CONFLICT)
        if offset < 0:
            for update in self.pending()[:offset]:
                self.done(update.id)
        else:
            for update in self.pending():
                if update.id < offset:
                    self.done(update.id)
        if not self._pending and timeout_seconds > 0:
            poll: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._poll = poll
            try:
                await asyncio.wait({poll, gone}, timeout=timeout_seconds, return_when=asyncio.FIRST_COMPLETED)
                if poll.done():
                    poll.result()
            finally:
                if self._poll is poll:
                    self._poll = None
                if not poll.done():
                    poll.cancel()
        return [update.body for update in self.pending()[:limit]]
