"""The buttons of the pages: each does one thing through the engine, once, and only for whoever may."""

import re
from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from typing import Any

import httpx
import pytest

from monitor.engine.model import Acked, IncidentStatus, Silenced, SilenceEnded
from monitor.web.app import build_app

TOKEN = "correct horse battery staple"


@pytest.fixture
async def here(world: Any) -> AsyncIterator[httpx.AsyncClient]:
    """Browse from the monitor's own machine."""
    transport = httpx.ASGITransport(build_app(world.context()))
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8700") as client:
        yield client


async def press(client: httpx.AsyncClient, page: str, action: str, **fields: str) -> httpx.Response:
    """Send the form of a page as its browser would, and return the page it leads to."""
    text = (await client.get(page)).text
    assert f'action="{action}"' in text
    csrf = re.search(r'name="csrf" value="([0-9a-f]+)"', text)
    assert csrf
    answer = await client.post(action, data={"csrf": csrf[1], **fields}, headers={"Sec-Fetch-Site": "same-origin"})
    assert answer.status_code == 303, answer.text
    return await client.get(answer.headers["location"])


async def test_acknowledging_takes_the_incident_in_the_name_of_the_dashboard(
    world: Any, here: httpx.AsyncClient
) -> None:
    page = await press(here, "/incidents/2", "/incidents/2/ack")
    assert world.applied == [Acked(2, "dashboard")]
    assert world.state.incidents[2].status is IncidentStatus.ACKED
    assert "Incident #2 is yours now." in page.text
    assert "Incident #2 is yours now." not in (await here.get("/incidents/2")).text


async def test_acknowledging_twice_does_it_once(world: Any, here: httpx.AsyncClient) -> None:
    csrf = await csrf_of(here, "/incidents/3")
    answer = await here.post("/incidents/3/ack", data={"csrf": csrf})
    assert world.applied == []
    assert "was taken already, by ann" in (await here.get(answer.headers["location"])).text


async def test_looking_again_asks_for_the_root_and_its_symptoms_once(world: Any, here: httpx.AsyncClient) -> None:
    page = await press(here, "/incidents/3", "/incidents/3/recheck")
    assert world.probed == ["redis.ping", "redis.write", "worker.online"]
    assert "Looking again at 3 checks." in page.text
    assert "Already looking." in (await press(here, "/incidents/3", "/incidents/3/recheck")).text
    assert len(world.probed) == 3


@pytest.mark.parametrize(("minutes", "length"), [("30", 30), ("60", 60), ("resolved", None)])
async def test_an_incident_is_silenced(world: Any, here: httpx.AsyncClient, minutes: str, length: int | None) -> None:
    await press(here, "/incidents/2", "/incidents/2/silence", minutes=minutes)
    ends_at = None if length is None else world.now + timedelta(minutes=length)
    assert world.applied == [Silenced("incident:2", ends_at, "dashboard", "a button of its card")]
    again = await press(here, "/incidents/2", "/incidents/2/silence", minutes=minutes)
    assert "is silenced already" in again.text
    assert len(world.applied) == 1


async def test_a_check_is_run_now(world: Any, here: httpx.AsyncClient) -> None:
    page = await press(here, "/checks/api.health", "/checks/api.health/run")
    assert world.probed == ["api.health"]
    assert "Looking again at api.health." in page.text


async def test_a_silence_is_made_and_ended(world: Any, here: httpx.AsyncClient) -> None:
    page = await press(
        here, "/silences", "/silences", selector="service:nexus-api", minutes="60", reason="new  disk", maintenance="on"
    )
    silence = world.state.silences[1]
    assert (silence.selector, silence.reason, silence.is_maintenance) == ("service:nexus-api", "new disk", True)
    assert "service:nexus-api is in maintenance until" in page.text
    assert "new disk" in page.text
    page = await press(here, "/silences", "/silences/1/end")
    assert world.applied[-1] == SilenceEnded(1, "dashboard")
    assert "The silence of service:nexus-api is over." in page.text
    assert 'action="/silences/1/end"' not in page.text


@pytest.mark.parametrize(
    ("fields", "line"),
    [
        ({"selector": "service:nowhere", "minutes": "60", "reason": "x"}, "selector:"),
        ({"selector": "incident:3", "minutes": "60", "reason": "x"}, "selector:"),
        ({"selector": "check:redis.ping", "minutes": "61", "reason": "x"}, "minutes:"),
        ({"selector": "check:redis.ping", "minutes": "60", "reason": "  "}, "reason:"),
        ({}, "selector:"),
    ],
)
async def test_a_silence_that_makes_no_sense_is_refused(
    world: Any, here: httpx.AsyncClient, fields: dict[str, str], line: str
) -> None:
    answer = await here.post("/silences", data={"csrf": await csrf_of(here, "/silences"), **fields})
    assert answer.status_code == 422
    assert line in answer.text
    assert world.applied == []


@pytest.mark.parametrize("action", ["/incidents/99/ack", "/incidents/99/recheck", "/checks/none/run"])
async def test_what_is_not_there_cannot_be_acted_on(here: httpx.AsyncClient, action: str) -> None:
    assert (await here.post(action, data={"csrf": await csrf_of(here, "/silences")})).status_code == 404


@pytest.mark.parametrize(
    ("csrf", "headers"),
    [("", {}), ("0" * 64, {}), (None, {"Sec-Fetch-Site": "cross-site"}), (None, {"Origin": "http://evil.test"})],
)
async def test_a_form_that_is_not_ours_does_nothing(
    world: Any, here: httpx.AsyncClient, csrf: str | None, headers: dict[str, str]
) -> None:
    own = await csrf_of(here, "/incidents/2")
    answer = await here.post("/incidents/2/ack", data={"csrf": own if csrf is None else csrf}, headers=headers)
    assert answer.status_code == 403
    assert world.applied == []


async def test_without_a_password_only_this_machine_may_act(world: Any, client: httpx.AsyncClient) -> None:
    assert "csrf" not in (await client.get("/incidents/2")).text
    assert (await client.post("/incidents/2/ack", data={"csrf": ""})).status_code == 403
    assert world.applied == []


async def test_an_open_dashboard_that_others_can_reach_only_shows(world: Any) -> None:
    world.is_local = False
    transport = httpx.ASGITransport(build_app(world.context()))
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
        assert "csrf" not in (await client.get("/incidents/2")).text
        assert (await client.post("/incidents/2/ack", data={"csrf": ""})).status_code == 403


async def test_a_form_of_another_session_is_refused(world: Any, browse_as: Callable[[Any], httpx.AsyncClient]) -> None:
    world.token = TOKEN
    async with browse_as(world) as first, browse_as(world) as second:
        await first.post("/login", data={"token": TOKEN})
        world.now += timedelta(seconds=1)
        await second.post("/login", data={"token": TOKEN})
        csrf = await csrf_of(first, "/incidents/2")
        assert (await second.post("/incidents/2/ack", data={"csrf": csrf})).status_code == 403
        assert (await first.post("/incidents/2/ack", data={"csrf": csrf})).status_code == 303
    assert world.applied == [Acked(2, "dashboard")]


async def test_a_standby_says_that_it_cannot(world: Any, here: httpx.AsyncClient) -> None:
    world.is_leading = False
    answer = await here.post("/incidents/2/ack", data={"csrf": await csrf_of(here, "/incidents/2")})
    assert answer.status_code == 503
    assert "standby" in answer.text


async def csrf_of(client: httpx.AsyncClient, page: str) -> str:
    found = re.search(r'name="csrf" value="([0-9a-f]+)"', (await client.get(page)).text)
    assert found
    return found[1]
