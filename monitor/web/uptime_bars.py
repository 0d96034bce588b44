"""Draws 90 days of one check as a row of bars, and says its availability: cut, with how much of the time is known."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import groupby
from typing import Literal

from monitor.engine.uptime import Uptime
from monitor.store.queries import DaySeconds

DAYS = 90
DAY_SECONDS = 86_400.0
BAD_DAY_SECONDS = 3600.0
"""A day with more down time is a bad one; with less, one with a dent."""

Kind = Literal["none", "up", "maintenance", "dent", "bad"]
HEIGHTS: dict[Kind, int] = {"none": 2, "maintenance": 6, "up": 9, "dent": 13, "bad": 16}
"""The worse the day the higher its bar: readable without colour."""
HEIGHT = 16
PITCH = 3
BAR = 2
WIDTH = DAYS * PITCH - (PITCH - BAR)


@dataclass(frozen=True, slots=True)
class Run:
    """Neighbouring days of one kind: a thick line, dashed into bars by the style sheet."""

    kind: Kind
    x: int
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class UptimeBars:
    """What the template draws and says."""

    runs: tuple[Run, ...]
    availability: str
    """`99.98 %`, or `insufficient data`."""
    coverage: str
    """`98.2 % known`."""
    is_sufficient: bool
    label: str
    """The drawing in words."""


def bars_of(days: Sequence[DaySeconds], now: datetime) -> UptimeBars:
    """Return the drawing of the last 90 days, today included; days before the first tile count as unknown."""
    seen = [_kind(day) for day in days[-DAYS:]]
    unseen: list[Kind] = ["none"] * (DAYS - len(seen))
    kinds = unseen + seen
    runs = []
    at = 0
    for kind, group in groupby(kinds):
        count = len(list(group))
        runs.append(Run(kind, at * PITCH, count * PITCH - (PITCH - BAR), HEIGHTS[kind]))
        at += count
    uptime = uptime_over(days, now)
    dented = sum(kind in ("dent", "bad") for kind in kinds)
    outages = f"{dented} {'day' if dented == 1 else 'days'} with outages"
    coverage = coverage_words(uptime.coverage)
    return UptimeBars(
        runs=tuple(runs),
        availability=uptime.text(),
        coverage=coverage,
        is_sufficient=uptime.is_sufficient,
        label=f"last {DAYS} days: {uptime.text()} up, {coverage}, {outages}",
    )


def uptime_over(days: Sequence[DaySeconds], now: datetime) -> Uptime:
    """Return the seconds of 90 days by class; what no day accounts for is unknown."""
    of_today = now.astimezone(UTC)
    today_seconds = of_today.hour * 3600 + of_today.minute * 60 + of_today.second
    total = (DAYS - 1) * DAY_SECONDS + today_seconds
    up, down, maintenance = (
        math.fsum(getattr(day, name) for day in days[-DAYS:])
        for name in ("up_seconds", "down_seconds", "maintenance_seconds")
    )
    return Uptime(up, down, maintenance, max(0.0, total - up - down - maintenance))


def coverage_words(coverage: float) -> str:
    """Return the known share, cut and never rounded up."""
    percent = math.floor(min(coverage, 1.0) * 1000 + 1e-9) / 10
    return "all known" if percent >= 100 else f"{percent:.1f} % known"


def _kind(day: DaySeconds) -> Kind:
    if day.down_seconds > 0:
        return "bad" if day.down_seconds >= BAD_DAY_SECONDS else "dent"
    if day.up_seconds > 0:
        return "up"
    return "maintenance" if day.maintenance_seconds > 0 else "none"
