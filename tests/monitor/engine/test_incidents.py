from dataclasses import replace
from datetime import timedelta

from checks.result import Outcome
from monitor.engine.model import (
    Acked,
    AppendTimeline,
    CardEdited,
    IncidentStatus,
    Role,
    Severity,
)
from tests.monitor.engine.story import OPS, Story, policy

API, DB = "api.health", "postgres.connect"


def single(severity: Severity = Severity.PAGE) -> Story:
    story = Story(policy(API, severity=severity))
    story.ok(API)
    story.wait(30)
    return story


def test_an_incident_begins_with_the_first_failure_and_opens_with_the_last() -> None:
    story = single()
    began_at = story.now
    story.drop(API)
    incident = story.incidents[1]
    assert (incident.root, incident.started_at, incident.opened_at) == (API, began_at, story.now)
    assert story.check(API).incident_id == 1
    notes = [effect for effect in story.effects if isinstance(effect, AppendTimeline)]
    assert notes == [AppendTimeline(1, story.now, API, "opened", "api.health is down")]


def test_a_check_of_severity_warning_opens_a_silent_warning() -> None:
    story = single(severity=Severity.WARNING)
    story.drop(API)
    assert story.live_roots() == [(API, Severity.WARNING)]
    assert story.outbox[0].is_silent


def test_within_a_quarter_of_an_hour_the_same_incident_opens_again() -> None:
    story = single()
    story.drop(API)
    story.recover(API)
    story.tick(600)
    first_at, again_at = story.incidents[1].started_at, story.now
    assert story.incidents[1].outage_started_at == first_at
    story.drop(API)
    incident = story.incidents[1]
    assert (incident.started_at, incident.outage_started_at) == (first_at, again_at)
    assert (incident.status, incident.reopen_count, incident.resolved_at) == (IncidentStatus.OPEN, 1, None)
    assert [one.role for one in incident.members] == [Role.ROOT]


def test_after_a_quarter_of_an_hour_it_is_another_one() -> None:
    story = single()
    story.drop(API)
    story.recover(API)
    story.tick(900)
    assert story.incidents[1].status is IncidentStatus.CLOSED
    story.drop(API)
    assert story.live_roots() == [(API, Severity.PAGE)]
    assert story.check(API).incident_id == 2


def test_symptoms_of_the_last_time_are_not_those_of_this_time() -> None:
    story = Story(policy(DB), policy(API, DB))
    story.ok(DB, API)
    story.wait(30)
    story.drop(DB, API)
    story.recover(DB, API)
    story.tick(60)
    story.drop(DB)
    assert [(one.check_id, one.left_at is None) for one in story.incidents[1].members] == [(DB, True), (API, False)]


def test_a_closed_incident_is_forgotten_once_nothing_is_left_to_tell_or_edit() -> None:
    story = single()
    story.drop(API)
    story.deliver()
    story.recover(API)
    story.deliver()
    story.tick(900)
    story.tick()
    assert 1 in story.incidents
    revision = story.incidents[1].revision
    story.apply(CardEdited(1, OPS, revision))
    story.tick()
    assert story.incidents == {}


def test_a_closed_incident_waits_a_day_at_most() -> None:
    story = single()
    story.drop(API)
    story.deliver()
    story.recover(API)
    story.tick(900)
    story.tick(85_000)
    assert 1 in story.incidents
    story.tick(600)
    assert 1 not in story.incidents


def test_an_ack_of_a_page_lapses_after_an_hour_and_of_a_warning_after_eight() -> None:
    for severity, hours in ((Severity.PAGE, 1), (Severity.WARNING, 8)):
        story = single(severity=severity)
        story.drop(API)
        story.apply(Acked(1, "ada"))
        incident = story.incidents[1]
        assert (incident.status, incident.acked_by, incident.acked_at) == (IncidentStatus.ACKED, "ada", story.now)
        assert incident.ack_until == story.now + timedelta(hours=hours)
        story.tick(3600 * hours - 1)
        assert story.incidents[1].acked_by == "ada"
        story.tick(1)
        incident = story.incidents[1]
        assert (incident.status, incident.acked_by) == (IncidentStatus.OPEN, None)


def test_what_is_over_or_unknown_cannot_be_acked() -> None:
    story = single()
    story.drop(API)
    story.recover(API)
    before = story.state
    story.apply(Acked(1, "ada"))
    story.apply(Acked(9, "ada"))
    assert story.state is before


def test_three_drops_within_the_hour_keep_the_incident_open_until_half_an_hour_of_peace() -> None:
    story = single()
    for drop in range(3):
        story.drop(API)
        assert story.check(API).is_flapping is (drop == 2)
        story.recover(API)
        story.tick(60)
    incident = story.incidents[1]
    assert (incident.is_live, incident.is_unstable, incident.reopen_count) == (True, True, 2)
    story.drop(API)
    assert len(story.check(API).dropped_at) == 4
    story.recover(API)
    story.tick(1799)
    assert story.incidents[1].is_live
    story.tick(1)
    assert story.incidents[1].status is IncidentStatus.RESOLVED
    assert not story.check(API).is_flapping


def test_a_clock_set_back_forgets_no_drop_and_shortens_no_peace() -> None:
    story = single()
    for _ in range(2):
        story.drop(API)
        story.recover(API)
        story.tick(60)
    story.wait(-3000)
    story.drop(API)
    assert story.check(API).is_flapping
    story.recover(API)
    story.wait(-3000)
    story.tick(1)
    story.tick(1799)
    assert story.incidents[1].is_live
    story.tick(1)
    assert story.incidents[1].status is IncidentStatus.RESOLVED


def test_drops_that_a_parent_explains_make_no_flapping() -> None:
    story = Story(policy(DB), policy(API, DB))
    story.ok(DB, API)
    story.wait(30)
    for _ in range(3):
        story.drop(DB, API)
        story.recover(DB, API)
        story.tick(60)
    assert story.check(DB).is_flapping
    assert not story.check(API).is_flapping


def test_the_end_of_flapping_without_an_incident_is_only_noted() -> None:
    story = single()
    for _ in range(3):
        story.drop(API)
        story.recover(API)
        story.tick(60)
    story.state = replace(story.state, incidents={})
    story.tick(1800)
    assert not story.check(API).is_flapping


def test_more_than_five_roots_within_a_minute_share_one_card() -> None:
    names = [f"a.c{number}" for number in range(9)]
    story = Story(*(policy(name) for name in names))
    story.ok(*names)
    story.wait(30)
    story.drop(*names)
    assert [one.is_storm for one in story.incidents.values()] == [False] * 5 + [True]
    storm = story.incidents[6]
    assert [(one.check_id, one.role) for one in storm.members] == [(name, Role.ROOT) for name in names[5:]]
    assert len(story.outbox) == 6
    story.recover(*names[:8])
    assert story.incidents[6].is_live
    story.recover(names[8])
    assert story.incidents[6].status is IncidentStatus.RESOLVED


def test_a_storm_takes_no_root_a_minute_after_its_last() -> None:
    names = [f"a.c{number}" for number in range(7)]
    story = Story(*(policy(name) for name in names))
    story.ok(*names)
    story.wait(30)
    story.drop(*names[:6])
    story.wait(60)
    story.drop(names[6])
    assert story.check(names[6]).incident_id == 7


def test_a_storm_of_warnings_does_not_swallow_a_page() -> None:
    names = [f"a.c{number}" for number in range(6)]
    story = Story(*(policy(name, severity=Severity.WARNING) for name in names), policy(API))
    story.ok(*names, API)
    story.wait(30)
    story.drop(*names, API)
    assert story.incidents[6].is_storm
    assert (story.incidents[7].root, story.incidents[7].severity) == (API, Severity.PAGE)


def test_a_parent_held_in_its_own_warning_holds_its_children_too() -> None:
    story = Story(policy("redis.ping"), policy(DB, "redis.ping"), policy(API, DB))
    story.ok("redis.ping", DB, API)
    for _ in range(11):
        story.wait(30)
        story.ok("redis.ping", API)
        story.look(DB, Outcome.DEGRADED)
    story.wait(30)
    story.drop(DB, API)
    assert story.live_roots() == [(DB, Severity.WARNING)]
    assert story.state.held == {DB, API}
    story.ok("redis.ping")
    assert story.live_roots() == [(DB, Severity.PAGE)]
    assert [one.check_id for one in story.incidents[1].members] == [DB, API]
