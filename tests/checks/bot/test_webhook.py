"""`bot.webhook`: its judgement, and a look at a real Bot API shape over loopback."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from aiohttp import web

from checks.bot.webhook import BotWebhook, BotWebhookConfig
from checks.bot.webhook_info import WebhookInfo, shown
from checks.failures import verdict_of
from checks.result import Fact, Outcome, Reason
from checks.telegram_api import Answer
from tests.fakes import NOW, io_for

TOKEN = "123456789:AAF" + "x" * 32
URL = "https://nexus-bot.onrender.com/hook/s3cretpath"
GOOD = Answer(200, True, {}, "", None, 0.03)


def check_of(**settings: object) -> BotWebhook:
    return BotWebhook(
        BotWebhookConfig(id="bot.webhook", service="nexus-bot", token=TOKEN, **settings)  # type: ignore[arg-type]
    )


def refused(status: int, description: str = "") -> WebhookInfo:
    return WebhookInfo(Answer(status, False, None, description, None, 0.03))


SET = WebhookInfo(GOOD, url=URL, max_connections=40)

JUDGED = {
    "as expected": (
        {"expected_url": URL},
        SET,
        Outcome.OK,
        None,
        "webhook is set at nexus-bot.onrender.com, 0 pending",
    ),
    "any https": ({}, SET, Outcome.OK, None, "webhook is set at nexus-bot.onrender.com, 0 pending"),
    "loopback": (
        {},
        replace(SET, url="http://127.0.0.1:8081/hook"),
        Outcome.OK,
        None,
        "webhook is set at 127.0.0.1:8081, 0 pending",
    ),
    "localhost": (
        {},
        replace(SET, url="http://localhost:8081/hook"),
        Outcome.OK,
        None,
        "webhook is set at localhost:8081, 0 pending",
    ),
    "empty": (
        {"expected_url": URL},
        replace(SET, url=""),
        Outcome.FAILED,
        Reason.MISSING,
        "no webhook is set: the bot gets no updates",
    ),
    "foreign": (
        {"expected_url": URL},
        replace(SET, url="https://dev.ngrok.io/hook"),
        Outcome.FAILED,
        Reason.DRIFT,
        "the webhook points elsewhere: dev.ngrok.io",
    ),
    "plain http": (
        {},
        replace(SET, url="http://bot.example.net/hook"),
        Outcome.FAILED,
        Reason.DRIFT,
        "the webhook points elsewhere: bot.example.net",
    ),
    "update type left out": (
        {"expected_updates": ("message", "callback_query")},
        replace(SET, allowed_updates=("message",)),
        Outcome.DEGRADED,
        Reason.DRIFT,
        "allowed_updates lacks callback_query",
    ),
    "not in the default set": (
        {"expected_updates": ("message", "chat_member")},
        SET,
        Outcome.DEGRADED,
        Reason.DRIFT,
        "allowed_updates lacks chat_member",
    ),
    "serial delivery": (
        {},
        replace(SET, max_connections=1),
        Outcome.DEGRADED,
        Reason.CAPACITY,
        "max_connections is only 1",
    ),
    "connections not told": (
        {},
        replace(SET, max_connections=None),
        Outcome.OK,
        None,
        "webhook is set at nexus-bot.onrender.com, 0 pending",
    ),
    "own certificate on Render": (
        {},
        replace(SET, has_custom_certificate=True),
        Outcome.DEGRADED,
        Reason.DRIFT,
        "Telegram checks the webhook against an uploaded certificate",
    ),
    "own certificate elsewhere": (
        {},
        replace(SET, url="https://bot.example.net/hook", has_custom_certificate=True),
        Outcome.OK,
        None,
        "webhook is set at bot.example.net, 0 pending",
    ),
    "token refused": (
        {},
        refused(401, "Unauthorized"),
        Outcome.FAILED,
        Reason.AUTH_REJECTED,
        "getWebhookInfo 401: Telegram refuses the bot's token",
    ),
    "too many calls": (
        {},
        refused(429),
        Outcome.UNKNOWN,
        Reason.RATE_LIMITED,
        "getWebhookInfo 429: Telegram did not say",
    ),
    "telegram down": ({}, refused(502), Outcome.UNKNOWN, Reason.VANTAGE, "getWebhookInfo 502: Telegram did not say"),
}


@pytest.mark.parametrize(("settings", "seen", "outcome", "reason", "summary"), JUDGED.values(), ids=JUDGED)
def test_judge(
    settings: dict[str, object], seen: WebhookInfo, outcome: Outcome, reason: Reason | None, summary: str
) -> None:
    verdict = check_of(**settings).judge(seen, NOW)

    assert (verdict.outcome, verdict.reason, verdict.summary) == (outcome, reason, summary)
    assert bool(verdict.hint) == (outcome is not Outcome.OK)
    assert verdict.certain == (reason is Reason.AUTH_REJECTED)
    assert "s3cretpath" not in repr(verdict)
    assert TOKEN not in repr(verdict)


def test_evidence_tells_what_telegram_knows() -> None:
    seen = replace(
        SET,
        pending_updates=3,
        last_error_at=NOW - timedelta(minutes=6),
        last_error="Wrong response from the webhook: 502 Bad Gateway",
        ip="216.24.57.1",
        has_custom_certificate=True,
    )

    verdict = check_of(expected_url="https://other.net/hook").judge(seen, NOW)

    assert verdict.evidence.facts == (
        Fact("webhook", shown(URL)),
        Fact("expected", shown("https://other.net/hook")),
        Fact("pending updates", 3),
        Fact("last delivery error", "Wrong response from the webhook: 502 Bad Gateway (6 min ago)"),
        Fact("its cause", "the bot's service is not up"),
        Fact("max connections", 40),
        Fact("allowed updates", "Telegram's default"),
        Fact("ip", "216.24.57.1"),
        Fact("custom certificate", True),
        Fact("telegram status", 200),
        Fact("latency", 0.03, "s"),
    )
    assert verdict.values == {"latency_seconds": 0.03, "pending_updates": 3.0}


def test_an_address_that_moved_is_told() -> None:
    before = [replace(SET, ip="216.24.57.1")]

    facts = check_of().judge(replace(SET, ip="216.24.57.9"), NOW, before).evidence.facts
    same = check_of().judge(replace(SET, ip="216.24.57.1"), NOW, before).evidence.facts

    assert Fact("ip before", "216.24.57.1") in facts
    assert "ip before" not in {fact.name for fact in same}


def test_two_secret_paths_are_told_apart_without_showing_them() -> None:
    assert shown("") == "none"
    assert shown(URL).startswith("https://nexus-bot.onrender.com/… (path #")
    assert shown(URL) != shown(URL + "x")


def test_a_network_error_on_the_way_to_telegram_is_unknown() -> None:
    error = verdict_of(TimeoutError(), 10.0)
    assert error is not None

    told = check_of().on_failure(error)

    assert (told.outcome, told.reason, told.summary) == (
        Outcome.UNKNOWN,
        Reason.VANTAGE,
        "getWebhookInfo: no answer within 10 s",
    )


@pytest.mark.real
async def test_a_real_answer_is_read(serve) -> None:
    async def handler(request: web.Request) -> web.Response:
        assert request.path == f"/bot{TOKEN}/getWebhookInfo"
        result = {
            "url": URL,
            "has_custom_certificate": False,
            "pending_update_count": 2,
            "last_error_date": 1_790_000_000,
            "last_error_message": "Connection refused",
            "max_connections": 40,
            "ip_address": "216.24.57.1",
            "allowed_updates": ["message"],
        }
        return web.json_response({"ok": True, "result": result})

    seen = await check_of(api_base_url=await serve(handler)).measure(io_for())

    assert seen == WebhookInfo(
        answer=seen.answer,
        url=URL,
        pending_updates=2,
        last_error_at=datetime.fromtimestamp(1_790_000_000, UTC),
        last_error="Connection refused",
        max_connections=40,
        allowed_updates=("message",),
        ip="216.24.57.1",
    )
