"""`telegram.api`: we reach the Bot API, with the alert bot's own token."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from pydantic import Field

from checks.base import IO, Check, CheckConfig, Seconds, Secret
from checks.failures import told_as
from checks.result import Fact, Reason, Verdict, degraded, failed, ok, unknown
from checks.telegram_api import API_BASE_URL, Answer, ask
from checks.wording import address, duration


class TelegramApiConfig(CheckConfig):
    """Which alert bot."""

    kind: Literal["telegram.api"] = "telegram.api"
    interval_seconds: Seconds = 60.0
    timeout_seconds: Seconds = 10.0
    token: Secret
    """The alert bot's token."""
    api_base_url: str = Field(default=API_BASE_URL, pattern=r"^https?://[^\s/]+")
    slow_seconds: Seconds = 5.0
    """Above this it is degraded."""


@dataclass(frozen=True, slots=True)
class TelegramApiSeen:
    """What getMe answered."""

    answer: Answer


class TelegramApi(Check[TelegramApiConfig, TelegramApiSeen]):
    """Call getMe. While it fails, what is seen through Telegram is unknown and alerts cannot go through it."""

    Config = TelegramApiConfig

    async def measure(self, io: IO) -> TelegramApiSeen:
        """Call getMe."""
        return TelegramApiSeen(await ask(io, self.config.token, "getMe", api_base_url=self.config.api_base_url))

    def judge(self, seen: TelegramApiSeen, now: datetime, before: Sequence[TelegramApiSeen] = ()) -> Verdict:
        """Judge Telegram's answer, then the time."""
        answer = seen.answer
        facts = (self._host, *answer.facts())
        values = {"latency_seconds": answer.latency_seconds}
        summary = f"getMe {answer.status} in {duration(answer.latency_seconds)}"
        if answer.status in (401, 404):
            return failed(
                Reason.AUTH_REJECTED, f"{summary}: Telegram refuses the alert bot's token", *facts,
                hint="Alerts cannot be sent: take the token from BotFather and set it for the monitor.",
                values=values, certain=True,
            )  # fmt: skip
        if answer.status == 429:
            return unknown(Reason.RATE_LIMITED, f"{summary}: too many calls", *facts, hint="It answers: wait.")
        if not answer.is_ok:
            return failed(
                Reason.HTTP_STATUS, f"{summary}: Telegram's Bot API is in trouble", *facts,
                hint="Not your stack. Until it is back, alerts cannot be sent through Telegram.", values=values,
            )  # fmt: skip
        if answer.latency_seconds > self.config.slow_seconds:
            return degraded(
                Reason.SLOW, summary, *facts, hint="Telegram or the way to it is slow: alerts come late.", values=values
            )
        return ok(summary, *facts, values=values)

    def on_failure(self, verdict: Verdict) -> Verdict:
        """Say it of the way to Telegram."""
        hint = "Not your stack: Telegram, or the way to it. Until it is back, alerts cannot be sent through it."
        return told_as(verdict, "Bot API", dict.fromkeys(Reason, hint), self._host)

    @property
    def _host(self) -> Fact:
        return Fact("host", address(self.config.api_base_url))
