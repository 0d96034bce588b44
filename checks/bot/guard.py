"""`bot.guard`: the bot's webhook refuses updates that do not carry the secret."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from checks.base import IO, Check, CheckConfig, Seconds, Secret
from checks.bot.host import host_fact, told_of_host
from checks.bot.ingress import SECRET_HEADER, UPDATE
from checks.failures import unseen
from checks.http import Exchange, exchange
from checks.result import Fact, Reason, Verdict, degraded, ok, unknown

WRONG_SECRET = "nexus-monitor-looks-whether-a-wrong-secret-is-refused"  # noqa: S105  wrong on purpose


class BotGuardConfig(CheckConfig):
    """Where the webhook is."""

    kind: Literal["bot.guard"] = "bot.guard"
    interval_seconds: Seconds = 900.0
    timeout_seconds: Seconds = 10.0
    url: Secret
    """The webhook's whole URL; its path may be secret."""


@dataclass(frozen=True, slots=True)
class BotGuardSeen:
    """The answers to an update that means nothing."""

    wrong: Exchange
    """With a wrong secret."""
    missing: Exchange
    """Without one."""


class BotGuard(Check[BotGuardConfig, BotGuardSeen]):
    """POST `{"update_id": 1}` with a wrong secret, and with none."""

    Config = BotGuardConfig

    async def measure(self, io: IO) -> BotGuardSeen:
        """Send both, one after the other."""
        url, headers = self.config.url.get_secret_value(), {"content-type": "application/json"}
        wrong = await exchange(io, "POST", url, headers={**headers, SECRET_HEADER: WRONG_SECRET}, content=UPDATE)
        return BotGuardSeen(wrong, await exchange(io, "POST", url, headers=headers, content=UPDATE))

    def judge(self, seen: BotGuardSeen, now: datetime, before: Sequence[BotGuardSeen] = ()) -> Verdict:
        """Judge whether one of them was let in; an error or a rate limit proves nothing."""
        facts = (
            host_fact(self.config.url),
            Fact("status with a wrong secret", seen.wrong.status),
            Fact("status without a secret", seen.missing.status),
        )
        let_in = [
            how for how, answer in (("with a wrong secret", seen.wrong), ("without a secret", seen.missing))
            if answer.is_success
        ]  # fmt: skip
        if let_in:
            return degraded(
                Reason.AUTH_ACCEPTED, f"security: the webhook takes updates {' and '.join(let_in)}", *facts,
                hint="Anybody can speak as anybody to the bot. Give setWebhook a secret_token, and the same to "
                f"{self.config.service}; a secret path or an IP filter is no substitute.",
            )  # fmt: skip
        statuses = (seen.wrong.status, seen.missing.status)
        if 429 in statuses:
            return unknown(Reason.RATE_LIMITED, "inconclusive: 429 before the secret was looked at", *facts)
        if max(statuses) >= 500:
            return unknown(
                Reason.HTTP_STATUS, f"inconclusive: the webhook answers {max(statuses)}", *facts,
                hint="An error is no refusal. Where bot.ingress is well, the guard itself raises: see the bot's log.",
            )  # fmt: skip
        return ok("the webhook refuses a wrong and a missing secret", *facts)

    def on_failure(self, verdict: Verdict) -> Verdict:
        """Say that nothing was proved: `bot.ingress` tells whether the bot is there."""
        return unseen(told_of_host(verdict, "webhook", self.config.service, self.config.url))
