"""What is said in a scenario, when, and to whom."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from monitor.cli import app
from monitor.config.checklist import Checklist, build_checklist
from monitor.config.settings import settings_from
from monitor.config.stack import stack_of
from monitor.engine.model import MessageKind
from monitor.scenario.compare import differences
from monitor.scenario.play import Said, play, spell
from monitor.scenario.script import Expected, Scenario, values_of

CHECKLIST: Checklist = build_checklist(settings_from(values_of(None)), stack_of("", "monitor.yaml"))
BUILT = len(CHECKLIST.checks)


def said(*timeline: dict[str, object], lasts: str = "40m") -> list[tuple[str, str, str]]:
    """Return when, kind and root of every message."""
    scenario = Scenario.model_validate({"timeline": timeline, "lasts": lasts})
    return [(spell(one.at_seconds), one.kind.value, one.check) for one in play(CHECKLIST, scenario)]


def test_without_a_fault_nothing_is_said() -> None:
    assert said() == []


def test_a_parent_takes_its_children_down_and_is_told_alone() -> None:
    assert said({"at": "5m", "down": "redis.ping"}, {"at": "9m", "up": "redis.ping"}) == [
        ("5m20s", "open", "redis.ping"),
        ("9m23s", "resolve", "redis.ping"),
    ]


def test_a_fault_alone_leaves_the_children_well() -> None:
    scenario = Scenario.model_validate({"timeline": [{"at": "5m", "down": "redis.ping", "only": True}], "lasts": "10m"})
    [told] = play(CHECKLIST, scenario)
    assert "Also failing" not in told.text
    assert "api.health" not in told.text.split("OK")[0]


def test_a_blind_monitor_says_nothing_of_what_it_cannot_see() -> None:
    roots = {root for _, _, root in said({"at": "5m", "down": ["vantage.egress", "redis.ping"]})}
    assert roots == {"vantage.egress"}


def test_a_late_monitor_trusts_no_look() -> None:
    assert {root for _, _, root in said({"at": "5m", "down": "vantage.loop"})} == {"vantage.loop"}


def test_unknown_looks_warn_of_themselves_only_when_they_last() -> None:
    assert said({"at": "5m", "unknown": "redis.ping"}, {"at": "6m", "up": "redis.ping"}) == []
    [(_, kind, root)] = said({"at": "5m", "unknown": "redis.ping"}, lasts="15m")
    assert (kind, root) == ("open", "redis.ping")


@pytest.mark.parametrize("verb", ["degraded", "slow"])
def test_degraded_is_a_silent_warning(verb: str) -> None:
    scenario = Scenario.model_validate({"timeline": [{"at": "5m", verb: "api.health"}], "lasts": "20m"})
    [told] = play(CHECKLIST, scenario)
    assert (told.kind, told.check, told.is_silent) == (MessageKind.OPEN, "api.health", True)


def test_a_restart_in_the_middle_tells_nothing_twice() -> None:
    assert said(
        {"at": "5m", "down": "redis.ping"}, {"at": "7m", "restart": "1m"}, {"at": "12m", "up": "redis.ping"}
    ) == [("5m20s", "open", "redis.ping"), ("12m30s", "resolve", "redis.ping")]


def test_an_ack_ends_the_reminders_for_an_hour() -> None:
    outage = {"at": "5m", "down": "redis.ping"}
    assert [kind for _, kind, _ in said(outage)] == ["open", "remind", "remind"]
    assert [kind for _, kind, _ in said(outage, {"at": "7m", "ack": "redis.ping"})] == ["open"]


def test_a_silence_over_the_whole_outage_says_nothing() -> None:
    assert (
        said(
            {"at": "4m", "silence": "subtree:redis.ping", "lasts": "20m"},
            {"at": "5m", "down": "redis.ping"},
            {"at": "10m", "up": "redis.ping"},
        )
        == []
    )


def test_a_deploy_that_fails_is_no_excuse() -> None:
    [(at, kind, root), *_] = said(
        {"at": "5m", "deploy": "nexus-api", "failed_after": "1m"}, {"at": "5m30s", "down": "api.health"}
    )
    assert (kind, root) == ("open", "api.health")
    assert at.startswith("6m")


def test_a_moment_after_the_end_does_not_happen() -> None:
    assert said({"at": "30m", "down": "redis.ping"}, lasts="10m") == []


OPEN = Said(320, "ops", MessageKind.OPEN, "redis.ping", "DOWN", is_silent=False)


def expected(**changes: object) -> Expected:
    return Expected.model_validate({"at": "5m", "kind": "open", "check": "redis.ping"} | changes)


@pytest.mark.parametrize(
    "changes",
    [{}, {"chat": "ops"}, {"within": 20}, {"at": 340, "within": 20}],
    ids=["any chat", "its chat", "just in time", "a little early"],
)
def test_what_was_expected_makes_no_difference(changes: dict[str, object]) -> None:
    assert differences([OPEN], [expected(**changes)]) == []


@pytest.mark.parametrize(
    "changes",
    [{"chat": "lead"}, {"within": 19}, {"kind": "resolve"}, {"check": "api.health"}],
    ids=["another chat", "too late", "another kind", "another root"],
)
def test_what_differs_is_shown_with_both_sides(changes: dict[str, object]) -> None:
    lines = differences([OPEN], [expected(**changes)])
    assert [line[0] for line in lines] == ["-", "+"]
    assert lines[1] == "+    5m20s  ops         open      redis.ping"


def test_one_message_answers_one_expectation() -> None:
    assert [line[0] for line in differences([OPEN], [expected(), expected()])] == ["-", " "]


def test_the_command_ends_with_1_and_a_diff_when_it_is_not_as_expected(tmp_path: Path) -> None:
    (tmp_path / "monitor.yaml").write_text("name: shop\n", encoding="utf-8")
    path = tmp_path / "story.yaml"
    path.write_text("timeline: [{at: 5m, down: redis.ping}]\nlasts: 10m\nexpect: []\n", encoding="utf-8")
    result = CliRunner().invoke(app, ["scenario", str(path)])
    assert result.exit_code == 1
    assert result.output.splitlines()[-3:] == [
        f"1 message in 10m00s, {BUILT} checks",
        "not as expected (- expected and not said, + said and not expected):",
        "+    5m20s  ops         open      redis.ping",
    ]


def test_silence_is_said_in_so_many_words(tmp_path: Path) -> None:
    (tmp_path / "monitor.yaml").write_text("", encoding="utf-8")
    path = tmp_path / "story.yaml"
    path.write_text("lasts: 5m\n", encoding="utf-8")
    result = CliRunner().invoke(app, ["scenario", str(path)])
    assert (result.exit_code, result.output.splitlines()[-1]) == (0, f"nothing was said in 5m00s, {BUILT} checks")


@pytest.mark.parametrize(("seconds", "text"), [(40, "40s"), (127, "2m07s"), (3900, "1h05m"), (3907, "1h05m07s")])
def test_a_duration_is_spelled_as_it_is_written(seconds: float, text: str) -> None:
    assert spell(seconds) == text
