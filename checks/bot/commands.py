"""`bot.commands`: Telegram shows people the commands that the bot should have."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from pydantic import Field

from checks.base import IO, Check, CheckConfig, Seconds, Secret
from checks.bot.refusal import refusal
from checks.failures import told_as, unseen
from checks.result import Fact, Reason, Verdict, degraded, ok
from checks.telegram_api import API_BASE_URL, Answer, ask
from checks.wording import listed


class BotCommandsConfig(CheckConfig):
    """Which commands there should be."""

    kind: Literal["bot.commands"] = "bot.commands"
    interval_seconds: Seconds = 900.0
    timeout_seconds: Seconds = 10.0
    token: Secret
    """The watched bot's token; only read-only methods are called with it."""
    api_base_url: str = Field(default=API_BASE_URL, pattern=r"^https?://[^\s/]+")
    expected_commands: tuple[str, ...] = ()
    """Without the slash; empty: not known yet, and nothing is missed."""


@dataclass(frozen=True, slots=True)
class BotCommandsSeen:
    """What getMyCommands answered: the default scope, which most bots use alone."""

    answer: Answer
    commands: tuple[str, ...] = ()


class BotCommands(Check[BotCommandsConfig, BotCommandsSeen]):
    """Compare the menu of commands with the expected one: mostly the modules write it when they load."""

    Config = BotCommandsConfig

    async def measure(self, io: IO) -> BotCommandsSeen:
        """Call getMyCommands."""
        answer = await ask(io, self.config.token, "getMyCommands", api_base_url=self.config.api_base_url)
        items = answer.result if isinstance(answer.result, list) else []
        return BotCommandsSeen(answer, tuple(str(item["command"]) for item in items))

    def judge(self, seen: BotCommandsSeen, now: datetime, before: Sequence[BotCommandsSeen] = ()) -> Verdict:
        """Judge Telegram's answer, then what is missing, then what is too much."""
        if not seen.answer.is_ok:
            return refusal(seen.answer, "getMyCommands", self.config.service)
        expected = tuple(command.removeprefix("/") for command in self.config.expected_commands)
        missing = [f"/{command}" for command in expected if command not in seen.commands]
        extra = [f"/{command}" for command in seen.commands if expected and command not in expected]
        values = {"latency_seconds": seen.answer.latency_seconds, "commands": float(len(seen.commands))}
        facts = [Fact("commands", ", ".join(f"/{command}" for command in seen.commands) or "none")]
        facts += [Fact("missing", ", ".join(missing))] if missing else []
        facts += [Fact("not expected", ", ".join(extra))] if extra else []
        facts += seen.answer.facts()
        if missing:
            return degraded(
                Reason.MISSING, f"{listed(missing)} not in the bot's menu", *facts,
                hint=f"Did a module of {self.config.service} not load? See its log at start. Where the command was "
                "dropped on purpose, take it out of expected_commands.",
                values=values,
            )  # fmt: skip
        if extra:
            return degraded(
                Reason.DRIFT, f"{listed(extra)} in the bot's menu, not expected", *facts,
                hint="A new command, or another deployment wrote the menu: add it to expected_commands, or find who.",
                values=values,
            )  # fmt: skip
        return ok(f"{len(seen.commands)} commands in the bot's menu", *facts, values=values)

    def on_failure(self, verdict: Verdict) -> Verdict:
        """Say that we could not look: the way to Telegram failed, not the bot."""
        return unseen(told_as(verdict, "getMyCommands", {}))
