"""Who may look, when the monitor has an API token."""

from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from typing import Any

import httpx
import pytest

from monitor.web.access import safe_next

TOKEN = "correct horse battery staple"


@pytest.fixture
async def guarded(world: Any, browse_as: Callable[[Any], httpx.AsyncClient]) -> AsyncIterator[httpx.AsyncClient]:
    world.token = TOKEN
    async with browse_as(world) as client:
        yield client


async def log_in(client: httpx.AsyncClient, token: str = TOKEN, **headers: str) -> httpx.Response:
    return await client.post("/login", data={"token": token, "next": "/checks/redis.ping"}, headers=headers)


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/login", "/static/style.css"])
async def test_these_stay_open(guarded: httpx.AsyncClient, path: str) -> None:
    assert (await guarded.get(path)).status_code == 200


@pytest.mark.parametrize("path", ["/api/v1/status", "/metrics", "/events", "/openapi.json"])
async def test_programs_need_the_token(guarded: httpx.AsyncClient, path: str) -> None:
    answer = await guarded.get(path)
    assert (answer.status_code, answer.json()) == (401, {"detail": "authorization: a bearer token is needed"})
    assert answer.headers["www-authenticate"] == "Bearer"
    wrong = await guarded.get(path, headers={"Authorization": "Bearer wrong"})
    assert wrong.status_code == 401


@pytest.mark.parametrize("path", ["/api/v1/status", "/metrics", "/openapi.json", "/"])
async def test_the_token_opens(guarded: httpx.AsyncClient, path: str) -> None:
    answer = await guarded.get(path, headers={"Authorization": f"Bearer {TOKEN}"})
    assert answer.status_code == 200


async def test_people_are_sent_to_the_login_page(guarded: httpx.AsyncClient) -> None:
    answer = await guarded.get("/checks/redis.ping")
    assert (answer.status_code, answer.headers["location"]) == (303, "/login?next=/checks/redis.ping")


async def test_a_login_sets_a_strict_cookie_and_goes_on(guarded: httpx.AsyncClient) -> None:
    answer = await log_in(guarded)
    assert (answer.status_code, answer.headers["location"]) == (303, "/checks/redis.ping")
    cookie = answer.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie
    assert TOKEN not in cookie
    assert (await guarded.get("/")).status_code == 200
    assert (await guarded.get("/api/v1/status")).status_code == 200
    assert (await guarded.get("/metrics")).status_code == 401


async def test_a_session_ends_after_twelve_hours(guarded: httpx.AsyncClient, world: Any) -> None:
    await log_in(guarded)
    world.now += timedelta(hours=12, seconds=1)
    assert (await guarded.get("/")).status_code == 303


@pytest.mark.parametrize("cookie", ["", ".", "9999999999.00", "9999999999", "x.y"])
async def test_a_made_up_session_is_none(guarded: httpx.AsyncClient, cookie: str) -> None:
    answer = await guarded.get("/", headers={"Cookie": f"nexus_session={cookie}"})
    assert answer.status_code == 303


async def test_logging_out_ends_the_session(guarded: httpx.AsyncClient) -> None:
    await log_in(guarded)
    assert (await guarded.post("/logout")).headers["location"] == "/login"
    assert (await guarded.get("/")).status_code == 303


async def test_a_wrong_token_is_refused_and_not_shown(guarded: httpx.AsyncClient) -> None:
    answer = await log_in(guarded, "guess-1234")
    assert answer.status_code == 403
    assert "This is not the token." in answer.text
    assert "guess-1234" not in answer.text


async def test_the_sixth_attempt_in_a_minute_is_refused_even_when_right(guarded: httpx.AsyncClient, world: Any) -> None:
    for _ in range(5):
        assert (await log_in(guarded, "wrong")).status_code == 403
    assert (await log_in(guarded)).status_code == 429
    world.now += timedelta(seconds=61)
    assert (await log_in(guarded)).status_code == 303


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({"Sec-Fetch-Site": "same-origin"}, 303),
        ({"Origin": "http://evil.test"}, 403),
        ({"Origin": "null"}, 403),
        ({"Origin": "http://monitor.test"}, 303),
        ({}, 303),
    ],
)
async def test_a_form_of_another_site_is_refused(
    guarded: httpx.AsyncClient, headers: dict[str, str], status: int
) -> None:
    assert (await log_in(guarded, **headers)).status_code == status


async def test_a_huge_login_body_is_refused(guarded: httpx.AsyncClient) -> None:
    assert (await log_in(guarded, "x" * 10_000)).status_code == 403


@pytest.mark.parametrize(
    ("target", "safe"),
    [
        ("/checks/a.b", "/checks/a.b"),
        ("//evil.test", "/"),
        ("/\\evil.test", "/"),
        ("https://evil.test", "/"),
        ("", "/"),
        ("/a\r\nb", "/"),
    ],
)
def test_only_paths_of_this_site_are_gone_to(target: str, safe: str) -> None:
    assert safe_next(target) == safe


async def test_without_a_token_there_is_no_login(client: httpx.AsyncClient) -> None:
    assert (await client.get("/login")).status_code == 404
    assert (await client.get("/")).status_code == 200
