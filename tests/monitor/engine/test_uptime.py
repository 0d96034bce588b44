from datetime import datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.engine.model import CheckState, CheckStatus, Severity
from monitor.engine.uptime import Mark, Span, SpanKind, Uptime, apply_mark, burning, kind_of, mark_of, uptime_of
from tests.monitor.engine.story import START

UP, DOWN, MAINTENANCE, UNKNOWN = SpanKind.UP, SpanKind.DOWN, SpanKind.MAINTENANCE, SpanKind.UNKNOWN


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def tiled(*parts: tuple[SpanKind, float]) -> tuple[Span, ...]:
    """Spans that begin at these seconds, each up to the next."""
    ends = [at(start) for _, start in parts[1:]] + [None]
    return tuple(Span("a", kind, at(start), end) for (kind, start), end in zip(parts, ends, strict=True))


@pytest.mark.parametrize(
    ("before", "mark", "after"),
    [
        pytest.param((), Mark(UP, at(5), at(5)), tiled((UP, 5)), id="the first"),
        pytest.param(tiled((UP, 0)), Mark(DOWN, at(10), at(30)), tiled((UP, 0), (DOWN, 10)), id="backdated down"),
        pytest.param(
            tiled((UP, 0), (UNKNOWN, 15)),
            Mark(DOWN, at(10), at(30)),
            tiled((UP, 0), (DOWN, 10), (UNKNOWN, 15), (DOWN, 30)),
            id="backdating leaves what was not known",
        ),
        pytest.param(
            tiled((UP, 0), (MAINTENANCE, 5), (UP, 15)),
            Mark(DOWN, at(10), at(30)),
            tiled((UP, 0), (MAINTENANCE, 5), (DOWN, 15)),
            id="and leaves maintenance",
        ),
        pytest.param(tiled((DOWN, 0)), Mark(UP, at(20), at(40)), tiled((DOWN, 0), (UP, 20)), id="backdated up"),
        pytest.param(tiled((UP, 0)), Mark(UP, at(9), at(9)), tiled((UP, 0)), id="the same again"),
        pytest.param(tiled((UP, 10)), Mark(DOWN, at(10), at(10)), tiled((DOWN, 10)), id="from the same instant"),
    ],
)
def test_a_mark_keeps_the_tiling(before: tuple[Span, ...], mark: Mark, after: tuple[Span, ...]) -> None:
    assert apply_mark(before, "a", mark) == after


@given(st.lists(st.tuples(st.sampled_from(list(SpanKind)), st.integers(0, 60), st.integers(0, 60)), max_size=12))
def test_spans_tile_time_whatever_happens(marks: list[tuple[SpanKind, int, int]]) -> None:
    spans = apply_mark((), "a", Mark(UP, at(0), at(0)))
    now = 0
    for kind, ahead, back in marks:
        now += ahead
        spans = apply_mark(spans, "a", Mark(kind, at(max(0, now - back)), at(now)))
        assert spans[0].from_at == at(0)
        assert spans[-1].to_at is None
        assert spans[-1].kind is kind
        for left, right in pairwise(spans):
            assert left.to_at == right.from_at
            assert left.from_at < left.to_at
            assert left.kind is not right.kind


@pytest.mark.parametrize(
    ("check", "kind"),
    [
        (CheckState("a"), UNKNOWN),
        (CheckState("a", CheckStatus.UP), UP),
        (CheckState("a", CheckStatus.UP, is_degraded=True), UP),
        (CheckState("a", CheckStatus.SUSPECT), UP),
        (CheckState("a", CheckStatus.UP, is_stale=True), UNKNOWN),
        (CheckState("a", CheckStatus.UP, unknown_since=START), UNKNOWN),
        (CheckState("a", CheckStatus.DOWN, is_stale=True), DOWN),
        (CheckState("a", CheckStatus.RECOVERING), DOWN),
    ],
)
def test_each_state_counts_in_one_class(check: CheckState, kind: SpanKind) -> None:
    assert kind_of(check, is_maintenance=False) is kind
    assert kind_of(check, is_maintenance=True) is MAINTENANCE


WAS_UP = CheckState("a", CheckStatus.UP, up_since=at(-99), last_started_at=at(0))
WAS_DOWN = CheckState("a", CheckStatus.DOWN, down_since=at(0), last_started_at=at(20))


@pytest.mark.parametrize(
    ("before", "after", "was", "is_now", "mark"),
    [
        pytest.param(None, WAS_UP, False, False, Mark(UP, at(50), at(50)), id="never seen before"),
        pytest.param(WAS_UP, WAS_UP, False, False, None, id="nothing new"),
        pytest.param(WAS_UP, WAS_DOWN, False, False, Mark(DOWN, at(0), at(20)), id="down, backdated"),
        pytest.param(
            WAS_DOWN,
            CheckState("a", CheckStatus.UP, up_since=at(25), last_started_at=at(45)),
            False,
            False,
            Mark(UP, at(25), at(45)),
            id="up, backdated to the first good look",
        ),
        pytest.param(
            CheckState("a", CheckStatus.UP, unknown_since=at(0), last_started_at=at(10)),
            CheckState("a", CheckStatus.UP, up_since=at(-99), last_started_at=at(40)),
            False,
            False,
            Mark(UP, at(40), at(40)),
            id="known again, from that look on",
        ),
        pytest.param(
            WAS_UP,
            CheckState("a", CheckStatus.UP, unknown_since=at(30), last_started_at=at(30)),
            False,
            False,
            Mark(UNKNOWN, at(30), at(50)),
            id="unknown since the first such look",
        ),
        pytest.param(
            WAS_UP,
            CheckState("a", CheckStatus.UP, is_stale=True, last_started_at=at(0)),
            False,
            False,
            Mark(UNKNOWN, at(0), at(50)),
            id="stale since the last look",
        ),
        pytest.param(WAS_UP, WAS_UP, False, True, Mark(MAINTENANCE, at(50), at(50)), id="maintenance begins now"),
        pytest.param(WAS_UP, WAS_DOWN, True, False, Mark(DOWN, at(50), at(50)), id="maintenance is not backdated over"),
    ],
)
def test_a_change_marks_time(
    before: CheckState | None, after: CheckState, was: bool, is_now: bool, mark: Mark | None
) -> None:
    assert mark_of(before, after, at(50), was_maintenance=was, is_maintenance=is_now) == mark


def test_four_classes_add_up_and_what_no_span_covers_is_unknown() -> None:
    spans = tiled((UP, 100), (DOWN, 200), (MAINTENANCE, 230), (UNKNOWN, 300), (UP, 310))
    uptime = uptime_of(spans, at(0), at(400))
    assert uptime == Uptime(up_seconds=190, down_seconds=30, maintenance_seconds=70, unknown_seconds=110)
    assert uptime.availability == pytest.approx(190 / 220)
    assert uptime.coverage == pytest.approx(290 / 400)
    assert uptime.text() == "insufficient data"


@pytest.mark.parametrize(
    ("uptime", "text"),
    [
        (Uptime(), "insufficient data"),
        (Uptime(unknown_seconds=100), "insufficient data"),
        (Uptime(up_seconds=100), "100.00 %"),
        (Uptime(up_seconds=99.996, down_seconds=0.004), "99.99 %"),
        (Uptime(up_seconds=1e12, down_seconds=1), "99.99 %"),
        (Uptime(up_seconds=97.5, down_seconds=2.5), "97.50 %"),
        (Uptime(up_seconds=94, unknown_seconds=6), "insufficient data"),
        (Uptime(up_seconds=90, maintenance_seconds=10), "100.00 %"),
    ],
)
def test_availability_is_cut_and_never_rounded_up(uptime: Uptime, text: str) -> None:
    assert uptime.text() == text


HOUR = 3600.0


@pytest.mark.parametrize(
    ("downs", "target", "factor"),
    [
        pytest.param([], 0.995, None, id="all good"),
        pytest.param([(-600, -1)], 0.995, 14.4, id="ten minutes down just now"),
        pytest.param([(-200, -1)], 0.995, None, id="under five bad minutes is noise"),
        pytest.param([(-1700, -1000)], 0.995, 6.0, id="over, but within the half hour"),
        pytest.param([(-23 * HOUR, -21 * HOUR), (-6000, -5000)], 0.995, 3.0, id="a bad day: a ticket"),
        pytest.param([(-70 * HOUR, -68 * HOUR), (-5 * HOUR, -4.5 * HOUR)], 0.99, 1.0, id="three slow days: a ticket"),
    ],
)
def test_the_loudest_burn_rate_that_holds_is_found(
    downs: list[tuple[float, float]], target: float, factor: float | None
) -> None:
    parts: list[tuple[SpanKind, float]] = [(UP, -100 * HOUR)]
    for start, end in downs:
        parts += [(DOWN, start), (UP, end)]
    rule = burning(tiled(*parts), target, START)
    assert (rule and rule.factor) == factor
    assert rule is None or (rule.severity is Severity.PAGE) == (rule.factor > 5)


def test_without_a_known_second_nothing_burns() -> None:
    spans = tiled((DOWN, -8 * HOUR), (UNKNOWN, -7 * HOUR))
    assert burning(spans, 0.995, START) is None
