"""`bot.delivery`: Telegram brings the bot its updates, and the queue at Telegram does not grow."""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from pydantic import Field

from checks.base import IO, Check, CheckConfig, Confirm, Seconds, Secret
from checks.bot.last_error import cause_of
from checks.bot.refusal import refusal
from checks.bot.webhook_info import WebhookInfo, webhook_info
from checks.failures import told_as, unseen
from checks.result import Fact, Reason, Verdict, degraded, failed, ok, unknown
from checks.telegram_api import API_BASE_URL
from checks.wording import duration, shortened


class BotDeliveryConfig(CheckConfig):
    """Which bot, and how much may wait."""

    kind: Literal["bot.delivery"] = "bot.delivery"
    interval_seconds: Seconds = 60.0
    timeout_seconds: Seconds = 10.0
    confirm: Confirm = Confirm(failures=3, span_seconds=90.0)
    """Telegram pauses up to 120 s between attempts, so its queue is late to see that the bot is back."""
    token: Secret
    """The watched bot's token; only read-only methods are called with it."""
    api_base_url: str = Field(default=API_BASE_URL, pattern=r"^https?://[^\s/]+")
    error_window_seconds: Seconds = 180.0
    """Errors this close together are one trouble. Telegram waits up to 120 s between attempts."""
    max_pending: int = Field(default=20, ge=1)
    """More updates than this waiting in three looks running is degraded."""


@dataclass(frozen=True, slots=True)
class BotDeliverySeen:
    """One look at the queue."""

    info: WebhookInfo
    at: datetime


class BotDelivery(Check[BotDeliveryConfig, BotDeliverySeen]):
    """Compare getWebhookInfo with earlier looks: only a date that moves and a queue that grows mean something."""

    Config = BotDeliveryConfig
    remembers = 30
    """Enough to reach over the error window when it is looked at every 10 s."""

    async def measure(self, io: IO) -> BotDeliverySeen:
        """Call getWebhookInfo."""
        return BotDeliverySeen(await webhook_info(io, self.config.token, self.config.api_base_url), io.now())

    def judge(self, seen: BotDeliverySeen, now: datetime, before: Sequence[BotDeliverySeen] = ()) -> Verdict:
        """Judge Telegram's answer, then what moved since the earlier looks."""
        info = seen.info
        if not info.answer.is_ok:
            return refusal(info.answer, "getWebhookInfo", self.config.service)
        if not info.url:
            return unknown(Reason.MISSING, "nothing is delivered: no webhook is set", hint="See bot.webhook.")
        looks = [look for look in (*before, seen) if look.info.answer.is_ok]
        pending = [look.info.pending_updates for look in looks]
        facts = self._facts(info, pending, now)
        values = {"latency_seconds": info.answer.latency_seconds, "pending_updates": float(info.pending_updates)}
        errors = self._errors(looks, now)
        is_falling = len(pending) > 1 and pending[-1] < pending[-2]
        waiting = f"{info.pending_updates} waiting"
        cause = cause_of(info.last_error)
        if len(errors) >= 2 and info.pending_updates and not is_falling:
            return failed(
                Reason.DEPENDENCY_DOWN, f"Telegram cannot deliver: {cause.what} ({waiting})", *facts,
                hint=cause.hint, values=values,
            )  # fmt: skip
        if len(pending) > 5 and all(earlier < later for earlier, later in itertools.pairwise(pending[-6:])):
            return failed(
                Reason.BACKLOG, f"the queue at Telegram grows: {' → '.join(map(str, pending[-6:]))}", *facts,
                hint=f"{self.config.service} takes updates too slowly, or closes the connection without an answer: "
                "Render → Logs, CPU and memory; answer the webhook first, work later.",
                values=values,
            )  # fmt: skip
        if self._has_moved(looks) or (errors and info.pending_updates):
            return degraded(
                Reason.DEPENDENCY_DOWN, f"an update was not taken: {cause.what} ({waiting})", *facts,
                hint=cause.hint, values=values,
            )  # fmt: skip
        if len(pending) > 2 and min(pending[-3:]) > self.config.max_pending:
            return degraded(
                Reason.BACKLOG, f"{waiting} at Telegram{', and fewer now' if is_falling else ''}", *facts,
                hint=f"{self.config.service} is slower than its users: Render → Metrics and Logs. After an outage the "
                "queue empties by itself.",
                values=values,
            )  # fmt: skip
        if self._has_lost_its_data_centre(looks):
            return degraded(
                Reason.DEPENDENCY_DOWN, "Telegram's own servers lost each other: updates may come late", *facts,
                hint="Telegram's fault, not yours: wait.", values=values,
            )  # fmt: skip
        return ok(f"updates are delivered, {waiting}", *facts, values=values)

    def on_failure(self, verdict: Verdict) -> Verdict:
        """Say that we could not look: the way to Telegram failed, not the bot."""
        return unseen(told_as(verdict, "getWebhookInfo", {}))

    def _errors(self, looks: Sequence[BotDeliverySeen], now: datetime) -> set[datetime]:
        """Return the instants of the last minutes' errors: the date is sticky, so an old one is no news.

        Once nothing waited after the last error, everything was delivered and the trouble is over.
        """
        last = looks[-1].info.last_error_at
        if any(look.info.pending_updates == 0 for look in looks if look.info.last_error_at == last):
            return set()
        instants = {look.info.last_error_at for look in looks if look.info.last_error_at is not None}
        return {at for at in instants if (now - at).total_seconds() <= self.config.error_window_seconds}

    def _has_moved(self, looks: Sequence[BotDeliverySeen]) -> bool:
        last = looks[-1]
        return self._is_news(last.info.last_error_at, [look.info.last_error_at for look in looks[:-1]], last.at)

    def _has_lost_its_data_centre(self, looks: Sequence[BotDeliverySeen]) -> bool:
        last = looks[-1]
        earlier = [look.info.last_synchronization_error_at for look in looks[:-1]]
        return self._is_news(last.info.last_synchronization_error_at, earlier, last.at)

    def _is_news(self, date: datetime | None, earlier: Sequence[datetime | None], at: datetime) -> bool:
        """Say whether a sticky date moved since the last look; with no earlier look, whether one would have seen it."""
        if date is None:
            return False
        if earlier:
            return date != earlier[-1]
        return (at - date).total_seconds() <= self.config.interval_seconds

    def _facts(self, info: WebhookInfo, pending: Sequence[int], now: datetime) -> tuple[Fact, ...]:
        facts = [Fact("pending updates", " → ".join(map(str, pending[-6:])))]
        if info.last_error_at is not None:
            age = duration(max(0.0, (now - info.last_error_at).total_seconds()))
            facts.append(Fact("last delivery error", f"{shortened(info.last_error)} ({age} ago)"))
            facts.append(Fact("its cause", cause_of(info.last_error).what))
        if info.last_synchronization_error_at is not None:
            age = duration(max(0.0, (now - info.last_synchronization_error_at).total_seconds()))
            facts.append(Fact("last trouble inside Telegram", f"{age} ago"))
        return (*facts, *info.answer.facts())
