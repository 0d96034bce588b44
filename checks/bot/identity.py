"""`bot.identity`: the watched token is alive, and belongs to the bot it should."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from pydantic import Field

from checks.base import IO, Check, CheckConfig, Seconds, Secret
from checks.bot.refusal import refusal
from checks.failures import told_as, unseen
from checks.result import Fact, Reason, Verdict, failed, ok
from checks.telegram_api import API_BASE_URL, Answer, ask


class BotIdentityConfig(CheckConfig):
    """Which bot it should be."""

    kind: Literal["bot.identity"] = "bot.identity"
    interval_seconds: Seconds = 300.0
    timeout_seconds: Seconds = 10.0
    token: Secret
    """The watched bot's token; only read-only methods are called with it."""
    api_base_url: str = Field(default=API_BASE_URL, pattern=r"^https?://[^\s/]+")
    expected_id: int | None = None
    """The bot's number; without it any will do."""
    expected_username: str = Field(default="", pattern=r"^@?\w*$")
    """The bot's name, with or without @; without it any will do."""


@dataclass(frozen=True, slots=True)
class BotIdentitySeen:
    """What getMe answered."""

    answer: Answer


class BotIdentity(Check[BotIdentityConfig, BotIdentitySeen]):
    """Call getMe with the watched token."""

    Config = BotIdentityConfig

    async def measure(self, io: IO) -> BotIdentitySeen:
        """Call getMe."""
        return BotIdentitySeen(await ask(io, self.config.token, "getMe", api_base_url=self.config.api_base_url))

    def judge(self, seen: BotIdentitySeen, now: datetime, before: Sequence[BotIdentitySeen] = ()) -> Verdict:
        """Judge Telegram's answer, then whose token it is."""
        answer = seen.answer
        if not answer.is_ok:
            return refusal(answer, "getMe", self.config.service)
        me: dict[str, Any] = answer.result if isinstance(answer.result, dict) else {}
        bot_id, username = me.get("id"), str(me.get("username", ""))
        facts = (Fact("bot", f"@{username}"), Fact("id", bot_id), *answer.facts())
        values = {"latency_seconds": answer.latency_seconds}
        expected = self.config.expected_username.removeprefix("@")
        is_other = bool(expected) and username.lower() != expected.lower()
        if is_other or (self.config.expected_id is not None and bot_id != self.config.expected_id):
            wanted = f"@{expected}" if is_other else f"number {self.config.expected_id}"
            return failed(
                Reason.DRIFT, f"the token is of another bot: @{username}, not {wanted}", *facts,
                hint="A staging token in production, or the bot was renamed: compare BOT_TOKEN of "
                f"{self.config.service} with BotFather's.",
                values=values, certain=True,
            )  # fmt: skip
        return ok(f"the token is @{username}'s", *facts, values=values)

    def on_failure(self, verdict: Verdict) -> Verdict:
        """Say that we could not look: the way to Telegram failed, not the bot."""
        return unseen(told_as(verdict, "getMe", {}))
