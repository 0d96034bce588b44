from datetime import datetime, timedelta

import pytest

from checks.result import Outcome
from monitor.engine.model import (
    IncidentStatus,
    MessageKind,
    ProbeNow,
    Severity,
    Silenced,
    SilenceEnded,
)
from monitor.engine.silences import in_maintenance
from tests.monitor.engine.story import START, Story, policy

API, DB, EGRESS = "api.health", "postgres.connect", "vantage.egress"


def story() -> Story:
    made = Story(policy(EGRESS, is_vantage=True), policy(DB, EGRESS), policy(API, DB))
    made.ok(EGRESS, DB, API)
    made.wait(30)
    return made


def silence(made: Story, selector: str, seconds: float | None = 1800.0, **changes: object) -> None:
    ends_at = None if seconds is None else made.now + timedelta(seconds=seconds)
    made.apply(Silenced(selector, ends_at, "ada", "moving the database", **changes))  # type: ignore[arg-type]


def drop(made: Story, name: str) -> None:
    made.drop(name)
    made.ok(*(one for one in (EGRESS, DB) if one != name))


@pytest.mark.parametrize(
    ("selector", "is_told"),
    [
        ("check:api.health", False),
        ("check:postgres.connect", True),
        ("service:api", False),
        ("service:postgres", True),
        ("subtree:api.health", False),
        ("subtree:postgres.connect", False),
        ("subtree:redis.ping", True),
    ],
)
def test_a_silence_covers_what_its_selector_says(selector: str, is_told: bool) -> None:
    made = story()
    silence(made, selector)
    drop(made, API)
    assert made.live_roots() == [(API, Severity.PAGE)]
    assert bool(made.outbox) is is_told


def test_when_it_ends_and_the_check_is_down_one_fresh_look_comes_before_the_news() -> None:
    made = story()
    silence(made, f"check:{API}", 600)
    drop(made, API)
    made.tick(600)
    assert ProbeNow(API) in made.last
    assert made.outbox == []
    made.wait(1)
    made.fail(API)
    assert made.deliver() == [MessageKind.OPEN]


def test_when_it_ends_and_no_look_comes_it_is_told_all_the_same() -> None:
    made = story()
    silence(made, f"check:{API}", 600)
    drop(made, API)
    made.tick(600)
    made.tick(40)
    assert made.deliver() == [MessageKind.OPEN]


def test_when_it_ends_and_all_is_well_nothing_is_said() -> None:
    made = story()
    silence(made, f"check:{API}", 600)
    drop(made, API)
    made.recover(API)
    made.tick(600)
    made.tick(60)
    assert made.outbox == []


def test_when_it_ends_and_people_know_already_nothing_is_said() -> None:
    made = story()
    drop(made, API)
    made.deliver()
    silence(made, f"check:{API}", 600)
    made.tick(600)
    made.fail(API)
    assert made.outbox == []


def test_what_was_told_open_is_told_resolved_silently() -> None:
    made = story()
    drop(made, API)
    made.deliver()
    silence(made, f"check:{API}")
    made.recover(API)
    assert made.incidents[1].status is IncidentStatus.RESOLVED
    assert made.deliver() == [MessageKind.RESOLVE]
    assert made.sent[-1].is_silent


def test_a_queued_ping_is_taken_back_by_a_silence() -> None:
    made = story()
    drop(made, API)
    silence(made, f"check:{API}")
    assert [type(effect).__name__ for effect in made.last] == ["AppendTimeline", "DropMessage"]


def test_silent_time_uses_up_no_reminder() -> None:
    made = story()
    drop(made, API)
    made.deliver()
    made.tick(600)
    made.ok(EGRESS, DB)
    silence(made, f"check:{API}", 90)
    made.tick(90)
    made.ok(EGRESS, DB)
    made.fail(API)
    made.tick(299)
    assert made.outbox == []
    made.tick(1)
    assert made.deliver() == [MessageKind.REMIND]


def test_a_silence_until_resolved_ends_with_its_incident() -> None:
    made = story()
    drop(made, API)
    silence(made, "incident:1", None)
    assert made.incidents[1].suppressed_since == made.now
    made.tick()
    assert made.state.silences[1].ended_at is None
    made.recover(API)
    made.tick()
    assert made.state.silences[1].ended_at == made.now
    made.tick()
    assert made.state.silences == {}
    assert made.sent == []


def test_a_silence_of_an_incident_that_is_not_there_ends_at_once() -> None:
    made = story()
    silence(made, "incident:9", None)
    made.tick()
    assert made.state.silences[1].ended_at is not None


def test_ending_it_early_by_hand_counts_like_its_end() -> None:
    made = story()
    silence(made, f"check:{API}")
    drop(made, API)
    made.apply(SilenceEnded(1, "ada"))
    made.apply(SilenceEnded(1, "bob"))
    made.apply(SilenceEnded(7, "ada"))
    made.wait(1)
    made.fail(API)
    assert made.deliver() == [MessageKind.OPEN]


@pytest.mark.parametrize(
    ("selector", "seconds", "lasts"),
    [
        pytest.param("check:api.health", 30 * 86_400.0, 7 * 86_400.0, id="at most a week"),
        pytest.param("check:api.health", None, 7 * 86_400.0, id="without an end, a week"),
        pytest.param("check:vantage.egress", 7200.0, 3600.0, id="our own side at most an hour"),
        pytest.param("incident:4", 60.0, 60.0, id="an incident may have an end too"),
    ],
)
def test_a_silence_is_cut_to_what_is_allowed(selector: str, seconds: float | None, lasts: float) -> None:
    made = story()
    silence(made, selector, seconds)
    assert made.state.silences[1].ends_at == made.now + timedelta(seconds=lasts)


@pytest.mark.parametrize(
    ("selector", "seconds"),
    [("check:api.health", -5.0), ("check:", 60.0), ("all:x", 60.0), ("incident:x", 60.0), ("", 60.0)],
)
def test_a_silence_without_sense_is_none(selector: str, seconds: float) -> None:
    made = story()
    silence(made, selector, seconds)
    assert made.state.silences == {}


@pytest.mark.parametrize("selector", ["service:vantage", "incident:1"])
def test_our_own_side_is_covered_for_an_hour_whatever_the_selector(selector: str) -> None:
    made = story()
    made.drop(EGRESS)
    silence(made, selector, 86_400)
    assert made.outbox[:1]
    made.outbox.clear()
    made.tick(3599)
    assert made.incidents[1].suppressed_since is not None
    made.tick(1)
    made.fail(EGRESS)
    assert made.deliver() == [MessageKind.OPEN]


def test_a_silence_in_the_future_covers_nothing_yet() -> None:
    made = story()
    silence(made, f"check:{API}", 1800, starts_at=made.now + timedelta(seconds=600))
    drop(made, API)
    assert made.deliver() == [MessageKind.OPEN]
    made.tick(600)
    assert made.incidents[1].suppressed_since == made.now


def test_maintenance_is_asked_per_check() -> None:
    made = story()
    silence(made, f"check:{API}", 600)
    silence(made, f"check:{DB}", 600, is_maintenance=True)
    silences = tuple(made.state.silences.values())

    def covered(name: str, at: datetime) -> bool:
        return in_maintenance(made.plan, silences, name, at)

    assert [covered(name, made.now) for name in (API, DB, "gone.check")] == [False, True, False]
    assert not covered(DB, START)
    assert not covered(DB, made.now + timedelta(seconds=600))


def test_unknown_looks_do_not_end_the_wait_for_news_for_ever() -> None:
    made = story()
    silence(made, f"check:{API}", 60)
    drop(made, API)
    made.tick(60)
    made.look(API, Outcome.UNKNOWN)
    made.tick(41)
    assert made.deliver() == [MessageKind.OPEN]
