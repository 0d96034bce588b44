from dataclasses import replace
from datetime import timedelta

import pytest

from checks.result import Outcome
from monitor.engine.model import (
    Acked,
    Chat,
    ChatState,
    CheckState,
    CheckStatus,
    Event,
    Looked,
    ProbeNow,
    Silenced,
    State,
    Tick,
)
from monitor.engine.step import fresh_start, incident_due_at, next_due_at, step
from tests.monitor.engine.story import BOSS, OPS, START, Story, plan_of, policy, result_of

API, DB = "api.health", "postgres.connect"


def test_what_did_not_change_stays_the_same_object() -> None:
    story = Story(policy(API), policy(DB))
    story.ok(API, DB)
    story.wait(30)
    story.drop(DB)
    story.tick()
    before = story.state
    story.ok(API)
    after = story.state
    assert after.checks[DB] is before.checks[DB]
    assert after.checks[API] is not before.checks[API]
    assert after.incidents is before.incidents
    assert before.checks[API].last_started_at == START
    assert after.revision == before.revision + 1


def test_a_tick_with_nothing_due_returns_the_very_same_state() -> None:
    story = Story(policy(API), policy(DB))
    story.ok(API)
    story.drop(DB)
    before = story.state
    assert story.tick() == ()
    assert story.state is before


@pytest.mark.parametrize(
    "event",
    [
        Looked(result_of("nobody.knows", Outcome.FAILED, START)),
        Looked(result_of(API, Outcome.FAILED, START - timedelta(seconds=1))),
        Acked(4, "ada"),
        Tick(),
    ],
)
def test_an_event_that_means_nothing_changes_nothing(event: Event) -> None:
    story = Story(policy(API))
    story.ok(API)
    before = story.state
    assert story.apply(event) == ()
    assert story.state is before


def test_the_same_state_and_event_give_the_same_step() -> None:
    story = Story(policy(API), policy(DB, API))
    story.ok(API, DB)
    story.wait(30)
    story.drop(DB)
    event = Looked(result_of(API, Outcome.OK, story.now))
    assert step(story.plan, story.state, event, story.now) == step(story.plan, story.state, event, story.now)


@pytest.mark.parametrize(
    ("script", "waits"),
    [
        pytest.param(".", None, id="up: the usual interval"),
        pytest.param("x", 10.0, id="suspect"),
        pytest.param("xxx", None, id="down and told: the usual interval"),
        pytest.param("xxx.", 10.0, id="recovering"),
        pytest.param("xxx...", None, id="up again"),
    ],
)
def test_the_pace_of_looks(script: str, waits: float | None) -> None:
    story = Story(policy(API))
    for sign in script:
        story.wait(10)
        story.look(API, Outcome.OK if sign == "." else Outcome.FAILED)
    assert story.probes() == ([] if waits is None else [ProbeNow(API, waits)])


def test_the_next_look_is_timed_from_the_start_of_this_one() -> None:
    story = Story(policy(API))
    result = result_of(API, Outcome.FAILED, story.now)
    story.wait(4)
    story.apply_result(result)
    assert story.probes() == [ProbeNow(API, 6.0)]
    late = result_of(API, Outcome.FAILED, story.now)
    story.wait(25)
    story.apply_result(late)
    assert story.probes() == [ProbeNow(API, 0.0)]


def test_a_held_check_is_looked_at_at_the_pace_of_retries() -> None:
    story = Story(policy(API), policy(DB, API))
    story.ok(API, DB)
    story.wait(30)
    story.drop(DB)
    assert ProbeNow(DB, 10.0) in story.last


def test_a_look_is_never_slower_than_the_interval() -> None:
    story = Story(policy(API, interval_seconds=5.0, retry_seconds=10.0, timeout_seconds=3.0))
    story.fail(API)
    assert story.probes() == []


def test_slow_checks_are_looked_at_more_often_while_it_is_being_found_out_whether_they_degrade() -> None:
    story = Story(policy(API, interval_seconds=21_600.0))
    story.ok(API)
    for _ in range(5):
        story.wait(75)
        story.look(API, Outcome.DEGRADED)
    assert story.incidents[1].root == API
    assert story.probes() == []
    story.wait(75)
    story.ok(API)
    assert story.probes() == [ProbeNow(API, 75.0)]


def test_fresh_start_forgets_holds_and_keeps_everything_else() -> None:
    held = CheckState(DB, CheckStatus.DOWN, held_since=START, hold_until=START, gate_until=START)
    other = CheckState(API, CheckStatus.UP)
    state = fresh_start(State(checks={API: other, DB: held}, held=frozenset({DB})), START)
    assert state.checks[API] is other
    assert state.checks[DB] == replace(held, held_since=None, hold_until=None)
    assert (state.held, state.fresh_since) == (frozenset(), START)


def due(story: Story) -> float | None:
    at = next_due_at(story.plan, story.state)
    return None if at is None else (at - story.now).total_seconds()


def test_every_open_incident_has_a_next_timer() -> None:
    story = Story(policy(API), chats=(Chat(OPS), Chat(BOSS, is_escalation=True)))
    assert due(story) is None
    story.drop(API)
    assert due(story) == 100.0
    story.deliver()
    story.tick(550)
    story.fail(API)
    assert due(story) == 50.0
    story.apply(Acked(1, "ada"))
    assert due(story) == 3600.0
    story.recover(API)
    assert due(story) == 900.0


def test_the_timer_of_a_silenced_incident_is_the_end_of_the_silence() -> None:
    story = Story(policy(API))
    story.drop(API)
    story.apply(Silenced(f"check:{API}", story.now + timedelta(seconds=60), "ada", "why"))
    assert due(story) == 60.0


def test_the_timer_of_an_incident_in_a_broken_chat_is_the_next_trial() -> None:
    story = Story(policy(API))
    story.drop(API)
    story.state = replace(
        story.state, chats={OPS: ChatState(OPS, story.now, "blocked", story.now + timedelta(seconds=7))}
    )
    assert due(story) == 7.0


def test_a_reminder_is_a_timer_and_without_chats_a_planned_root_there_may_be_none() -> None:
    story = Story(policy(API), chats=(Chat(OPS),))
    story.drop(API)
    story.deliver()
    story.tick(850)
    story.fail(API)
    assert due(story) == 50.0
    assert incident_due_at(plan_of(policy(DB), chats=()), story.state, story.incidents[1]) is None
