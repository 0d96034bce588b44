"""Reads the expression of a schedule entry as `inspect conf` writes it: interval, crontab, or why it is neither."""

import re
from dataclasses import dataclass
from typing import Any

from checks.beat.entries import interval_seconds
from checks.wording import shortened

_CRONTAB = re.compile(r"<crontab: (.+) \(([a-zA-Z/]+)\)>")
_FIELD = re.compile(r"(?:range|frozenset|set)?\([^)]*\)|\{[^}]*\}|\[[^\]]*\]|\S+")
_NUMBERS = re.compile(r"[{(\[ 0-9,})\]]+")
_LABELS = {"m": "minute", "h": "hour", "d": "day_of_week", "dM": "day_of_month", "MY": "month_of_year"}
_SHOWN = ("minute", "hour", "day_of_month", "month_of_year", "day_of_week")


@dataclass(frozen=True, slots=True)
class Interval:
    """Due so often, counted from beat's own start: nobody else knows the exact instant."""

    seconds: float

    def __str__(self) -> str:
        return f"every {self.seconds:g} s"


@dataclass(frozen=True, slots=True)
class Crontab:
    """Due in each minute that all five sets hold: Celery takes day of month AND day of week, unlike cron."""

    minutes: frozenset[int]
    hours: frozenset[int]
    days: frozenset[int]
    """Days of the month, from 1."""
    months: frozenset[int]
    weekdays: frozenset[int]
    """0 is Sunday."""
    text: str
    """Its five fields as cron orders them: minute, hour, day of month, month, day of week."""

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True, slots=True)
class Unreadable:
    """An expression that is not checked, and why."""

    why: str

    def __str__(self) -> str:
        return f"not checked: {self.why}"


Expression = Interval | Crontab | Unreadable


def expression_of(rendered: Any) -> Expression:
    """Return what `rendered` means; an `Unreadable` for whatever cannot be read, never an exception."""
    period = interval_seconds(rendered)
    if period is not None:
        return Interval(period) if period > 0 else Unreadable(f"an interval of {period:g} s")
    if not isinstance(rendered, str):
        return Unreadable(f"an expression of type {type(rendered).__name__}")
    if match := _CRONTAB.fullmatch(rendered):
        return _crontab(match[1], match[2])
    if rendered.startswith("<solar:"):
        return Unreadable("a solar schedule, which follows the sun and is not computed here")
    return Unreadable(f"an expression of another kind, {shortened(rendered, 60)}")


def _crontab(fields: str, labels: str) -> Expression:
    """Celery before 5.4 orders the fields otherwise, so they are read by their labels, e.g. `m/h/dM/MY/d`."""
    from celery.schedules import ParseException, crontab  # late: 100 ms that only a look at a schedule needs

    names = [_LABELS.get(label, "") for label in labels.split("/")]
    values = _FIELD.findall(fields)
    shown = shortened(fields, 60)
    if sorted(names) != sorted(_SHOWN) or len(values) != len(names):
        return Unreadable(f"a crontab of unknown form, {shown}")
    given = dict(zip(names, values, strict=True))
    try:
        parsed: Any = crontab(**{name: _cronspec(value) for name, value in given.items()})  # type: ignore[arg-type]
    except (ParseException, ValueError, TypeError) as error:
        return Unreadable(f"a crontab that Celery refuses, {shown} ({shortened(str(error), 80)})")
    return Crontab(
        frozenset(parsed.minute),
        frozenset(parsed.hour),
        frozenset(parsed.day_of_month),
        frozenset(parsed.month_of_year),
        frozenset(parsed.day_of_week),
        " ".join(given[name] for name in _SHOWN),
    )


def _cronspec(value: str) -> str | set[int]:
    """Return a field as it was given: text, or the set that a list, a set or a range of numbers stands for."""
    numbers = [int(number) for number in re.findall(r"\d+", value)]
    if value.startswith("range("):
        return set(range(*numbers))
    return set(numbers) if _NUMBERS.fullmatch(value) and value[0] in "{[(" else value
