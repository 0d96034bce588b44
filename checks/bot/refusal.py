"""What it means that Telegram does not answer a question asked with the watched bot's token."""

from checks.result import Reason, Verdict, failed, unknown
from checks.telegram_api import Answer


def refusal(answer: Answer, method: str, service: str) -> Verdict:
    """Return the verdict of an answer that is not ok: the token is refused, or Telegram could not say."""
    summary = f"{method} {answer.status}"
    if answer.status in (401, 404):
        return failed(
            Reason.AUTH_REJECTED, f"{summary}: Telegram refuses the bot's token", *answer.facts(),
            hint=f"The token was revoked or is wrong: take the new one from BotFather, set it for {service}, redeploy.",
            certain=True,
        )  # fmt: skip
    reason = Reason.RATE_LIMITED if answer.status == 429 else Reason.VANTAGE
    return unknown(reason, f"{summary}: Telegram did not say", *answer.facts(), hint="Not your stack: wait.")
