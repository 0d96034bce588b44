"""The pages as HTML, and the event streams behind them."""

import asyncio
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Any

import httpx
import pytest
from fastapi import HTTPException

from checks.result import Fact, Outcome, Reason, failed, ok
from monitor.engine.model import CheckStatus
from monitor.store.errors import StoreUnavailableError
from monitor.store.queries import Look
from monitor.web.asking import RecentHistory
from monitor.web.pages import live
from monitor.web.pages.fragments import Pages
from monitor.web.pages.live import EventStreams
from monitor.web.pages.render import fact_words, template_environment
from monitor.web.sparkline import age_words, duration_words, sparkline_of
from monitor.web.views import overall

Browse = Callable[[Any], httpx.AsyncClient]
PAGES = ["/", "/checks/redis.ping", "/checks/beat.alive", "/incidents", "/incidents/3", "/incidents/1"]


async def test_the_dashboard_shows_every_check_with_word_and_summary(world: Any, client: httpx.AsyncClient) -> None:
    text = (await client.get("/")).text
    assert "3 of 12 checks down" in text
    for check_id in world.plan.checks:
        assert f'id="check:{check_id}"' in text
    for words in ("nothing listens on 127.0.0.1:6379", "not looked at yet", "Can we see at all?"):
        assert words in text
    for status in ("up", "degraded", "down", "unknown", "pending"):
        assert re.search(rf'<span class="pill {status}"><span class="sign" aria-hidden="true">\S</span>{status}', text)


async def test_open_incidents_stand_above_the_checks_pages_first(client: httpx.AsyncClient) -> None:
    text = (await client.get("/")).text
    places = [
        text.index(words)
        for words in ("/incidents/3", "acknowledged by ann", "/incidents/2", "nobody took it", "Can we see at all?")
    ]
    assert places == sorted(places)


async def test_a_quiet_stack_says_so(world: Any, browse_as: Browse) -> None:
    up = {name: replace(one, status=CheckStatus.UP) for name, one in world.state.checks.items() if "redis" in name}
    world.plan = replace(world.plan, checks={name: world.plan.checks[name] for name in up})
    world.state = replace(world.state, checks=up, incidents={})
    async with browse_as(world) as client:
        text = (await client.get("/")).text
    assert "All 2 checks up" in text
    assert "<article" not in text


async def test_the_check_page_shows_evidence_and_hint(client: httpx.AsyncClient) -> None:
    text = (await client.get("/checks/redis.ping")).text
    for words in ("connection_refused", "What to do:", "Errno 111", "Recent looks", "/incidents/3", "vantage.dns"):
        assert words in text


async def test_the_incident_page_shows_root_symptoms_rest_and_timeline(client: httpx.AsyncClient) -> None:
    text = (await client.get("/incidents/3")).text
    for words in ("Fail because of it", "worker.online", "Still OK", "5 of 12", "taken by ann", "symptom joined"):
        assert words in text


@pytest.mark.parametrize("path", PAGES)
async def test_no_page_has_what_the_policy_forbids(client: httpx.AsyncClient, path: str) -> None:
    text = (await client.get(path)).text
    assert not re.search(r"<script(?![^>]* src=)|<style| style=| on[a-z]+=|javascript:", text)
    assert '<noscript><meta http-equiv="refresh" content="10"></noscript>' in text


@pytest.mark.parametrize("path", PAGES)
async def test_every_file_a_page_names_is_there(client: httpx.AsyncClient, path: str) -> None:
    text = (await client.get(path)).text
    files = set(re.findall(r'(?:src|href)="(/static/[^"]+)"', text))
    assert len(files) == (8 if path.startswith("/checks/") else 5)
    for file in files:
        assert (await client.get(file)).status_code == 200


async def test_text_from_a_target_is_escaped(world: Any, browse_as: Browse) -> None:
    nasty = "<script>alert(1)</script>"
    verdict = failed(Reason.BODY_MISMATCH, nasty, Fact(nasty, nasty), hint=nasty, excerpt=nasty)
    world.change("redis.ping", CheckStatus.DOWN, verdict)
    check = world.state.checks["redis.ping"]
    world.state = replace(
        world.state, checks={**world.state.checks, "redis.ping": replace(check, last_failure=check.last_result)}
    )
    world.history.results_of["redis.ping"] = [check.last_result]
    world.stack = nasty
    async with browse_as(world) as client:
        for path in ("/", "/checks/redis.ping", "/incidents/3"):
            text = (await client.get(path)).text
            assert "&lt;script&gt;alert(1)" in text
            assert "<script>alert" not in text


async def test_an_unknown_page_is_a_page(client: httpx.AsyncClient) -> None:
    answer = await client.get("/checks/no.such")
    assert answer.status_code == 404
    assert "check: there is none with the id &#39;no.such&#39;" in answer.text


# --- Event streams -----------------------------------------------------------------------------------------


def listen(world: Any) -> Any:
    """Return the dashboard's stream, as the route makes it."""
    context = world.context()
    pages = Pages(context, template_environment(context), RecentHistory(context.history, context.now))
    return EventStreams(context).stream(pages.dashboard, context.state)


async def next_change(stream: Any) -> list[str]:
    """Return the ids of the elements in the next change event."""
    async with asyncio.timeout(5):
        async for event in stream:
            if event.startswith("event: change\n"):
                return re.findall(r'^data: <(?:section|li|div|span) id="([^"]+)"', event, re.MULTILINE)
    raise AssertionError("the stream ended")


async def test_a_stream_starts_with_all_elements(world: Any) -> None:
    stream = listen(world)
    changed = await next_change(stream)
    rows = [name for name in changed if name.startswith("check:")]
    assert changed[:3] == ["banner", "incidents", "graph"]
    assert rows == [f"check:{name}" for name in world.plan.checks]
    await stream.aclose()
    assert world.listeners == []


async def test_a_change_sends_only_what_differs(world: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "GATHER_SECONDS", 0)
    stream = listen(world)
    await next_change(stream)
    world.change("bot.ingress", CheckStatus.UP, ok("200 again"))
    assert await next_change(stream) == ["check:bot.ingress"]
    world.change("bot.ingress", CheckStatus.DOWN, failed(Reason.TIMEOUT, "no answer in 10 s", hint="look"))
    assert await next_change(stream) == ["banner", "graph", "counts-4", "check:bot.ingress"]
    await stream.aclose()


async def test_a_quiet_stream_sends_comments(world: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "PING_SECONDS", 0)
    stream = listen(world)
    events = [await anext(stream) for _ in range(4)]
    assert events[0] == "retry: 1000\n\n"
    assert events[2:] == [": still here\n\n"] * 2
    await stream.aclose()


async def test_there_is_a_limit_to_listeners(world: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "LISTENERS_MAX", 1)
    streams = EventStreams(world.context())
    streams.check_room()

    async def nothing() -> dict[str, str]:
        return {}

    stream = streams.stream(nothing, lambda: None)
    await anext(stream)
    with pytest.raises(HTTPException, match="503: events: 1 pages listen already"):
        streams.check_room()
    await stream.aclose()
    streams.check_room()


async def test_the_last_known_looks_are_shown_while_the_store_is_out(world: Any) -> None:
    recent = RecentHistory(world.history, world.context().now)
    before = await recent.looks.get(None)
    world.history.error = StoreUnavailableError("the database does not answer")
    world.now = world.now.replace(second=30)
    assert before
    assert await recent.looks.get(None) is before


# --- Words and drawings ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0.0, "<1 ms"),
        (0.0034, "3 ms"),
        (0.9994, "999 ms"),
        (0.9996, "1.0 s"),
        (9.94, "9.9 s"),
        (9.96, "9 s"),
        (61, "1 min"),
        (3600 * 2 + 300, "2 h 05 min"),
        (86_400 * 3 + 3600 * 4, "3 d 4 h"),
    ],
)
def test_durations_in_words(seconds: float, words: str) -> None:
    assert duration_words(seconds) == words


def test_an_age_is_never_negative() -> None:
    assert age_words(-5) == "0 s"


@pytest.mark.parametrize(
    ("fact", "words"),
    [
        (Fact("a", None), "none"),
        (Fact("a", True), "yes"),
        (Fact("a", False), "no"),
        (Fact("a", 0.25, "seconds"), "250 ms"),
        (Fact("a", 0.123456), "0.1235"),
        (Fact("a", 12, "workers"), "12 workers"),
        (Fact("a", "text"), "text"),
    ],
)
def test_facts_in_words(fact: Fact, words: str) -> None:
    assert fact_words(fact) == words


@pytest.mark.parametrize(
    ("statuses", "worst"),
    [
        (["up", "down", "degraded"], "down"),
        (["up", "degraded", "unknown"], "degraded"),
        (["up", "unknown", "pending"], "unknown"),
        (["up", "pending"], "pending"),
        (["up"], "up"),
        ([], "pending"),
    ],
)
def test_the_whole_is_as_bad_as_its_worst_part(statuses: list[Any], worst: str) -> None:
    assert overall(statuses) == worst


def test_no_look_no_drawing() -> None:
    assert sparkline_of([]) is None


def test_one_look_is_no_line_and_stands_at_the_right(now: datetime) -> None:
    drawing = sparkline_of([Look(now, 0.0, Outcome.FAILED)])
    assert drawing is not None
    assert (drawing.line, drawing.area) == ("", "")
    assert [(mark.x, mark.outcome) for mark in drawing.marks] == [(117.0, Outcome.FAILED)]
    assert drawing.label == "last 1 looks: 0 ok, longest <1 ms"


def test_the_slowest_look_touches_the_top(now: datetime) -> None:
    drawing = sparkline_of([Look(now, 0.5, Outcome.OK), Look(now, 1.0, Outcome.OK)])
    assert drawing is not None
    assert drawing.line == "114.1,14.0 117.0,3.0"
    assert drawing.marks == ()
