"""`bot.reply_telegram`: a bot of ours asks the watched bot in a private group, through Telegram both ways."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, Self

from pydantic import Field, model_validator

from checks.base import IO, Check, CheckConfig, Confirm, Seconds, Secret
from checks.bot.prober import call
from checks.bot.refusal import refusal
from checks.failures import told_as, unseen
from checks.result import Fact, Reason, Verdict, degraded, failed, ok, unknown
from checks.telegram_api import API_BASE_URL, Answer, ask
from checks.wording import duration, shortened

CLEAN_UP_SHARE = 0.2
"""How much of the look's limit is kept for deleting what was written."""


class BotReplyTelegramConfig(CheckConfig):
    """Who asks whom, where, and what."""

    kind: Literal["bot.reply_telegram"] = "bot.reply_telegram"
    interval_seconds: Seconds = 300.0
    timeout_seconds: Seconds = 30.0
    confirm: Confirm = Confirm(failures=2, span_seconds=10.0)
    token: Secret
    """The watched bot's token: asked for its name, nothing else."""
    prober_token: Secret
    """A third bot's, which nobody else polls."""
    chat_id: str = Field(pattern=r"^-?\d+$")
    """A private group of these two bots alone."""
    api_base_url: str = Field(default=API_BASE_URL, pattern=r"^https?://[^\s/]+")
    command: str = Field(default="/ping", pattern=r"^/\w+$")
    """One that answers bots too; a word is given with it, and best repeated in the answer."""
    slow_seconds: Seconds = 10.0
    """Above this round trip it is degraded."""

    @model_validator(mode="after")
    def _bots_differ(self) -> Self:
        if _bot_id(self.token) == _bot_id(self.prober_token):
            raise ValueError("prober_token is the watched bot's own; it must be another bot's")
        return self


@dataclass(frozen=True, slots=True)
class BotReplyTelegramSeen:
    """What Telegram said, step by step, up to the one that failed."""

    me: Answer
    username: str = ""
    """The watched bot's."""
    polled: Answer | None = None
    """The last getUpdates of the prober."""
    sent: Answer | None = None
    reply: str | None = None
    """None: nothing came in time."""
    round_trip_seconds: float = 0.0
    """From sending to the reply, or to giving up."""


class BotReplyTelegram(Check[BotReplyTelegramConfig, BotReplyTelegramSeen]):
    """Write `/ping@bot word` into the group, wait for the answer, delete both."""

    Config = BotReplyTelegramConfig

    async def measure(self, io: IO) -> BotReplyTelegramSeen:
        """Ask the bot's name, forget old updates, write, and poll until the answer is there."""
        me = await ask(io, self.config.token, "getMe", api_base_url=self.config.api_base_url)
        username = str(me.result.get("username", "")) if isinstance(me.result, dict) else ""
        if not username:
            return BotReplyTelegramSeen(me)
        deadline = io.monotonic() + (1 - CLEAN_UP_SHARE) * io.timeout_seconds
        polled = await self._call(io, "getUpdates", {"offset": -1, "timeout": 0, "allowed_updates": ["message"]})
        if not polled.is_ok:
            return BotReplyTelegramSeen(me, username, polled)
        word = secrets.token_hex(3)
        text = f"{self.config.command}@{username} {word}"
        started = io.monotonic()
        sent = await self._call(
            io, "sendMessage", {"chat_id": self.config.chat_id, "text": text, "disable_notification": True}
        )
        if not sent.is_ok:
            return BotReplyTelegramSeen(me, username, polled, sent)
        question = int(sent.result["message_id"])
        found: dict[str, Any] | None = None
        while polled.is_ok and found is None and (left := deadline - io.monotonic()) > 0:
            offset = max((int(update["update_id"]) for update in polled.result), default=-1) + 1
            polled = await self._call(io, "getUpdates", {"offset": offset, "timeout": max(1, int(left))})
            found = self._answer_in(polled, question, word)
        took = io.monotonic() - started
        written = [question] if found is None else [question, int(found["message_id"])]
        await self._call(io, "deleteMessages", {"chat_id": self.config.chat_id, "message_ids": written})
        reply = None if found is None else str(found.get("text", ""))
        return BotReplyTelegramSeen(me, username, polled, sent, reply, took)

    def judge(self, seen: BotReplyTelegramSeen, now: datetime, before: Sequence[BotReplyTelegramSeen] = ()) -> Verdict:
        """Judge our own side first: only when we could write and listen is silence the bot's."""
        if not seen.me.is_ok or seen.polled is None:
            return refusal(seen.me, "getMe", self.config.service)
        if seen.sent is not None and not seen.sent.is_ok:
            return _own_trouble(
                seen.sent, "the prober cannot write into the group",
                "Is the prober in the group of PROBE_CHAT_ID, and may it write? Nothing is said of the watched bot.",
            )  # fmt: skip
        if not seen.polled.is_ok or seen.sent is None:
            return _own_trouble(
                seen.polled, "the prober cannot read its updates",
                "409: another program polls the prober's token, or it has a webhook: it needs a bot of its own.",
            )  # fmt: skip
        command = f"{self.config.command}@{seen.username}"
        took = duration(seen.round_trip_seconds)
        facts = (
            Fact("asked", command), Fact("reply", "none" if seen.reply is None else shortened(seen.reply, 80)),
            Fact("round trip", round(seen.round_trip_seconds, 3), "s"),
        )  # fmt: skip
        values = {"round_trip_seconds": seen.round_trip_seconds}
        if seen.reply is None:
            return failed(
                Reason.SILENT, f"{command}: no reply through Telegram in {took}", *facts,
                hint="bot.ingress well? Then Telegram does not deliver: see bot.webhook, bot.delivery. bot.reply well "
                "too? Then the bot cannot send. Never answered yet? The prober must be administrator of the group, "
                "with Group Privacy off and Bot-to-Bot Communication on, and the command must answer bots.",
            )  # fmt: skip
        if seen.round_trip_seconds > self.config.slow_seconds:
            return degraded(
                Reason.SLOW, f"{command}: answered through Telegram in {took}", *facts,
                hint="Updates queue up at Telegram, or the bot is slow: compare bot.delivery and bot.reply.",
                values=values,
            )  # fmt: skip
        return ok(f"{command}: answered through Telegram in {took}", *facts, values=values)

    def on_failure(self, verdict: Verdict) -> Verdict:
        """Say that we could not look: the way to Telegram failed, not the bot."""
        return unseen(told_as(verdict, "Bot API", {}))

    async def _call(
        self, io: IO, method: Literal["sendMessage", "getUpdates", "deleteMessages"], parameters: dict[str, Any]
    ) -> Answer:
        return await call(io, self.config.prober_token, method, parameters, api_base_url=self.config.api_base_url)

    def _answer_in(self, polled: Answer, question: int, word: str) -> dict[str, Any] | None:
        """Return the watched bot's answer: a reply to ours or one with our word, else anything it says in the group."""
        messages = [update.get("message") or {} for update in polled.result or ()]
        heard = [
            message for message in messages
            if str(message.get("from", {}).get("id")) == _bot_id(self.config.token)
            and str(message.get("chat", {}).get("id")) == self.config.chat_id
        ]  # fmt: skip
        ours = [
            message for message in heard
            if (message.get("reply_to_message") or {}).get("message_id") == question or word in message.get("text", "")
        ]  # fmt: skip
        return next(iter((*ours, *heard)), None)


def _bot_id(token: Secret) -> str:
    return token.get_secret_value().partition(":")[0]


def _own_trouble(answer: Answer, summary: str, hint: str) -> Verdict:
    """Return unknown: our own prober did not get through."""
    reason = Reason.RATE_LIMITED if answer.status == 429 else Reason.VANTAGE
    if 400 <= answer.status < 500 and answer.status != 429:
        reason = Reason.NOT_CONFIGURED
    return unknown(reason, f"{summary}: {answer.status}", *answer.facts(), hint=hint)
