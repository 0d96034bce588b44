"""`bot.reply`: the bot answers a command, from its webhook through its modules to the reply, which is not sent."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from pydantic import Field

from checks.base import IO, Check, CheckConfig, Seconds, Secret
from checks.bot.host import host_fact, told_of_host
from checks.bot.ingress import UPDATE
from checks.bot.last_error import cause_of_status
from checks.bot.probe import Report, command_update, readiness, report_of, signed_headers
from checks.http import Exchange, exchange
from checks.result import Fact, Reason, Verdict, degraded, failed, ok, unknown
from checks.wording import duration, shortened

WAIT_SHARE = 0.7
"""How much of the look's limit the bot gets for its reply."""

UNSEEN = {
    "": (
        "not observable: the bot has no reply probe",
        "Copy docs/helper/nexus_helper.py into the bot and give BotProbe the webhook's secret (docs/helper.md).",
    ),
    "signature": (
        "the bot's reply probe does not know our signature",
        "BotProbe must get the secret that WEBHOOK_SECRET holds here.",
    ),
    "clock": ("the bot's clock and ours differ by more than 5 min", "Set the clocks of both hosts."),
}
"""Why the probe does not work → summary and hint."""


class BotReplyConfig(CheckConfig):
    """Which command, and what is to be answered."""

    kind: Literal["bot.reply"] = "bot.reply"
    interval_seconds: Seconds = 120.0
    timeout_seconds: Seconds = 10.0
    url: Secret
    """The webhook's whole URL; its path may be secret."""
    secret_token: Secret | None = None
    """What setWebhook was given as `secret_token`; it signs the command too."""
    command: str = Field(default="/help", pattern=r"^/\w+( .*)?$", max_length=200)
    """One that only reads: its handler really runs."""
    expected_text: str = ""
    """Part of the answer; empty: any text will do."""
    slow_seconds: Seconds = 3.0
    """Above this it is degraded."""


@dataclass(frozen=True, slots=True)
class BotReplySeen:
    """The answers to "are you there?" and to the command."""

    greeting: Exchange | None
    """None where we have no secret to sign with."""
    answer: Exchange | None = None
    """None where there is no probe: an unprotected bot would send its reply to a chat that does not exist."""


class BotReply(Check[BotReplyConfig, BotReplySeen]):
    """Ask whether the probe is there, then give the command."""

    Config = BotReplyConfig

    async def measure(self, io: IO) -> BotReplySeen:
        """Send a signed update that means nothing; the command only to a bot that knows what it is."""
        secret = self.config.secret_token
        if secret is None:
            return BotReplySeen(None)
        url, wait_seconds = self.config.url.get_secret_value(), WAIT_SHARE * io.timeout_seconds
        headers = signed_headers(secret, UPDATE, io.now(), wait_seconds)
        greeting = await exchange(io, "POST", url, headers=headers, content=UPDATE)
        if readiness(greeting) != "":
            return BotReplySeen(greeting)
        body = command_update(self.config.command, io.now())
        headers = signed_headers(secret, body, io.now(), wait_seconds)
        return BotReplySeen(greeting, await exchange(io, "POST", url, headers=headers, content=body))

    def judge(self, seen: BotReplySeen, now: datetime, before: Sequence[BotReplySeen] = ()) -> Verdict:
        """Judge whether we can look, whether the webhook took it, then what the bot did."""
        if seen.greeting is None:
            return unknown(
                Reason.NOT_CONFIGURED, "not observable: there is no secret to sign a command with",
                hint="Set WEBHOOK_SECRET to what setWebhook is given as secret_token.",
            )  # fmt: skip
        answer = seen.greeting if seen.answer is None else seen.answer
        if not answer.is_success:
            return self._not_taken(answer)
        report = report_of(answer)
        if report is None:
            summary, hint = UNSEEN.get(readiness(answer) or "", UNSEEN[""])
            return unknown(Reason.NOT_CONFIGURED, summary, host_fact(self.config.url), hint=hint)
        return self._judge_report(report, answer)

    def on_failure(self, verdict: Verdict) -> Verdict:
        """Say it of the bot's webhook, with where to look."""
        return told_of_host(verdict, "webhook", self.config.service, self.config.url)

    def _not_taken(self, answer: Exchange) -> Verdict:
        cause = cause_of_status(answer.status)
        reason = Reason.AUTH_REJECTED if answer.status in (401, 403) else Reason.HTTP_STATUS
        return failed(
            reason, f"{self.config.command}: webhook {answer.status}, {cause.what}", host_fact(self.config.url),
            Fact("status", answer.status), hint=cause.hint, excerpt=answer.excerpt,
        )  # fmt: skip

    def _judge_report(self, report: Report, answer: Exchange) -> Verdict:
        command, service, took = self.config.command, self.config.service, answer.phases.total_seconds
        replies = report.replies
        said = " / ".join(shortened(reply.text, 80) for reply in replies)
        facts = (
            host_fact(self.config.url), Fact("command", command), Fact("reply", said or "none"),
            Fact("calls", ", ".join(call.method for call in report.calls) or "none"),
            Fact("latency", round(took, 4), "s"),
        )  # fmt: skip
        values = {"latency_seconds": took}
        if report.error:
            return failed(
                Reason.SILENT, f"{command}: its handler raises {shortened(report.error, 60)}", *facts,
                hint=f"Render → {service} → Logs: the traceback. Telegram sees a 200 and says nothing.", values=values,
            )  # fmt: skip
        if not report.is_done:
            return failed(
                Reason.TIMEOUT, f"{command}: its handler did not end in {duration(took)}", *facts,
                hint=f"It waits for a database, Redis or an API: Render → {service} → Logs, and the parts it needs.",
                values=values,
            )  # fmt: skip
        if not report.is_handled:
            return degraded(
                Reason.MISSING, f"{command}: no handler takes it", *facts,
                hint=f"Its module is not loaded (Render → {service} → Logs at start), or the bot has no such command: "
                "set checks.bot.reply.command to one it has.",
                values=values,
            )  # fmt: skip
        if not replies:
            lost = (
                "The handler returned its reply, and nobody sends it: await message.answer(…), or use "
                "feed_webhook_update."
            )
            silent = "The handler ended without an answer: an await forgotten before message.answer(…)?"
            return failed(
                Reason.SILENT, f"{command}: no reply", *facts, hint=lost if report.is_lost else silent, values=values
            )
        if self.config.expected_text not in "\n".join(reply.text for reply in replies):
            return degraded(
                Reason.BODY_MISMATCH, f"{command}: another reply than {shortened(self.config.expected_text, 40)!r}",
                *facts, hint=f"Something {service} needs is out, or its wording changed: then set expected_text.",
                values=values,
            )  # fmt: skip
        if took > self.config.slow_seconds:
            return degraded(
                Reason.SLOW,
                f"{command}: answered in {duration(took)}, slower than {duration(self.config.slow_seconds)}", *facts,
                hint=f"{service} waits for a part, or its loop is blocked: see slow handlers.", values=values,
            )  # fmt: skip
        return ok(f"{command}: answered in {duration(took)}", *facts, values=values)
