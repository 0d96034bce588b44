"""Faults of nexus-miniapp, and of the API as the Mini App calls it."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

from demo.faults.fault import Fault
from demo.faults.hands import Hand, deploying, restoring
from demo.nexus.flaws import Flaw
from demo.stack import HERE, DemoStack

MINIAPP = "nexus-miniapp"
API = "nexus-api"
BUILT = HERE / "nexus" / "miniapp" / "dist"
HTML = b"<!doctype html><title>Nexus</title><h1>Not found</h1>"


def _file(stack: DemoStack, pattern: str) -> Path:
    return next(iter(stack.dist.glob(pattern)))


def _removing(pattern: str) -> Hand:
    return lambda stack: _file(stack, pattern).unlink()


def _changing(pattern: str, change: Callable[[bytes], bytes]) -> Hand:
    def do(stack: DemoStack) -> None:
        path = _file(stack, pattern)
        path.write_bytes(change(path.read_bytes()))

    return do


def _built_again(stack: DemoStack) -> None:
    """Put every file in its place as it was built; each appears at once."""
    for built in BUILT.rglob("*"):
        place = stack.dist / built.relative_to(BUILT)
        if built.is_file() and not (place.is_file() and place.read_bytes() == built.read_bytes()):
            fresh = place.with_name(f".{place.name}.new")
            shutil.copy(built, fresh)
            fresh.replace(place)


def _with_headers(**headers: str) -> Hand:
    values = json.dumps({name.replace("_", "-"): value for name, value in headers.items()})
    return deploying(MINIAPP, PAGE_HEADERS=values)


def _fault(name: str, says: str, inject: Hand, *, is_warning: bool = False) -> Fault:
    """Return a fault of the built files."""
    return Fault(name, says, "miniapp.page", inject, _built_again, "warning" if is_warning else "page")


ENTRY = "assets/index-*.js"
LAZY = "assets/Stats-*.js"
STYLE = "assets/index-*.css"

FAULTS = (
    Fault(
        "miniapp-down",
        "nexus-miniapp is killed",
        "miniapp.page",
        lambda stack: stack.parts[MINIAPP].kill(),
        lambda stack: stack.parts[MINIAPP].start(),
    ),
    Fault(
        "miniapp-paused",
        "nexus-miniapp is frozen: it takes connections and never answers",
        "miniapp.page",
        lambda stack: stack.parts[MINIAPP].pause(),
        lambda stack: stack.parts[MINIAPP].resume(),
    ),
    _fault("miniapp-page-gone", "index.html is gone: an empty folder was published", _removing("index.html")),
    _fault(
        "miniapp-placeholder",
        "index.html is a placeholder that loads no script",
        _changing("index.html", lambda _: b"<!doctype html><title>Coming soon</title>"),
    ),
    _fault(
        "miniapp-chunk-missing",
        "the script that the Mini App's page starts is gone from the server",
        _removing(ENTRY),
    ),
    _fault("miniapp-chunk-empty", "the script that the page starts is empty", _changing(ENTRY, lambda _: b"")),
    _fault("miniapp-chunk-html", "an HTML page is served for the script", _changing(ENTRY, lambda _: HTML)),
    _fault(
        "miniapp-chunk-truncated",
        "the script that the page starts ends in its middle",
        _changing(ENTRY, lambda script: script[: len(script) // 2]),
    ),
    _fault("miniapp-lazy-missing", "a script that is loaded later is gone", _removing(LAZY), is_warning=True),
    _fault("miniapp-style-missing", "the style sheet is gone", _removing(STYLE), is_warning=True),
    _fault(
        "miniapp-no-mount",
        "index.html has no element to mount the app in",
        _changing("index.html", lambda page: page.replace(b'<div id="root"></div>', b"")),
        is_warning=True,
    ),
    Fault(
        "miniapp-wrong-type",
        "scripts are served as text/plain, which browsers refuse to run",
        "miniapp.page",
        deploying(MINIAPP, Flaw.ASSETS_AS_TEXT),
        restoring(MINIAPP),
    ),
    Fault(
        "miniapp-script-blocked",
        "the page's own Content-Security-Policy blocks its script",
        "miniapp.page",
        _with_headers(Content_Security_Policy="script-src 'none'"),
        restoring(MINIAPP),
    ),
    Fault(
        "miniapp-framing-denied",
        "the page is served with X-Frame-Options DENY: Telegram Web cannot show it",
        "miniapp.page",
        _with_headers(X_Frame_Options="DENY"),
        restoring(MINIAPP),
        severity="warning",
    ),
    Fault(
        "miniapp-page-cached",
        "index.html may be cached for a day",
        "miniapp.page",
        _with_headers(Cache_Control="public, max-age=86400"),
        restoring(MINIAPP),
        severity="warning",
    ),
    Fault(
        "miniapp-rewrite-over-assets",
        "a missing asset is answered with index.html: HTML for a chunk after the next deploy",
        "miniapp.page",
        deploying(MINIAPP, Flaw.SPA_OVER_ASSETS),
        restoring(MINIAPP),
        severity="warning",
    ),
    Fault(
        "miniapp-api-undefined",
        "the app is told that the API's address is `undefined`",
        "miniapp.render",
        deploying(MINIAPP, Flaw.API_UNDEFINED),
        restoring(MINIAPP),
        severity="warning",
        also=("miniapp.page", "miniapp.calls"),
        is_possible=lambda stack: any(map(shutil.which, ("chromium", "chromium-headless-shell"))),
    ),
    Fault(
        "login-refused",
        "nexus-api is deployed with another bot's token: it refuses every login",
        "miniapp.auth",
        deploying(API, BOT_TOKEN="710000009:AAFanotherBotsTokenIsPublicToo00000000009"),
        restoring(API),
    ),
    Fault(
        "login-forged",
        "nexus-api accepts a login with a forged hash",
        "miniapp.auth_guard",
        deploying(API, Flaw.LOGIN_UNSIGNED),
        restoring(API),
        severity="warning",
    ),
    Fault(
        "login-ageless",
        "nexus-api accepts a login that is three days old",
        "miniapp.auth_guard",
        deploying(API, Flaw.LOGIN_AGELESS),
        restoring(API),
        severity="warning",
    ),
    Fault(
        "api-no-cors",
        "nexus-api allows no other origin: the Mini App may not call it",
        "miniapp.calls",
        deploying(API, Flaw.NO_CORS),
        restoring(API),
    ),
    Fault(
        "api-other-origin",
        "nexus-api allows the Mini App's former address alone",
        "miniapp.calls",
        deploying(API, MINIAPP_URL="https://nexus-old.example"),
        restoring(API),
    ),
)
