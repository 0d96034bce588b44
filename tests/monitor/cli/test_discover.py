"""`nexus-monitor discover`: what was found, how, what would add more; a file to keep; an accepted change."""

import asyncio
import json
from pathlib import Path

import pytest
from aiohttp import web

from monitor.config.found import Found, Sight, Thing
from monitor.config.settings import settings_from
from monitor.discovery.look import targets
from monitor.store.found_rows import kept_found
from monitor.store.store import Store
from tests.checks.conftest import Serve, serve
from tests.demo.running_demo import command, environment
from tests.stores import T0

__all__ = ["serve"]
pytestmark = pytest.mark.real
OPENAPI = {"openapi": "3.1.0", "paths": {"/users": {"get": {}}, "/version": {"get": {}}}}


async def api(serve: Serve) -> str:
    async def handle(request: web.Request) -> web.Response:
        if request.path == "/openapi.json":
            return web.Response(text=json.dumps(OPENAPI), content_type="application/json")
        if request.path == "/health":
            return web.json_response({"status": "ok"})
        return web.Response(status=404)

    return await serve(handle)


async def run(folder: Path, url: str, *arguments: str) -> tuple[int, str, str]:
    env = environment(API_URL=url, BOT_TOKEN="", REDIS_URL="redis://:hush@127.0.0.1:1/0")
    return await asyncio.to_thread(command, *arguments, env=env, cwd=folder)


async def test_it_says_what_was_found_how_and_what_would_add_more(serve: Serve, tmp_path: Path) -> None:
    url = await api(serve)
    status, out, err = await run(tmp_path, url, "discover")
    assert (status, err) == (0, "")
    lines = [" ".join(line.split()) for line in out.splitlines()]
    assert f"✔ health endpoint {url}/health ← GET /health answered 200" in lines
    assert "✔ routers users, version ← GET /openapi.json" in lines
    assert "? workers not reached now: connection refused" in lines
    assert "BOT_TOKEN is not set" in lines
    assert "DATABASE_URL is not set" in lines
    assert "✔ API: health check endpoint returns 200 api.health" in lines
    assert "hush" not in out
    assert [entry.name for entry in await asyncio.to_thread(lambda: list(tmp_path.iterdir()))] == []


async def test_the_written_file_is_good_and_not_written_over(serve: Serve, tmp_path: Path) -> None:
    url = await api(serve)
    (tmp_path / "render.yaml").write_text("services: [{type: web, name: shop-api}]", encoding="utf-8")
    arguments = ("discover", "--render-yaml", "render.yaml", "--write", "monitor.yaml")
    status, out, _ = await run(tmp_path, url, *arguments)
    assert (status, out.splitlines()[-1]) == (0, "Written: monitor.yaml")
    status, out, err = await run(tmp_path, url, "config", "check")
    assert (status, err) == (0, "")
    assert "api.health           every 30 s  shop-api" in out.splitlines()
    assert await run(tmp_path, url, *arguments) == (
        2, "", "nexus-monitor: monitor.yaml: is there already; --force writes over it\n",
    )  # fmt: skip
    assert (await run(tmp_path, url, *arguments, "--force"))[0] == 0


async def test_what_vanished_is_shown_and_can_be_accepted(serve: Serve, tmp_path: Path) -> None:
    url = await api(serve)
    environ = {"API_URL": url, "REDIS_URL": "redis://127.0.0.1:1/0"}
    own = f"sqlite:///{tmp_path}/nexus-monitor.db"
    store = await Store.open(own, now=lambda: T0)
    before = ("orders", "users", "version")
    await store.keep_found(
        Found(targets=targets(settings_from(environ)), routers=Thing(Sight.FOUND, before, "GET /openapi.json"))
    )
    await store.close()
    _, out, _ = await run(tmp_path, url, "discover")
    lines = [" ".join(line.split()) for line in out.splitlines()]
    assert "! routers orders, users, version not there: orders ← GET /openapi.json" in lines
    assert "What vanished stays expected; `discover --accept` takes what is there now as what should be." in lines
    status, out, _ = await run(tmp_path, url, "discover", "--accept")
    assert (status, "not there" in out) == (0, False)
    kept = await kept_found(own)
    assert kept is not None
    assert kept.routers == Thing(Sight.FOUND, ("users", "version"), "GET /openapi.json")


async def test_a_blueprint_that_is_not_there_is_one_line(tmp_path: Path) -> None:
    status, out, err = await run(tmp_path, "http://127.0.0.1:1", "discover", "--render-yaml", "none.yaml")
    assert (status, out) == (2, "")
    assert err == "nexus-monitor: none.yaml: cannot be read: No such file or directory\n"
