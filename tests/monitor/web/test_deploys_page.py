"""The page of deploys: verdicts in words, what is wrong, what was done about it."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import httpx
import pytest

from monitor.engine.deploy_record import DeployRecord, DeployVerdict, RolledBack, Trouble


def record(world: Any, **changes: Any) -> DeployRecord:
    made = DeployRecord(
        id="dep-1",
        service="nexus-api",
        commit="abc1234def5678",
        status="live",
        started_at=world.now - timedelta(minutes=10),
        seen_at=world.now - timedelta(minutes=10),
        message="Sort <b>tasks</b>",
    )
    return replace(made, **changes)


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({}, "in flight"),
        ({"live_at": True}, "observed"),
        ({"verdict": DeployVerdict.PASSED}, "good"),
        ({"verdict": DeployVerdict.BROKEN}, "broke something"),
        ({"verdict": DeployVerdict.BROKEN_BEFORE}, "broken before"),
        ({"verdict": DeployVerdict.DEPLOY_FAILED}, "failed"),
        ({"verdict": DeployVerdict.CANCELED}, "cancelled"),
        ({"verdict": DeployVerdict.SUPERSEDED}, "superseded"),
        ({"verdict": DeployVerdict.UNDECIDED}, "undecided"),
    ],
)
async def test_every_verdict_has_its_word(
    world: Any, client: httpx.AsyncClient, changes: dict[str, Any], word: str
) -> None:
    if changes.get("live_at"):
        changes = {"live_at": world.now}
    world.history.records = [record(world, **changes)]
    page = (await client.get("/deploys")).text
    assert f"</span>{word}</span>" in page
    assert "<code>abc1234def56</code> Sort &lt;b&gt;tasks&lt;/b&gt;" in page


async def test_a_bad_deploy_shows_what_broke_and_what_was_done(world: Any, client: httpx.AsyncClient) -> None:
    since = world.now - timedelta(minutes=4)
    world.history.records = [
        record(
            world,
            id="7f3c2a1",
            live_at=world.now - timedelta(minutes=5),
            verdict=DeployVerdict.BROKEN,
            passed=21,
            unseen=1,
            broken=(Trouble("api.health", since, "500 from /health"),),
            broken_before=(Trouble("api.tls", since, "ends soon", "vantage.dns"),),
            rolled_back=RolledBack(since, "@ann", "dep-0", "0a1b2c3d4e5f6071"),
        ),
        record(world, verdict=DeployVerdict.DEPLOY_FAILED, ended_at=world.now, status="build_failed", log_end="<pip>"),
    ]
    page = (await client.get("/deploys")).text
    assert "21 of 23 checks well, 1 not seen" in page
    assert 'href="/checks/api.health">api.health</a> since' in page
    assert "Not by this deploy:" in page
    assert ", because of vantage.dns: ends soon" in page
    assert 'href="/incidents/3">#3 redis.ping</a>' in page
    assert "Rolled back to <code>0a1b2c3d4e5f</code>" in page
    assert "build failed" in page
    assert "<pre>&lt;pip&gt;</pre>" in page


async def test_without_deploys_the_page_says_so(client: httpx.AsyncClient) -> None:
    assert "No deploy was seen so far." in (await client.get("/deploys")).text
