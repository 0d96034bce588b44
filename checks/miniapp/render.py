"""`miniapp.render`: the Mini App shows something in a real browser, and complains of nothing."""

import shutil
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal

from pydantic import Field

from checks.base import IO, Check, CheckConfig, Seconds, Secret
from checks.failures import told_as, unseen
from checks.miniapp.init_data import PROBE_USER_ID, init_data
from checks.miniapp.visit import Sight, plain, visit
from checks.redaction import redact_url
from checks.result import EXCERPT_CHARACTERS, Fact, Reason, Verdict, degraded, failed, ok, unknown
from checks.wording import duration

USUAL_NAMES = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
READY_SHARE = 0.6
"""The share of the look's time in which the app must show something; the rest is for starting and ending."""
SCREENSHOT_LIMIT_BYTES = 1_000_000


class MiniappRenderConfig(CheckConfig):
    """Which page, and with which browser."""

    kind: Literal["miniapp.render"] = "miniapp.render"
    interval_seconds: Seconds = 1800.0
    timeout_seconds: Seconds = 25.0
    page_url: str = Field(pattern=r"^https?://[^\s/]+")
    key: Secret | None = None
    """HMAC-SHA256("WebAppData", bot token) in hex; without it the app is opened without a login."""
    user_id: int = Field(default=PROBE_USER_ID, gt=0)
    chromium: str | None = None
    """The program; without it the usual names are looked for."""
    ready_selector: str = Field(default="", max_length=200)
    """What holds the app (CSS); without it the usual ids, else the body."""


@dataclass(frozen=True, slots=True)
class MiniappRenderSeen:
    """What was seen; None where there is no browser."""

    sight: Sight | None
    program: str = ""
    screenshot_path: str = ""


class MiniappRender(Check[MiniappRenderConfig, MiniappRenderSeen]):
    """Open the app once as Telegram does."""

    Config = MiniappRenderConfig

    async def measure(self, io: IO) -> MiniappRenderSeen:
        """Find the browser, open the page, keep a screenshot where something is wrong."""
        config = self.config
        names = (config.chromium,) if config.chromium else USUAL_NAMES
        program = next((found for name in names if (found := shutil.which(name))), None)
        if program is None:
            return MiniappRenderSeen(None, config.chromium or "")
        key = config.key.get_secret_value() if config.key else ""
        given = init_data(key, io.now(), user_id=config.user_id) if key else ""
        async with io.browser(program) as browser:
            wait = READY_SHARE * config.timeout_seconds
            sight = await visit(io, browser, config.page_url, given, config.ready_selector, wait)
        path = ""
        if 0 < len(sight.screenshot) <= SCREENSHOT_LIMIT_BYTES:
            path = await io.keep_file(f"{config.id}.jpg", sight.screenshot)
        return MiniappRenderSeen(replace(sight, screenshot=b""), program, path)

    def judge(self, seen: MiniappRenderSeen, now: datetime, before: Sequence[MiniappRenderSeen] = ()) -> Verdict:
        """Judge what is shown, then what is complained of."""
        sight = seen.sight
        if sight is None:
            what = f"there is no {seen.program}" if seen.program else "no Chromium is installed here"
            return unknown(
                Reason.NOT_CONFIGURED, f"not rendered: {what}",
                hint="apt-get install chromium-headless-shell on the monitor's host, or set CHROMIUM to its path.",
            )  # fmt: skip
        facts = [Fact("page", redact_url(self.config.page_url)), Fact("browser", seen.program)]
        facts += [Fact("complaint", complaint) for complaint in sight.complaints]
        if seen.screenshot_path:
            facts.append(Fact("screenshot on the monitor's host", seen.screenshot_path))
        if sight.fault:
            return failed(
                Reason.UNREACHABLE, f"the browser cannot open the page: {sight.fault}", *facts, hint="See miniapp.page."
            )
        excerpt = plain(sight.dom)[:EXCERPT_CHARACTERS] or None
        if not sight.is_ready:
            why = f": {sight.complaints[0]}" if sight.complaints else ""
            return failed(
                Reason.BODY_MISMATCH, f"white screen, {sight.mount or 'the page'} stays empty{why}", *facts,
                hint=f"A script throws before it draws, or waits for ever: see the complaints, and the build variables "
                f"of {self.config.service}; go back to the last deploy that worked.",
                excerpt=excerpt,
            )  # fmt: skip
        took = sight.ready_seconds or 0.0
        values = {"ready_seconds": took, "complaints": float(len(sight.complaints))}
        if sight.complaints:
            return degraded(
                Reason.BODY_MISMATCH, f"it renders, and complains: {sight.complaints[0]}", *facts,
                hint="Users may see an error: a call that fails, CORS, or a wrong API address. See miniapp.calls and "
                "miniapp.auth.",
                excerpt=excerpt, values=values,
            )  # fmt: skip
        return ok(f"rendered into {sight.mount} in {duration(took)}", *facts, values=values)

    def on_failure(self, verdict: Verdict) -> Verdict:
        """Say that it was not seen: the browser failed, not the app."""
        hint = (
            "The browser on the monitor's host did not work: is there memory for it (300 MB), are its libraries there?"
        )
        hints = dict.fromkeys(Reason, hint)
        return unseen(told_as(verdict, "browser", hints))
