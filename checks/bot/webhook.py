"""`bot.webhook`: Telegram has the webhook registered that the bot serves."""

from collections.abc import Sequence
from datetime import datetime
from ipaddress import ip_address
from typing import Literal
from urllib.parse import urlsplit

from pydantic import Field

from checks.base import IO, Check, CheckConfig, Seconds, Secret
from checks.bot.last_error import cause_of
from checks.bot.refusal import refusal
from checks.bot.webhook_info import WebhookInfo, shown, webhook_info
from checks.failures import told_as, unseen
from checks.result import Fact, Reason, Verdict, degraded, failed, ok
from checks.telegram_api import API_BASE_URL
from checks.wording import address, duration, listed

NOT_BY_DEFAULT = frozenset({"chat_member", "message_reaction", "message_reaction_count"})
"""Update types that Telegram leaves out when `allowed_updates` was never given."""

HAS_OWN_CERTIFICATES = ".onrender.com"
"""Hosts with certificates of a public authority, renewed by themselves."""


class BotWebhookConfig(CheckConfig):
    """Which bot, and which webhook it should have."""

    kind: Literal["bot.webhook"] = "bot.webhook"
    interval_seconds: Seconds = 60.0
    timeout_seconds: Seconds = 10.0
    token: Secret
    """The watched bot's token; only read-only methods are called with it."""
    api_base_url: str = Field(default=API_BASE_URL, pattern=r"^https?://[^\s/]+")
    expected_url: Secret | None = None
    """The exact URL; its path may be secret. Without it any https (or loopback) URL will do."""
    expected_updates: tuple[str, ...] = ()
    """Update types that the bot's handlers use."""
    min_connections: int = Field(default=5, ge=1, le=100)
    """Below this many parallel deliveries one slow handler delays everybody."""


class BotWebhook(Check[BotWebhookConfig, WebhookInfo]):
    """Compare the registered webhook with the expected one."""

    Config = BotWebhookConfig
    remembers = 1

    async def measure(self, io: IO) -> WebhookInfo:
        """Call getWebhookInfo."""
        return await webhook_info(io, self.config.token, self.config.api_base_url)

    def judge(self, seen: WebhookInfo, now: datetime, before: Sequence[WebhookInfo] = ()) -> Verdict:
        """Judge Telegram's answer, the URL, then the settings of the delivery."""
        if not seen.answer.is_ok:
            return refusal(seen.answer, "getWebhookInfo", self.config.service)
        facts = self._facts(seen, now, before)
        values = {"latency_seconds": seen.answer.latency_seconds, "pending_updates": float(seen.pending_updates)}
        service = self.config.service
        if not seen.url:
            return failed(
                Reason.MISSING, "no webhook is set: the bot gets no updates", *facts,
                hint=f"Restart {service} so that it sets its webhook again. Mostly the old instance's shutdown deleted "
                "it: take delete_webhook out of on_shutdown.",
                values=values,
            )  # fmt: skip
        if not self._is_expected(seen.url):
            return failed(
                Reason.DRIFT, f"the webhook points elsewhere: {address(seen.url)}", *facts,
                hint=f"Another deployment or a developer took the webhook: restart {service} to take it back.",
                values=values,
            )  # fmt: skip
        missing = self._missing_updates(seen)
        if missing:
            return degraded(
                Reason.DRIFT, f"allowed_updates lacks {listed(missing)}", *facts,
                hint="Telegram keeps the old list when setWebhook does not name one: pass allowed_updates in full.",
                values=values,
            )  # fmt: skip
        if seen.max_connections is not None and seen.max_connections < self.config.min_connections:
            return degraded(
                Reason.CAPACITY, f"max_connections is only {seen.max_connections}", *facts,
                hint="One slow handler delays everybody: set the webhook with max_connections 40.", values=values,
            )  # fmt: skip
        if seen.has_custom_certificate and address(seen.url).endswith(HAS_OWN_CERTIFICATES):
            return degraded(
                Reason.DRIFT, "Telegram checks the webhook against an uploaded certificate", *facts,
                hint="Render's certificates change: set the webhook again without a certificate, or updates stop.",
                values=values,
            )  # fmt: skip
        return ok(f"webhook is set at {address(seen.url)}, {seen.pending_updates} pending", *facts, values=values)

    def on_failure(self, verdict: Verdict) -> Verdict:
        """Say that we could not look: the way to Telegram failed, not the bot."""
        return unseen(told_as(verdict, "getWebhookInfo", {}))

    def _is_expected(self, url: str) -> bool:
        expected = self.config.expected_url
        return _is_reachable_webhook(url) if expected is None else url == expected.get_secret_value()

    def _missing_updates(self, seen: WebhookInfo) -> list[str]:
        used = self.config.expected_updates
        if seen.allowed_updates:
            return [kind for kind in used if kind not in seen.allowed_updates]
        return [kind for kind in used if kind in NOT_BY_DEFAULT]

    def _facts(self, seen: WebhookInfo, now: datetime, before: Sequence[WebhookInfo]) -> tuple[Fact, ...]:
        facts = [Fact("webhook", shown(seen.url))]
        expected = self.config.expected_url
        if expected is not None and seen.url != expected.get_secret_value():
            facts.append(Fact("expected", shown(expected.get_secret_value())))
        facts.append(Fact("pending updates", seen.pending_updates))
        if seen.last_error_at is not None:
            age = duration(max(0.0, (now - seen.last_error_at).total_seconds()))
            facts.append(Fact("last delivery error", f"{seen.last_error} ({age} ago)"))
            facts.append(Fact("its cause", cause_of(seen.last_error).what))
        if seen.max_connections is not None:
            facts.append(Fact("max connections", seen.max_connections))
        facts.append(Fact("allowed updates", ", ".join(seen.allowed_updates) or "Telegram's default"))
        if seen.ip:
            facts.append(Fact("ip", seen.ip))
        if seen.ip and before and before[-1].ip not in ("", seen.ip):
            facts.append(Fact("ip before", before[-1].ip))
        if seen.has_custom_certificate:
            facts.append(Fact("custom certificate", True))
        return (*facts, *seen.answer.facts())


def _is_reachable_webhook(url: str) -> bool:
    parts = urlsplit(url)
    host = parts.hostname or ""
    if parts.scheme == "https":
        return bool(host)
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False
