from dataclasses import replace

import pytest

from checks.result import Outcome
from monitor.engine.model import (
    CheckStatus,
    IncidentStatus,
    MessageKind,
    ProbeNow,
    Role,
    Severity,
    Tick,
)
from monitor.engine.step import step
from tests.monitor.engine.story import Story, policy

REDIS, BROKER, WORKER = "redis.ping", "worker.broker", "worker.online"
CHAIN = (policy(REDIS), policy(BROKER, REDIS), policy(WORKER, BROKER))


def chain() -> Story:
    story = Story(*CHAIN)
    story.ok(REDIS, BROKER, WORKER)
    story.wait(30)
    return story


def roles(story: Story, number: int = 1) -> dict[str, Role]:
    return {one.check_id: one.role for one in story.incidents[number].members if one.left_at is None}


def test_a_child_alone_is_a_root_when_its_parents_have_been_seen_well_since() -> None:
    story = chain()
    story.fail(WORKER)
    story.ok(REDIS, BROKER)
    story.wait(10)
    story.fail(WORKER)
    story.wait(10)
    story.fail(WORKER)
    assert story.live_roots() == [(WORKER, Severity.PAGE)]


def test_the_first_failure_has_all_ancestors_looked_at() -> None:
    story = chain()
    story.fail(WORKER)
    assert story.probes() == [ProbeNow(BROKER), ProbeNow(REDIS), ProbeNow(WORKER, 10.0)]


def test_an_ancestor_seen_since_needs_no_extra_look() -> None:
    story = chain()
    story.ok(BROKER)
    story.fail(WORKER)
    assert ProbeNow(BROKER) not in story.probes()
    story.wait(10)
    story.fail(WORKER)
    assert story.probes() == [ProbeNow(WORKER, 10.0)]


def test_a_child_confirmed_first_waits_for_its_parent_and_becomes_its_symptom() -> None:
    story = chain()
    story.fail(WORKER)
    story.fail(REDIS)
    story.wait(10)
    story.fail(WORKER)
    story.wait(10)
    story.fail(WORKER)
    assert story.live_roots() == []
    assert story.check(WORKER).held_since == story.now
    assert story.state.held == {WORKER}
    story.fail(REDIS)
    story.wait(10)
    story.fail(REDIS)
    assert story.live_roots() == [(REDIS, Severity.PAGE)]
    assert roles(story) == {REDIS: Role.ROOT, WORKER: Role.SYMPTOM}
    assert story.state.held == frozenset()


def test_a_held_check_probes_a_parent_without_fresh_evidence_but_not_one_already_suspect() -> None:
    story = chain()
    story.drop(WORKER)
    assert story.probes() == [ProbeNow(BROKER), ProbeNow(REDIS), ProbeNow(WORKER, 10.0)]
    story.wait(10)
    story.fail(BROKER)
    assert ProbeNow(BROKER) not in story.probes()
    story.fail(WORKER)
    assert story.probes() == [ProbeNow(REDIS), ProbeNow(WORKER, 10.0)]


def test_a_parent_that_turns_out_well_releases_the_hold() -> None:
    story = chain()
    story.drop(WORKER)
    story.ok(BROKER)
    assert story.live_roots() == []
    story.ok(REDIS)
    assert story.live_roots() == [(WORKER, Severity.PAGE)]


def test_the_hold_fails_open() -> None:
    story = chain()
    story.drop(WORKER)
    story.tick(34.9)
    assert story.live_roots() == []
    story.tick(0.1)
    assert story.live_roots() == [(WORKER, Severity.PAGE)]


def test_the_hold_is_as_long_as_confirming_the_slowest_parent_and_at_most_a_minute() -> None:
    story = Story(policy(REDIS, timeout_seconds=25.0), policy(WORKER, REDIS))
    story.ok(REDIS, WORKER)
    story.wait(30)
    story.drop(WORKER)
    until = story.check(WORKER).hold_until
    assert until is not None
    assert (until - story.now).total_seconds() == 60


def test_a_hold_set_before_the_clock_went_back_is_over() -> None:
    story = chain()
    story.drop(WORKER)
    story.wait(-3600)
    story.tick()
    assert story.live_roots() == [(WORKER, Severity.PAGE)]


def test_a_parent_never_looked_at_suppresses_nothing() -> None:
    story = Story(*CHAIN)
    story.unknown(REDIS)
    story.ok(WORKER)
    story.wait(10)
    story.drop(WORKER)
    assert story.live_roots() == [(WORKER, Severity.PAGE)]


def test_a_soft_parent_suppresses_nothing() -> None:
    story = Story(policy(REDIS), policy(WORKER, soft_parents=(REDIS,)))
    story.ok(REDIS, WORKER)
    story.wait(30)
    story.drop(REDIS, WORKER)
    assert story.live_roots() == [(REDIS, Severity.PAGE), (WORKER, Severity.PAGE)]


def test_an_unknown_parent_holds_and_does_not_release() -> None:
    story = chain()
    story.drop(WORKER)
    story.unknown(REDIS, BROKER)
    assert story.live_roots() == []


def test_a_symptom_of_a_symptom_hangs_on_the_same_root() -> None:
    story = chain()
    story.drop(REDIS)
    story.drop(BROKER)
    story.drop(WORKER)
    assert roles(story) == {REDIS: Role.ROOT, BROKER: Role.SYMPTOM, WORKER: Role.SYMPTOM}


def test_a_recovering_parent_still_explains() -> None:
    story = chain()
    story.drop(REDIS)
    story.ok(REDIS)
    story.drop(WORKER)
    assert roles(story) == {REDIS: Role.ROOT, WORKER: Role.SYMPTOM}


def test_while_the_parent_waits_its_children_wait_with_it() -> None:
    story = chain()
    story.drop(BROKER)
    story.drop(WORKER)
    assert story.live_roots() == []
    assert story.state.held == {BROKER, WORKER}
    story.ok(REDIS)
    assert roles(story) == {BROKER: Role.ROOT, WORKER: Role.SYMPTOM}


def test_a_late_ancestor_takes_over_the_same_incident() -> None:
    story = chain()
    story.drop(WORKER)
    story.ok(REDIS, BROKER)
    assert story.deliver() == [MessageKind.OPEN]
    story.wait(60)
    story.drop(REDIS)
    incident = story.incidents[1]
    assert (incident.root, list(story.incidents)) == (REDIS, [1])
    assert roles(story) == {REDIS: Role.ROOT, WORKER: Role.FORMER_ROOT}
    assert story.outbox == []


def test_after_two_minutes_an_ancestor_opens_its_own() -> None:
    story = chain()
    story.drop(WORKER)
    story.ok(REDIS, BROKER)
    story.wait(101)
    story.drop(REDIS)
    assert story.live_roots() == [(WORKER, Severity.PAGE), (REDIS, Severity.PAGE)]


def test_rerooting_to_a_louder_check_rings_once() -> None:
    story = Story(policy(REDIS), policy(WORKER, REDIS, severity=Severity.WARNING))
    story.ok(REDIS, WORKER)
    story.wait(30)
    story.drop(WORKER)
    story.ok(REDIS)
    assert story.deliver() == [MessageKind.OPEN]
    assert story.sent[0].is_silent
    story.wait(30)
    story.drop(REDIS)
    assert story.deliver() == [MessageKind.RISE]
    assert not story.sent[1].is_silent


def test_a_symptom_moves_to_the_fault_that_explains_it_now() -> None:
    story = Story(policy(REDIS), policy("postgres.connect"), policy("worker.db", REDIS, "postgres.connect"))
    story.ok(REDIS, "postgres.connect", "worker.db")
    story.wait(30)
    story.drop(REDIS, "worker.db")
    story.ok("postgres.connect")
    story.recover(REDIS)
    story.drop("postgres.connect")
    story.fail("worker.db")
    assert story.live_roots() == [("postgres.connect", Severity.PAGE)]
    assert roles(story, 2) == {"postgres.connect": Role.ROOT, "worker.db": Role.SYMPTOM}
    assert story.incidents[1].status is IncidentStatus.RESOLVED


def test_a_stale_parent_without_an_incident_explains_nothing_for_ever() -> None:
    story = Story(policy(REDIS), policy(WORKER, REDIS))
    story.ok(REDIS, WORKER)
    story.wait(30)
    story.fail(REDIS, WORKER)
    story.wait(10)
    story.fail(REDIS, WORKER)
    story.state = replace(
        story.state,
        checks={
            **story.state.checks,
            REDIS: replace(story.check(REDIS), status=CheckStatus.DOWN, is_stale=True),
        },
    )
    story.wait(10)
    story.fail(WORKER)
    assert story.live_roots() == []
    story.tick(60)
    assert (WORKER, Severity.PAGE) in story.live_roots()


@pytest.mark.parametrize("sign", [Outcome.OK, Outcome.UNKNOWN])
def test_a_held_check_that_does_not_fail_any_more_opens_nothing(sign: Outcome) -> None:
    story = chain()
    story.drop(WORKER)
    story.wait(10)
    story.look(WORKER, Outcome.OK)
    for _ in range(2):
        story.wait(10)
        story.look(WORKER, sign)
        story.look(WORKER, Outcome.OK)
    story.ok(REDIS, BROKER)
    assert step(story.plan, story.state, Tick(), story.now).state.incidents == {}


def test_five_children_failing_at_once_do_not_confirm_their_parent() -> None:
    children = [policy(f"child.{number}", "redis.ping") for number in range(5)]
    story = Story(policy("redis.ping"), *children)
    story.ok("redis.ping", *(child.id for child in children))
    story.wait(30)
    asked = 0
    for child in children:
        story.wait(0.2)
        story.fail(child.id)
        for _ in [probe for probe in story.probes() if probe.check_id == "redis.ping"]:
            asked += 1
            story.wait(0.01)
            story.fail("redis.ping")
    assert asked == 1
    assert story.check("redis.ping").status is CheckStatus.SUSPECT
