from datetime import datetime, timedelta

import pytest

from monitor.engine.model import Severity
from monitor.engine.spans import Span, SpanKind
from monitor.engine.uptime import Uptime, burning, uptime_of
from tests.monitor.engine.story import START

UP, DOWN, MAINTENANCE, UNKNOWN = SpanKind.UP, SpanKind.DOWN, SpanKind.MAINTENANCE, SpanKind.UNKNOWN


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def tiled(*parts: tuple[SpanKind, float]) -> tuple[Span, ...]:
    """Spans that begin at these seconds, each up to the next."""
    ends = [at(start) for _, start in parts[1:]] + [None]
    return tuple(Span(at(start), end, kind) for (kind, start), end in zip(parts, ends, strict=True))


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
