"""`miniapp.sdk`: telegram-web-app.js, without which the app knows nobody, loads as a script."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from pydantic import Field

from checks.base import IO, Check, CheckConfig, Seconds
from checks.failures import told_as, unseen
from checks.http import Exchange, attempt_exchange, exchange
from checks.miniapp.asset import SCRIPT_TYPES
from checks.miniapp.html import page_of
from checks.redaction import redact_url
from checks.result import Fact, Reason, Verdict, degraded, ok
from checks.wording import address, duration

SDK_URL = "https://telegram.org/js/telegram-web-app.js"
SDK_LIMIT_BYTES = 1_000_000


class MiniappSdkConfig(CheckConfig):
    """Whose page, and which script."""

    kind: Literal["miniapp.sdk"] = "miniapp.sdk"
    interval_seconds: Seconds = 900.0
    timeout_seconds: Seconds = 10.0
    severity: Literal["page", "warning"] = "warning"
    page_url: str = Field(pattern=r"^https?://[^\s/]+")
    """The app's page: the script it names is the one looked at."""
    url: str | None = Field(default=None, pattern=r"^https?://[^\s/]+")
    """The script, where the page names none; without it Telegram's own."""


@dataclass(frozen=True, slots=True)
class MiniappSdkSeen:
    """The script, and whether the page names it."""

    answer: Exchange
    is_named: bool


class MiniappSdk(Check[MiniappSdkConfig, MiniappSdkSeen]):
    """Fetch the script that the page names, else Telegram's."""

    Config = MiniappSdkConfig

    async def measure(self, io: IO) -> MiniappSdkSeen:
        """Read the page for the script's address, then fetch it. A page that does not answer is another check's."""
        named = None
        if self.config.url is None:
            page = await attempt_exchange(io, "GET", self.config.page_url, body_limit_bytes=SDK_LIMIT_BYTES)
            references = page_of(page.text, page.url).references if isinstance(page, Exchange) else ()
            named = next((one.url for one in references if "telegram-web-app" in one.url), None)
        url = named or self.config.url or SDK_URL
        return MiniappSdkSeen(await exchange(io, "GET", url, body_limit_bytes=SDK_LIMIT_BYTES), named is not None)

    def judge(self, seen: MiniappSdkSeen, now: datetime, before: Sequence[MiniappSdkSeen] = ()) -> Verdict:
        """Judge status, type and content."""
        answer = seen.answer
        facts = (Fact("script", redact_url(answer.url)), Fact("named by the page", seen.is_named), *answer.facts())
        values = {**answer.phases.values(), "sdk_bytes": float(len(answer.body))}
        hint = (
            "The app starts without initData, or not at all: is the address right? Serving a copy of the script from "
            "the app's own site makes it independent."
        )
        if answer.status != 200:
            what = f"telegram-web-app.js is {answer.status}"
            return degraded(Reason.HTTP_STATUS, what, *facts, hint=hint, excerpt=answer.excerpt, values=values)
        if answer.content_type not in SCRIPT_TYPES:
            what = f"telegram-web-app.js is served as {answer.content_type or 'no type'}"
            return degraded(Reason.BODY_MISMATCH, what, *facts, hint=hint, excerpt=answer.excerpt, values=values)
        if b"WebApp" not in answer.body:
            what = "telegram-web-app.js is another script: it makes no WebApp"
            return degraded(Reason.BODY_MISMATCH, what, *facts, hint=hint, excerpt=answer.excerpt, values=values)
        took = duration(answer.phases.total_seconds)
        return ok(f"telegram-web-app.js from {address(answer.url)} in {took}", *facts, values=values)

    def on_failure(self, verdict: Verdict) -> Verdict:
        """Say that it was not seen: from here is not from the users' phones."""
        return unseen(told_as(verdict, "telegram-web-app.js", {}))
