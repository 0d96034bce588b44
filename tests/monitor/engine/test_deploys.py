from monitor.engine.model import DeployEnded, DeployStarted, Severity
from tests.monitor.engine.story import Story, policy

API = "nexus-api.health"


def story() -> Story:
    made = Story(policy(API), policy("nexus-bot.ping"))
    made.ok(API, "nexus-bot.ping")
    made.wait(30)
    made.apply(DeployStarted("d1", "nexus-api", "abc123"))
    return made


def test_a_failure_while_deploying_waits_and_other_services_do_not() -> None:
    made = story()
    made.drop(API, "nexus-bot.ping")
    assert made.live_roots() == [("nexus-bot.ping", Severity.PAGE)]


def test_what_recovers_within_the_window_was_part_of_the_deploy() -> None:
    made = story()
    made.drop(API)
    made.apply(DeployEnded("d1", is_live=True))
    made.recover(API)
    made.tick(300)
    assert made.incidents == {}


def test_what_still_fails_after_the_window_is_an_incident_that_names_the_deploy() -> None:
    made = story()
    made.drop(API)
    made.apply(DeployEnded("d1", is_live=True))
    made.tick(194)
    assert made.live_roots() == []
    made.tick(1)
    assert made.live_roots() == [(API, Severity.PAGE)]
    assert made.incidents[1].deploy_id == "d1"


def test_a_failed_deploy_ends_its_window_at_once() -> None:
    made = story()
    made.drop(API)
    made.apply(DeployEnded("d1", is_live=False))
    made.tick()
    assert made.live_roots() == [(API, Severity.PAGE)]
    assert made.state.deploys["d1"].is_failed


def test_a_deploy_that_never_ends_holds_nothing_for_ever() -> None:
    made = story()
    made.drop(API)
    made.tick(1200 - 20 - 1)
    assert made.live_roots() == []
    made.tick(1)
    assert made.live_roots() == [(API, Severity.PAGE)]


def test_the_cap_counts_for_a_late_deploy_too() -> None:
    made = story()
    made.wait(1150)
    made.apply(DeployEnded("d1", is_live=True))
    made.drop(API)
    made.tick(30)
    assert made.live_roots() == [(API, Severity.PAGE)]


def test_a_deploy_announced_or_ended_twice_is_one_deploy() -> None:
    made = story()
    window = made.state.deploys["d1"]
    made.wait(5)
    made.apply(DeployStarted("d1", "nexus-api", "abc123"))
    assert made.state.deploys["d1"] is window
    made.apply(DeployEnded("d1", is_live=True))
    window = made.state.deploys["d1"]
    made.wait(5)
    made.apply(DeployEnded("d1", is_live=False))
    made.apply(DeployEnded("d9", is_live=False))
    assert made.state.deploys == {"d1": window}


def test_a_failure_that_began_in_the_window_names_the_newest_deploy_even_when_confirmed_after_it() -> None:
    made = story()
    made.apply(DeployStarted("d2", "nexus-bot", "def456"))
    made.apply(DeployEnded("d1", is_live=True))
    made.ok(API)
    made.wait(190)
    made.drop(API)
    made.tick()
    assert made.incidents[1].deploy_id == "d1"


def test_an_ended_window_is_forgotten_a_while_later() -> None:
    made = story()
    made.apply(DeployEnded("d1", is_live=True))
    made.tick(195)
    assert made.state.deploys["d1"].ended_at == made.now
    made.tick(899)
    assert "d1" in made.state.deploys
    made.tick(1)
    assert made.state.deploys == {}
