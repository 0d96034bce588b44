"""`miniapp.sdk` fetches the script that the page names, and tells a script from what only looks like one."""

from typing import Any

import pytest
from aiohttp import web

from checks.failures import verdict_of
from checks.miniapp.sdk import MiniappSdk, MiniappSdkConfig, MiniappSdkSeen
from checks.result import Outcome, Reason
from tests.fakes import NOW, answered, io_for

JS = "text/javascript"


def sdk_check(page_url: str = "https://app.example.net", **own: Any) -> MiniappSdk:
    return MiniappSdk(MiniappSdkConfig(id="miniapp.sdk", service="nexus-miniapp", page_url=page_url, **own))


@pytest.mark.parametrize(
    ("answer", "outcome", "reason", "summary"),
    [
        (answered(200, "x.WebApp={}", content_type=JS), Outcome.OK, None, "telegram-web-app.js from 127.0.0.1:8000 in"),
        (answered(404, "no"), Outcome.DEGRADED, Reason.HTTP_STATUS, "telegram-web-app.js is 404"),
        (
            answered(200, "<p>WebApp", content_type="text/html"),
            Outcome.DEGRADED,
            Reason.BODY_MISMATCH,
            "telegram-web-app.js is served as text/html",
        ),
        (
            answered(200, "WebApp", content_type=""),
            Outcome.DEGRADED,
            Reason.BODY_MISMATCH,
            "telegram-web-app.js is served as no type",
        ),
        (
            answered(200, "let x", content_type=JS),
            Outcome.DEGRADED,
            Reason.BODY_MISMATCH,
            "telegram-web-app.js is another script",
        ),
    ],
)
def test_sdk_judges(answer: Any, outcome: Outcome, reason: Reason | None, summary: str) -> None:
    verdict = sdk_check().judge(MiniappSdkSeen(answer, True), NOW)

    assert (verdict.outcome, verdict.reason) == (outcome, reason)
    assert verdict.summary.startswith(summary)
    assert bool(verdict.hint) == (outcome is not Outcome.OK)


@pytest.mark.real
async def test_the_script_that_the_page_names_is_fetched(serve) -> None:
    async def handler(request: web.Request) -> web.Response:
        if request.path == "/js/telegram-web-app.js":
            return web.Response(text="window.Telegram={WebApp:{}}", content_type=JS)
        return web.Response(text='<script src="js/telegram-web-app.js?57"></script>', content_type="text/html")

    base = await serve(handler)
    check = sdk_check(f"{base}/")

    seen = await check.measure(io_for())

    assert (seen.answer.url, seen.is_named) == (f"{base}/js/telegram-web-app.js?57", True)
    assert check.judge(seen, NOW).outcome is Outcome.OK


@pytest.mark.real
async def test_a_configured_script_is_fetched_without_the_page(serve) -> None:
    async def handler(request: web.Request) -> web.Response:
        assert request.path == "/own.js"
        return web.Response(text="WebApp", content_type=JS)

    base = await serve(handler)

    seen = await sdk_check("http://127.0.0.1:1/", url=f"{base}/own.js").measure(io_for())

    assert (seen.answer.status, seen.is_named) == (200, False)


def test_a_network_error_is_unseen() -> None:
    error = verdict_of(TimeoutError(), 3.0)
    assert error is not None

    assert sdk_check().on_failure(error).outcome is Outcome.UNKNOWN
