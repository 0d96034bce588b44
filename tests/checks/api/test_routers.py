"""`api.routers`: which request each router gets, the judgement, and a real FastAPI behind a real server."""

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Annotated, Any

import httpx
import pytest
from aiohttp import web
from fastapi import FastAPI, Header, HTTPException, Query
from pydantic import BaseModel

from checks.api.openapi import Ask, asks_in
from checks.api.routers import ApiRouters, ApiRoutersConfig, ApiRoutersSeen, Asked
from checks.failures import verdict_of
from checks.http import Exchange
from checks.result import Outcome, Reason, Verdict
from tests.checks.conftest import Serve
from tests.fakes import NOW, answered, io_for


def check_of(url: str = "http://127.0.0.1:8000", **settings: Any) -> ApiRouters:
    return ApiRouters(ApiRoutersConfig(id="api.routers", service="nexus-api", url=url, **settings))


def operation(*tags: str, **more: Any) -> dict[str, Any]:
    return {"tags": list(tags), **more}


NEEDS_ID = {"parameters": [{"name": "id", "in": "path", "required": True, "schema": {"type": "integer"}}]}
UUID = {"parameters": [{"name": "id", "in": "path", "required": True, "schema": {"format": "uuid"}}]}
REQUIRED = {"parameters": [{"name": "q", "in": "query", "required": True}]}
PLANNED = {
    "the shortest plain GET": (
        {"/users/all": {"get": operation("users")}, "/users": {"get": operation("users"), "post": operation("users")}},
        [Ask("users", "GET", "/users", "answer")],
    ),
    "a GET that needs a query before OPTIONS": (
        {"/find": {"post": operation("find")}, "/find/all": {"get": operation("find", **REQUIRED)}},
        [Ask("find", "GET", "/find/all", "any")],
    ),
    "a made-up number in the path": (
        {"/users/{id}": {"get": operation("users", **NEEDS_ID)}},
        [Ask("users", "GET", "/users/0", "any")],
    ),
    "a made-up UUID of the whole path": (
        {"/users/{id}": {**UUID, "get": operation("users")}},
        [Ask("users", "GET", "/users/00000000-0000-0000-0000-000000000000", "any")],
    ),
    "never a write": (
        {"/pay": {"post": operation("pay"), "delete": operation("pay")}},
        [Ask("pay", "OPTIONS", "/pay", "answer")],
    ),
    "never a GET that acts": (
        {"/auth/logout": {"get": operation("auth")}},
        [Ask("auth", "OPTIONS", "/auth/logout", "answer")],
    ),
    "a write below a made-up part": (
        {"/files/{name}": {"put": operation("files")}},
        [Ask("files", "OPTIONS", "/files/nexus-monitor-probe", "any")],
    ),
    "without tags by the first telling part": (
        {"/api/v1/users": {"get": {}}, "/api/v1/tasks": {"get": {}}, "/v2": {"get": {}}, "/": {"get": {}}},
        [
            Ask("/", "GET", "/", "answer"),
            Ask("tasks", "GET", "/api/v1/tasks", "answer"),
            Ask("users", "GET", "/api/v1/users", "answer"),
            Ask("v2", "GET", "/v2", "answer"),
        ],
    ),
    "what is no operation": ({"x-note": {"get": {}}, "/a": "nothing", "/b": {"parameters": []}}, []),
}


@pytest.mark.parametrize(("paths", "asks"), PLANNED.values(), ids=PLANNED)
def test_each_router_gets_the_request_that_does_no_harm(paths: dict[str, Any], asks: list[Ask]) -> None:
    assert list(asks_in({"paths": paths})) == asks


@pytest.mark.parametrize(
    ("document", "path"),
    [
        ({"servers": [{"url": "/api"}]}, "/api/users"),
        ({"servers": [{"url": "https://x.example/v3/"}]}, "/v3/users"),
        ({"servers": [{"url": "https://{region}.example"}]}, "/users"),
        ({"servers": ["nothing"]}, "/users"),
        ({"basePath": "/old"}, "/old/users"),
        ({}, "/users"),
    ],
)
def test_the_server_s_path_stands_before_each(document: dict[str, Any], path: str) -> None:
    assert asks_in(document | {"paths": {"/users": {"get": {}}}})[0].path == path


def got(name: str, answer: Exchange | Verdict, expect: Any = "answer") -> Asked:
    return Asked(Ask(name, "GET", f"/{name}", expect), answer)


def seen(*asked: Asked) -> ApiRoutersSeen:
    return ApiRoutersSeen(answered(body="{}"), True, asked)


TIMED_OUT = verdict_of(TimeoutError(), 2.0)
assert TIMED_OUT is not None
HERE = got("users", answered())
JUDGED: dict[str, tuple[ApiRouters, ApiRoutersSeen, Outcome, Reason | None, str]] = {
    "good": (check_of(), seen(HERE, got("me", answered(401))), Outcome.OK, None, "2 routers answer"),
    "a handler's own 404": (
        check_of(),
        seen(got("news", answered(404, '{"detail": "nothing yet"}'))),
        Outcome.OK,
        None,
        "1 router answers",
    ),
    "404 with made-up values": (
        check_of(),
        seen(got("me", answered(404), "any")),
        Outcome.OK,
        None,
        "1 router answers",
    ),
    "5xx": (
        check_of(),
        seen(HERE, got("stats", answered(500, "Traceback"))),
        Outcome.FAILED,
        Reason.HTTP_STATUS,
        "1 of 2 routers fails: stats (GET /stats 500)",
    ),
    "gone": (
        check_of(),
        seen(HERE, got("stats", answered(404, '{"detail": "Not Found"}'))),
        Outcome.FAILED,
        Reason.MISSING,
        "1 of 2 routers fails: stats (GET /stats 404)",
    ),
    "gone behind a proxy": (
        check_of(),
        seen(got("stats", answered(404, "<html>")), got("users", answered(404))),
        Outcome.FAILED,
        Reason.MISSING,
        "2 of 2 routers fail: stats (GET /stats 404), users (GET /users 404)",
    ),
    "hung": (
        check_of(),
        seen(HERE, got("stats", TIMED_OUT)),
        Outcome.FAILED,
        Reason.TIMEOUT,
        "1 of 2 routers fails: stats (GET /stats no answer within 2 s)",
    ),
    "vanished": (
        check_of(expected_routers=("users", "me", "tasks")),
        seen(HERE),
        Outcome.FAILED,
        Reason.MISSING,
        "me, tasks are no longer in /openapi.json",
    ),
    "one vanished": (
        check_of(expected_routers=("users", "me")),
        seen(HERE),
        Outcome.FAILED,
        Reason.MISSING,
        "me is no longer in /openapi.json",
    ),
    "one slow": (
        check_of(),
        seen(HERE, got("stats", answered(seconds=3))),
        Outcome.DEGRADED,
        Reason.SLOW,
        "1 of 2 routers slow: stats 3 s",
    ),
    "all slow": (
        check_of(),
        seen(got("users", answered(seconds=3)), got("stats", answered(seconds=4))),
        Outcome.DEGRADED,
        Reason.SLOW,
        "2 of 2 routers slow: stats 4 s, users 3 s",
    ),
    "no router": (check_of(), seen(), Outcome.OK, None, "0 routers answer"),
    "docs switched off": (
        check_of(),
        ApiRoutersSeen(answered(404), is_openapi=False),
        Outcome.UNKNOWN,
        Reason.NOT_CONFIGURED,
        "GET /openapi.json: 404, so the routers are not known",
    ),
    "another document": (
        check_of(),
        ApiRoutersSeen(answered(), is_openapi=False),
        Outcome.UNKNOWN,
        Reason.NOT_CONFIGURED,
        "GET /openapi.json: no OpenAPI document, so the routers are not known",
    ),
    "a document that cannot be made": (
        check_of(),
        ApiRoutersSeen(answered(500), is_openapi=False),
        Outcome.FAILED,
        Reason.HTTP_STATUS,
        "GET /openapi.json 500",
    ),
}


@pytest.mark.parametrize(("check", "what", "outcome", "reason", "summary"), JUDGED.values(), ids=JUDGED)
def test_judge(check: ApiRouters, what: ApiRoutersSeen, outcome: Outcome, reason: Reason | None, summary: str) -> None:
    verdict = check.judge(what, NOW)

    assert (verdict.outcome, verdict.reason, verdict.summary) == (outcome, reason, summary)
    assert bool(verdict.hint) == (outcome is not Outcome.OK)


def test_a_document_that_is_not_reached_is_named() -> None:
    error = verdict_of(ConnectionRefusedError())
    assert error is not None
    assert check_of().on_failure(error).summary == "GET /openapi.json: connection refused"


class Item(BaseModel):
    name: str


class Journal:
    """An application, and every request that reached one of its handlers."""

    def __init__(self) -> None:
        self.app = app = FastAPI()
        self.handled: list[str] = []

        @app.get("/users", tags=["users"])
        async def users() -> list[str]:
            self.handled.append("GET /users")
            return []

        @app.get("/search", tags=["search"])
        async def search(q: Annotated[str, Query()]) -> None:
            self.handled.append("GET /search")

        @app.get("/me", tags=["me"])
        async def me(authorization: Annotated[str | None, Header()] = None) -> None:
            raise HTTPException(401)

        @app.post("/orders", tags=["orders"])
        async def order(item: Item) -> None:
            self.handled.append("POST /orders")

        @app.post("/visits", tags=["visits"])
        async def visit() -> None:
            self.handled.append("POST /visits")

        @app.get("/stats", tags=["stats"])
        async def stats() -> None:
            raise HTTPException(503, "no database")


@pytest.fixture
def journal() -> Iterator[Journal]:
    return Journal()


@pytest.mark.real
async def test_a_real_application_is_asked_and_nothing_is_written(journal: Journal, serve: Serve) -> None:
    async def forward(request: web.Request) -> web.Response:
        transport = httpx.ASGITransport(journal.app)
        async with httpx.AsyncClient(transport=transport, base_url="http://app") as client:
            answer = await client.request(request.method, request.path_qs, content=await request.read())
        return web.Response(status=answer.status_code, body=answer.content, content_type="application/json")

    check = check_of(await serve(forward), expected_routers=("orders", "users"))
    what = await check.measure(io_for())
    verdict = check.judge(what, NOW)

    said = {one.ask.router: (one.ask.method, one.got.status) for one in what.asked if isinstance(one.got, Exchange)}
    assert said == {
        "me": ("GET", 401),
        "orders": ("OPTIONS", 405),
        "search": ("GET", 422),
        "stats": ("GET", 503),
        "users": ("GET", 200),
        "visits": ("OPTIONS", 405),
    }
    assert journal.handled == ["GET /users"]
    assert verdict.summary == "1 of 6 routers fails: stats (GET /stats 503)"
    assert verdict.evidence.excerpt == '{"detail":"no database"}'


@pytest.mark.real
async def test_one_hung_router_does_not_take_the_whole_look(serve: Serve) -> None:
    import asyncio

    async def handle(request: web.Request) -> web.Response:
        if request.path == "/base/openapi.json":
            paths = {"/a": {"get": {}}, "/b": {"get": {}}}
            return web.Response(text=json.dumps({"paths": paths, "servers": [{"url": "/base"}]}))
        if request.path == "/base/b":
            await asyncio.sleep(30)
        return web.Response(
            text="{}" if request.path == "/base/a" else "", status=200 if request.path == "/base/a" else 404
        )

    check = check_of(f"{await serve(handle)}/base")
    what = await check.measure(io_for(1.0))

    assert check.judge(what, NOW).summary == "1 of 2 routers fails: b (GET /base/b no answer within 700 ms)"


@pytest.mark.real
async def test_what_is_no_openapi_document_is_not_guessed_from(serve: Serve) -> None:
    async def handle(request: web.Request) -> web.Response:
        return web.Response(text="<html>", content_type="text/html")

    what = await check_of(await serve(handle)).measure(io_for())
    assert replace(what, document=answered()) == ApiRoutersSeen(answered(), is_openapi=False)
