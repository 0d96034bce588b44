"""`bot.ingress`: the bot's webhook takes a signed update that means nothing."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from checks.base import IO, Check, CheckConfig, Seconds, Secret
from checks.bot.last_error import cause_of_status
from checks.failures import told_as
from checks.http import Exchange, exchange
from checks.result import Fact, Reason, Verdict, degraded, failed, ok
from checks.wording import address, duration

UPDATE = json.dumps({"update_id": 1}).encode()
"""The one update that is harmless to any bot; a constant small id, so that nobody's greatest id moves."""

SECRET_HEADER = "X-Telegram-Bot-Api-Secret-Token"  # noqa: S105  the name of a header


class BotIngressConfig(CheckConfig):
    """Where the webhook is, and its secret."""

    kind: Literal["bot.ingress"] = "bot.ingress"
    interval_seconds: Seconds = 60.0
    timeout_seconds: Seconds = 10.0
    url: Secret
    """The webhook's whole URL; its path may be secret."""
    secret_token: Secret | None = None
    """What setWebhook was given as `secret_token`."""
    slow_seconds: Seconds = 2.0
    """Above this it is degraded."""


@dataclass(frozen=True, slots=True)
class BotIngressSeen:
    """The bot's answer."""

    answer: Exchange


class BotIngress(Check[BotIngressConfig, BotIngressSeen]):
    """POST `{"update_id": 1}` with the secret header."""

    Config = BotIngressConfig

    async def measure(self, io: IO) -> BotIngressSeen:
        """Send the update once."""
        headers = {"content-type": "application/json"}
        if self.config.secret_token is not None:
            headers[SECRET_HEADER] = self.config.secret_token.get_secret_value()
        url = self.config.url.get_secret_value()
        return BotIngressSeen(await exchange(io, "POST", url, headers=headers, content=UPDATE))

    def judge(self, seen: BotIngressSeen, now: datetime, before: Sequence[BotIngressSeen] = ()) -> Verdict:
        """Judge the status, then the time."""
        answer = seen.answer
        took = answer.phases.total_seconds
        values = answer.phases.values()
        summary = f"webhook {answer.status} in {duration(took)}"
        # Where a redirect leads is left out: the path may be secret.
        facts = (self._host, Fact("status", answer.status), Fact("latency", round(took, 4), "s"))
        if not answer.is_success:
            cause = cause_of_status(answer.status)
            reason = Reason.AUTH_REJECTED if answer.status in (401, 403) else Reason.HTTP_STATUS
            return failed(
                reason, f"{summary}: {cause.what}", *facts, hint=cause.hint, excerpt=answer.excerpt, values=values
            )
        if took > self.config.slow_seconds:
            return degraded(
                Reason.SLOW, f"{summary}, slower than {duration(self.config.slow_seconds)}", *facts,
                hint=f"{self.config.service} works before it answers, or its loop is blocked: see slow handlers.",
                values=values,
            )  # fmt: skip
        return ok(summary, *facts, values=values)

    def on_failure(self, verdict: Verdict) -> Verdict:
        """Say it of the webhook, with where to look."""
        service = self.config.service
        hints = {
            Reason.CONNECTION_REFUSED: f"Render → {service} → Events: crashed, or deploying? Does it bind $PORT?",
            Reason.TIMEOUT: f"Render → {service} → Logs: a blocked loop or a handler that waits; restart it.",
            Reason.CONNECTION_RESET: f"Render → {service} → Events: it may have crashed or restarted (out of memory?).",
            Reason.DNS_FAILURE: f"Was {service} renamed or deleted on Render?",
        }
        return told_as(verdict, "webhook", hints, self._host)

    @property
    def _host(self) -> Fact:
        return Fact("host", address(self.config.url.get_secret_value()))
