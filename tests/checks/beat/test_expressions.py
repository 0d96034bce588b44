"""What `inspect conf` writes of a schedule, read again: by Celery's own rules, and never with an exception."""

from datetime import timedelta
from typing import Any

import pytest
from celery.schedules import crontab, schedule
from hypothesis import given
from hypothesis import strategies as st

from checks.beat.expressions import Crontab, Interval, Unreadable, expression_of

WEEKDAYS = frozenset(range(7))
MONTHS = frozenset(range(1, 13))
DAYS = frozenset(range(1, 32))


@pytest.mark.parametrize(
    ("rendered", "seconds"),
    [(5.0, 5.0), (60, 60.0), (str(timedelta(minutes=5)), 300.0), (str(timedelta(days=2, hours=1)), 176_400.0),
     (repr(schedule(timedelta(seconds=90))), 90.0)],
)  # fmt: skip
def test_an_interval_is_read_in_each_form_it_is_written(rendered: Any, seconds: float) -> None:
    assert expression_of(rendered) == Interval(seconds)


def test_a_crontab_is_what_celery_makes_of_it() -> None:
    assert expression_of(repr(crontab(minute="*/15", hour="8-9", day_of_week="mon-fri"))) == Crontab(
        frozenset({0, 15, 30, 45}), frozenset({8, 9}), DAYS, MONTHS, frozenset({1, 2, 3, 4, 5}), "*/15 8-9 * * mon-fri"
    )


def test_the_fields_are_read_by_their_labels() -> None:
    old = expression_of("<crontab: 0 9 mon 13 * (m/h/d/dM/MY)>")
    assert old == expression_of("<crontab: 0 9 13 * mon (m/h/dM/MY/d)>")
    assert isinstance(old, Crontab)
    assert (old.days, old.weekdays) == (frozenset({13}), frozenset({1}))


@pytest.mark.parametrize("minute", [{0, 30}, [0, 30], (0, 30), range(0, 60, 30), "0,30", "*/30"])
def test_a_set_a_list_and_a_range_stand_for_their_numbers(minute: Any) -> None:
    parsed = expression_of(repr(crontab(minute=minute)))
    assert isinstance(parsed, Crontab)
    assert parsed.minutes == {0, 30}


@pytest.mark.parametrize(
    ("rendered", "why"),
    [
        (
            "<solar: sunset at latitude 52.5, longitude: 13.4>",
            "a solar schedule, which follows the sun and is not computed here",
        ),
        ("<crontab: 0 9 * * 7 (m/h/dM/MY/d)>", "a crontab that Celery refuses, 0 9 * * 7 (Invalid end range: 7 > 6.)"),
        ("<crontab: 0 9 * * (m/h/dM/MY/d)>", "a crontab of unknown form, 0 9 * *"),
        ("<crontab: 0 9 * * * (m/h/dM/MY/x)>", "a crontab of unknown form, 0 9 * * *"),
        ("<rrule: password=abc>", "an expression of another kind, <rrule: password=***"),
        ("<freq: now>", "an expression of another kind, <freq: now>"),
        (0, "an interval of 0 s"),
        (None, "an expression of type NoneType"),
        (True, "an expression of type bool"),
        ({"every": 5}, "an expression of type dict"),
    ],
)
def test_what_is_not_understood_says_why(rendered: Any, why: str) -> None:
    assert expression_of(rendered) == Unreadable(why)
    assert str(expression_of(rendered)) == f"not checked: {why}"


@given(st.text() | st.from_regex(r"<crontab: [^\n]{0,30} \(m/h/dM/MY/d\)>", fullmatch=True))
def test_no_text_is_an_exception(rendered: str) -> None:
    assert isinstance(expression_of(rendered), Interval | Crontab | Unreadable)
