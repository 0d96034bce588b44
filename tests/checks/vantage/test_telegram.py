"""`telegram.api`: whether we reach the Bot API with the alert bot's token."""

import pytest
from aiohttp import web

from checks.failures import verdict_of
from checks.result import Outcome, Reason
from checks.telegram_api import Answer
from checks.vantage.telegram import TelegramApi, TelegramApiConfig, TelegramApiSeen
from tests.fakes import NOW, io_for

TOKEN = "123456789:AAF" + "x" * 32


def check_of(url: str = "https://api.telegram.org") -> TelegramApi:
    return TelegramApi(
        TelegramApiConfig(id="telegram.api", service="telegram", token=TOKEN, api_base_url=url)  # type: ignore[arg-type]
    )


JUDGED = {
    "good": (Answer(200, True, {}, "", None, 0.03), Outcome.OK, None, "getMe 200 in 30 ms"),
    "token refused": (
        Answer(401, False, None, "Unauthorized", None, 0.03),
        Outcome.FAILED,
        Reason.AUTH_REJECTED,
        "getMe 401 in 30 ms: Telegram refuses the alert bot's token",
    ),
    "too many calls": (
        Answer(429, False, None, "Too Many Requests", 5.0, 0.03),
        Outcome.UNKNOWN,
        Reason.RATE_LIMITED,
        "getMe 429 in 30 ms: too many calls",
    ),
    "trouble": (
        Answer(502, False, None, "", None, 0.03),
        Outcome.FAILED,
        Reason.HTTP_STATUS,
        "getMe 502 in 30 ms: Telegram's Bot API is in trouble",
    ),
    "slow": (Answer(200, True, {}, "", None, 5.5), Outcome.DEGRADED, Reason.SLOW, "getMe 200 in 5.5 s"),
}


@pytest.mark.parametrize(("answer", "outcome", "reason", "summary"), JUDGED.values(), ids=JUDGED)
def test_judge(answer: Answer, outcome: Outcome, reason: Reason | None, summary: str) -> None:
    verdict = check_of().judge(TelegramApiSeen(answer), NOW)

    assert (verdict.outcome, verdict.reason, verdict.summary) == (outcome, reason, summary)
    assert verdict.certain == (reason is Reason.AUTH_REJECTED)


def test_a_network_error_stays_failed() -> None:
    error = verdict_of(TimeoutError(), 10.0)
    assert error is not None

    told = check_of().on_failure(error)

    assert (told.outcome, told.summary) == (Outcome.FAILED, "Bot API: no answer within 10 s")
    assert "alerts cannot be sent" in told.hint


@pytest.mark.real
async def test_a_real_server_is_asked_get_me(serve) -> None:
    async def handler(request: web.Request) -> web.Response:
        assert request.path == f"/bot{TOKEN}/getMe"
        return web.json_response({"ok": True, "result": {"id": 1, "is_bot": True}})

    check = check_of(await serve(handler))

    assert check.judge(await check.measure(io_for()), NOW).outcome is Outcome.OK
