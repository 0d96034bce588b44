"""`miniapp.button` compares what Telegram's menu button opens with the page that is watched."""

import pytest
from aiohttp import web

from checks.failures import verdict_of
from checks.miniapp.button import MiniappButton, MiniappButtonConfig, MiniappButtonSeen
from checks.result import Outcome, Reason
from checks.telegram_api import Answer
from tests.fakes import NOW, io_for

TOKEN = "700000001:AAdemo-token-of-the-nexus-bot-0000000"
PAGE = "https://app.example.net/shop/"


def button_check(api_base_url: str = "https://api.telegram.org") -> MiniappButton:
    config = MiniappButtonConfig(
        id="miniapp.button", service="nexus-bot", token=TOKEN, page_url=PAGE, api_base_url=api_base_url
    )
    return MiniappButton(config)


def said(url: str = PAGE, kind: str = "web_app", status: int = 200) -> MiniappButtonSeen:
    return MiniappButtonSeen(Answer(status, status == 200, None, "", None, 0.03), kind, url)


@pytest.mark.parametrize(
    ("seen", "outcome", "reason", "summary"),
    [
        (said(), Outcome.OK, None, "the menu button opens app.example.net"),
        (said("https://APP.example.net/shop?v=3#x"), Outcome.OK, None, "the menu button opens app.example.net"),
        (said("https://app.example.net/shop/index.html"), Outcome.OK, None, "the menu button opens app.example.net"),
        (
            said("https://old.example.net/shop/"),
            Outcome.DEGRADED,
            Reason.DRIFT,
            "the menu button opens old.example.net, not the watched page",
        ),
        (
            said("", "commands"),
            Outcome.DEGRADED,
            Reason.MISSING,
            "the menu button does not open the Mini App",
        ),
        (said(status=401), Outcome.UNKNOWN, Reason.VANTAGE, "getChatMenuButton 401: Telegram did not say"),
        (said(status=429), Outcome.UNKNOWN, Reason.RATE_LIMITED, "getChatMenuButton 429: Telegram did not say"),
    ],
)
def test_button_judges(seen: MiniappButtonSeen, outcome: Outcome, reason: Reason | None, summary: str) -> None:
    verdict = button_check().judge(seen, NOW)

    assert (verdict.outcome, verdict.reason, verdict.summary) == (outcome, reason, summary)
    assert bool(verdict.hint) == (outcome is not Outcome.OK)


@pytest.mark.real
@pytest.mark.parametrize(
    ("result", "kind", "url"),
    [
        ({"type": "web_app", "text": "Open", "web_app": {"url": PAGE}}, "web_app", PAGE),
        ({"type": "commands"}, "commands", ""),
        (None, "", ""),
    ],
)
async def test_the_default_button_is_asked_for(serve, result: object, kind: str, url: str) -> None:
    async def handler(request: web.Request) -> web.Response:
        assert request.path == f"/bot{TOKEN}/getChatMenuButton"
        return web.json_response({"ok": True, "result": result})

    seen = await button_check(await serve(handler)).measure(io_for())

    assert (seen.answer.is_ok, seen.type, seen.url) == (True, kind, url)


def test_a_network_error_is_unseen() -> None:
    error = verdict_of(ConnectionRefusedError())
    assert error is not None

    assert button_check().on_failure(error).outcome is Outcome.UNKNOWN
