"""Markers in Grafana and Sentry, as their APIs take them."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta

import httpx
import pytest

from monitor.config.settings import Settings, settings_from
from monitor.deploys.markers import MarkerRefusedError, Markers
from monitor.engine.deploy_record import DeployRecord, DeployVerdict
from tests.monitor.deploys.place import NEW, START

GRAFANA = {"GRAFANA_URL": "https://grafana.example", "GRAFANA_TOKEN": "glsa_secret"}
SENTRY = {"SENTRY_ORG": "nexus", "SENTRY_AUTH_TOKEN": "sntrys_secret", "SENTRY_ENVIRONMENT": "staging"}
PASSED = DeployRecord(
    id="dep-1",
    service="nexus-api",
    commit=NEW,
    status="live",
    started_at=START,
    seen_at=START,
    live_at=START + timedelta(minutes=3),
    verdict=DeployVerdict.PASSED,
)
FAILED = replace(PASSED, live_at=None, ended_at=START, verdict=DeployVerdict.DEPLOY_FAILED)


def settings(*groups: dict[str, str]) -> Settings:
    return settings_from({name: value for group in groups for name, value in group.items()})


class Outside:
    """Takes requests and remembers them."""

    def __init__(self, status: int = 200) -> None:
        self.requests: list[httpx.Request] = []
        self.status = status

    @asynccontextmanager
    async def client(self) -> AsyncIterator[httpx.AsyncClient]:
        async with httpx.AsyncClient(transport=httpx.MockTransport(self._answer)) as client:
            yield client

    def _answer(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        return httpx.Response(self.status)


@pytest.mark.parametrize(
    ("given", "record", "expected"),
    [
        (settings(), PASSED, ()),
        (settings(GRAFANA), PASSED, ("grafana",)),
        (settings(GRAFANA, SENTRY), PASSED, ("grafana", "sentry")),
        (settings(GRAFANA, SENTRY), FAILED, ("grafana",)),
        (settings(GRAFANA, SENTRY), replace(PASSED, marked=("grafana",)), ("sentry",)),
        (settings(GRAFANA, SENTRY), replace(PASSED, verdict=None), ()),
        (settings(SENTRY), replace(PASSED, commit=""), ()),
        (settings(SENTRY), replace(PASSED, verdict=DeployVerdict.SUPERSEDED), ()),
    ],
)
def test_where_a_marker_is_to_be_left(given: Settings, record: DeployRecord, expected: tuple[str, ...]) -> None:
    assert Markers(given).wanted(record) == expected


async def test_grafana_gets_an_annotation_of_the_time_it_took() -> None:
    outside = Outside()
    await Markers(settings(GRAFANA), outside.client).leave("grafana", PASSED)
    (request,) = outside.requests
    assert str(request.url) == "https://grafana.example/api/annotations"
    assert request.headers["authorization"] == "Bearer glsa_secret"
    assert json.loads(request.content) == {
        "time": int(START.timestamp() * 1000),
        "timeEnd": int(START.timestamp() * 1000) + 180_000,
        "tags": ["deploy", "nexus-api", "passed"],
        "text": "abc1234 on nexus-api: passed",
    }


async def test_sentry_is_told_of_the_release() -> None:
    outside = Outside()
    await Markers(settings(SENTRY), outside.client).leave("sentry", PASSED)
    (request,) = outside.requests
    assert str(request.url) == f"https://sentry.io/api/0/organizations/nexus/releases/{NEW}/deploys/"
    assert json.loads(request.content) == {
        "environment": "staging",
        "name": "nexus-api abc1234",
        "dateStarted": "2026-11-24T12:00:00+00:00",
        "dateFinished": "2026-11-24T12:03:00+00:00",
    }


async def test_a_refusal_is_said_without_the_token() -> None:
    with pytest.raises(MarkerRefusedError, match=r"^status 401$"):
        await Markers(settings(GRAFANA), Outside(401).client).leave("grafana", PASSED)
