"""`bot.ingress`: the bot's webhook takes a signed update that means nothing."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from checks.base import IO, Check, CheckConfig, Seconds, Secret
from checks.bot.host import host_fact, told_of_host
from checks.bot.last_error import cause_of_status
from checks.http import Exchange, exchange
from checks.result import Fact, Reason, Verdict, degraded, failed, ok, unknown
from checks.wording import duration

UPDATE = json.dumps({"update_id": 1}).encode()
"""The one update that is harmless to any bot; a constant small id, so that nobody's greatest id moves."""

SECRET_HEADER = "X-Telegram-Bot-Api-Secret-Token"  # noqa: S105  the name of a header


IP_FILTER = (
    "aiogram's ip_filter_middleware refuses every address but Telegram's, so also this look. It trusts X-Forwarded-For "
    "and protects nothing: take it out, and rely on the secret token."
)
"""The filter says `401: Unauthorized`, a wrong secret `Unauthorized`."""


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
        facts = (host_fact(self.config.url), Fact("status", answer.status), Fact("latency", round(took, 4), "s"))
        if answer.status in (401, 403) and self.config.secret_token is None:
            return unknown(
                Reason.NOT_CONFIGURED, f"webhook {answer.status}: it asks for a secret that the monitor was not given",
                *facts, hint="Set WEBHOOK_SECRET to what setWebhook is given as secret_token.", excerpt=answer.excerpt,
            )  # fmt: skip
        if answer.is_success and answer.content_type == "text/html":
            return failed(
                Reason.BODY_MISMATCH, f"{summary}: a web page answers, not the bot", *facts,
                hint="Telegram takes this for delivered, and every update is lost: another service, or a catch-all "
                "page, stands at the webhook's address.",
                excerpt=answer.excerpt, values=values,
            )  # fmt: skip
        if not answer.is_success:
            cause = cause_of_status(answer.status)
            reason = Reason.AUTH_REJECTED if answer.status in (401, 403) else Reason.HTTP_STATUS
            hint = IP_FILTER if answer.text.strip() == "401: Unauthorized" else cause.hint
            return failed(reason, f"{summary}: {cause.what}", *facts, hint=hint, excerpt=answer.excerpt, values=values)
        if took > self.config.slow_seconds:
            return degraded(
                Reason.SLOW, f"{summary}, slower than {duration(self.config.slow_seconds)}", *facts,
                hint=f"{self.config.service} works before it answers, or its loop is blocked: see slow handlers.",
                values=values,
            )  # fmt: skip
        return ok(summary, *facts, values=values)

    def on_failure(self, verdict: Verdict) -> Verdict:
        """Say it of the webhook, with where to look."""
        return told_of_host(verdict, "webhook", self.config.service, self.config.url)
