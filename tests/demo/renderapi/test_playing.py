"""What is played on the demo's Render shows in what its API answers, and nothing else changes."""

from typing import Any

import httpx
import pytest

from demo.renderapi.account import OWNER, Account
from demo.renderapi.server import RenderServer
from tests.demo.renderapi.test_shapes import KEY, NOW, asked, mistakes


@pytest.fixture
def server() -> RenderServer:
    account = Account(lambda: NOW)
    for name, kind in (("nexus-api", "web_service"), ("nexus-worker", "background_worker")):
        account.add_service(name, kind, commit="0" * 40)
    return RenderServer(account, KEY)


async def played(server: RenderServer, path: str, **body: Any) -> int:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(server.app()), base_url="http://render.test") as client:
        return (await client.post(f"/_/{path}", json=body)).status_code


async def test_fields_of_a_service_are_laid_over(server: RenderServer) -> None:
    before = {item["service"]["name"]: item["service"] for item in await asked(server, "/services")}
    suspension = {"suspended": "suspended", "suspenders": ["billing"]}
    await played(server, "services/nexus-worker", service=suspension, details={"plan": "standard"})

    after = {item["service"]["name"]: item["service"] for item in await asked(server, "/services")}
    worker = before["nexus-worker"]
    assert after == {
        **before,
        "nexus-worker": {**worker, **suspension, "serviceDetails": {**worker["serviceDetails"], "plan": "standard"}},
    }
    assert mistakes("service", after["nexus-worker"]) == []


async def test_one_that_is_gone_is_in_no_list_and_may_come_back(server: RenderServer) -> None:
    await played(server, "services/nexus-worker", is_listed=False)
    assert [item["service"]["name"] for item in await asked(server, "/services")] == ["nexus-api"]
    await played(server, "services/nexus-worker", is_listed=True)
    assert len(await asked(server, "/services")) == 2


async def test_a_deploy_comes_to_its_end_at_once(server: RenderServer) -> None:
    (api, *_) = server.account.held
    await played(server, "services/nexus-api", deploy={"status": "build_failed", "commit": "1" * 40, "log": ["broken"]})

    newest, before = (item["deploy"] for item in await asked(server, f"/services/{api}/deploys"))
    assert (newest["status"], newest["commit"]["id"], before["status"]) == ("build_failed", "1" * 40, "live")
    lines = await asked(server, "/logs", ownerId=OWNER, resource=api, type="build")
    assert "broken" in [line["message"] for line in lines["logs"]]

    await played(server, "services/nexus-api", deploy={"status": "live"})
    newest, *_ = (item["deploy"] for item in await asked(server, f"/services/{api}/deploys"))
    assert (newest["status"], newest["commit"]["id"]) == ("live", "0" * 40)


async def test_events_and_lines_are_noted_and_forgotten(server: RenderServer) -> None:
    _, worker = server.account.held
    failure = {"type": "server_failed", "details": {"reason": {"oomKilled": {"memoryLimit": "512Mi"}}}}
    restart = {"type": "server_restarted"}
    await played(server, "services/nexus-worker", events=[failure, failure, restart], logs=["Out of memory", "hello"])

    events = [item["event"] for item in await asked(server, f"/services/{worker}/events")]
    assert [event["type"] for event in events] == ["server_restarted", "server_failed", "server_failed"]
    assert [line for event in events for line in mistakes("event", event)] == []
    await played(server, "services/nexus-worker", forget_events=["server_failed"], forget_logs=["memory"])
    events = await asked(server, f"/services/{worker}/events")
    assert [item["event"]["type"] for item in events] == ["server_restarted"]
    lines = await asked(server, "/logs", ownerId=OWNER, resource=worker, type="app")
    assert [line["message"] for line in lines["logs"]] == ["hello"]


async def test_instances_run_for_as_long_as_it_is_said(server: RenderServer) -> None:
    _, worker = server.account.held
    await played(server, "services/nexus-worker", instances_seconds=[7200, 3600])
    first, second = await asked(server, f"/services/{worker}/instances")
    assert mistakes("instance", first) == []
    assert first["createdAt"] < second["createdAt"]
    await played(server, "services/nexus-worker", instances_seconds=[])
    assert await asked(server, f"/services/{worker}/instances") == []


async def test_a_share_was_always_so(server: RenderServer) -> None:
    _, worker = server.account.held
    await played(server, "services/nexus-worker", memory_share=0.95)
    since, until = "2026-11-23T11:00:00Z", "2026-11-23T12:00:00Z"
    used, limit = [
        (await asked(server, f"/metrics/{name}", resource=worker, startTime=since, endTime=until))[0]["values"]
        for name in ("memory", "memory-limit")
    ]
    assert {point["value"] for point in used} == {0.95 * limit[0]["value"]}


async def test_it_refuses_everything_until_it_is_told_otherwise(server: RenderServer) -> None:
    assert await played(server, "refusing", status=503) == 200
    async with httpx.AsyncClient(transport=httpx.ASGITransport(server.app()), base_url="http://render.test") as client:
        answer = await client.get("/v1/services", headers={"authorization": f"Bearer {KEY}"})
    assert answer.status_code == 503
    await played(server, "refusing", status=0)
    assert len(await asked(server, "/services")) == 2


async def test_who_is_not_there_cannot_be_played_on(server: RenderServer) -> None:
    assert await played(server, "services/nobody", memory_share=1) == 404
