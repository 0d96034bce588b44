"""What the demo's Render answers has the shapes that Render's own description gives."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from demo.renderapi.account import OWNER, Account
from demo.renderapi.server import METRICS, RenderServer

SHAPES = json.loads((Path(__file__).parent / "shapes.json").read_text(encoding="utf-8"))
KEY = "rnd_" + "k" * 28
NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


def mistakes(name: str, body: dict[str, Any]) -> list[str]:
    """Return what is not as the description says."""
    shape = SHAPES[name]
    lines = [f"{name}.{field} is missing" for field in shape["required"] if field not in body]
    for field, values in shape["values"].items():
        if field in body and body[field] not in values:
            lines.append(f"{name}.{field}: {body[field]!r}")
    for field in shape.get("instants", ()):
        if field in body and datetime.fromisoformat(body[field]).tzinfo is None:
            lines.append(f"{name}.{field}: {body[field]!r} is no instant")
    return lines


@pytest.fixture
def server() -> RenderServer:
    account = Account(lambda: NOW)
    api = account.add_service("nexus-api", commit="0" * 40)
    account.add_service("nexus-worker", "background_worker", commit="0" * 40)
    account.add_service("nexus-miniapp", "static_site", commit="0" * 40)
    deploy = account.begin_deploy(api, "1" * 40, "A change")
    account.log(api, "app", "hello")
    account.advance(api, deploy, "update_in_progress")
    account.advance(api, deploy, "live")
    return RenderServer(account, KEY)


async def asked(server: RenderServer, path: str, **query: str) -> Any:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(server.app()), base_url="http://render.test") as client:
        answer = await client.get(f"/v1{path}", params=query, headers={"authorization": f"Bearer {KEY}"})
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_services(server: RenderServer) -> None:
    items = await asked(server, "/services")

    assert [sorted(item) for item in items] == [["cursor", "service"]] * 3
    for item in items:
        service = item["service"]
        assert mistakes("service", service) == []
        assert mistakes(service["type"], service["serviceDetails"]) == []


async def test_deploys_events_and_instances(server: RenderServer) -> None:
    (api, *_) = server.account.held
    deploys = await asked(server, f"/services/{api}/deploys")
    events = await asked(server, f"/services/{api}/events")

    assert [item["deploy"]["status"] for item in deploys] == ["live", "deactivated"]
    assert [line for item in deploys for line in mistakes("deploy", item["deploy"])] == []
    assert [item["event"]["type"] for item in events] == ["deploy_ended", "deploy_started"]
    assert [line for item in events for line in mistakes("event", item["event"])] == []
    assert mistakes("event", await asked(server, f"/events/{events[0]['event']['id']}")) == []
    instances = await asked(server, f"/services/{api}/instances")
    assert [line for item in instances for line in mistakes("instance", item)] == []


async def test_logs(server: RenderServer) -> None:
    (api, *_) = server.account.held
    answer = await asked(server, "/logs", ownerId=OWNER, resource=api, type="build", direction="forward", limit="1")

    assert mistakes("logs", answer) == []
    assert (answer["hasMore"], len(answer["logs"])) == (True, 1)
    assert mistakes("log", answer["logs"][0]) == []
    found = await asked(server, "/logs", ownerId=OWNER, resource=api, text="/hel+o/")
    assert [line["message"] for line in found["logs"]] == ["hello"]


@pytest.mark.parametrize("metric", METRICS)
async def test_metrics(server: RenderServer, metric: str) -> None:
    (api, *_) = server.account.held
    since = (NOW - timedelta(minutes=5)).isoformat()
    series = await asked(server, f"/metrics/{metric}", resource=api, startTime=since, endTime=NOW.isoformat())

    assert bool(series) == (not metric.startswith("disk"))
    for one in series:
        assert mistakes("series", one) == []
        assert [line for point in one["values"] for line in mistakes("point", point)] == []


async def test_without_the_key_nothing_is_told(server: RenderServer) -> None:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(server.app()), base_url="http://render.test") as client:
        assert (await client.get("/v1/services")).status_code == 401
