"""Kind `http`: what its answer may be, and that nothing secret of it is ever shown."""

import json
from typing import Any

import pytest
from aiohttp import web
from pydantic import SecretStr, ValidationError

from checks.custom.http import Http, HttpConfig, HttpSeen
from checks.failures import verdict_of
from checks.http import Exchange
from checks.result import Outcome, Reason
from tests.checks.conftest import Serve
from tests.fakes import NOW, answered, io_for

URL = "http://shop.example/admin?key=hushhush"


def check_of(url: Any = URL, **settings: Any) -> Http:
    return Http(HttpConfig(id="shop.admin", service="shop", url=url, **settings))


def seen(*exchanges: Exchange) -> HttpSeen:
    return HttpSeen(exchanges)


GET = "GET http://shop.example/admin"
BODY = json.dumps({"status": "ok", "count": 1, "on": True, "parts": [{"name": "db"}], "who": None})
OKAY, FAILED, MISMATCH = Outcome.OK, Outcome.FAILED, Reason.BODY_MISMATCH
ROUND = answered(302, location="/admin", url="http://shop.example/a")
JUDGED: dict[str, tuple[Http, HttpSeen, Outcome, Reason | None, str]] = {
    "good": (check_of(), seen(answered()), OKAY, None, f"{GET} 200 in 41 ms"),
    "slow": (
        check_of(),
        seen(answered(301, seconds=1.5, location="/b"), answered(seconds=1.5)),
        Outcome.DEGRADED,
        Reason.SLOW,
        f"{GET} 200 in 3 s, slower than 2 s",
    ),
    "500": (check_of(), seen(answered(500)), FAILED, Reason.HTTP_STATUS, f"{GET} 500 in 41 ms, expected 2xx"),
    "503": (check_of(), seen(answered(503)), FAILED, Reason.HTTP_STATUS, f"{GET} 503 in 41 ms, expected 2xx"),
    "404": (check_of(), seen(answered(404)), FAILED, Reason.HTTP_STATUS, f"{GET} 404 in 41 ms, expected 2xx"),
    "401": (check_of(), seen(answered(401)), FAILED, Reason.AUTH_REJECTED, f"{GET} 401 in 41 ms, expected 2xx"),
    "429": (check_of(), seen(answered(429)), FAILED, Reason.RATE_LIMITED, f"{GET} 429 in 41 ms, expected 2xx"),
    "redirect": (check_of(), seen(ROUND), FAILED, Reason.HTTP_STATUS, f"{GET} 302 in 41 ms, expected 2xx"),
    "wanted redirect": (check_of(expected_status=[301, 302]), seen(ROUND), OKAY, None, f"{GET} 302 in 41 ms"),
    "200 is not wanted": (
        check_of(expected_status=[301, 302]),
        seen(answered()),
        FAILED,
        Reason.HTTP_STATUS,
        f"{GET} 200 in 41 ms, expected 301 or 302",
    ),
    "round and round": (
        check_of(follow_redirects=True),
        seen(*[ROUND] * 11),
        FAILED,
        Reason.HTTP_STATUS,
        f"{GET}: more than 10 redirects",
    ),
    "json as wanted": (
        check_of(json_equals={"status": "ok", "count": 1.0, "on": True, "parts.0.name": "db", "who": None}),
        seen(answered(body=BODY)),
        OKAY,
        None,
        f"{GET} 200 in 41 ms",
    ),
    "json is another": (
        check_of(json_equals={"status": "fine"}),
        seen(answered(body=BODY)),
        FAILED,
        MISMATCH,
        f'{GET} 200, but status is "ok", not "fine"',
    ),
    "true is not one": (
        check_of(json_equals={"on": 1}),
        seen(answered(body=BODY)),
        FAILED,
        MISMATCH,
        f"{GET} 200, but on is true, not 1",
    ),
    "json lacks it": (
        check_of(json_equals={"parts.7.name": "db"}),
        seen(answered(body=BODY)),
        FAILED,
        MISMATCH,
        f"{GET} 200, but parts.7.name is missing",
    ),
    "deeper than json": (
        check_of(json_equals={"status.word": "ok"}),
        seen(answered(body=BODY)),
        FAILED,
        MISMATCH,
        f"{GET} 200, but status.word is missing",
    ),
    "no json": (
        check_of(json_equals={"status": "ok"}),
        seen(answered(body="<html>")),
        FAILED,
        MISMATCH,
        f"{GET} 200, but its body is not JSON",
    ),
    "text is there": (
        check_of(text_present=["Sign in"]),
        seen(answered(body="Sign in")),
        OKAY,
        None,
        f"{GET} 200 in 41 ms",
    ),
    "text is missing": (
        check_of(text_present=["Sign in"]),
        seen(answered(body="Sign up")),
        FAILED,
        MISMATCH,
        f"{GET} 200, but 'Sign in' is not in its body",
    ),
    "header is there": (
        check_of(expected_headers={"Cache-Control": "NO-STORE"}),
        seen(answered(cache_control="private, no-store")),
        OKAY,
        None,
        f"{GET} 200 in 41 ms",
    ),
    "header is another": (
        check_of(expected_headers={"Cache-Control": "no-store"}),
        seen(answered(cache_control="public")),
        FAILED,
        MISMATCH,
        f"{GET} 200, but header Cache-Control is 'public', not 'no-store'",
    ),
    "header is missing": (
        check_of(expected_headers={"X-Served-By": "a"}),
        seen(answered()),
        FAILED,
        MISMATCH,
        f"{GET} 200, but header X-Served-By is missing",
    ),
}


@pytest.mark.parametrize(("check", "what", "outcome", "reason", "summary"), JUDGED.values(), ids=JUDGED)
def test_judge(check: Http, what: HttpSeen, outcome: Outcome, reason: Reason | None, summary: str) -> None:
    verdict = check.judge(what, NOW)

    assert (verdict.outcome, verdict.reason, verdict.summary) == (outcome, reason, summary)
    assert bool(verdict.hint) == (outcome is not OKAY)
    assert "hushhush" not in repr(verdict)


def test_a_long_answer_that_was_cut_is_said_to_be() -> None:
    answer = answered(body="{")
    cut = Exchange(answer.url, 200, answer.headers, answer.body, True, answer.phases)
    verdict = check_of(json_equals={"a": 1}).judge(seen(cut), NOW)
    assert verdict.summary == f"{GET} 200, but its body is cut at 64 KiB, so not JSON to us"


def test_nothing_secret_of_the_request_is_shown_even_where_the_answer_echoes_it() -> None:
    check = check_of(
        SecretStr("https://user:passwordword@shop.example/hooks/pathsecret?q=querysecret"),
        method="POST",
        headers={"Authorization": "Bearer headersecret", "X-Key": "other-secret"},
        body='{"pin": "bodysecret"}',
        expected_status=[204],
    )
    echo = 'passwordword /hooks/pathsecret querysecret headersecret other-secret {"pin": "bodysecret"} fine'
    there = answered(302, location="https://shop.example/hooks/pathsecret/?q=querysecret")
    verdict = check.judge(seen(there, answered(200, echo, url="https://shop.example/x")), NOW)
    error = verdict_of(ConnectionRefusedError("to pathsecret"))
    assert error is not None

    shown = repr(verdict) + repr(check.on_failure(error)) + repr(check.config)
    assert not any(word in shown for word in ("passwordword", "secret", "user:"))
    assert verdict.summary == "POST shop.example 200 in 82 ms, expected 204"
    assert verdict.evidence.excerpt is not None
    assert verdict.evidence.excerpt.endswith("fine")


def test_a_failure_without_words_of_its_own_is_told_with_the_request() -> None:
    error = verdict_of(TimeoutError(), 10)
    assert error is not None
    assert check_of().on_failure(error).summary == f"{GET}: no answer within 10 s"


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"url": "ftp://a"}, "must be a URL that starts with http:// or https://"),
        ({"url": SecretStr("hushhush")}, "must be a URL that starts with http:// or https://"),
        ({"body": "x"}, "body: cannot be sent with GET; give a method"),
        ({"method": "BREW"}, "Input should be 'GET'"),
    ],
)
def test_what_cannot_be_sent_is_refused(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError) as caught:
        check_of(**{"url": URL, **settings})
    assert message in str(caught.value)


@pytest.mark.real
async def test_redirects_are_followed_and_credentials_stay_with_their_host(serve: Serve) -> None:
    journal: list[tuple[str, str, str, bool]] = []

    async def other(request: web.Request) -> web.Response:
        journal.append(("other", request.method, await request.text(), "authorization" in request.headers))
        return web.json_response({"done": True})

    target = await serve(other)

    async def first(request: web.Request) -> web.Response:
        journal.append(("first", request.method, await request.text(), "authorization" in request.headers))
        if request.path == "/start":
            return web.Response(status=307, headers={"location": "/next"})
        return web.Response(status=302, headers={"location": f"{target}/end"})

    check = check_of(
        f"{await serve(first)}/start",
        method="POST",
        body="content",
        headers={"Authorization": "Bearer headersecret"},
        follow_redirects=True,
        json_equals={"done": True},
    )
    what = await check.measure(io_for())
    verdict = check.judge(what, NOW)

    assert journal == [
        ("first", "POST", "content", True),
        ("first", "POST", "content", True),
        ("other", "GET", "", False),
    ]
    assert verdict.outcome is OKAY
    chain = [fact.value for fact in verdict.evidence.facts if fact.name == "redirect"]
    assert [str(step)[:3] for step in chain] == ["307", "302"]
    assert str(chain[1]).endswith(f"to {target}/end")


@pytest.mark.real
async def test_redirects_are_not_followed_unasked_and_not_for_ever(serve: Serve) -> None:
    async def handle(request: web.Request) -> web.Response:
        return web.Response(status=303, headers={"location": "/again"})

    url = await serve(handle)
    assert len((await check_of(url).measure(io_for())).exchanges) == 1
    assert len((await check_of(url, follow_redirects=True, method="HEAD").measure(io_for())).exchanges) == 11
