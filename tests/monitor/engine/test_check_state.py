from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from checks.result import Outcome
from monitor.engine.check_state import apply_look, confirm_seconds, stale_after_seconds, status_of
from monitor.engine.model import CheckPolicy, CheckState, CheckStatus, Rules
from tests.monitor.engine.story import START, policy, result_of

OUTCOMES = {".": Outcome.OK, "x": Outcome.FAILED, "?": Outcome.UNKNOWN, "~": Outcome.DEGRADED, "!": Outcome.FAILED}
PLAIN = policy("api.health")


def looks(
    script: str, *, one: CheckPolicy = PLAIN, step: float = 10.0, check: CheckState | None = None, start: float = 0.0
) -> CheckState:
    """Apply one look per sign, `step` seconds apart; `!` is a failure that is certain."""
    check = check or CheckState(one.id)
    for index, sign in enumerate(script):
        now = at(start + index * step)
        result = result_of(one.id, OUTCOMES[sign], now, certain=sign == "!")
        check = apply_look(one, Rules(), check, result, now)
    return check


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


@pytest.mark.parametrize(
    ("script", "status"),
    [
        pytest.param("", CheckStatus.PENDING, id="never looked at"),
        pytest.param("?", CheckStatus.PENDING, id="unknown says nothing"),
        pytest.param(".", CheckStatus.UP, id="first ok"),
        pytest.param("x", CheckStatus.SUSPECT, id="first look fails"),
        pytest.param(".x", CheckStatus.SUSPECT, id="one failure"),
        pytest.param(".xx", CheckStatus.SUSPECT, id="two failures"),
        pytest.param(".xx.", CheckStatus.UP, id="a blip"),
        pytest.param(".xxx", CheckStatus.DOWN, id="three in a row"),
        pytest.param(".x?x?x", CheckStatus.DOWN, id="unknown resets no streak"),
        pytest.param(".xx?", CheckStatus.SUSPECT, id="unknown completes no streak"),
        pytest.param(".!", CheckStatus.DOWN, id="a certain failure at once"),
        pytest.param(".x!", CheckStatus.DOWN, id="a certain failure after another"),
        pytest.param(".xxx.", CheckStatus.RECOVERING, id="one ok does not resolve"),
        pytest.param(".xxx..", CheckStatus.RECOVERING, id="nor do two"),
        pytest.param(".xxx..x", CheckStatus.DOWN, id="a failure starts recovery again"),
        pytest.param(".xxx..x..", CheckStatus.RECOVERING, id="and counts from there"),
        pytest.param(".xxx...", CheckStatus.UP, id="three oks resolve"),
        pytest.param(".xxx.?.?.", CheckStatus.UP, id="unknown resets no recovery"),
        pytest.param(".xxx~~~", CheckStatus.UP, id="degraded works"),
        pytest.param(".x.x.x.x", CheckStatus.SUSPECT, id="four of the last fifteen"),
        pytest.param(".x.x.x.x.x", CheckStatus.DOWN, id="five of the last fifteen"),
        pytest.param("xx.xx." + "." * 12 + "x", CheckStatus.SUSPECT, id="old failures leave the window"),
        pytest.param(".xxx...x", CheckStatus.SUSPECT, id="an outage does not count towards the next window"),
    ],
)
def test_the_status_after_a_row_of_looks(script: str, status: CheckStatus) -> None:
    assert looks(script).status is status


def test_three_failures_within_a_second_confirm_nothing() -> None:
    assert looks("xxx", step=0.3).status is CheckStatus.SUSPECT
    assert looks("xxxx", step=5).status is CheckStatus.SUSPECT
    assert looks("xxxxx", step=5).status is CheckStatus.DOWN


def test_three_successes_within_a_second_do_not_resolve() -> None:
    down = looks("xxx")
    assert looks("...", step=0.3, check=down, start=30).status is CheckStatus.RECOVERING


def test_an_outage_is_backdated_to_its_first_failure_and_ends_with_its_first_success() -> None:
    down = looks(".xxx")
    assert (down.first_bad_at, down.down_since) == (at(10), at(10))
    up = looks("...", check=down, start=40)
    assert (up.up_since, up.recovered_at, up.first_bad_at, up.down_since) == (at(40), at(60), None, None)
    assert up.last_failure is down.last_failure


def test_a_blip_leaves_since_when_it_is_up() -> None:
    assert looks(".xx.").up_since == at(0)


def test_an_intermittent_outage_begins_with_the_first_failure_in_the_window() -> None:
    down = looks(".x.x.x.x.x")
    assert (down.is_intermittent, down.down_since) == (True, at(10))


def test_an_intermittent_outage_needs_a_clean_window_to_end() -> None:
    down = looks("x.x.x.x.x")
    almost = looks("." * 12, check=down, start=90)
    assert almost.status is CheckStatus.RECOVERING
    assert looks("..", check=almost, start=210).status is CheckStatus.UP


def test_an_intermittent_outage_that_turns_solid_ends_like_any_other() -> None:
    solid = looks("xx", check=looks("x.x.x.x.x"), start=90)
    assert not solid.is_intermittent
    assert looks("...", check=solid, start=110).status is CheckStatus.UP


@pytest.mark.parametrize("seconds", [-5.0, 0.0])
def test_an_old_or_repeated_look_changes_nothing(seconds: float) -> None:
    check = looks(".x")
    result = result_of("api.health", Outcome.FAILED, at(10 + seconds))
    assert apply_look(PLAIN, Rules(), check, result, at(11)) is check


def test_after_the_clock_was_set_back_looks_count_again() -> None:
    check = looks("..", start=3600)
    for seconds in (0, 10, 20):
        result = result_of("api.health", Outcome.FAILED, at(seconds))
        check = apply_look(PLAIN, Rules(), check, result, at(seconds))
    assert check.status is CheckStatus.DOWN


def test_a_clock_set_back_within_a_streak_does_not_delay_the_outage() -> None:
    check = looks("xx", start=3600)
    check = apply_look(PLAIN, Rules(), check, result_of("api.health", Outcome.FAILED, at(0)), at(0))
    assert check.status is CheckStatus.DOWN


def test_unknown_is_remembered_and_forgotten() -> None:
    check = looks(".??")
    assert (check.unknown_since, check.last_started_at) == (at(10), at(20))
    assert status_of(check) == "unknown"
    assert looks(".", check=check, start=30).unknown_since is None


def test_only_failures_that_started_after_the_gate_count_towards_it() -> None:
    gated = replace(looks("xxx"), gate_until=at(45))
    gated = looks("xx", check=gated, start=30)
    assert (gated.gated_failures, gated.gated_first_at) == (0, None)
    gated = looks("xx", check=gated, start=50)
    assert (gated.gated_failures, gated.gated_first_at) == (2, at(50))


@pytest.mark.parametrize(
    ("check", "shown"),
    [
        (CheckState("a"), "pending"),
        (CheckState("a", is_stale=True), "unknown"),
        (CheckState("a", CheckStatus.UP), "up"),
        (CheckState("a", CheckStatus.SUSPECT), "up"),
        (CheckState("a", CheckStatus.UP, is_degraded=True), "degraded"),
        (CheckState("a", CheckStatus.UP, is_stale=True), "unknown"),
        (CheckState("a", CheckStatus.DOWN, is_stale=True), "down"),
        (CheckState("a", CheckStatus.RECOVERING), "down"),
    ],
)
def test_what_a_display_shows(check: CheckState, shown: str) -> None:
    assert status_of(check) == shown


@pytest.mark.parametrize(
    ("script", "degraded"),
    [
        pytest.param("~" * 10, False, id="four and a half minutes"),
        pytest.param("~" * 11, True, id="five minutes"),
        pytest.param("~." * 8, True, id="half of the looks for longer"),
        pytest.param("~..~..~..~..~..~..~..", False, id="a third is not enough"),
        pytest.param("~" * 11 + "." * 7, True, id="seven good of ten do not clear it"),
        pytest.param("~" * 11 + "." * 8, False, id="eight do"),
        pytest.param("~" * 11 + ".......~", True, id="seven good and a bad one do not"),
        pytest.param("~" * 11 + ".......~.", False, id="eight of ten with a bad one between"),
        pytest.param("~~~~" + "." * 12, False, id="the window empties again"),
        pytest.param("~~~~xxx~~~", False, id="failed looks are another matter"),
    ],
)
def test_degraded_is_five_of_ten_for_five_minutes(script: str, degraded: bool) -> None:
    assert looks("." + script, step=30).is_degraded is degraded


def test_degraded_is_backdated_and_cleared_whole() -> None:
    check = looks("." + "~" * 11, step=30)
    assert check.degraded_since == at(30)
    check = looks("." * 9, step=30, check=check, start=360)
    assert (check.degraded_since, check.first_degraded_at, check.degraded_window) == (None, None, ())
    few = looks(".~" + "." * 11, step=30)
    assert (few.degraded_window, few.degraded_window_started_at) == ((), ())


def test_a_slow_look_counts_as_degraded_and_a_good_one_teaches() -> None:
    ceiling = replace(PLAIN, slow_ceiling_seconds=1.0)
    check = apply_look(ceiling, Rules(), looks("."), result_of("api.health", Outcome.OK, at(10)), at(10))
    assert check.baseline[0] == 1
    slow = result_of("api.health", Outcome.OK, at(20), duration_seconds=2.0)
    check = apply_look(ceiling, Rules(), check, slow, at(20))
    assert (check.degraded_window, check.baseline[0]) == ((True,), 1)


def test_how_long_confirming_takes_at_most() -> None:
    assert confirm_seconds(PLAIN) == 30
    assert confirm_seconds(replace(PLAIN, retry_seconds=2.0, timeout_seconds=3.0)) == 23
    assert confirm_seconds(replace(PLAIN, timeout_seconds=25.0)) == 75
    assert stale_after_seconds(PLAIN) == 100
