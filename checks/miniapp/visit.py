"""Opens the Mini App in a browser as Telegram does, waits until it shows something, keeps what it complains of."""

import asyncio
import base64
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlsplit

from checks.base import IO, Browser
from checks.miniapp.stand_in import SCRIPT
from checks.redaction import redact
from checks.wording import shortened

SDK_PATTERN = "https://telegram.org/js/telegram-web-app.js*"
POLL_SECONDS = 0.2
SETTLE_SECONDS = 1.0
"""How long an app that shows something may still complain: its first calls are under way."""
COMPLAINTS_LIMIT = 10
PHONE = {"width": 390, "height": 844, "deviceScaleFactor": 1, "mobile": True}
_THEME = {"bg_color": "#ffffff", "text_color": "#000000", "button_color": "#2481cc", "button_text_color": "#ffffff"}

_LOOK = """((selector) => {
  const mount = document.querySelector(selector || "#root, #app, #__next, #__nuxt, #svelte") || document.body;
  const shown = mount && [...mount.querySelectorAll("*")].some((one) => !["SCRIPT", "STYLE"].includes(one.tagName));
  const alert = document.querySelector("[role=alert]");
  return JSON.stringify({
    mount: mount ? (mount.id ? "#" + mount.id : mount.tagName.toLowerCase()) : "",
    isReady: Boolean(shown && ((mount.innerText || "").trim() || mount.querySelector("img,svg,canvas,video,input"))),
    alert: alert ? alert.innerText.slice(0, 200) : "",
    text: mount ? (mount.innerText || "").slice(0, 400) : "",
    dom: document.documentElement ? document.documentElement.outerHTML.slice(0, 1500) : "",
  });
})"""


@dataclass(frozen=True, slots=True)
class Sight:
    """What the browser showed."""

    is_ready: bool
    """The mount point holds something to see."""
    mount: str
    dom: str
    """The start of the document."""
    complaints: tuple[str, ...]
    """Errors of the console and on the page, without URL fragments."""
    ready_seconds: float | None
    screenshot: bytes = b""
    """JPEG; only where something is wrong."""
    fault: str = ""
    """Why the page could not be opened."""


def launch_url(page_url: str, given: str) -> str:
    """Return the address that Telegram opens: the page, and behind the # the init data and the theme."""
    page = page_url.split("#", 1)[0]
    theme = quote(json.dumps(_THEME, separators=(",", ":")), safe="")
    launch = f"tgWebAppVersion=9.0&tgWebAppPlatform=android&tgWebAppThemeParams={theme}"
    return f"{page}#tgWebAppData={quote(given, safe='')}&{launch}" if given else f"{page}#{launch}"


async def visit(io: IO, browser: Browser, page_url: str, given: str, selector: str, ready_seconds: float) -> Sight:
    """Open the page and look at it for at most `ready_seconds`. Raises ConnectionError when the browser ends."""
    complaints: list[str] = []
    await browser.open_page()
    _listen(browser, complaints)
    for domain in ("Runtime", "Page", "Log"):
        await browser.call(f"{domain}.enable")
    await browser.call("Fetch.enable", patterns=[{"urlPattern": SDK_PATTERN}])
    await browser.call("Emulation.setDeviceMetricsOverride", **PHONE)
    started = io.monotonic()
    opened = await browser.call("Page.navigate", url=launch_url(page_url, given))
    if opened.get("errorText"):
        return Sight(False, "", "", (), None, fault=str(opened["errorText"]))
    seen = await _look(browser, selector)
    while not seen.get("isReady") and io.monotonic() - started < ready_seconds:
        await asyncio.sleep(POLL_SECONDS)
        seen = await _look(browser, selector)
    took = io.monotonic() - started if seen.get("isReady") else None
    if took is not None:
        await asyncio.sleep(SETTLE_SECONDS)
        seen = await _look(browser, selector)
    if seen.get("alert"):
        complaints.append(f"on the page: {shortened(seen['alert'], 200)}")
    picture = b""
    if complaints or not seen.get("isReady"):
        shot = await browser.call("Page.captureScreenshot", format="jpeg", quality=60)
        picture = base64.b64decode(shot.get("data", ""))
    told = tuple(dict.fromkeys(complaints))[:COMPLAINTS_LIMIT]
    return Sight(bool(seen.get("isReady")), seen.get("mount", ""), seen.get("dom", ""), told, took, picture)


async def _look(browser: Browser, selector: str) -> dict[str, Any]:
    answer = await browser.call("Runtime.evaluate", expression=f"{_LOOK}({json.dumps(selector)})", returnByValue=True)
    value = answer.get("result", {}).get("value")
    return dict(json.loads(value)) if isinstance(value, str) else {}


def _listen(browser: Browser, complaints: list[str]) -> None:
    def complain(text: object, url: object = "") -> None:
        where = f" ({urlsplit(url).path.rsplit('/', 1)[-1] or '/'})" if isinstance(url, str) and url else ""
        if len(complaints) < 3 * COMPLAINTS_LIMIT and "favicon" not in where:
            complaints.append(shortened(plain(str(text)), 200) + where)

    def printed(event: Mapping[str, Any]) -> None:
        if event.get("type") == "error":
            complain(" ".join(str(one.get("value", one.get("description", ""))) for one in event.get("args", ())))

    def thrown(event: Mapping[str, Any]) -> None:
        details = event.get("exceptionDetails", {})
        said = details.get("exception", {}).get("description") or details.get("text", "")
        complain(str(said).split("\n", 1)[0], details.get("url"))

    def logged(event: Mapping[str, Any]) -> None:
        entry = event.get("entry", {})
        if entry.get("level") == "error":
            complain(entry.get("text", ""), entry.get("url"))

    def paused(event: Mapping[str, Any]) -> None:
        headers = {"content-type": "text/javascript", "access-control-allow-origin": "*"}
        browser.post(
            "Fetch.fulfillRequest",
            requestId=event["requestId"],
            responseCode=200,
            responseHeaders=[{"name": name, "value": value} for name, value in headers.items()],
            body=base64.b64encode(SCRIPT.encode()).decode(),
        )

    browser.on("Runtime.consoleAPICalled", printed)
    browser.on("Runtime.exceptionThrown", thrown)
    browser.on("Log.entryAdded", logged)
    browser.on("Fetch.requestPaused", paused)


def plain(text: str) -> str:
    """Return `text` without the fragments of its URLs: the launch, with its login, stands there."""
    return redact(re.sub(r"(https?://[^\s#\"'<>]*)#[^\s\"'<>)]*", r"\1", text))
