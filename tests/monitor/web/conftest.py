"""A small watched stack with a check in every status and two open incidents, served without store or engine."""

import math
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from checks.result import Fact, Outcome, Reason, Result, Verdict, degraded, failed, ok, unknown
from monitor.engine.model import (
    AppendTimeline,
    Chat,
    CheckPolicy,
    CheckState,
    CheckStatus,
    Incident,
    IncidentStatus,
    Member,
    Plan,
    Role,
    Severity,
    State,
)
from tests.monitor.web.world import FakeHistory, World, browse


@pytest.fixture
def now() -> datetime:
    return datetime(2026, 11, 23, 14, 32, 0, tzinfo=UTC)


@pytest.fixture
def world(now: datetime) -> World:
    return build_world(now)


@pytest.fixture
async def client(world: World) -> AsyncIterator[httpx.AsyncClient]:
    async with browse(world) as made:
        yield made


@pytest.fixture
def browse_as() -> Callable[[World], httpx.AsyncClient]:
    """Give the function that opens a client, for tests that prepare their world first."""
    return browse


def policy(check_id: str, service: str, *parents: str, severity: Severity = Severity.PAGE) -> CheckPolicy:
    return CheckPolicy(
        check_id,
        service,
        interval_seconds=30,
        timeout_seconds=10,
        retry_seconds=10,
        hard_parents=parents,
        severity=severity,
        is_vantage=check_id.startswith("vantage."),
    )


def build_world(now: datetime) -> World:
    """Return the stack at `now`: redis down with two symptoms, the Mini App slow, the webhook unknown."""
    policies = [
        policy("vantage.loop", "monitor"),
        policy("vantage.dns", "monitor"),
        policy("postgres.connect", "nexus-db", "vantage.dns"),
        policy("redis.ping", "nexus-redis", "vantage.dns"),
        policy("redis.write", "nexus-redis", "redis.ping"),
        policy("api.health", "nexus-api", "postgres.connect"),
        policy("bot.webhook", "nexus-bot", severity=Severity.WARNING),
        policy("bot.ingress", "nexus-bot"),
        policy("worker.online", "nexus-worker", "redis.ping"),
        policy("worker.canary", "nexus-worker", "worker.online"),
        policy("beat.alive", "nexus-beat", "worker.canary"),
        policy("miniapp.page", "nexus-miniapp", severity=Severity.WARNING),
    ]
    refused = failed(
        Reason.CONNECTION_REFUSED,
        "nothing listens on 127.0.0.1:6379",
        Fact("address", "127.0.0.1:6379"),
        Fact("phase", "connect"),
        Fact("waited", 0.0021, "seconds"),
        hint="Is the Redis process running? Look at its log, then start it.",
        excerpt="[Errno 111] Connect call failed ('127.0.0.1', 6379)",
    )
    verdicts: dict[str, tuple[CheckStatus, Verdict, float]] = {
        "vantage.loop": (CheckStatus.UP, ok("loop late by at most 2 ms", Fact("lag", 0.002, "seconds")), 0.002),
        "vantage.dns": (CheckStatus.UP, ok("both names resolve"), 0.011),
        "postgres.connect": (CheckStatus.UP, ok("PostgreSQL 18.0, primary, answered SELECT 1"), 0.018),
        "redis.ping": (CheckStatus.DOWN, refused, 0.002),
        "redis.write": (CheckStatus.DOWN, replace(refused, summary="cannot write: nothing listens"), 0.003),
        "api.health": (
            CheckStatus.SUSPECT,
            failed(
                Reason.HTTP_STATUS,
                "503 from /health: redis is down",
                Fact("status", 503),
                hint="Look at the API's log.",
                excerpt='{"status": "down", "redis": "<b>refused</b>"}',
            ),
            0.032,
        ),
        "bot.webhook": (CheckStatus.UP, unknown(Reason.VANTAGE, "Telegram did not answer us within 10 s"), 10.0),
        "bot.ingress": (CheckStatus.UP, ok("200 for a signed update"), 0.045),
        "worker.online": (CheckStatus.RECOVERING, ok("1 of 1 workers answered"), 0.204),
        "worker.canary": (CheckStatus.UP, ok("canary back from 2 queues"), 0.087),
        "miniapp.page": (
            CheckStatus.UP,
            degraded(
                Reason.SLOW,
                "page and 4 of 4 assets load, but it took 4.2 s",
                Fact("time", 4.2, "seconds"),
                Fact("assets", 4),
                hint="Compare with the last deploy.",
            ),
            4.2,
        ),
    }
    checks = {
        check_id: _check_state(check_id, status, verdict, seconds, now)
        for check_id, (status, verdict, seconds) in verdicts.items()
    }
    checks["miniapp.page"] = replace(checks["miniapp.page"], is_degraded=True, incident_id=2)
    checks["bot.webhook"] = replace(checks["bot.webhook"], unknown_since=now - timedelta(minutes=3))
    for member in ("redis.ping", "redis.write", "worker.online"):
        checks[member] = replace(checks[member], incident_id=3)
    incidents = _incidents(now)
    history = FakeHistory()
    history.stored = incidents | {1: _closed(now)}
    history.results_of = {check_id: list(_past(state, now)) for check_id, state in checks.items()}
    history.rows[3] = [
        AppendTimeline(3, now - timedelta(minutes=6), "monitor", "opened", "redis.ping is down: nothing listens"),
        AppendTimeline(3, now - timedelta(minutes=5, seconds=50), "redis.write", "symptom_joined", "fails with it"),
        AppendTimeline(3, now - timedelta(minutes=4), "ann", "acked", "taken by ann for 1 h"),
    ]
    state = State(checks=checks, incidents=incidents, next_incident_id=4, revision=7)
    plan = Plan({one.id: one for one in policies}, chats=(Chat("telegram:ops"),))
    return World(plan, state, history, now)


def _check_state(check_id: str, status: CheckStatus, verdict: Verdict, seconds: float, now: datetime) -> CheckState:
    offset = len(check_id) % 7 + 2
    result = Result(check_id, verdict, now - timedelta(seconds=offset), seconds)
    is_down = status in (CheckStatus.DOWN, CheckStatus.RECOVERING)
    has_failed = verdict.outcome is Outcome.FAILED
    return CheckState(
        check_id,
        status,
        down_since=now - timedelta(minutes=6, seconds=30) if is_down else None,
        last_started_at=result.started_at,
        last_result=result,
        last_failure=result if has_failed else None,
    )


def _past(state: CheckState, now: datetime) -> Iterator[Result]:
    """Give 40 looks, newest first: the present one, some like it, and good ones before."""
    newest = state.last_result
    assert newest is not None
    yield newest
    bad_looks = 12 if state.status is CheckStatus.DOWN else 1
    for index in range(1, 40):
        started_at = newest.started_at - timedelta(seconds=30 * index)
        if index < bad_looks:
            yield replace(newest, started_at=started_at)
        else:
            wave = 1 + 0.35 * math.sin(index * 1.7 + len(state.id)) + 0.2 * math.cos(index * 0.6)
            seconds = min(newest.duration_seconds, 0.9) * wave
            yield Result(state.id, ok("as it should be"), started_at, seconds)


def _incidents(now: datetime) -> dict[int, Incident]:
    began = now - timedelta(minutes=6, seconds=30)
    redis = Incident(
        3,
        "redis.ping",
        Severity.PAGE,
        IncidentStatus.ACKED,
        began,
        began + timedelta(seconds=25),
        members=(
            Member("redis.ping", Role.ROOT, began),
            Member("redis.write", Role.SYMPTOM, began + timedelta(seconds=30)),
            Member("worker.online", Role.SYMPTOM, began + timedelta(seconds=41)),
            Member("api.health", Role.SYMPTOM, began + timedelta(seconds=44), now - timedelta(minutes=1)),
        ),
        acked_by="ann",
        acked_at=now - timedelta(minutes=4),
        deploy_id="7f3c2a1",
    )
    slow = Incident(
        2,
        "miniapp.page",
        Severity.WARNING,
        IncidentStatus.OPEN,
        now - timedelta(hours=2, minutes=5),
        now - timedelta(hours=2),
        members=(Member("miniapp.page", Role.ROOT, now - timedelta(hours=2)),),
    )
    return {2: slow, 3: redis}


def _closed(now: datetime) -> Incident:
    began = now - timedelta(days=1, hours=3)
    return Incident(
        1,
        "postgres.connect",
        Severity.PAGE,
        IncidentStatus.CLOSED,
        began,
        began + timedelta(seconds=30),
        members=(Member("postgres.connect", Role.ROOT, began),),
        resolved_at=began + timedelta(minutes=11),
    )
