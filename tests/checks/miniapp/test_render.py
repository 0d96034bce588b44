"""`miniapp.render` with a real Chromium: the demo's app whole and broken, and nothing left behind."""

import asyncio
import shutil
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import psutil
import pytest
from aiohttp import web

from checks.base import Browser
from checks.failures import verdict_of
from checks.miniapp.init_data import hashed_key
from checks.miniapp.render import USUAL_NAMES, MiniappRender, MiniappRenderConfig, MiniappRenderSeen
from checks.miniapp.visit import Sight, launch_url, plain
from checks.result import Outcome, Reason, Verdict
from demo.process_tree import HOST, free_port
from monitor.probing.browser import chromium
from tests.fakes import NOW, io_for

DIST = Path(__file__).parents[3] / "demo/nexus/miniapp/dist"
TOKEN = "700000001:AAdemo-token-of-the-nexus-bot-0000000"
KEY = hashed_key(TOKEN)
PROGRAM = next((found for name in USUAL_NAMES if (found := shutil.which(name))), "")

needs_chromium = pytest.mark.skipif(not PROGRAM, reason="chromium is missing: apt-get install chromium")


def render_check(page_url: str = "http://127.0.0.1:1/", **own: Any) -> MiniappRender:
    fields = {"id": "miniapp.render", "service": "nexus-miniapp", "page_url": page_url, "key": KEY, **own}
    return MiniappRender(MiniappRenderConfig(**fields))


class DemoApp:
    """The demo's built app with an API on its own origin."""

    def __init__(self) -> None:
        self.changes: dict[str, str] = {}
        self.api_status = 200
        self.logins: list[str] = []

    async def answer(self, request: web.Request) -> web.Response:
        if request.path == "/config.js":
            text = 'window.NEXUS_CONFIG = {"apiUrl": "", "sdkUrl": "https://telegram.org/js/telegram-web-app.js"};'
            return web.Response(text=text, content_type="text/javascript")
        if request.path.startswith("/me"):
            self.logins.append(request.headers.get("authorization", ""))
            body = [] if request.path == "/me/tasks" else {"first_name": "Nexus probe", "visits": 1}
            return web.json_response(body, status=self.api_status)
        path = DIST / request.path.lstrip("/") if request.path != "/" else DIST / "index.html"
        if not path.is_file():
            return web.Response(status=404)
        kinds = {".js": "text/javascript", ".css": "text/css", ".html": "text/html"}
        text = self.changes.get(path.suffix, path.read_text(encoding="utf-8"))
        return web.Response(text=text, content_type=kinds[path.suffix])


@pytest.fixture
def kept() -> dict[str, bytes]:
    return {}


async def look(serve, app: DemoApp, kept: dict[str, bytes], **own: Any) -> Verdict:
    async def keep_file(name: str, content: bytes) -> str:
        kept[name] = content
        return f"/evidence/{name}"

    check = render_check(f"{await serve(app.answer)}/#old", timeout_seconds=20, **own)
    return check.judge(await check.measure(io_for(30, keep_file=keep_file)), NOW)


def leftovers() -> list[str]:
    """Return our browser profiles on disk, and processes that use one."""
    folders = [str(one) for one in Path(tempfile.gettempdir()).glob("nexus-monitor-browser-*")]
    children = psutil.Process().children(recursive=True)
    return folders + [one.name() for one in children if "chrom" in one.name()]


@pytest.mark.real
@pytest.mark.browser
@needs_chromium
async def test_the_demos_app_renders_signed_in(serve, kept: dict[str, bytes]) -> None:
    app = DemoApp()

    verdict = await look(serve, app, kept)

    assert (verdict.outcome, verdict.evidence.excerpt) == (Outcome.OK, None)
    assert verdict.summary.startswith("rendered into #root in ")
    assert app.logins[0].startswith("tma auth_date=")
    assert (kept, leftovers()) == ({}, [])


@pytest.mark.real
@pytest.mark.browser
@needs_chromium
async def test_a_script_that_is_cut_is_a_white_screen(serve, kept: dict[str, bytes]) -> None:
    app = DemoApp()
    script = max(DIST.glob("assets/index-*.js"))
    app.changes[".js"] = script.read_text(encoding="utf-8")[:5000]

    verdict = await look(serve, app, kept, ready_selector="#root")

    assert (verdict.outcome, verdict.reason) == (Outcome.FAILED, Reason.BODY_MISMATCH)
    assert verdict.summary.startswith("white screen, #root stays empty: SyntaxError")
    assert verdict.hint
    assert kept["miniapp.render.jpg"].startswith(b"\xff\xd8")
    assert "hash=" not in str(verdict)
    assert leftovers() == []


@pytest.mark.real
@pytest.mark.browser
@needs_chromium
async def test_an_app_that_shows_an_error_complains(serve, kept: dict[str, bytes]) -> None:
    app = DemoApp()
    app.api_status = 500

    verdict = await look(serve, app, kept)

    assert (verdict.outcome, verdict.reason) == (Outcome.DEGRADED, Reason.BODY_MISMATCH)
    told = [str(fact.value) for fact in verdict.evidence.facts if fact.name == "complaint"]
    assert any("status of 500" in one for one in told)
    assert any(one.startswith("on the page: You are not signed in.") for one in told)
    assert list(kept) == ["miniapp.render.jpg"]


@pytest.mark.real
@pytest.mark.browser
@needs_chromium
async def test_a_page_that_is_away_is_failed_and_names_miniapp_page() -> None:
    check = render_check(f"http://{HOST}:{free_port()}/")

    verdict = check.judge(await check.measure(io_for(20)), NOW)

    assert verdict.summary == "the browser cannot open the page: net::ERR_CONNECTION_REFUSED"
    assert leftovers() == []


@pytest.mark.real
async def test_a_program_that_ends_at_once_is_unseen_and_leaves_nothing(tmp_path: Path) -> None:
    program = tmp_path / "not-a-browser"
    program.write_text("#!/bin/sh\nexit 1\n")
    program.chmod(0o755)
    check = render_check(chromium=str(program))

    with pytest.raises(ConnectionError) as caught:
        await check.measure(io_for(20))

    error = verdict_of(caught.value)
    assert error is not None
    told = check.on_failure(error)
    assert (told.outcome, told.summary) == (Outcome.UNKNOWN, "browser: connection closed in the middle")
    assert leftovers() == []


@pytest.mark.real
async def test_a_look_that_is_cut_off_ends_its_own_processes(tmp_path: Path) -> None:
    program = tmp_path / "hung-browser"
    program.write_text("#!/bin/sh\nsleep 60 &\nsleep 60\n")
    program.chmod(0o755)

    with pytest.raises(TimeoutError):
        async with asyncio.timeout(1):
            await render_check(chromium=str(program)).measure(io_for(20))

    assert leftovers() == []
    assert [one.name() for one in psutil.Process().children(recursive=True) if one.name() == "sleep"] == []


@pytest.mark.real
@pytest.mark.browser
@needs_chromium
async def test_a_command_that_is_refused_is_an_error() -> None:
    async with chromium(PROGRAM) as browser:
        await browser.open_page()
        with pytest.raises(ConnectionError, match="wasn't found"):
            await browser.call("Nothing.atAll")


async def test_a_missing_program_is_said() -> None:
    check = render_check(chromium="/nowhere/chromium")

    verdict = check.judge(await check.measure(io_for()), NOW)

    assert (verdict.outcome, verdict.reason) == (Outcome.UNKNOWN, Reason.NOT_CONFIGURED)
    assert verdict.summary == "not rendered: there is no /nowhere/chromium"
    assert "chromium-headless-shell" in verdict.hint


class Scripted:
    """A browser that answers from a list: for what a page says without a browser."""

    def __init__(self, sight: str) -> None:
        self.sight = sight
        self.called: list[str] = []

    async def open_page(self) -> None:
        return None

    def on(self, event: str, listener: Any) -> None:
        return None

    def post(self, method: str, **parameters: Any) -> int:
        return 0

    async def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        self.called.append(method)
        return {"result": {"value": self.sight}} if method == "Runtime.evaluate" else {}


async def test_an_app_that_never_shows_anything_is_looked_at_until_the_limit() -> None:
    scripted = Scripted('{"isReady": false, "mount": "#root", "dom": "<html>"}')

    @asynccontextmanager
    async def browser(program: str) -> AsyncIterator[Browser]:
        yield scripted

    check = render_check(chromium="/bin/sh", timeout_seconds=0.5)

    seen = await check.measure(replace(io_for(), browser=browser))

    assert seen.sight == Sight(False, "#root", "<html>", (), None)
    assert scripted.called.count("Runtime.evaluate") > 1


SIGHT = Sight(True, "#root", "<html>", (), 0.8)


@pytest.mark.parametrize(
    ("seen", "outcome", "reason", "summary"),
    [
        (MiniappRenderSeen(SIGHT, "/c"), Outcome.OK, None, "rendered into #root in 800 ms"),
        (
            MiniappRenderSeen(replace(SIGHT, complaints=("boom",)), "/c", "/e/x.jpg"),
            Outcome.DEGRADED,
            Reason.BODY_MISMATCH,
            "it renders, and complains: boom",
        ),
        (
            MiniappRenderSeen(replace(SIGHT, is_ready=False, mount="", dom=""), "/c"),
            Outcome.FAILED,
            Reason.BODY_MISMATCH,
            "white screen, the page stays empty",
        ),
        (
            MiniappRenderSeen(replace(SIGHT, is_ready=False, complaints=("boom",)), "/c"),
            Outcome.FAILED,
            Reason.BODY_MISMATCH,
            "white screen, #root stays empty: boom",
        ),
        (
            MiniappRenderSeen(replace(SIGHT, fault="net::ERR_X"), "/c"),
            Outcome.FAILED,
            Reason.UNREACHABLE,
            "the browser cannot open the page: net::ERR_X",
        ),
        (
            MiniappRenderSeen(None),
            Outcome.UNKNOWN,
            Reason.NOT_CONFIGURED,
            "not rendered: no Chromium is installed here",
        ),
    ],
)
def test_render_judges(seen: MiniappRenderSeen, outcome: Outcome, reason: Reason | None, summary: str) -> None:
    verdict = render_check().judge(seen, NOW)

    assert (verdict.outcome, verdict.reason, verdict.summary) == (outcome, reason, summary)
    assert bool(verdict.hint) == (outcome is not Outcome.OK)


def test_the_launch_stands_behind_the_hash_and_is_never_shown() -> None:
    url = launch_url("https://app.example.net/a?b=1#old", "user=1&hash=ff")

    assert url.startswith("https://app.example.net/a?b=1#tgWebAppData=user%3D1%26hash%3Dff&tgWebAppVersion=9.0&")
    assert plain(f"failed at {url} (x)") == "failed at https://app.example.net/a?b=1 (x)"
    assert "tgWebAppData" not in launch_url("https://app.example.net", "")
