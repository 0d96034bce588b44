"""The HTTP contract: routes, shapes, errors."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import httpx
import pytest

from monitor.store.errors import StoreUnavailableError

Browse = Callable[[Any], httpx.AsyncClient]


async def test_status_has_exactly_the_promised_shape(client: httpx.AsyncClient) -> None:
    body = (await client.get("/api/v1/status")).json()
    assert list(body) == ["status", "checks", "incidents"]
    assert body["status"] == "down"
    redis = next(check for check in body["checks"] if check["id"] == "redis.ping")
    assert redis == {
        "id": "redis.ping",
        "service": "nexus-redis",
        "status": "down",
        "reason": "connection_refused",
        "summary": "nothing listens on 127.0.0.1:6379",
        "last_run_at": "2026-11-23T14:31:55Z",
        "duration_seconds": 0.002,
        "incident": 3,
    }
    assert {check["id"]: check["status"] for check in body["checks"]} == {
        "vantage.loop": "up",
        "vantage.dns": "up",
        "postgres.connect": "up",
        "redis.ping": "down",
        "redis.write": "down",
        "api.health": "up",
        "bot.webhook": "unknown",
        "bot.ingress": "up",
        "worker.online": "down",
        "worker.canary": "up",
        "beat.alive": "pending",
        "miniapp.page": "degraded",
    }
    assert [(one["id"], one["root"], one["symptoms"]) for one in body["incidents"]] == [
        (3, "redis.ping", ["redis.write", "worker.online"]),
        (2, "miniapp.page", []),
    ]


async def test_a_check_never_looked_at_has_nulls(client: httpx.AsyncClient) -> None:
    body = (await client.get("/api/v1/checks/beat.alive")).json()
    assert (body["status"], body["last_run_at"], body["duration_seconds"], body["last_result"]) == (
        "pending", None, None, None,
    )  # fmt: skip


async def test_a_check_tells_its_rules_and_evidence(client: httpx.AsyncClient) -> None:
    body = (await client.get("/api/v1/checks/redis.ping")).json()
    assert (body["interval_seconds"], body["depends_on"], body["severity"]) == (30, ["vantage.dns"], "page")
    assert body["last_result"]["reason"] == "connection_refused"
    assert body["last_result"]["evidence"]["facts"][0] == {"name": "address", "value": "127.0.0.1:6379", "unit": ""}


async def test_the_list_of_checks_is_that_of_the_status(client: httpx.AsyncClient) -> None:
    assert (await client.get("/api/v1/checks")).json() == (await client.get("/api/v1/status")).json()["checks"]


async def test_results_come_newest_first_and_limited(client: httpx.AsyncClient) -> None:
    body = (await client.get("/api/v1/checks/redis.ping/results", params={"limit": 3})).json()
    assert [one["started_at"] for one in body] == [
        "2026-11-23T14:31:55Z", "2026-11-23T14:31:25Z", "2026-11-23T14:30:55Z",
    ]  # fmt: skip


async def test_incidents_include_closed_ones(client: httpx.AsyncClient) -> None:
    body = (await client.get("/api/v1/incidents")).json()
    assert [(one["id"], one["status"]) for one in body] == [(3, "acked"), (2, "open"), (1, "closed")]


async def test_a_live_incident_has_timeline_members_and_what_is_still_ok(client: httpx.AsyncClient) -> None:
    body = (await client.get("/api/v1/incidents/3")).json()
    assert [row["kind"] for row in body["timeline"]] == ["opened", "symptom_joined", "acked"]
    assert {one["check"]: one["role"] for one in body["members"]}["redis.ping"] == "root"
    assert body["still_ok"] == ["vantage.loop", "vantage.dns", "postgres.connect", "bot.ingress", "worker.canary"]
    assert body["summary"] == "nothing listens on 127.0.0.1:6379"


async def test_a_closed_incident_shows_nothing_of_today(client: httpx.AsyncClient) -> None:
    body = (await client.get("/api/v1/incidents/1")).json()
    assert (body["status"], body["still_ok"], body["summary"]) == ("closed", [], "")


@pytest.mark.parametrize(
    ("path", "status", "line"),
    [
        ("/api/v1/checks/no.such", 404, "check: there is none with the id 'no.such'"),
        ("/api/v1/checks/no.such/results", 404, "check: there is none with the id 'no.such'"),
        ("/api/v1/incidents/99", 404, "incident: there is none with the number 99"),
        ("/api/v1/nothing", 404, "GET /api/v1/nothing: not found"),
        (
            "/api/v1/incidents/abc",
            422,
            "incident_id: 'abc': Input should be a valid integer, unable to parse string as an integer",
        ),
        ("/api/v1/incidents?limit=0", 422, "limit: '0': Input should be greater than or equal to 1"),
        ("/events/checks/no.such", 404, "check: there is none with the id 'no.such'"),
    ],
)
async def test_a_refusal_is_one_clear_json_line(client: httpx.AsyncClient, path: str, status: int, line: str) -> None:
    answer = await client.get(path)
    assert (answer.status_code, answer.json()) == (status, {"detail": line})


async def test_a_store_that_does_not_answer_is_503_and_the_status_still_answers(world: Any, browse_as: Browse) -> None:
    world.history.error = StoreUnavailableError("the database does not answer")
    async with browse_as(world) as client:
        answer = await client.get("/api/v1/incidents")
        assert (answer.status_code, answer.json()["detail"]) == (
            503, "history: the monitor's own database does not answer",
        )  # fmt: skip
        assert (await client.get("/api/v1/status")).status_code == 200
        assert (await client.get("/")).status_code == 200


async def test_an_unforeseen_error_shows_no_traceback(world: Any, browse_as: Browse) -> None:
    world.history.error = ZeroDivisionError("secret inside")
    async with browse_as(world) as client:
        answer = await client.get("/api/v1/incidents")
    assert (answer.status_code, answer.json()) == (
        500, {"detail": "GET /api/v1/incidents: internal error, see the log"},
    )  # fmt: skip


@pytest.mark.parametrize(("silent_seconds", "status", "word"), [(0, 200, "ok"), (60, 200, "ok"), (61, 503, "stuck")])
async def test_healthz_follows_the_loop_alone(
    world: Any, browse_as: Browse, silent_seconds: int, status: int, word: str
) -> None:
    world.ticked_at = world.now - timedelta(seconds=silent_seconds)
    world.history.error = StoreUnavailableError("the database does not answer")
    async with browse_as(world) as client:
        answer = await client.get("/healthz")
    assert (answer.status_code, answer.json()) == (status, {"status": word, "loop_ticked_seconds_ago": silent_seconds})


async def test_readyz_says_what_it_waits_for(world: Any, browse_as: Browse) -> None:
    async with browse_as(world) as client:
        assert (await client.get("/readyz")).json() == {"status": "ready", "waiting_for": []}
        world.waiting_for.append("first look of beat.alive")
        answer = await client.get("/readyz")
    assert (answer.status_code, answer.json()["waiting_for"]) == (503, ["first look of beat.alive"])


async def test_metrics_are_prometheus_text(client: httpx.AsyncClient) -> None:
    answer = await client.get("/metrics")
    assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    assert 'nexus_check_status{check="redis.ping",service="nexus-redis",status="down"} 1.0' in answer.text


@pytest.mark.parametrize("path", ["/", "/api/v1/status", "/healthz", "/metrics", "/static/style.css"])
async def test_head_answers_like_get_without_a_body(client: httpx.AsyncClient, path: str) -> None:
    answer = await client.head(path)
    assert (answer.status_code, answer.content) == (200, b"")


async def test_head_of_an_event_stream_is_refused(client: httpx.AsyncClient) -> None:
    assert (await client.head("/events")).status_code == 405


@pytest.mark.parametrize("path", ["/", "/api/v1/status", "/api/v1/nothing", "/static/live.js"])
async def test_every_answer_carries_the_security_headers(client: httpx.AsyncClient, path: str) -> None:
    headers = (await client.get(path)).headers
    policy = headers["content-security-policy"]
    assert "unsafe" not in policy
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["cache-control"] == ("no-cache" if path.startswith("/static") else "no-store")


async def test_the_openapi_document_knows_every_answer(client: httpx.AsyncClient) -> None:
    document = (await client.get("/openapi.json")).json()
    assert sorted(document["paths"]) == [
        "/api/v1/checks",
        "/api/v1/checks/{check_id}",
        "/api/v1/checks/{check_id}/results",
        "/api/v1/checks/{check_id}/series",
        "/api/v1/incidents",
        "/api/v1/incidents/{incident_id}",
        "/api/v1/slo",
        "/api/v1/status",
        "/healthz",
        "/metrics",
        "/push/{check_id}",
        "/readyz",
    ]
    for path, methods in document["paths"].items():
        for code, answer in methods["get"]["responses"].items():
            schema = next(iter(answer["content"].values()))["schema"]
            assert schema, f"{path} {code}"
    assert document["components"]["securitySchemes"]["HTTPBearer"]["scheme"] == "bearer"
