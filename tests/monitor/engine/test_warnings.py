from checks.result import Outcome, Reason, Result, unknown
from monitor.engine.model import (
    Acked,
    Cause,
    IncidentStatus,
    MessageKind,
    Plan,
    Severity,
)
from monitor.engine.step import fresh_start
from tests.monitor.engine.story import Story, policy

API, DB = "api.health", "postgres.connect"


def single(severity: Severity = Severity.PAGE) -> Story:
    story = Story(policy(API, severity=severity))
    story.ok(API)
    story.wait(30)
    return story


def degrade(story: Story, *names: str) -> None:
    for _ in range(11):
        story.wait(30)
        for name in names:
            story.look(name, Outcome.DEGRADED)


def test_degraded_opens_a_silent_warning_and_resolves_silently() -> None:
    story = single()
    degrade(story, API)
    incident = story.incidents[1]
    assert (incident.cause, incident.severity, incident.root) == (Cause.DEGRADED, Severity.WARNING, API)
    assert story.deliver() == [MessageKind.OPEN]
    for _ in range(8):
        story.wait(30)
        story.ok(API)
    assert story.incidents[1].status is IncidentStatus.RESOLVED
    assert story.deliver() == [MessageKind.RESOLVE]
    assert [message.is_silent for message in story.sent] == [True, True]


def test_a_degraded_check_that_goes_down_raises_its_own_incident_to_a_page() -> None:
    story = single()
    degrade(story, API)
    story.deliver()
    story.wait(30)
    story.drop(API)
    incident = story.incidents[1]
    assert (len(story.incidents), incident.cause, incident.severity) == (1, Cause.DOWN, Severity.PAGE)
    assert story.deliver() == [MessageKind.RISE]
    assert not story.sent[-1].is_silent


def test_what_recovers_to_degraded_is_resolved_and_warned_of_anew() -> None:
    story = single()
    degrade(story, API)
    story.deliver()
    story.wait(30)
    story.drop(API)
    story.deliver()
    for _ in range(3):
        story.wait(10)
        story.look(API, Outcome.DEGRADED)
    assert story.incidents[1].status is IncidentStatus.RESOLVED
    assert story.deliver() == [MessageKind.RESOLVE]
    story.wait(30)
    story.look(API, Outcome.DEGRADED)
    assert (story.incidents[2].cause, story.incidents[2].severity) == (Cause.DEGRADED, Severity.WARNING)


def test_a_degraded_child_of_a_degraded_parent_is_its_symptom() -> None:
    story = Story(policy(DB), policy(API, DB))
    story.ok(DB, API)
    degrade(story, DB, API)
    assert [(one.root, one.cause) for one in story.incidents.values()] == [(DB, Cause.DEGRADED)]
    assert story.check(API).incident_id == 1
    for _ in range(8):
        story.wait(30)
        story.ok(DB)
        story.look(API, Outcome.DEGRADED)
    assert story.incidents[1].is_live
    for _ in range(8):
        story.wait(30)
        story.ok(API)
    assert story.incidents[1].status is IncidentStatus.RESOLVED


def test_what_works_badly_while_its_parent_is_down_is_warned_of_only_for_what_it_does_afterwards() -> None:
    story = Story(policy(DB), policy(API, DB, "redis.ping"), policy("redis.ping"))
    story.ok(DB, API)
    story.wait(30)
    story.drop(DB)
    degrade(story, API)
    assert story.check(API).is_degraded
    assert [one.root for one in story.incidents.values()] == [DB]
    story.recover(DB)
    assert not story.check(API).is_degraded
    story.look(API, Outcome.DEGRADED)
    assert [one.root for one in story.incidents.values()] == [DB]
    degrade(story, API)
    assert [one.root for one in story.incidents.values()] == [DB, API]


def test_a_degraded_parent_joins_the_incident_of_its_child_that_is_down() -> None:
    story = Story(policy(DB), policy(API, DB), policy("bot.ingress"))
    story.ok(DB, API, "bot.ingress")
    story.wait(30)
    story.ok(DB)
    story.drop(API)
    story.ok(DB)
    assert story.live_roots() == [(API, Severity.PAGE)]
    degrade(story, DB, "bot.ingress")
    assert story.live_roots() == [(API, Severity.PAGE), ("bot.ingress", Severity.WARNING)]
    assert [one.check_id for one in story.incidents[1].members] == [API, DB]
    story.wait(30)
    story.drop(DB)
    assert story.incidents[1].is_live
    assert story.check(DB).incident_id is not None


def test_a_degraded_check_whose_parent_goes_down_stays_a_warning_until_it_fails_by_itself() -> None:
    story = Story(policy(DB), policy(API, DB))
    story.ok(DB, API)
    for _ in range(11):
        story.wait(30)
        story.ok(DB)
        story.look(API, Outcome.DEGRADED)
    story.drop(DB, API)
    assert story.live_roots() == [(API, Severity.WARNING), (DB, Severity.PAGE)]
    story.recover(DB)
    story.wait(60)
    story.drop(API)
    story.ok(DB)
    assert story.incidents[1].severity is Severity.PAGE


def test_a_page_among_the_symptoms_of_a_warning_makes_it_a_page_and_ends_its_ack() -> None:
    story = Story(policy(DB, severity=Severity.WARNING), policy(API, DB))
    story.ok(DB, API)
    story.wait(30)
    story.drop(DB)
    story.deliver()
    story.apply(Acked(1, "ada"))
    story.drop(API)
    incident = story.incidents[1]
    assert (incident.severity, incident.status, incident.acked_by) == (Severity.PAGE, IncidentStatus.OPEN, None)
    assert story.deliver() == [MessageKind.RISE]
    story.recover(API)
    assert story.incidents[1].severity is Severity.PAGE


def test_a_check_we_cannot_look_at_for_long_opens_a_warning_of_our_own() -> None:
    story = single()
    began_at = story.check(API).last_started_at
    story.tick(80)
    assert story.check(API).is_stale
    story.tick(100)
    assert story.incidents == {}
    story.tick(1)
    incident = story.incidents[1]
    assert (incident.cause, incident.severity, incident.started_at) == (Cause.STALE, Severity.WARNING, began_at)
    story.tick(1)
    assert len(story.incidents) == 1
    story.ok(API)
    assert story.incidents[1].status is IncidentStatus.RESOLVED


def test_a_check_never_looked_at_is_stale_too_once_this_process_has_run_long_enough() -> None:
    story = Story(policy(API))
    story.tick(1000)
    assert story.state.checks == {}
    story.state = fresh_start(story.state, story.now)
    story.tick(101)
    story.tick(101)
    assert [one.cause for one in story.incidents.values()] == [Cause.STALE]
    story.drop(API)
    assert (story.incidents[1].cause, story.incidents[1].severity) == (Cause.DOWN, Severity.PAGE)


def test_a_check_that_cannot_be_seen_as_things_are_set_up_is_no_news_while_it_is_looked_at() -> None:
    story = single()
    unseen = unknown(Reason.NOT_CONFIGURED, "beat cannot be seen", hint="Add this line.")
    for _ in range(20):
        story.wait(30)
        story.apply_result(Result(API, unseen, story.now, 0.1))
        story.tick(1)
    assert story.check(API).is_stale
    assert story.incidents == {}
    story.tick(101)
    assert [one.cause for one in story.incidents.values()] == [Cause.STALE]


def test_a_stale_parent_speaks_for_its_children() -> None:
    story = Story(policy(DB), policy(API, DB))
    story.ok(DB, API)
    story.tick(101)
    story.tick(101)
    assert [one.root for one in story.incidents.values()] == [DB]


def test_a_pause_of_our_own_process_opens_nothing_by_itself() -> None:
    story = single()
    story.tick(3600)
    assert story.check(API).is_stale
    story.ok(API)
    story.tick(1)
    assert story.incidents == {}
    assert not story.check(API).is_stale


def test_a_check_that_leaves_the_plan_leaves_its_incident() -> None:
    story = Story(policy(DB), policy(API))
    story.ok(DB, API)
    story.wait(30)
    story.drop(API)
    story.plan = Plan({DB: story.plan.checks[DB]}, story.plan.chats)
    story.tick()
    assert story.incidents[1].status is IncidentStatus.RESOLVED
    assert list(story.state.checks) == [DB]
    story.ok(API)
    assert list(story.state.checks) == [DB]


def test_a_held_check_that_leaves_the_plan_is_held_no_more() -> None:
    story = Story(policy(DB), policy(API, DB))
    story.ok(DB, API)
    story.wait(30)
    story.drop(API)
    assert story.state.held == {API}
    story.plan = Plan({DB: story.plan.checks[DB]}, story.plan.chats)
    story.tick()
    assert story.state.held == frozenset()
