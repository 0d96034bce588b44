"""`api.health`: its judgement, and a look at a real server."""

import pytest
from aiohttp import web

from checks.api.health import ApiHealth, ApiHealthConfig, ApiHealthSeen
from checks.api.parts import Health, health_of
from checks.failures import verdict_of
from checks.http import Exchange
from checks.result import Fact, Outcome, Reason, Verdict
from tests.checks.conftest import Serve
from tests.fakes import NOW, answered, io_for


def check_of(url: str = "http://127.0.0.1:8000/health", ready_url: str | None = None) -> ApiHealth:
    return ApiHealth(ApiHealthConfig(id="api.health", service="nexus-api", url=url, ready_url=ready_url))


JUDGED = {
    "good": (answered(200, '{"status": "ok", "db": "ok"}'), Outcome.OK, None, "GET /health 200 in 41 ms"),
    "plain text": (answered(204), Outcome.OK, None, "GET /health 204 in 41 ms"),
    "a part down": (
        answered(503, '{"status": "error", "db": "down", "redis": "ok"}'),
        Outcome.FAILED,
        Reason.DEPENDENCY_DOWN,
        "GET /health 503 in 41 ms: db is down",
    ),
    "two parts down behind 200": (
        answered(200, '{"db": false, "redis": false}'),
        Outcome.FAILED,
        Reason.DEPENDENCY_DOWN,
        "GET /health 200 in 41 ms: db, redis are down",
    ),
    "500": (answered(500, "boom"), Outcome.FAILED, Reason.HTTP_STATUS, "GET /health 500 in 41 ms"),
    "502": (answered(502), Outcome.FAILED, Reason.HTTP_STATUS, "GET /health 502 in 41 ms"),
    "404": (answered(404), Outcome.FAILED, Reason.HTTP_STATUS, "GET /health 404 in 41 ms"),
    "307": (answered(307, location="/x"), Outcome.FAILED, Reason.HTTP_STATUS, "GET /health 307 in 41 ms"),
    "401": (answered(401), Outcome.FAILED, Reason.AUTH_REJECTED, "GET /health 401 in 41 ms"),
    "429": (answered(429), Outcome.FAILED, Reason.RATE_LIMITED, "GET /health 429 in 41 ms"),
    "says it is down": (
        answered(200, '{"status": "unhealthy"}'),
        Outcome.FAILED,
        Reason.BODY_MISMATCH,
        "GET /health 200 in 41 ms, but its body says it is down",
    ),
    "a part degraded": (
        answered(200, '{"status": "ok", "cache": "slow"}'),
        Outcome.DEGRADED,
        Reason.DEPENDENCY_DOWN,
        "GET /health 200 in 41 ms: cache is degraded",
    ),
    "itself degraded": (
        answered(200, '{"status": "degraded"}'),
        Outcome.DEGRADED,
        Reason.DEPENDENCY_DOWN,
        "GET /health 200 in 41 ms: it is degraded",
    ),
    "slow": (
        answered(200, '{"status": "ok"}', seconds=2.4),
        Outcome.DEGRADED,
        Reason.SLOW,
        "GET /health 200 in 2.4 s, slower than 2 s",
    ),
}


@pytest.mark.parametrize(("answer", "outcome", "reason", "summary"), JUDGED.values(), ids=JUDGED)
def test_judge(answer: Exchange, outcome: Outcome, reason: Reason | None, summary: str) -> None:
    verdict = check_of().judge(ApiHealthSeen(answer, health_of(answer.text)), NOW)

    assert (verdict.outcome, verdict.reason, verdict.summary) == (outcome, reason, summary)
    assert bool(verdict.hint) == (outcome is not Outcome.OK)
    assert verdict.values["latency_seconds"] == answer.phases.total_seconds
    assert verdict.evidence.facts[:2] == (Fact("host", "127.0.0.1:8000"), Fact("status", answer.status))


HUNG = verdict_of(TimeoutError(), 2.0)
assert HUNG is not None
READY = {
    "ready": (answered(200), Outcome.OK, "GET /health 200 in 41 ms"),
    "not yet": (answered(503), Outcome.FAILED, "GET /health 200 in 41 ms, but it is not ready: GET /ready 503"),
    "hung": (
        HUNG,
        Outcome.FAILED,
        "GET /health 200 in 41 ms, but it is not ready: GET /ready: no answer within 2 s",
    ),
}


@pytest.mark.parametrize(("ready", "outcome", "summary"), READY.values(), ids=READY)
def test_one_that_runs_and_takes_no_traffic_is_not_well(
    ready: Exchange | Verdict, outcome: Outcome, summary: str
) -> None:
    verdict = check_of(ready_url="/ready").judge(ApiHealthSeen(answered(200), Health(), ready), NOW)
    assert (verdict.outcome, verdict.summary) == (outcome, summary)
    assert bool(verdict.hint) == (outcome is not Outcome.OK)


@pytest.mark.real
async def test_the_readiness_path_is_asked_at_the_same_server(serve: Serve) -> None:
    async def handler(request: web.Request) -> web.Response:
        return web.json_response({"status": "starting"}, status=503 if request.path == "/ready" else 200)

    check = check_of(f"{await serve(handler)}/api/health", "/ready")
    verdict = check.judge(await check.measure(io_for()), NOW)
    assert verdict.summary.endswith("but it is not ready: GET /ready 503")


def test_a_refused_connection_names_the_request() -> None:
    error = verdict_of(ConnectionRefusedError())
    assert error is not None

    told = check_of().on_failure(error)

    assert told.summary == "GET /health: connection refused"
    assert told.hint == "Render → nexus-api → Events: crashed, or deploying? Does it bind $PORT?"


@pytest.mark.real
async def test_a_real_server_is_measured(serve) -> None:
    async def handler(request: web.Request) -> web.Response:
        assert request.path == "/health"
        return web.json_response({"status": "error", "redis": {"status": "down"}}, status=503)

    check = check_of(f"{await serve(handler)}/health")

    verdict = check.judge(await check.measure(io_for()), NOW)

    assert verdict.reason is Reason.DEPENDENCY_DOWN
    assert verdict.summary.startswith("GET /health 503 in ")
    assert verdict.summary.endswith(": redis is down")
