"""Ninety days as bars: worse is higher, and no number is rounded up."""

from datetime import UTC, datetime, timedelta

import pytest

from monitor.store.queries import DaySeconds
from monitor.web.uptime_bars import DAYS, WIDTH, Run, bars_of, coverage_words

NOW = datetime(2026, 11, 24, tzinfo=UTC)
FIRST = NOW.date() - timedelta(days=DAYS - 1)


def days(**seconds: float) -> list[DaySeconds]:
    return [DaySeconds(FIRST + timedelta(days=number), **seconds) for number in range(DAYS - 1)]


def test_a_whole_good_quarter_is_one_run() -> None:
    bars = bars_of([*days(up_seconds=86_400.0), DaySeconds(NOW.date(), up_seconds=1)], NOW)
    assert bars.runs == (Run("up", 0, WIDTH, 9),)
    assert (bars.availability, bars.coverage, bars.is_sufficient) == ("100.00 %", "all known", True)


def test_a_second_of_outage_is_seen_and_not_rounded_away() -> None:
    past = days(up_seconds=86_400.0)
    past[40] = DaySeconds(past[40].day, up_seconds=86_399.0, down_seconds=1.0)
    past[41] = DaySeconds(past[41].day, up_seconds=76_400.0, down_seconds=10_000.0)
    past[42] = DaySeconds(past[42].day, maintenance_seconds=86_400.0)
    bars = bars_of(past, NOW)
    assert [run.kind for run in bars.runs] == ["none", "up", "dent", "bad", "maintenance", "up"]
    assert bars.availability == "99.86 %"
    assert bars.label == "last 90 days: 99.86 % up, all known, 2 days with outages"


def test_what_was_never_watched_is_unknown_and_too_little_gives_no_number() -> None:
    bars = bars_of(days(up_seconds=86_400.0)[-60:], NOW)
    assert bars.runs[0].kind == "none"
    assert (bars.availability, bars.is_sufficient) == ("insufficient data", False)
    assert bars_of((), NOW).coverage == "0.0 % known"


@pytest.mark.parametrize(
    ("share", "words"), [(0.9999, "99.9 % known"), (0.95, "95.0 % known"), (1.0, "all known"), (0.00049, "0.0 % known")]
)
def test_coverage_is_cut(share: float, words: str) -> None:
    assert coverage_words(share) == words
