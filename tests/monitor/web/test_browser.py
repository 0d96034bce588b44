"""The pages in a real Chromium: live without reload, without JavaScript, at phone width, by keyboard."""

import asyncio
import socket
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from playwright.async_api import Browser, Page, async_playwright, expect

from checks.result import Reason, failed, ok
from monitor.engine.model import CheckStatus
from monitor.web.app import build_app

CHROMIUM = Path("/usr/bin/chromium")
LIVE_WITHIN_MS = 2000

pytestmark = [
    pytest.mark.browser,
    pytest.mark.real,
    pytest.mark.skipif(not CHROMIUM.exists(), reason="chromium is missing: apt-get install chromium"),
]


@pytest.fixture
async def server(world: Any) -> AsyncIterator[uvicorn.Server]:
    """Serve the world's pages on a free port of loopback."""
    world.clock = lambda: datetime.now(UTC)
    config = uvicorn.Config(build_app(world.context()), log_config=None, lifespan="off", timeout_graceful_shutdown=1)
    server = uvicorn.Server(config)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        config.port = listening.getsockname()[1]
        async with asyncio.timeout(90), asyncio.TaskGroup() as tasks:
            tasks.create_task(server.serve(sockets=[listening]), name="web under test")
            yield server
            server.should_exit = True


@pytest.fixture
def site(server: uvicorn.Server) -> str:
    return f"http://127.0.0.1:{server.config.port}"


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu"]
        )
        yield browser
        await browser.close()


async def open_page(browser: Browser, url: str, **options: Any) -> tuple[Page, list[str]]:
    """Return the page once it is live, and the list its complaints are added to."""
    context = await browser.new_context(**options)
    page = await context.new_page()
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    await page.goto(url)
    if options.get("java_script_enabled", True):
        await expect(page.locator("#live")).to_have_text("live", timeout=15_000)
    return page, complaints


async def test_a_change_shows_within_two_seconds_without_reload(world: Any, site: str, browser: Browser) -> None:
    page, complaints = await open_page(browser, site)
    row = page.locator('[id="check:bot.ingress"]')
    await expect(row).to_contain_text("200 for a signed update")
    await page.evaluate("window.isSamePage = true")
    await page.locator('[id="link:bot.ingress"]').focus()

    changed_at = time.monotonic()
    verdict = failed(Reason.HTTP_STATUS, "502 from the webhook <b>", hint="Look at the bot's log.")
    world.change("bot.ingress", CheckStatus.DOWN, verdict)
    await expect(row).to_contain_text("502 from the webhook <b>", timeout=LIVE_WITHIN_MS)
    await expect(page.locator("#banner h1")).to_have_text("4 of 12 checks down", timeout=LIVE_WITHIN_MS)
    assert time.monotonic() - changed_at < LIVE_WITHIN_MS / 1000

    assert await page.evaluate("window.isSamePage") is True
    assert await page.evaluate("document.activeElement.id") == "link:bot.ingress"
    assert await page.title() == "✕ 4 down · Nexus · Nexus Monitor"
    assert complaints == []


async def test_a_change_does_not_move_the_rows(world: Any, site: str, browser: Browser) -> None:
    page, _ = await open_page(browser, site, viewport={"width": 1280, "height": 900})
    rows = page.locator(".check")
    before = [await row.bounding_box() for row in await rows.all()]
    world.change("vantage.dns", CheckStatus.UP, ok("both names resolve again"))
    await expect(page.locator('[id="check:vantage.dns"]')).to_contain_text("again", timeout=LIVE_WITHIN_MS)
    assert [await row.bounding_box() for row in await rows.all()] == before


async def test_evidence_that_is_open_stays_open(world: Any, site: str, browser: Browser) -> None:
    page, complaints = await open_page(browser, f"{site}/checks/redis.ping")
    second = page.locator(".looks details").nth(1)
    await second.locator("summary").click()
    name = await second.get_attribute("id")
    world.change("redis.ping", CheckStatus.DOWN, failed(Reason.TIMEOUT, "no PONG within 3 s", hint="look"))
    await expect(page.locator("#check-page .lead").first).to_have_text("no PONG within 3 s", timeout=LIVE_WITHIN_MS)
    await expect(page.locator(f"#{name}")).to_have_attribute("open", "")
    assert complaints == []


async def test_the_page_says_when_it_is_not_live_any_more(server: uvicorn.Server, site: str, browser: Browser) -> None:
    page, _ = await open_page(browser, site)
    server.should_exit = True
    await expect(page.locator("#live")).to_have_text("reconnecting", timeout=10_000)
    await expect(page.locator(".check")).to_have_count(12)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("path", ["/", "/checks/redis.ping", "/incidents", "/incidents/3"])
async def test_a_phone_shows_the_whole_width(site: str, browser: Browser, path: str, scheme: str) -> None:
    page, complaints = await open_page(
        browser, site + path, viewport={"width": 390, "height": 844}, color_scheme=scheme, is_mobile=True
    )
    assert await page.evaluate("document.documentElement.scrollWidth") == 390
    assert complaints == []


async def test_it_works_without_javascript(site: str, browser: Browser) -> None:
    page, _ = await open_page(browser, site, java_script_enabled=False)
    await expect(page.locator(".check")).to_have_count(12)
    await page.get_by_role("link", name="redis.write").last.click()
    await expect(page.locator("h1")).to_have_text("redis.write")


async def test_the_keyboard_reaches_the_content_and_focus_is_seen(site: str, browser: Browser) -> None:
    page, _ = await open_page(browser, site)
    await page.keyboard.press("Tab")
    assert await page.evaluate("document.activeElement.className") == "skip"
    await page.locator('[id="link:redis.ping"]').focus()
    await page.keyboard.press("Tab")
    assert await page.evaluate("document.activeElement.id") == "link:redis.write"
    assert await page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
    await page.keyboard.press("Enter")
    await expect(page.locator("h1")).to_have_text("redis.write")
