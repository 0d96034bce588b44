from dataclasses import replace

from checks.result import Outcome
from monitor.engine.model import (
    CheckStatus,
    IncidentStatus,
    Severity,
)
from monitor.engine.step import fresh_start
from tests.monitor.engine.story import Story, policy

REDIS, BROKER, WORKER = "redis.ping", "worker.broker", "worker.online"
CHAIN = (policy(REDIS), policy(BROKER, REDIS), policy(WORKER, BROKER))


def chain() -> Story:
    story = Story(*CHAIN)
    story.ok(REDIS, BROKER, WORKER)
    story.wait(30)
    return story


def test_when_the_root_recovers_its_descendants_are_gated_and_probed_with_jitter() -> None:
    story = chain()
    story.drop(REDIS, BROKER, WORKER)
    story.recover(REDIS)
    assert {probe.check_id for probe in story.probes()} == {BROKER, WORKER}
    assert all(0 <= probe.after_seconds <= 5 for probe in story.probes())
    assert story.check(WORKER).gate_until is not None
    assert story.state.held == {BROKER}
    story.recover(BROKER, WORKER)
    assert story.incidents[1].status is IncidentStatus.RESOLVED
    assert story.state.held == frozenset()


def test_a_descendant_that_never_had_a_verdict_gets_no_gate_when_its_parent_recovers() -> None:
    story = Story(*CHAIN)
    story.ok(REDIS)
    story.look(WORKER, Outcome.UNKNOWN)
    story.drop(REDIS)
    story.recover(REDIS)
    assert story.check(WORKER).status is CheckStatus.PENDING
    assert story.check(WORKER).gate_until is None
    assert WORKER not in {probe.check_id for probe in story.probes()}


def test_failures_within_the_gate_do_not_count_and_three_after_it_make_an_own_root() -> None:
    story = chain()
    story.drop(REDIS, WORKER)
    story.ok(BROKER)
    story.recover(REDIS)
    for _ in range(5):
        story.wait(10)
        story.fail(WORKER)
        story.ok(REDIS, BROKER)
        assert story.live_roots() == [(REDIS, Severity.PAGE)]
    story.wait(10)
    story.fail(WORKER)
    for _ in range(2):
        story.ok(REDIS, BROKER)
        assert story.live_roots() == [(REDIS, Severity.PAGE)]
        story.wait(10)
        story.fail(WORKER)
    assert story.live_roots() == [(WORKER, Severity.PAGE)]
    assert story.incidents[1].status is IncidentStatus.RESOLVED
    assert story.check(WORKER).incident_id == 2


def test_a_gated_check_whose_failure_is_certain_opens_with_the_first_after_the_gate() -> None:
    story = chain()
    story.drop(REDIS, WORKER)
    story.ok(BROKER)
    story.recover(REDIS)
    story.wait(61)
    story.look(WORKER, Outcome.FAILED, certain=True)
    story.ok(REDIS, BROKER)
    assert story.live_roots() == [(WORKER, Severity.PAGE)]


def test_a_check_that_was_up_inherits_the_gate_of_a_parent_that_has_just_recovered() -> None:
    story = chain()
    story.drop(REDIS)
    story.recover(REDIS)
    story.wait(5)
    story.drop(WORKER)
    story.ok(REDIS, BROKER)
    assert story.check(WORKER).status is CheckStatus.DOWN
    assert story.live_roots() == []
    story.recover(WORKER)
    assert story.check(WORKER).gate_until is None


def test_a_certain_failure_inherits_the_gate_too() -> None:
    story = chain()
    story.drop(REDIS)
    story.recover(REDIS)
    story.look(WORKER, Outcome.FAILED, certain=True)
    story.ok(REDIS, BROKER)
    assert story.live_roots() == []


def test_a_gate_set_before_the_clock_went_back_is_over() -> None:
    story = chain()
    story.drop(REDIS, WORKER)
    story.recover(REDIS)
    story.ok(BROKER)
    story.wait(-3600)
    story.drop(WORKER)
    story.ok(REDIS, BROKER)
    assert story.live_roots() == [(WORKER, Severity.PAGE)]


def test_after_a_restart_old_evidence_alone_opens_nothing() -> None:
    story = chain()
    story.drop(WORKER)
    assert story.state.held == {WORKER}
    story.state = fresh_start(story.state, story.now)
    story.tick(120)
    assert story.live_roots() == []
    story.fail(WORKER)
    story.ok(REDIS, BROKER)
    assert story.live_roots() == [(WORKER, Severity.PAGE)]


def test_after_a_restart_a_down_check_waits_for_a_look_of_this_process() -> None:
    story = chain()
    story.drop(WORKER)
    story.wait(1)
    story.state = replace(fresh_start(story.state, story.now), held=frozenset({WORKER}))
    story.tick()
    assert story.live_roots() == []


def test_after_a_restart_an_ancestors_old_ok_is_no_evidence() -> None:
    story = chain()
    story.fail(WORKER)
    story.ok(REDIS, BROKER)
    story.state = fresh_start(story.state, story.now)
    story.wait(10)
    story.fail(WORKER)
    story.wait(10)
    story.state = fresh_start(story.state, story.now)
    story.fail(WORKER)
    assert story.live_roots() == []
    story.ok(REDIS, BROKER)
    assert story.live_roots() == [(WORKER, Severity.PAGE)]


def test_a_cycle_met_at_run_time_counts_as_no_edge() -> None:
    story = Story(policy("a.x", "b.x"), policy("b.x", "a.x"))
    story.ok("a.x", "b.x")
    story.wait(30)
    story.drop("a.x", "b.x")
    assert story.live_roots() == [("a.x", Severity.PAGE), ("b.x", Severity.PAGE)]
