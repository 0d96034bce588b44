"""When a crontab is due: instants in UTC, computed in the app's time zone, with the hour of a clock change marked."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo

from checks.beat.expressions import Crontab

FAR_DAYS = 12 * 366
"""So far the next due time is looked for: a Friday that is 31 December comes after eleven years at the latest."""

_HOUR = timedelta(hours=1)
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Due:
    """One instant at which a crontab is due."""

    at: datetime
    """Aware, UTC."""
    is_unsure: bool = False
    """The clocks change within an hour of it.

    In autumn beat is silent through the repeated hour, in spring it fires late: measured on Celery 5.4 and 5.7.
    """


def dues_before(crontab: Crontab, zone: tzinfo, now: datetime, since: datetime) -> Iterator[Due]:
    """Yield the due times in [since, now], newest first."""
    day = now.astimezone(zone).date()
    last = since.astimezone(zone).date() - _DAY
    while day >= last:
        dues = [due for due in _of_day(crontab, zone, day) if since <= due.at <= now]
        yield from sorted(dues, key=lambda due: due.at, reverse=True)
        day -= _DAY


def dues_after(crontab: Crontab, zone: tzinfo, now: datetime) -> Iterator[Due]:
    """Yield the due times after `now`, soonest first, for twelve years."""
    first = now.astimezone(zone).date()
    for offset in range(FAR_DAYS):
        yield from (due for due in _of_day(crontab, zone, first + offset * _DAY) if due.at > now)


def next_due(crontab: Crontab, zone: tzinfo, now: datetime) -> datetime | None:
    """Return the next due time after `now`; None when there is none in twelve years."""
    return next((due.at for due in dues_after(crontab, zone, now)), None)


def clock_changes_between(zone: tzinfo, since: datetime, until: datetime) -> Iterator[datetime]:
    """Yield the instants at which the zone's offset changes, to the minute. Both ends are aware; in UTC."""
    at = since.astimezone(UTC)
    while at < until:
        end = min(at + _DAY, until.astimezone(UTC))
        if _offset(zone, at) != _offset(zone, end):
            low, high = at, end
            while high - low > timedelta(minutes=1):
                middle = low + (high - low) / 2
                low, high = (middle, high) if _offset(zone, middle) == _offset(zone, at) else (low, middle)
            yield high.replace(second=0, microsecond=0)
        at = end


def _of_day(crontab: Crontab, zone: tzinfo, day: date) -> Iterator[Due]:
    if day.day not in crontab.days or day.month not in crontab.months or day.isoweekday() % 7 not in crontab.weekdays:
        return
    for hour in sorted(crontab.hours):
        for minute in sorted(crontab.minutes):
            at = datetime.combine(day, time(hour, minute), zone).astimezone(UTC)
            yield Due(at, _offset(zone, at - _HOUR) != _offset(zone, at + _HOUR))


def _offset(zone: tzinfo, at: datetime) -> timedelta | None:
    return at.astimezone(zone).utcoffset()
