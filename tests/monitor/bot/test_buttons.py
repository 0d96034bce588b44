"""What a press does, and that doing it twice does no more."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from monitor.bot.buttons import Buttons
from monitor.delivery.neighbours import Changes
from monitor.engine.model import (
    Acked,
    Event,
    Incident,
    IncidentStatus,
    Member,
    Role,
    Severity,
    Silence,
    Silenced,
    State,
    Told,
)

NOW = datetime(2026, 3, 14, 14, 32, tzinfo=UTC)
ANN = "@ann (5)"
INCIDENT = Incident(
    42,
    "redis.ping",
    Severity.PAGE,
    IncidentStatus.OPEN,
    NOW,
    NOW,
    members=(
        Member("redis.ping", Role.ROOT, NOW),
        Member("worker.online", Role.SYMPTOM, NOW),
        Member("api.health", Role.SYMPTOM, NOW, left_at=NOW),
    ),
    revision=3,
)


class Line:
    """Applies acks and silences as the engine does."""

    def __init__(self, incident: Incident) -> None:
        self.state = State(incidents={incident.id: incident})
        self.applied: list[Event] = []

    async def apply(self, *events: Event) -> None:
        for event in events:
            self.applied.append(event)
            if isinstance(event, Acked):
                acked = replace(
                    self.state.incidents[event.incident_id], status=IncidentStatus.ACKED, acked_by=event.author
                )
                self.state = replace(self.state, incidents={acked.id: acked})
            elif isinstance(event, Silenced):
                number = len(self.state.silences) + 1
                made = Silence(number, event.selector, NOW, event.ends_at, event.author, event.reason)
                self.state = replace(self.state, silences={**self.state.silences, number: made})

    @contextmanager
    def subscribe(self) -> Iterator[Changes]:
        raise NotImplementedError
        yield


class Bench:
    def __init__(self, incident: Incident = INCIDENT) -> None:
        self.line = Line(incident)
        self.at = NOW
        self.probed: list[str] = []
        self.buttons = Buttons(self.line, lambda: self.at, self.probed.append)


async def test_ack_takes_the_incident_once() -> None:
    bench = Bench()
    assert await bench.buttons.press("v1:ack:42:3", ANN) == "#INC-42 is yours now."
    assert await bench.buttons.press("v1:ack:42:3", "@bob (6)") == "#INC-42 was taken already, by @ann (5)."
    assert bench.line.applied == [Acked(42, ANN)]


async def test_recheck_looks_at_root_and_present_members_and_not_twice_in_ten_seconds() -> None:
    bench = Bench()
    assert await bench.buttons.press("v1:recheck:42:3", ANN) == "Looking again at 2 checks."
    assert await bench.buttons.press("v1:recheck:42:3", ANN) == "Already looking."
    assert bench.probed == ["redis.ping", "worker.online"]
    bench.at += timedelta(seconds=10)
    await bench.buttons.press("v1:recheck:42:3", ANN)
    assert len(bench.probed) == 4


async def test_silence_for_an_hour_names_the_end_and_does_not_pile_up() -> None:
    bench = Bench()
    answer = "#INC-42 is silenced until 15:32 UTC. You will hear when it is over."
    assert await bench.buttons.press("v1:hush1h:42:3", ANN) == answer
    assert await bench.buttons.press("v1:hush1h:42:3", ANN) == answer
    assert bench.line.applied == [Silenced("incident:42", NOW + timedelta(hours=1), ANN, "button in Telegram")]


async def test_silence_until_resolved_outlasts_an_hour_and_an_hour_does_not_shorten_it() -> None:
    bench = Bench()
    await bench.buttons.press("v1:hush1h:42:3", ANN)
    answer = "#INC-42 is silenced until it is resolved. You will hear when it is over."
    assert await bench.buttons.press("v1:hush:42:3", ANN) == answer
    assert await bench.buttons.press("v1:hush1h:42:3", ANN) == answer
    assert len(bench.line.applied) == 2


@pytest.mark.parametrize("verb", ["ack", "recheck", "hush1h", "hush"])
async def test_nothing_is_done_to_an_incident_that_is_over(verb: str) -> None:
    bench = Bench(replace(INCIDENT, status=IncidentStatus.RESOLVED))
    assert await bench.buttons.press(f"v1:{verb}:42:3", ANN) == "#INC-42 is over already."
    assert await bench.buttons.press(f"v1:{verb}:7:1", ANN) == "#INC-7 is over already."
    assert (bench.line.applied, bench.probed) == ([], [])


async def test_an_old_card_is_served_and_said_to_be_old() -> None:
    bench = Bench(replace(INCIDENT, told={"telegram:ops": Told("telegram:ops", revision=1)}))
    answer = "#INC-42 is yours now. The card was out of date; it is being refreshed."
    assert await bench.buttons.press("v1:ack:42:1", ANN) == answer


@pytest.mark.parametrize("data", ["", "v2:ack:42:3", "restart:api", "v1:ack:42:3:4"])
async def test_a_forged_button_does_nothing(data: str) -> None:
    bench = Bench()
    assert await bench.buttons.press(data, ANN) == "This button is not one of mine."
    assert bench.line.applied == []


async def test_an_answer_fits_whatever_the_name() -> None:
    bench = Bench(replace(INCIDENT, status=IncidentStatus.ACKED, acked_by="x" * 500))
    assert len(await bench.buttons.press("v1:ack:42:3", ANN)) <= 200
