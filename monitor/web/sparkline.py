"""Draws a row of looks as the numbers of a small SVG: a line of durations, a mark for each look that was not ok."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from checks.result import Outcome
from monitor.store.queries import Look

WIDTH = 120.0
HEIGHT = 28.0
_PAD = 3.0
SLOTS = 40
"""How many looks fit: the newest is always at the right edge, so that nothing jumps while history fills."""


@dataclass(frozen=True, slots=True)
class Mark:
    """One look that was not ok."""

    x: float
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class Sparkline:
    """What the template draws. Every coordinate lies within WIDTH x HEIGHT."""

    line: str
    """Points of a polyline, empty with fewer than two looks."""
    area: str
    """The same, closed along the bottom."""
    marks: tuple[Mark, ...]
    last_x: float
    last_y: float
    label: str
    """The drawing in words, for those who do not see it."""


def sparkline_of(looks: Sequence[Look]) -> Sparkline | None:
    """Return the drawing of the last looks (oldest first), or None where there are none."""
    shown = looks[-SLOTS:]
    if not shown:
        return None
    step = (WIDTH - 2 * _PAD) / (SLOTS - 1)
    top = max(look.duration_seconds for look in shown)
    xs = [WIDTH - _PAD - step * (len(shown) - 1 - index) for index in range(len(shown))]
    ys = [_height_of(look.duration_seconds, top) for look in shown]
    line = " ".join(f"{x:.1f},{y:.1f}" for x, y in zip(xs, ys, strict=True)) if len(shown) > 1 else ""
    marks = tuple(
        Mark(round(x, 1), look.outcome) for x, look in zip(xs, shown, strict=True) if look.outcome is not Outcome.OK
    )
    return Sparkline(
        line=line,
        area=f"{xs[0]:.1f},{HEIGHT:g} {line} {xs[-1]:.1f},{HEIGHT:g}" if line else "",
        marks=marks,
        last_x=round(xs[-1], 1),
        last_y=round(ys[-1], 1),
        label=f"last {len(shown)} looks: {len(shown) - len(marks)} ok, longest {duration_words(top)}",
    )


def duration_words(seconds: float) -> str:
    """Return a length of time for people: `3 ms`, `1.2 s`, `4 min`, `2 h 05 min`, `3 d 4 h`."""
    if seconds < 0.001:
        return "<1 ms"
    if seconds < 0.9995:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 9.95:
        return f"{seconds:.1f} s"
    return age_words(seconds)


def age_words(seconds: float) -> str:
    """Return an age in whole units: `0 s`, `59 s`, `4 min`, `2 h 05 min`, `3 d 4 h`."""
    whole = max(0, int(seconds))
    if whole < 60:
        return f"{whole} s"
    minutes = whole // 60
    if minutes < 60:
        return f"{minutes} min"
    if minutes < 24 * 60:
        return f"{minutes // 60} h {minutes % 60:02d} min"
    return f"{minutes // 1440} d {minutes // 60 % 24} h"


def _height_of(seconds: float, top: float) -> float:
    share = seconds / top if top > 0 else 0.0
    return HEIGHT - _PAD - share * (HEIGHT - 2 * _PAD)
