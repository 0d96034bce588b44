"""What is found at an API: its document, its usual paths, and nothing where a server answers everything alike."""

import json
from collections.abc import Mapping

import pytest
from aiohttp import web

from monitor.config.found import Sight, Thing
from monitor.config.settings import Settings
from monitor.discovery.look import discover
from tests.checks.conftest import Serve

pytestmark = pytest.mark.real
OPENAPI = json.dumps({"openapi": "3.1.0", "paths": {"/users": {"get": {"tags": ["users"]}}, "/api/ready": {"get": {}}}})
NAMES = ("openapi_path", "routers", "login_url", "health_url", "ready_url", "version_url")
Answers = Mapping[str, tuple[int, str, str]]


async def found_at(serve: Serve, answers: Answers, other: tuple[int, str, str]) -> tuple[str, dict[str, Thing]]:
    async def handle(request: web.Request) -> web.Response:
        status, kind, text = answers.get(request.path, other)
        return web.Response(status=status, content_type=kind, text=text)

    url = await serve(handle)
    found = await discover(Settings(api_url=url))
    return url, {name: found.thing(name) for name in NAMES}


NOT_THERE = (404, "application/json", '{"detail": "Not Found"}')


async def test_the_usual_paths_are_found_with_the_document_s_first(serve: Serve) -> None:
    answers = {
        "/api/openapi.json": (200, "application/json", OPENAPI),
        "/healthz": (503, "application/json", '{"status": "down"}'),
        "/health": (500, "text/plain", "oops"),
        "/ready": (200, "text/plain", "ok"),
        "/api/ready": (200, "text/plain", "ok"),
        "/version": (200, "application/json", '{"hello": "world"}'),
        "/info": (200, "application/json", '{"git_commit": "abc"}'),
    }
    url, found = await found_at(serve, answers, NOT_THERE)
    assert {name: (thing.values, thing.how) for name, thing in found.items() if thing.sight is Sight.FOUND} == {
        "openapi_path": (("/api/openapi.json",), "GET /api/openapi.json"),
        "routers": (("ready", "users"), "GET /api/openapi.json"),
        "health_url": ((f"{url}/healthz",), "GET /healthz answered 503"),
        "ready_url": ((f"{url}/ready",), "GET /ready answered 200"),
        "version_url": ((f"{url}/info",), "GET /info answered 200"),
    }
    assert found["login_url"].sight is Sight.ABSENT
    assert found["login_url"].setting == "checks.miniapp.auth.login_url"


@pytest.mark.parametrize(
    "other",
    [(200, "text/html", "<html>the app</html>"), (200, "application/json", '{"status": "ok"}'), NOT_THERE],
    ids=["a page for everything", "one answer for everything", "nothing"],
)
async def test_what_answers_everything_alike_tells_nothing(serve: Serve, other: tuple[int, str, str]) -> None:
    _, found = await found_at(serve, {}, other)
    assert {thing.sight for thing in found.values()} == {Sight.ABSENT}
    assert all(thing.why for thing in found.values())


async def test_an_api_that_answers_503_to_everything_is_not_known_to_lack_anything(serve: Serve) -> None:
    async def handle(request: web.Request) -> web.Response:
        return web.Response(status=503, text=f"no upstream for {request.path}")

    found = await discover(Settings(api_url=await serve(handle)))
    for name in NAMES:
        assert found.thing(name) == Thing(Sight.UNREACHED, why="GET /openapi.json answers 503")


async def test_where_nobody_listens_everything_is_unreached(unused_tcp_port: int) -> None:
    found = await discover(Settings(api_url=f"http://127.0.0.1:{unused_tcp_port}"))
    for name in NAMES:
        assert (found.thing(name).sight, found.thing(name).why) == (Sight.UNREACHED, "connection refused")
    assert found.commands == Thing(why="BOT_TOKEN is not set", setting="BOT_TOKEN")
    assert not found.is_settled
