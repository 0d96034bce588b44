"""nexus-api on real PostgreSQL and Valkey: reads, writes, the guarded router, and health with its parts out."""

from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta

import asyncpg
import httpx
import pytest

from demo.nexus.api.app import create_app
from demo.nexus.api.settings import Settings
from demo.servers import PostgresServer, Server, ValkeyServer

pytestmark = pytest.mark.real

ORIGIN = "http://127.0.0.1:4000"


@pytest.fixture
async def api(postgres: PostgresServer, valkey: ValkeyServer, token: str) -> AsyncIterator[httpx.AsyncClient]:
    app = create_app(Settings(postgres.url, valkey.url, token, f"{ORIGIN}/app"))
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://api", timeout=10) as client,
    ):
        await app.state.parts.make_tables()
        yield client


async def test_health_names_its_parts_and_how_long_they_took(api: httpx.AsyncClient) -> None:
    answer = await api.get("/health")
    body = answer.json()
    assert answer.status_code == 200
    assert body["status"] == body["db"]["status"] == body["redis"]["status"] == "ok"
    assert body["db"]["latency_ms"] > 0
    assert (await api.get("/ready")).json() == {"status": "ok"}


async def test_version_tells_the_commit_that_render_gives(
    api: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RENDER_GIT_COMMIT", "abc123")
    monkeypatch.setenv("RENDER_SERVICE_NAME", "nexus-api-eu")
    monkeypatch.setenv("RENDER_INSTANCE_ID", "srv-1")
    assert (await api.get("/version")).json() == {"service": "nexus-api-eu", "commit": "abc123", "instance": "srv-1"}


@pytest.mark.parametrize("part", ["db", "redis"])
async def test_a_frozen_part_makes_health_503_within_its_limit(
    api: httpx.AsyncClient, postgres: PostgresServer, valkey: ValkeyServer, part: str
) -> None:
    server: Server = postgres if part == "db" else valkey
    assert (await api.get("/health")).status_code == 200
    server.pause()
    try:
        answer = await api.get("/health")
    finally:
        server.resume()
    assert answer.status_code == 503
    assert answer.json()["status"] == "down"
    assert answer.json()[part] == {"status": "down", "error": "no answer within 1.5 s"}
    assert answer.elapsed < timedelta(seconds=2.5)
    assert (await api.get("/health")).status_code == 200


@pytest.mark.parametrize(
    ("part", "error"), [("db", "ConnectionRefusedError"), ("redis", "ConnectionError")], ids=["db", "redis"]
)
async def test_a_killed_part_makes_health_503_until_it_is_back(
    api: httpx.AsyncClient, postgres: PostgresServer, valkey: ValkeyServer, part: str, error: str
) -> None:
    server: Server = postgres if part == "db" else valkey
    assert (await api.get("/health")).status_code == 200
    server.kill()
    try:
        answer = await api.get("/health")
    finally:
        server.start()
    assert answer.status_code == 503
    assert answer.json()[part] == {"status": "down", "error": error}
    assert (await api.get("/health")).status_code == 200


async def test_a_table_gone_is_an_error_of_the_service_not_of_a_part(
    api: httpx.AsyncClient, postgres: PostgresServer
) -> None:
    connection = await asyncpg.connect(postgres.url)
    await api.get("/health")
    try:
        await connection.execute("ALTER TABLE settings RENAME TO settings_moved")
        answer = await api.get("/health")
        await connection.execute("ALTER TABLE settings_moved RENAME TO settings")
    finally:
        await connection.close()
    assert (answer.status_code, answer.text) == (500, "Internal Server Error")
    assert (await api.get("/health")).status_code == 200


async def test_people_and_tasks_are_written_and_read(api: httpx.AsyncClient) -> None:
    before = (await api.get("/stats")).json()
    user = await api.post("/users", json={"name": "Linus"})
    task = await api.post("/tasks", json={"title": "Sleep"})
    assert (user.status_code, task.status_code) == (201, 201)
    assert (await api.get(f"/users/{user.json()['id']}")).json() == user.json()
    assert task.json() in (await api.get("/tasks")).json()
    done = await api.patch(f"/tasks/{task.json()['id']}", json={"is_done": True})
    assert done.json() == {**task.json(), "is_done": True}
    await api.post("/stats/visits")
    assert (await api.get("/stats")).json() == {
        **before,
        "users": before["users"] + 1,
        "tasks": before["tasks"] + 1,
        "tasks_done": before["tasks_done"] + 1,
        "visits": before["visits"] + 1,
    }


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("GET", "/users/0", None, 404),
        ("PATCH", "/tasks/0", {"is_done": True}, 404),
        ("POST", "/users", {"name": ""}, 422),
        ("POST", "/tasks", {"title": "x" * 201}, 422),
        ("GET", "/users/99999999999999999999999", None, 422),
    ],
    ids=["no such user", "no such task", "no name", "title too long", "id too large"],
)
async def test_bad_requests_are_refused(
    api: httpx.AsyncClient, method: str, path: str, body: dict[str, object] | None, status: int
) -> None:
    assert (await api.request(method, path, json=body)).status_code == status


async def test_a_signed_login_opens_the_guarded_router(api: httpx.AsyncClient, sign: Callable[..., str]) -> None:
    headers = {"Authorization": f"tma {sign(datetime.now(UTC))}"}
    me = {"telegram_id": 999000001, "first_name": "Ada", "is_known": False, "visits": 0}
    assert (await api.get("/me", headers=headers)).json() == me
    assert (await api.get("/me/tasks", headers=headers)).json() == []
    assert (await api.post("/me/tasks", headers=headers, json={"title": "x"})).status_code == 403
    visited = {**me, "is_known": True, "visits": 1}
    assert (await api.post("/me/visits", headers=headers)).json() == visited
    assert (await api.get("/me", headers=headers)).json() == visited
    mine = (await api.post("/me/tasks", headers=headers, json={"title": "Mine"})).json()
    assert (await api.get("/me/tasks", headers=headers)).json() == [mine]
    assert mine not in (await api.get("/tasks")).json()
    path = f"/me/tasks/{mine['id']}"
    assert (await api.patch(path, headers=headers, json={"is_done": True})).json()["is_done"] is True
    other = {"Authorization": f"tma {sign(datetime.now(UTC), {'id': 7, 'first_name': 'Eve'})}"}
    await api.post("/me/visits", headers=other)
    assert (await api.patch(path, headers=other, json={"is_done": False})).status_code == 404


@pytest.mark.parametrize(
    "header",
    [
        lambda sign: None,
        lambda sign: "",
        lambda sign: f"Bearer {sign(datetime.now(UTC))}",
        lambda sign: f"tma {sign(datetime.now(UTC)).replace('Ada', 'Eve')}",
        lambda sign: f"tma {sign(datetime.now(UTC) - timedelta(days=3))}",
        lambda sign: f"tma {sign(datetime.now(UTC) + timedelta(hours=1))}",
        lambda sign: f"tma {sign(datetime.now(UTC)).partition('&hash=')[0]}",
    ],
    ids=["missing", "empty", "another scheme", "tampered", "three days old", "from the future", "unsigned"],
)
async def test_any_other_login_is_401(
    api: httpx.AsyncClient, sign: Callable[..., str], header: Callable[[Callable[..., str]], str | None]
) -> None:
    value = header(sign)
    answer = await api.get("/me", headers={} if value is None else {"Authorization": value})
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == "tma"


@pytest.mark.parametrize(
    ("origin", "allowed"), [(ORIGIN, ORIGIN), ("http://elsewhere", None)], ids=["the Mini App", "elsewhere"]
)
async def test_only_the_mini_apps_origin_may_call(api: httpx.AsyncClient, origin: str, allowed: str | None) -> None:
    headers = {
        "Origin": origin,
        "Access-Control-Request-Method": "GET",
        "Access-Control-Request-Headers": "authorization",
    }
    answer = await api.options("/me", headers=headers)
    assert answer.headers.get("access-control-allow-origin") == allowed
