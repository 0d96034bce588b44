from datetime import datetime, timedelta

import pytest

from checks.result import Outcome
from monitor.engine.model import CheckState, CheckStatus, MessageKind, Severity, State
from monitor.engine.objectives import Objective, assess, combine, is_judged, policy_of, verdict_of
from monitor.engine.spans import Span, SpanKind
from tests.monitor.engine.story import START, Story, policy, result_of

UP, DOWN, MAINTENANCE, UNKNOWN = SpanKind.UP, SpanKind.DOWN, SpanKind.MAINTENANCE, SpanKind.UNKNOWN
DAY = 86_400.0
MINUTE = 60.0
OBJECTIVE = Objective("api", "nexus-api", ("api.health", "api.pool"), 0.995, 30 * DAY)


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def tiled(*parts: tuple[SpanKind, float]) -> list[Span]:
    """Return tiles that begin at these seconds, each up to the next."""
    ends = [*(at(start) for _, start in parts[1:]), None]
    return [Span(at(start), end, kind) for (kind, start), end in zip(parts, ends, strict=False)]


def with_outages(*minutes: tuple[float, float]) -> list[Span]:
    """Return a month of up, with outages from and to so many minutes ago."""
    parts = [(UP, -40 * DAY)]
    for start, end in minutes:
        parts += [(DOWN, -start * MINUTE), (UP, -end * MINUTE)]
    return tiled(*parts)


@pytest.mark.parametrize(
    ("left", "right", "both"),
    [
        pytest.param([(UP, 0)], [(UP, 0)], [(UP, 0)], id="both up"),
        pytest.param([(UP, 0), (DOWN, 5), (UP, 9)], [(UP, 0)], [(UP, 0), (DOWN, 5), (UP, 9)], id="one is down"),
        pytest.param([(DOWN, 0), (UP, 5)], [(UP, 0), (DOWN, 5)], [(DOWN, 0)], id="one after the other"),
        pytest.param([(UNKNOWN, 0)], [(DOWN, 0), (UP, 5)], [(DOWN, 0), (UNKNOWN, 5)], id="unknown hides no outage"),
        pytest.param([(MAINTENANCE, 0)], [(UNKNOWN, 0), (UP, 5)], [(UNKNOWN, 0), (MAINTENANCE, 5)], id="maintenance"),
        pytest.param([(UP, 4)], [(UP, 0)], [(UNKNOWN, 0), (UP, 4)], id="not watched yet"),
        pytest.param([], [(UP, 0)], [(UNKNOWN, 0)], id="never watched"),
    ],
)
def test_the_worst_of_all_checks_counts(
    left: list[tuple[SpanKind, float]], right: list[tuple[SpanKind, float]], both: list[tuple[SpanKind, float]]
) -> None:
    tiles = combine([tiled(*left), tiled(*right)], at(0), at(20))
    assert [(tile.kind, (tile.started_at - START).total_seconds()) for tile in tiles] == both
    assert tiles[-1].ended_at == at(20)


@pytest.mark.parametrize(
    ("outages", "outcome"),
    [
        pytest.param([], Outcome.OK, id="all good"),
        pytest.param([(10, 1)], Outcome.OK, id="one outage was told by its own incident"),
        pytest.param([(30, 26), (6, 1)], Outcome.FAILED, id="two short ones within the hour"),
        pytest.param([(30, 28), (3, 1)], Outcome.OK, id="four minutes are noise"),
        pytest.param([(300, 290), (20, 10)], Outcome.FAILED, id="two within six hours"),
        pytest.param([(300, 290), (200, 190)], Outcome.OK, id="two that are long over"),
        pytest.param([(23 * 60, 22.5 * 60), (100, 80)], Outcome.DEGRADED, id="a bad day"),
    ],
)
def test_outages_together_burn_the_budget(outages: list[tuple[float, float]], outcome: Outcome) -> None:
    spans = {"api.health": with_outages(*outages), "api.pool": with_outages()}
    verdict = verdict_of(assess(OBJECTIVE, spans, START))
    assert verdict.outcome is outcome


def test_a_burning_objective_says_how_often_and_how_fast() -> None:
    spans = {name: with_outages((30, 26), (6, 1)) for name in OBJECTIVE.checks}
    verdict = verdict_of(assess(OBJECTIVE, spans, START))
    assert verdict.summary == "api: 2 outages in 1h burn the error budget of 99.5 % more than 14.4 times too fast"


def test_what_is_left_of_the_budget_is_told_honestly() -> None:
    half = 30 * DAY * 0.005 / MINUTE / 2
    spans = {name: with_outages((1000 + half, 1000)) for name in OBJECTIVE.checks}
    assert assess(OBJECTIVE, spans, START).budget_left == pytest.approx(0.5)
    assert assess(OBJECTIVE, {}, START).budget_left is None


@pytest.mark.parametrize(
    ("status", "judged"), [(CheckStatus.UP, True), (CheckStatus.DOWN, False), (CheckStatus.RECOVERING, False)]
)
def test_while_an_outage_goes_on_it_is_not_judged(status: CheckStatus, judged: bool) -> None:
    assert is_judged(OBJECTIVE, State(checks={"api.pool": CheckState("api.pool", status)})) is judged


def story(severity: Severity) -> Story:
    checks = [policy(name, severity=severity) for name in OBJECTIVE.checks]
    told = Story(*checks, policy_of(OBJECTIVE, {one.id: one for one in checks}))
    told.ok(*OBJECTIVE.checks)
    told.wait(30)
    told.ok(*OBJECTIVE.checks)
    return told


@pytest.mark.parametrize(("severity", "own"), [(Severity.PAGE, Severity.WARNING), (Severity.WARNING, Severity.PAGE)])
def test_it_rings_only_where_its_checks_did_not(severity: Severity, own: Severity) -> None:
    told = story(severity)
    told.wait(1)
    told.apply_result(result_of("slo.api", Outcome.FAILED, told.now))
    assert told.live_roots() == []  # its checks are to be seen well first: an outage that just begins says more
    told.wait(10)
    told.ok(*OBJECTIVE.checks)
    assert told.live_roots() == [("slo.api", own)]


def test_it_is_over_after_five_minutes_without_burning() -> None:
    told = story(Severity.PAGE)
    told.wait(1)
    told.fail("slo.api")
    told.wait(1)
    told.ok(*OBJECTIVE.checks)
    assert told.deliver() == [MessageKind.OPEN]
    for _ in range(4):
        told.wait(60)
        told.ok("slo.api")
    assert told.deliver() == []
    told.wait(60)
    told.ok("slo.api")
    assert told.deliver() == [MessageKind.RESOLVE]
