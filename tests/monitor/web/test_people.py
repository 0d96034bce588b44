"""The login of the Mini App: signed by Telegram for our bot, fresh, and of somebody on the list."""

import hashlib
import hmac
import json
from collections.abc import AsyncIterator, Callable
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest
from pydantic import SecretStr

from monitor.engine.model import Acked
from monitor.web.people import People
from tests.monitor.web.test_actions import csrf_of

BOT_TOKEN = "4242:" + "A" * 35
TOKEN = "correct horse battery staple"
ANN = {"id": 4711, "first_name": "Ann", "username": "ann"}


def signed(at: float, user: Any = ANN, token: str = BOT_TOKEN, **more: str) -> str:
    fields = {"auth_date": str(int(at)), "query_id": "AAE", "user": json.dumps(user), "signature": "c2ln", **more}
    key = hmac.digest(b"WebAppData", token.encode(), hashlib.sha256)
    text = "\n".join(f"{name}={value}" for name, value in sorted(fields.items()))
    return urlencode({**fields, "hash": hmac.new(key, text.encode(), hashlib.sha256).hexdigest()})


@pytest.fixture
async def app(world: Any, browse_as: Callable[[Any], httpx.AsyncClient]) -> AsyncIterator[httpx.AsyncClient]:
    world.token = TOKEN
    world.people = People(SecretStr(BOT_TOKEN), frozenset({4711}), frozenset({4712}))
    async with browse_as(world) as client:
        yield client


async def log_in(app: httpx.AsyncClient, init_data: str, **headers: str) -> httpx.Response:
    return await app.post("/login/telegram", data={"init_data": init_data, "next": "/incidents/2"}, headers=headers)


async def test_an_operator_comes_in_and_acts_by_name(world: Any, app: httpx.AsyncClient) -> None:
    answer = await log_in(app, signed(world.now.timestamp()))
    assert (answer.status_code, answer.json()) == (200, {"next": "/incidents/2"})
    await app.post("/incidents/2/ack", data={"csrf": await csrf_of(app, "/incidents/2")})
    assert world.applied == [Acked(2, "@ann (4711)")]


async def test_a_viewer_looks_and_cannot_act(world: Any, app: httpx.AsyncClient) -> None:
    assert (await log_in(app, signed(world.now.timestamp(), {"id": 4712, "first_name": "Bo"}))).status_code == 200
    assert "csrf" not in (await app.get("/incidents/2")).text
    assert (await app.post("/incidents/2/ack", data={"csrf": ""})).status_code == 403


async def test_who_is_taken_off_the_list_is_out(world: Any, app: httpx.AsyncClient) -> None:
    await log_in(app, signed(world.now.timestamp()))
    cookie = app.cookies["nexus_session"]
    world.people = People(SecretStr(BOT_TOKEN), frozenset(), frozenset())
    from tests.monitor.web.world import browse

    async with browse(world) as later:
        later.cookies.set("nexus_session", cookie)
        assert (await later.get("/")).status_code == 303


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda at: signed(at - 3700), "too old"),
        (lambda at: signed(at + 120), "too old"),
        (lambda at: signed(at, {"id": 1, "first_name": "Eve"}), "not on the list of operators. Your user id is 1."),
        (lambda at: signed(at, {"id": 4711, "is_bot": True}), "not on the list"),
        (lambda at: signed(at, {"id": True}), "not on the list"),
        (lambda at: signed(at, "nobody"), "names no user"),
        (lambda at: signed(at, token="1:" + "B" * 35), "not signed"),
        (lambda at: signed(at).replace("4711", "4712"), "not signed"),
        (lambda at: signed(at) + "&auth_date=1", "not signed"),
        (lambda at: signed(at).partition("&hash=")[0], "not signed"),
        (lambda _: "", "not signed"),
        (lambda _: "&".join(f"a{number}=1" for number in range(40)), "not signed"),
    ],
)
async def test_everything_else_is_refused(
    world: Any, app: httpx.AsyncClient, make: Callable[[float], str], says: str
) -> None:
    answer = await log_in(app, make(world.now.timestamp()))
    assert answer.status_code == 403
    assert says in answer.json()["detail"]
    assert "set-cookie" not in answer.headers


async def test_logins_are_limited_and_of_our_own_page(world: Any, app: httpx.AsyncClient) -> None:
    assert (await log_in(app, "", **{"Sec-Fetch-Site": "cross-site"})).status_code == 403
    for _ in range(5):
        await log_in(app, "")
    assert (await log_in(app, signed(world.now.timestamp()))).status_code == 429


async def test_telegrams_web_client_may_frame_the_app_and_its_cookie_works_there(
    world: Any, app: httpx.AsyncClient
) -> None:
    app.base_url = httpx.URL("https://monitor.test")
    page = await app.get("/miniapp?next=/incidents/2")
    assert "frame-ancestors https://web.telegram.org" in page.headers["content-security-policy"]
    assert "x-frame-options" not in page.headers
    cookie = (await log_in(app, signed(world.now.timestamp()))).headers["set-cookie"]
    for word in ("HttpOnly", "Secure", "SameSite=None", "Partitioned", "Path=/"):
        assert word in cookie


async def test_without_our_bot_there_is_no_such_login(
    world: Any, browse_as: Callable[[Any], httpx.AsyncClient]
) -> None:
    world.token = TOKEN
    async with browse_as(world) as client:
        assert (await client.get("/miniapp")).status_code == 404
        page = await client.get("/login")
    assert "frame-ancestors 'none'" in page.headers["content-security-policy"]
    assert page.headers["x-frame-options"] == "DENY"
