"""Time is tiled without gap or overlap, and an outage begins where it began."""

from datetime import datetime
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.engine.model import CheckPolicy, CheckState, CheckStatus, Plan, Silence, State
from monitor.engine.spans import Moment, Span, SpanChange, SpanKind, retile, span_changes
from tests.stores import T0, at

UP, DOWN, UNKNOWN, MAINTENANCE = SpanKind.UP, SpanKind.DOWN, SpanKind.UNKNOWN, SpanKind.MAINTENANCE
PLAN = Plan({"a.x": CheckPolicy("a.x", "a", 30.0, 10.0, 10.0)})


def tiles(*parts: tuple[float, SpanKind]) -> list[Span]:
    """Return tiles from their starts; each ends where the next one starts."""
    ends: list[datetime | None] = [*(at(seconds) for seconds, _ in parts[1:]), None]
    return [Span(at(start), end, kind) for (start, kind), end in zip(parts, ends, strict=False)]


def change(kind: SpanKind, since: float, known: float | None = None) -> SpanChange:
    return SpanChange("a.x", kind, at(since), at(since if known is None else known))


@pytest.mark.parametrize(
    ("before", "changes", "after"),
    [
        pytest.param([], [change(UP, 5)], [(5, UP)], id="first look"),
        pytest.param([(0, UP)], [change(DOWN, 5)], [(0, UP), (5, DOWN)], id="backdated outage"),
        pytest.param([(0, UP), (5, DOWN)], [change(UP, 9)], [(0, UP), (5, DOWN), (9, UP)], id="recovery"),
        pytest.param([(0, UP)], [change(UP, 5)], [(0, UP)], id="nothing new"),
        pytest.param(
            [(0, UP), (5, UNKNOWN), (8, UP)],
            [change(DOWN, 3, 9)],
            [(0, UP), (3, DOWN), (5, UNKNOWN), (8, DOWN)],
            id="unknown seconds stay unknown",
        ),
        pytest.param(
            [(0, UP), (5, UNKNOWN)],
            [change(DOWN, 3, 9)],
            [(0, UP), (3, DOWN), (5, UNKNOWN), (9, DOWN)],
            id="down while unknown",
        ),
        pytest.param(
            [(0, UP), (5, MAINTENANCE)],
            [change(DOWN, 3, 9)],
            [(0, UP), (3, DOWN), (5, MAINTENANCE), (9, DOWN)],
            id="maintenance is not judged anew",
        ),
        pytest.param([(0, UP)], [change(DOWN, 0)], [(0, DOWN)], id="a whole tile"),
        pytest.param(
            [(0, UP)], [change(DOWN, 5), change(UP, 9)], [(0, UP), (5, DOWN), (9, UP)], id="an outage in one batch"
        ),
    ],
)
def test_a_change_cuts_the_tiles(
    before: list[tuple[float, SpanKind]], changes: list[SpanChange], after: list[tuple[float, SpanKind]]
) -> None:
    assert retile(tiles(*before), changes) == tiles(*after)


@given(
    st.lists(st.tuples(st.sampled_from(SpanKind), st.integers(0, 20), st.integers(0, 20)), min_size=1, max_size=8).map(
        lambda parts: [(kind, number * 20 + 20, back, later) for number, (kind, back, later) in enumerate(parts)]
    )
)
def test_tiles_leave_no_gap_and_a_repeated_change_changes_nothing(parts: list[tuple[SpanKind, int, int, int]]) -> None:
    changes = [change(kind, start - back, start + min(later, 19)) for kind, start, back, later in parts]
    once = retile(tiles((0, UP)), changes)
    assert once[0].started_at == T0
    assert [tile.ended_at for tile in once] == [*(tile.started_at for tile in once[1:]), None]
    assert all(tile.ended_at is None or tile.started_at < tile.ended_at for tile in once)
    assert all(one.kind is not other.kind for one, other in pairwise(once))
    assert once[-1].kind is changes[-1].kind
    assert retile(once, changes[-1:]) == once


def moment(seconds: float, check: CheckState | None = None, *silences: Silence) -> Moment:
    checks = {} if check is None else {check.id: check}
    return Moment(State(checks=checks, silences={silence.id: silence for silence in silences}), at(seconds))


IS_UP = CheckState("a.x", CheckStatus.UP, up_since=at(0), last_started_at=at(30))
IS_DOWN = CheckState("a.x", CheckStatus.DOWN, up_since=at(0), down_since=at(40), last_started_at=at(60))
IS_UNKNOWN = CheckState("a.x", CheckStatus.UP, up_since=at(0), last_started_at=at(60), unknown_since=at(50))
IS_STALE = CheckState("a.x", CheckStatus.UP, up_since=at(0), last_started_at=at(30), is_stale=True)
WORK = Silence(1, "service:a", at(45), at(70), "ann", "upgrade", is_maintenance=True)


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        pytest.param(moment(0), moment(1, CheckState("a.x")), [change(UNKNOWN, 1)], id="never looked at"),
        pytest.param(moment(0), moment(31, IS_UP), [change(UP, 0, 30)], id="first look"),
        pytest.param(moment(31, IS_UP), moment(61, IS_DOWN), [change(DOWN, 40, 60)], id="outage, backdated"),
        pytest.param(moment(31, IS_UP), moment(61, IS_UNKNOWN), [change(UNKNOWN, 50, 60)], id="cannot look"),
        pytest.param(moment(31, IS_UP), moment(200, IS_STALE), [change(UNKNOWN, 30)], id="no look for long"),
        pytest.param(moment(31, IS_UP), moment(32, IS_UP), [], id="nothing"),
        pytest.param(None, moment(32, IS_UP), [change(UP, 0, 30)], id="after a restart all is said again"),
        pytest.param(moment(31, IS_UP, WORK), moment(46, IS_UP, WORK), [change(MAINTENANCE, 45)], id="work begins"),
        pytest.param(
            moment(69, IS_UP, WORK), moment(71, IS_UP, WORK), [change(UP, 0, 70)], id="work ends by the clock"
        ),
        pytest.param(moment(69, IS_UP, WORK), moment(73, IS_UP), [change(UP, 0, 70)], id="work is over and forgotten"),
        pytest.param(moment(31, IS_UP), moment(61), [change(UNKNOWN, 61)], id="configured no more"),
    ],
)
def test_a_step_changes_the_kind(before: Moment | None, after: Moment, expected: list[SpanChange]) -> None:
    assert span_changes(PLAN, before, after) == tuple(expected)


def test_maintenance_ended_early_ends_when_it_was_ended() -> None:
    ended = Silence(1, "service:a", at(45), at(70), "ann", "upgrade", is_maintenance=True, ended_at=at(55))
    assert span_changes(PLAN, moment(54, IS_UP, WORK), moment(55, IS_UP, ended)) == (change(UP, 0, 55),)


def test_a_check_that_did_not_change_is_not_asked_again() -> None:
    plan = Plan({name: CheckPolicy(name, "a", 30.0, 10.0, 10.0) for name in ("a.x", "a.y")})
    up = CheckState("a.x", CheckStatus.UP, last_started_at=T0, up_since=T0)
    still = State({"a.x": up, "a.y": CheckState("a.y", CheckStatus.UP, last_started_at=T0, up_since=T0)})
    assert span_changes(plan, Moment(still, T0), Moment(State(still.checks, revision=1), at(5))) == ()
    down = CheckState("a.x", CheckStatus.DOWN, first_bad_at=at(5), down_since=at(5), last_started_at=at(25))
    changes = span_changes(plan, Moment(still, T0), Moment(State({**still.checks, "a.x": down}), at(25)))
    assert [(one.check_id, one.kind) for one in changes] == [("a.x", DOWN)]
    seen_again = State({**still.checks, "a.x": CheckState("a.x", CheckStatus.UP, last_started_at=at(9), up_since=T0)})
    assert span_changes(plan, Moment(still, T0), Moment(seen_again, at(9))) == ()
