"""What commands that act, and those about the past, answer: whole texts."""

from dataclasses import replace
from datetime import timedelta

from monitor.engine.model import (
    Acked,
    DeployWindow,
    Silenced,
    SilenceEnded,
    State,
)
from monitor.engine.spans import Span, SpanKind
from tests.monitor.bot.bench import INCIDENT, NOW, PLAN, STATE, Ground, seen, text_of
from tests.monitor.bot.bench import SHE as ANN

HOUR = timedelta(hours=1)
ALL_UP = State(checks={name: seen(name) for name in PLAN.checks})


async def test_ack_takes_the_one_that_waits() -> None:
    ground = Ground()
    assert await text_of(ground, "/ack") == "Incident #42 is yours now."
    assert ground.line.applied == [Acked(42, ANN)]
    assert await text_of(ground, "/ack") == "There is nothing to take: all incidents are taken."
    assert await text_of(ground, "/ack 42") == "Incident #42 was taken already, by @ann (5)."
    assert await text_of(ground, "/ack 7") == "There is no open incident '7'. /incidents lists them."
    assert await text_of(Ground(ALL_UP), "/ack") == "There is nothing to take: no incident is open."


async def test_ack_asks_which_one_when_several_wait() -> None:
    two = {42: INCIDENT, 43: replace(INCIDENT, id=43)}
    assert await text_of(Ground(replace(STATE, incidents=two)), "/ack") == (
        "Which one? /ack 42, … There are #INC-42, #INC-43."
    )


async def test_silence_of_an_incident_begins_once_and_is_ended_by_its_number() -> None:
    ground = Ground()
    assert await text_of(ground, "/silence") == (
        "Nothing is silenced. For example: /silence redis.ping 2h moving to a new plan"
    )
    said = "Incident #42 is silenced until 2026-03-14 15:32 UTC."
    assert await text_of(ground, "/silence 42 1h Ann is on it") == said
    assert (await text_of(ground, "/silence 42 30m")).startswith("Incident #42 is silenced already")
    assert await text_of(ground, "/silence") == (
        "Silenced\n\n1. 🔕 incident:42 until 15:32 UTC\n@ann (5): Ann is on it\n\n/silence off 1 ends one"
    )
    assert await text_of(ground, "/silence off") == (
        "Which one? /silence lists them with their numbers; then /silence off 3."
    )
    assert await text_of(ground, "/silence off 1") == "The silence of Incident #42 is over."
    assert await text_of(ground, "/silence off 1") == "This silence is over already."
    assert ground.line.applied == [
        Silenced("incident:42", NOW + HOUR, ANN, "Ann is on it"),
        SilenceEnded(1, ANN),
    ]


async def test_maintenance_is_of_things_and_not_of_incidents() -> None:
    ground = Ground()
    assert await text_of(ground, "/maintenance all 1h release 7") == (
        "subtree:vantage.loop is in maintenance until 2026-03-14 15:32 UTC."
    )
    assert await text_of(ground, "/maintenance 42 1h") == (
        "Maintenance is of a check, a service, a subtree or all. An incident is silenced: /silence."
    )
    assert "1. 🛠 maintenance of subtree:vantage.loop until 15:32 UTC" in await text_of(ground, "/maintenance")
    assert ground.line.applied == [Silenced("subtree:vantage.loop", NOW + HOUR, ANN, "release 7", is_maintenance=True)]


async def test_a_silence_that_cannot_be_read_is_explained_and_does_nothing() -> None:
    ground = Ground()
    assert (await text_of(ground, "/silence 42 soon")).startswith("I cannot read 'soon' as a time")
    assert await text_of(ground, "/silence 7 1h") == "There is no open incident #7. /incidents lists them."
    assert ground.line.applied == []


async def test_uptime_names_by_heading_the_worst_and_what_was_down() -> None:
    ground = Ground()
    week = NOW - timedelta(days=8)
    ground.past.tiles = {
        "redis.ping": [Span(week, NOW - HOUR, SpanKind.UP), Span(NOW - HOUR, None, SpanKind.DOWN)],
        "api.health": [Span(week, None, SpanKind.UP)],
        "worker.online": [Span(NOW - HOUR, None, SpanKind.UP)],
    }
    assert await text_of(ground, "/uptime") == (
        "Up in the last 7 days\n"
        "The monitor's own sight · not seen yet\n"
        "API · 99.40 %\n"
        "  redis.ping 99.40 %, down 1 h\n"
        "Worker · insufficient data (0.5 % seen)\n"
        "\n"
        "/uptime CHECK shows more"
    )
    assert await text_of(ground, "/uptime redis") == (
        "Up: redis.ping\n"
        "24 h: 95.83 % · 1 outage, 1 h\n"
        "7 days: 99.40 % · 1 outage, 1 h\n"
        "30 days: insufficient data (26.6 % seen) · 1 outage, 1 h"
    )
    assert await text_of(ground, "/uptime .") == "Which one? api.health, redis.ping, vantage.loop, worker.online"
    assert await text_of(ground, "/uptime kitchen") == "There is no check 'kitchen'."


async def test_deploys_are_listed_newest_first() -> None:
    ground = Ground()
    assert await text_of(ground, "/deploys") == "No deploy was seen yet."
    ground.past.windows = [
        DeployWindow("d3", "nexus-bot", "aaaaaaaaaa", NOW - timedelta(minutes=1)),
        DeployWindow("d2", "nexus-api", "7f3c2a1b9c", NOW - HOUR, live_at=NOW - timedelta(minutes=50)),
        DeployWindow("d1", "nexus-api", "", NOW - 2 * HOUR, ended_at=NOW - HOUR, is_failed=True),
    ]
    assert await text_of(ground, "/deploys") == (
        "Deploys\n"
        "🔵 aaaaaaa of nexus-bot, under way since 14:31 UTC\n"
        "🟢 7f3c2a1 of nexus-api, live since 13:42 UTC\n"
        "🔴 ? of nexus-api, failed, 13:32 UTC"
    )
