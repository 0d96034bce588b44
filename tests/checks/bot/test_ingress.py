"""`bot.ingress`: its judgement, and one update sent over loopback."""

import pytest
from aiohttp import web

from checks.bot.ingress import BotIngress, BotIngressConfig, BotIngressSeen
from checks.failures import verdict_of
from checks.http import Exchange
from checks.result import Outcome, Reason
from tests.fakes import NOW, answered, io_for

URL = "https://nexus-bot.onrender.com/hook/s3cretpath"


def check_of(url: str = URL, secret_token: str | None = "webhook-secret") -> BotIngress:
    return BotIngress(
        BotIngressConfig(
            id="bot.ingress",
            service="nexus-bot",
            url=url,  # type: ignore[arg-type]
            secret_token=secret_token,  # type: ignore[arg-type]
        )
    )


JUDGED = {
    "good": (answered(200, "{}"), Outcome.OK, None, "webhook 200 in 41 ms"),
    "wrong secret": (
        answered(401, "Unauthorized"),
        Outcome.FAILED,
        Reason.AUTH_REJECTED,
        "webhook 401 in 41 ms: the bot refuses the call",
    ),
    "wrong path": (
        answered(404),
        Outcome.FAILED,
        Reason.HTTP_STATUS,
        "webhook 404 in 41 ms: no such path at the bot",
    ),
    "redirect": (
        answered(307, url=URL, location="/hook/s3cretpath/"),
        Outcome.FAILED,
        Reason.HTTP_STATUS,
        "webhook 307 in 41 ms: the webhook redirects",
    ),
    "raises": (
        answered(500, "boom"),
        Outcome.FAILED,
        Reason.HTTP_STATUS,
        "webhook 500 in 41 ms: the handler raises",
    ),
    "a page of another service": (
        answered(200, "<!doctype html>", content_type="text/html"),
        Outcome.FAILED,
        Reason.BODY_MISMATCH,
        "webhook 200 in 41 ms: a web page answers, not the bot",
    ),
    "slow": (
        answered(200, "{}", seconds=2.4),
        Outcome.DEGRADED,
        Reason.SLOW,
        "webhook 200 in 2.4 s, slower than 2 s",
    ),
}


@pytest.mark.parametrize(("answer", "outcome", "reason", "summary"), JUDGED.values(), ids=JUDGED)
def test_judge(answer: Exchange, outcome: Outcome, reason: Reason | None, summary: str) -> None:
    verdict = check_of().judge(BotIngressSeen(answer), NOW)

    assert (verdict.outcome, verdict.reason, verdict.summary) == (outcome, reason, summary)
    assert bool(verdict.hint) == (outcome is not Outcome.OK)
    assert "s3cretpath" not in repr(verdict)


@pytest.mark.parametrize("status", [401, 403])
def test_a_secret_that_we_were_not_given_is_our_gap_and_not_the_bots_fault(status: int) -> None:
    verdict = check_of(secret_token=None).judge(BotIngressSeen(answered(status)), NOW)

    assert (verdict.outcome, verdict.reason) == (Outcome.UNKNOWN, Reason.NOT_CONFIGURED)
    assert "WEBHOOK_SECRET" in verdict.hint


@pytest.mark.parametrize(
    ("body", "says"), [("Unauthorized", "secret token differs"), ("401: Unauthorized", "ip_filter")]
)
def test_a_wrong_secret_and_an_ip_filter_are_told_apart(body: str, says: str) -> None:
    assert says in check_of().judge(BotIngressSeen(answered(401, body)), NOW).hint


def test_a_refused_connection_says_where_to_look() -> None:
    error = verdict_of(ConnectionRefusedError())
    assert error is not None

    told = check_of().on_failure(error)

    assert told.summary == "webhook: connection refused"
    assert told.hint.startswith("Render → nexus-bot → Events")


@pytest.mark.real
@pytest.mark.parametrize("secret", ["webhook-secret", None])
async def test_one_harmless_update_is_posted(serve, secret: str | None) -> None:
    async def handler(request: web.Request) -> web.Response:
        assert request.method == "POST"
        assert await request.json() == {"update_id": 1}
        assert request.headers.get("X-Telegram-Bot-Api-Secret-Token") == secret
        return web.json_response({})

    check = check_of(f"{await serve(handler)}/hook", secret)

    assert check.judge(await check.measure(io_for()), NOW).outcome is Outcome.OK
