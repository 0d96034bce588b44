"""`miniapp.page` against a built app on loopback, whole and broken in each way that HTTP can see."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest
from aiohttp import web

from checks.failures import verdict_of
from checks.miniapp.crawl import ASSETS_LIMIT, REDIRECTS_LIMIT
from checks.miniapp.page import MiniappPage, MiniappPageConfig
from checks.result import Fact, Outcome, Reason, Verdict
from tests.fakes import NOW, io_for

JS = "text/javascript"
INDEX = """<!doctype html><html><head>
<script src="https://telegram.org/js/telegram-web-app.js"></script>
<script type="module" crossorigin src="/assets/index-a1b2.js"></script>
<link rel="modulepreload" crossorigin href="/assets/vendor-c3d4.js">
<link rel="stylesheet" crossorigin href="/assets/index-e5f6.css">
</head><body><div id="root"></div></body></html>"""
ENTRY = (
    'const __vite__mapDeps=(i,m=__vite__mapDeps,d=(m.f||(m.f=["assets/Stats-g7h8.js","assets/Stats-i9.css"])))=>i;'
    'import{r}from"./vendor-c3d4.js";const S=r.lazy(()=>v(()=>import("./Stats-g7h8.js"),__vite__mapDeps([0,1])));'
)


@dataclass
class Site:
    """A static site: path → (type, body), headers of the page, and what a missing file gives."""

    files: dict[str, tuple[str, str]] = field(
        default_factory=lambda: {
            "/": ("text/html", INDEX),
            "/assets/index-a1b2.js": (JS, ENTRY),
            "/assets/vendor-c3d4.js": (JS, "export const r=1;"),
            "/assets/index-e5f6.css": ("text/css", "body{margin:0}"),
            "/assets/Stats-g7h8.js": (JS, 'import{r}from"./vendor-c3d4.js";export default 1;'),
            "/assets/Stats-i9.css": ("text/css", "p{margin:0}"),
        }
    )
    headers: dict[str, str] = field(default_factory=lambda: {"cache-control": "public, max-age=0"})
    rewrites_assets: bool = False
    asked: list[str] = field(default_factory=list)

    async def answer(self, request: web.Request) -> web.Response:
        self.asked.append(request.path)
        found = self.files.get(request.path)
        if found is None and not self.rewrites_assets:
            return web.Response(status=404, text="Not Found")
        kind, body = found or ("text/html", INDEX)
        headers = self.headers if kind == "text/html" else {}
        return web.Response(text=body, content_type=kind, headers=headers)

    def change(self, path: str, old: str, new: str) -> None:
        kind, body = self.files[path]
        assert old in body
        self.files[path] = kind, body.replace(old, new)


def check_of(url: str) -> MiniappPage:
    return MiniappPage(MiniappPageConfig(id="miniapp.page", service="nexus-miniapp", url=url))


async def look(serve, site: Site) -> Verdict:
    check = check_of(f"{await serve(site.answer)}/")
    return check.judge(await check.measure(io_for()), NOW)


pytestmark = pytest.mark.real


async def test_a_whole_app_is_ok_and_each_file_is_fetched_once(serve) -> None:
    site = Site()

    verdict = await look(serve, site)

    assert (verdict.outcome, verdict.hint) == (Outcome.OK, "")
    assert verdict.summary.startswith("page and 5 files in ")
    assert sorted(site.asked) == sorted([*site.files, "/assets/nexus-monitor-probe.js"])
    assert {"load_seconds", "assets_bytes", "latency_seconds"} <= set(verdict.values)
    assert Fact("mount point", "root") in verdict.evidence.facts


async def test_the_made_up_asset_is_beside_the_built_entry(serve) -> None:
    site = Site()
    site.change("/", "<head>", '<head><script src="/config.js"></script>')
    site.files["/config.js"] = (JS, "window.c=1;")

    assert (await look(serve, site)).outcome is Outcome.OK
    assert "/assets/nexus-monitor-probe.js" in site.asked


def stale_hash(site: Site) -> None:
    site.change("/", "index-a1b2.js", "index-old.js")


def stale_hash_rewritten(site: Site) -> None:
    stale_hash(site)
    site.rewrites_assets = True


def no_lazy(site: Site) -> None:
    del site.files["/assets/Stats-g7h8.js"]


def no_lazy_rewritten(site: Site) -> None:
    no_lazy(site)
    site.rewrites_assets = True


def wrong_base(site: Site) -> None:
    site.change("/", "/assets/", "/other/assets/")


def plain_text(site: Site) -> None:
    site.files["/assets/index-a1b2.js"] = ("text/plain", ENTRY)


def empty_entry(site: Site) -> None:
    site.files["/assets/index-a1b2.js"] = (JS, "")


def wrong_integrity(site: Site) -> None:
    site.change("/", 'src="/assets/index-a1b2.js"', 'src="/assets/index-a1b2.js" integrity="sha384-AAAA"')


def no_style(site: Site) -> None:
    del site.files["/assets/index-e5f6.css"]


def header(name: str, value: str) -> Callable[[Site], None]:
    def add(site: Site) -> None:
        site.headers = {**site.headers, name: value}

    return add


def insecure_script(site: Site) -> None:
    site.change("/", "</head>", '<script src="http://cdn.example.net/x.js"></script></head>')


def placeholder(site: Site) -> None:
    site.files["/"] = ("text/html", "<html><body><h1>Coming soon</h1></body></html>")


def no_mount(site: Site) -> None:
    site.change("/", '<div id="root"></div>', "<p>hello</p>")


def no_vendor(site: Site) -> None:
    del site.files["/assets/vendor-c3d4.js"]


def torn_entry(site: Site) -> None:
    site.files["/assets/index-a1b2.js"] = (JS, ENTRY[:-3])


def no_api_address(site: Site) -> None:
    site.change("/assets/vendor-c3d4.js", "r=1", 'r=()=>fetch("undefined/me")')


def no_api_address_inline(site: Site) -> None:
    site.change("/", "</head>", '<script>window.CONFIG = {"apiUrl": null};</script></head>')


def only_rewrite(site: Site) -> None:
    site.rewrites_assets = True


def page_gone(site: Site) -> None:
    del site.files["/"]


def page_is_json(site: Site) -> None:
    site.files["/"] = ("application/json", "{}")


FATAL, WEAK = Outcome.FAILED, Outcome.DEGRADED

BROKEN = {
    "page names a removed chunk": (stale_hash, FATAL, Reason.HTTP_STATUS, "entry script index-old.js is 404"),
    "the same, rewritten to HTML": (
        stale_hash_rewritten,
        FATAL,
        Reason.BODY_MISMATCH,
        "entry script index-old.js is an HTML page (+1 more)",
    ),
    "lazy chunk missing": (no_lazy, WEAK, Reason.HTTP_STATUS, "lazy chunk Stats-g7h8.js is 404"),
    "lazy chunk rewritten to HTML": (
        no_lazy_rewritten,
        WEAK,
        Reason.BODY_MISMATCH,
        "lazy chunk Stats-g7h8.js is an HTML page (+1 more)",
    ),
    "wrong base path": (wrong_base, FATAL, Reason.HTTP_STATUS, "entry script index-a1b2.js is 404 (+2 more)"),
    "script as text": (
        plain_text,
        FATAL,
        Reason.BODY_MISMATCH,
        "entry script index-a1b2.js is served as text/plain",
    ),
    "empty script": (empty_entry, FATAL, Reason.BODY_MISMATCH, "entry script index-a1b2.js is empty"),
    "integrity": (
        wrong_integrity,
        FATAL,
        Reason.BODY_MISMATCH,
        "entry script index-a1b2.js does not match its integrity hash",
    ),
    "script ends in the middle": (
        torn_entry,
        FATAL,
        Reason.BODY_MISMATCH,
        "entry script index-a1b2.js ends in the middle",
    ),
    "undefined API address": (
        no_api_address,
        FATAL,
        Reason.BODY_MISMATCH,
        "the API's address is undefined in vendor-c3d4.js",
    ),
    "no API address in the page's own script": (
        no_api_address_inline,
        FATAL,
        Reason.BODY_MISMATCH,
        "the API's address is undefined in index.html",
    ),
    "style missing": (no_style, WEAK, Reason.HTTP_STATUS, "style index-e5f6.css is 404"),
    "framing denied": (
        header("x-frame-options", "DENY"),
        WEAK,
        Reason.BODY_MISMATCH,
        "X-Frame-Options DENY keeps Telegram Web out",
    ),
    "framing by the same origin only": (
        header("x-frame-options", "SAMEORIGIN"),
        WEAK,
        Reason.BODY_MISMATCH,
        "X-Frame-Options SAMEORIGIN keeps Telegram Web out",
    ),
    "frame-ancestors": (
        header("content-security-policy", "frame-ancestors 'self'"),
        WEAK,
        Reason.BODY_MISMATCH,
        "frame-ancestors 'self' keeps Telegram Web out",
    ),
    "policy blocks the SDK": (
        header("content-security-policy", "script-src 'self'"),
        FATAL,
        Reason.BODY_MISMATCH,
        "Content-Security-Policy blocks telegram.org",
    ),
    "policy blocks the entry": (
        header("content-security-policy", "script-src https://telegram.org"),
        FATAL,
        Reason.BODY_MISMATCH,
        "Content-Security-Policy blocks index-a1b2.js",
    ),
    "script over http": (
        insecure_script,
        WEAK,
        Reason.BODY_MISMATCH,
        "page loads http://cdn.example.net/x.js over http",
    ),
    "placeholder": (placeholder, FATAL, Reason.BODY_MISMATCH, "page loads no script: it is not the app"),
    "page cached for a year": (
        header("cache-control", "public, max-age=31536000"),
        WEAK,
        Reason.STALE,
        "index.html may be cached for 365 d",
    ),
    "no mount point": (no_mount, WEAK, Reason.BODY_MISMATCH, "page has no element to mount the app in"),
    "static import missing": (no_vendor, FATAL, Reason.HTTP_STATUS, "entry script vendor-c3d4.js is 404"),
    "rewrite over the assets": (
        only_rewrite,
        WEAK,
        Reason.BODY_MISMATCH,
        "a made-up asset is 200: the SPA rewrite covers the assets",
    ),
    "page gone": (page_gone, FATAL, Reason.HTTP_STATUS, "page is 404"),
    "page is no HTML": (
        page_is_json,
        FATAL,
        Reason.BODY_MISMATCH,
        "page is served as application/json, not HTML",
    ),
}


@pytest.mark.parametrize(("break_it", "outcome", "reason", "summary"), BROKEN.values(), ids=BROKEN)
async def test_a_broken_app_is_named(
    serve, break_it: Callable[[Site], None], outcome: Outcome, reason: Reason, summary: str
) -> None:
    site = Site()
    break_it(site)

    verdict = await look(serve, site)

    assert (verdict.outcome, verdict.reason, verdict.summary) == (outcome, reason, summary)
    assert verdict.hint


async def test_an_http_address_in_the_bundle_is_a_hint(serve) -> None:
    site = Site()
    site.change("/assets/vendor-c3d4.js", "r=1", 'r="http://api.nexus.net/v1"')

    verdict = await look(serve, site)

    assert verdict.outcome is Outcome.OK
    assert verdict.hint.startswith("A script names http://api.nexus.net")
    assert Fact("http address in a script", "api.nexus.net") in verdict.evidence.facts


async def test_a_redirected_page_is_followed(serve) -> None:
    site = Site()

    async def handler(request: web.Request) -> web.Response:
        if request.path == "/app":
            raise web.HTTPMovedPermanently("/")
        return await site.answer(request)

    base = await serve(handler)
    check = check_of(f"{base}/app")

    verdict = check.judge(await check.measure(io_for()), NOW)

    assert verdict.outcome is Outcome.OK
    assert Fact("redirected to", f"{base}/") in verdict.evidence.facts


async def test_an_endless_redirect_is_failed(serve) -> None:
    asked: list[str] = []

    async def handler(request: web.Request) -> web.Response:
        asked.append(request.path)
        raise web.HTTPFound("/")

    check = check_of(f"{await serve(handler)}/")

    verdict = check.judge(await check.measure(io_for()), NOW)

    assert (verdict.outcome, verdict.summary) == (Outcome.FAILED, "page is 302")
    assert len(asked) == REDIRECTS_LIMIT + 1


async def test_an_asset_that_hangs_is_named_within_the_budget(serve) -> None:
    site = Site()
    ended = asyncio.Event()

    async def handler(request: web.Request) -> web.Response:
        if request.path == "/assets/Stats-i9.css":
            await ended.wait()
        return await site.answer(request)

    check = check_of(f"{await serve(handler)}/")

    verdict = check.judge(await check.measure(io_for(0.5)), NOW)
    ended.set()

    assert verdict.outcome is Outcome.DEGRADED
    assert verdict.summary.startswith("lazy chunk Stats-i9.css: no answer within ")


async def test_a_file_shorter_than_announced_is_named(serve) -> None:
    site = Site()

    async def handler(request: web.Request) -> web.StreamResponse:
        if request.path != "/assets/vendor-c3d4.js":
            return await site.answer(request)
        answer = web.StreamResponse(headers={"content-type": JS, "content-length": "500"})
        await answer.prepare(request)
        await answer.write(b"export const r=1;")
        assert request.transport is not None
        request.transport.close()
        return answer

    check = check_of(f"{await serve(handler)}/")

    verdict = check.judge(await check.measure(io_for()), NOW)

    assert verdict.outcome is Outcome.FAILED
    assert verdict.summary == "entry script vendor-c3d4.js: connection closed in the middle"


async def test_a_page_of_inline_scripts_is_crawled(serve) -> None:
    site = Site()
    site.files["/"] = (
        "text/html",
        '<div id="app"></div><script type="module">import "/assets/index-a1b2.js";import("/assets/none.js")</script>',
    )

    verdict = await look(serve, site)

    assert verdict.summary == "lazy chunk none.js is 404"


async def test_a_file_that_is_preloaded_and_entry_is_judged_as_entry(serve) -> None:
    site = Site()
    site.change("/", "<head>", '<head><link rel="modulepreload" href="/assets/index-a1b2.js">')
    wrong_integrity(site)

    assert (await look(serve, site)).summary == "entry script index-a1b2.js does not match its integrity hash"


async def test_an_import_beyond_the_limit_is_left_out(serve) -> None:
    site = Site()
    names = "".join(f'import"./many-{number}.js";' for number in range(ASSETS_LIMIT + 5))
    site.change("/assets/vendor-c3d4.js", "export const r=1;", names)
    for number in range(ASSETS_LIMIT + 5):
        site.files[f"/assets/many-{number}.js"] = (JS, "1;")

    assert (await look(serve, site)).summary.startswith(f"page and {ASSETS_LIMIT} files in ")


async def test_a_page_without_files_has_no_made_up_asset(serve) -> None:
    site = Site()
    site.files = {"/": ("text/html", '<div id="app"></div><script>go()</script>')}

    verdict = await look(serve, site)

    assert verdict.summary.startswith("page and 0 files in ")
    assert site.asked == ["/"]


def test_a_refused_connection_names_the_site() -> None:
    error = verdict_of(ConnectionRefusedError())
    assert error is not None

    told = check_of("https://app.example.net/").on_failure(error)

    assert told.summary == "page: connection refused"
    assert told.evidence.facts[0] == Fact("host", "app.example.net")
    assert told.hint.startswith("Render → nexus-miniapp → Events")
