"""`miniapp.button`: the bot's menu button opens the page that is watched."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from urllib.parse import urlsplit

from pydantic import Field

from checks.base import IO, Check, CheckConfig, Seconds, Secret
from checks.failures import told_as, unseen
from checks.redaction import redact_url
from checks.result import Fact, Reason, Verdict, degraded, ok, unknown
from checks.telegram_api import API_BASE_URL, Answer, ask
from checks.wording import address


class MiniappButtonConfig(CheckConfig):
    """Which bot, and which page."""

    kind: Literal["miniapp.button"] = "miniapp.button"
    interval_seconds: Seconds = 3600.0
    timeout_seconds: Seconds = 10.0
    severity: Literal["page", "warning"] = "warning"
    token: Secret
    """The watched bot's token; only getChatMenuButton is called with it."""
    page_url: str = Field(pattern=r"^https?://[^\s/]+")
    api_base_url: str = Field(default=API_BASE_URL, pattern=r"^https?://[^\s/]+")


@dataclass(frozen=True, slots=True)
class MiniappButtonSeen:
    """What getChatMenuButton said."""

    answer: Answer
    type: str = ""
    """`web_app`, `commands` or `default`."""
    url: str = ""


class MiniappButton(Check[MiniappButtonConfig, MiniappButtonSeen]):
    """Compare the address of the menu button with the page's, without query and fragment."""

    Config = MiniappButtonConfig

    async def measure(self, io: IO) -> MiniappButtonSeen:
        """Call getChatMenuButton for the bot's default button."""
        answer = await ask(io, self.config.token, "getChatMenuButton", api_base_url=self.config.api_base_url)
        button = answer.result if isinstance(answer.result, dict) else {}
        app = button.get("web_app")
        return MiniappButtonSeen(
            answer, str(button.get("type", "")), str(app.get("url", "")) if isinstance(app, dict) else ""
        )

    def judge(self, seen: MiniappButtonSeen, now: datetime, before: Sequence[MiniappButtonSeen] = ()) -> Verdict:
        """Judge Telegram's answer, then the address."""
        if not seen.answer.is_ok:
            # A refused token is told by bot.webhook.
            reason = Reason.RATE_LIMITED if seen.answer.status == 429 else Reason.VANTAGE
            summary = f"getChatMenuButton {seen.answer.status}: Telegram did not say"
            return unknown(reason, summary, *seen.answer.facts(), hint="See bot.webhook for the token; else wait.")
        facts = (
            Fact("menu button", redact_url(seen.url) or seen.type or "none"),
            Fact("page", redact_url(self.config.page_url)),
        )
        values = {"latency_seconds": seen.answer.latency_seconds}
        service = self.config.service
        if not seen.url:
            return degraded(
                Reason.MISSING, "the menu button does not open the Mini App", *facts, values=values,
                hint="Set it with setChatMenuButton or in BotFather; where people open the app in another way, "
                "switch this off: checks.miniapp.button.enabled: false.",
            )  # fmt: skip
        if _plain(seen.url) != _plain(self.config.page_url):
            return degraded(
                Reason.DRIFT, f"the menu button opens {address(seen.url)}, not the watched page", *facts, values=values,
                hint=f"Set it again with setChatMenuButton, or watch the page it opens: MINIAPP_URL. Was {service} "
                "renamed, or does the button point to another deployment?",
            )  # fmt: skip
        return ok(f"the menu button opens {address(seen.url)}", *facts, values=values)

    def on_failure(self, verdict: Verdict) -> Verdict:
        """Say that we could not look: the way to Telegram failed."""
        return unseen(told_as(verdict, "getChatMenuButton", {}))


def _plain(url: str) -> tuple[str, str, str]:
    parts = urlsplit(url)
    return parts.scheme.lower(), parts.netloc.lower(), parts.path.removesuffix("index.html").rstrip("/")
