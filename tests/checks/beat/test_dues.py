"""Due times against Celery's own scheduler and through both clock changes."""

from datetime import UTC, datetime, timedelta
from itertools import islice
from zoneinfo import ZoneInfo

import pytest
from celery import Celery
from celery.schedules import crontab
from hypothesis import given, settings
from hypothesis import strategies as st

from checks.beat.dues import Due, clock_changes_between, dues_after, dues_before, next_due
from checks.beat.expressions import Crontab, expression_of

BERLIN = ZoneInfo("Europe/Berlin")


def cron(fields: str) -> Crontab:
    read = expression_of(f"<crontab: {fields} (m/h/dM/MY/d)>")
    assert isinstance(read, Crontab)
    return read


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("fields", "zone", "now", "expected"),
    [
        ("* * * * *", "UTC", "2026-11-23 12:00:30", ["2026-11-23 12:01", "2026-11-23 12:02"]),
        ("0 9 * * mon-fri", "Europe/Moscow", "2026-11-27 12:00", ["2026-11-30 06:00", "2026-12-01 06:00"]),
        ("0 9 * * mon-fri", "Europe/Berlin", "2026-11-27 12:00", ["2026-11-30 08:00", "2026-12-01 08:00"]),
        ("30 23 * * *", "America/Los_Angeles", "2026-11-23 00:00", ["2026-11-23 07:30", "2026-11-24 07:30"]),
        ("0 0 1 * *", "Asia/Kathmandu", "2026-11-23 00:00", ["2026-11-30 18:15", "2026-12-31 18:15"]),
        # Day of month AND day of week: only a Friday that is the 13th.
        ("0 0 13 * fri", "UTC", "2026-11-23 00:00", ["2027-08-13 00:00", "2028-10-13 00:00"]),
        ("0 0 29 2 *", "UTC", "2026-11-23 00:00", ["2028-02-29 00:00", "2032-02-29 00:00"]),
        ("0 0 29 2 mon", "UTC", "2026-11-23 00:00", []),
        # Sunday is 0.
        ("0 0 * * 0", "UTC", "2026-11-23 00:00", ["2026-11-29 00:00", "2026-12-06 00:00"]),
    ],
)
def test_due_times_in_the_zone_of_the_app(fields: str, zone: str, now: str, expected: list[str]) -> None:
    found = [due.at for due in islice(dues_after(cron(fields), ZoneInfo(zone), utc(now)), 2)]
    assert found == [utc(at) for at in expected]
    assert next_due(cron(fields), ZoneInfo(zone), utc(now)) == (found[0] if found else None)


@pytest.mark.parametrize(
    ("fields", "since", "until", "expected"),
    [
        # Spring: 02:00 CET becomes 03:00 CEST at 01:00 UTC.
        ("30 2 * * *", "2027-03-27 12:00", "2027-03-29 12:00", [("03-29 00:30", False), ("03-28 01:30", True)]),
        ("30 * * * *", "2027-03-27 23:00", "2027-03-28 02:31",
         [("03-28 02:30", False), ("03-28 01:30", True), ("03-28 01:30", True), ("03-28 00:30", True),
          ("03-27 23:30", False)]),
        # Autumn: 03:00 CEST becomes 02:00 CET at 01:00 UTC; beat runs the repeated hour once.
        ("30 2 * * *", "2026-10-24 12:00", "2026-10-26 12:00", [("10-26 01:30", False), ("10-25 00:30", True)]),
        ("0 * * * *", "2026-10-24 22:30", "2026-10-25 03:30",
         [("10-25 03:00", False), ("10-25 02:00", False), ("10-25 00:00", True), ("10-24 23:00", False)]),
    ],
)  # fmt: skip
def test_the_hour_of_a_clock_change_is_unsure(
    fields: str, since: str, until: str, expected: list[tuple[str, bool]]
) -> None:
    found = list(dues_before(cron(fields), BERLIN, utc(until), utc(since)))
    assert found == [Due(utc(f"{since[:4]}-{at}"), is_unsure) for at, is_unsure in expected]


def test_due_times_before_are_those_after_in_reverse() -> None:
    every = cron("*/20 6-7 * * *")
    since, now = utc("2026-11-20 00:00"), utc("2026-11-23 06:30")
    after = [due for due in islice(dues_after(every, BERLIN, since), 100) if due.at <= now]
    assert list(dues_before(every, BERLIN, now, since)) == after[::-1]
    assert len(after) == 3 * 6 + 5


def test_the_instants_of_both_clock_changes() -> None:
    changes = list(clock_changes_between(BERLIN, utc("2026-09-01 12:34:56"), utc("2027-09-01 00:00")))
    assert changes == [utc("2026-10-25 01:00"), utc("2027-03-28 01:00")]
    assert list(clock_changes_between(ZoneInfo("Europe/Moscow"), utc("2026-09-01"), utc("2027-09-01"))) == []


FIELDS = st.tuples(
    st.sampled_from(["*", "*/7", "0", "5,50", "10-20"]),
    st.sampled_from(["*", "*/5", "9", "0,23", "20-22"]),
    st.sampled_from(["*", "13", "1-7", "31", "*/10"]),
    st.sampled_from(["*", "2,12", "*/6"]),
    st.sampled_from(["*", "fri", "mon-fri", "0", "sat,sun"]),
)


@settings(max_examples=60, deadline=None)
@given(
    FIELDS,
    st.sampled_from(["UTC", "Asia/Kolkata", "Europe/Moscow", "America/Sao_Paulo"]),
    st.integers(0, 2 * 365 * 24 * 60),
)
def test_the_next_due_time_is_celerys_own(fields: tuple[str, ...], zone: str, minutes: int) -> None:
    """Zones without clock changes in these years: through one, Celery itself is not exact."""
    now = utc("2026-01-01 00:00:30") + timedelta(minutes=minutes)
    app = Celery(set_as_current=False)
    app.conf.update(timezone=zone)
    names = ("minute", "hour", "day_of_month", "month_of_year", "day_of_week")
    celerys = crontab(**dict(zip(names, fields, strict=True)), app=app, nowfun=lambda: now)
    expected = now + celerys.remaining_estimate(now)
    assert next_due(cron(" ".join(fields)), ZoneInfo(zone), now) == expected
