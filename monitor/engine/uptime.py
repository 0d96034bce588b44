"""Uptime, honestly: spans that tile time, four classes of seconds, availability with its coverage, burn rates."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from monitor.engine.check_state import is_downish, status_of
from monitor.engine.plan import Severity
from monitor.engine.state import CheckState
from monitor.engine.timers import after, since

MIN_COVERAGE = 0.95
"""Below this share of known seconds a number would be a guess."""
MIN_BAD_SECONDS = 300.0
"""A burn rate over less bad time than this is noise."""


class SpanKind(StrEnum):
    """How a second counts."""

    UP = "up"
    DOWN = "down"
    MAINTENANCE = "maintenance"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Span:
    """One check's time in one class, from `from_at` up to `to_at`; the newest has no end yet."""

    check_id: str
    kind: SpanKind
    from_at: datetime
    to_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Mark:
    """From `from_at` on the check's time counts as `kind`; seen at `seen_at`, which is later when it is backdated."""

    kind: SpanKind
    from_at: datetime
    seen_at: datetime


def kind_of(check: CheckState, *, is_maintenance: bool) -> SpanKind:
    """Return how this check's seconds count now. A suspect and a degraded check still work."""
    if is_maintenance:
        return SpanKind.MAINTENANCE
    shown = status_of(check)
    if shown == "down":
        return SpanKind.DOWN
    return SpanKind.UP if shown in ("up", "degraded") else SpanKind.UNKNOWN


def mark_of(
    before: CheckState | None, check: CheckState, now: datetime, *, was_maintenance: bool, is_maintenance: bool
) -> Mark | None:
    """Return what a change of the check means for its spans; None when nothing changes.

    An outage begins with the first failed look and ends with the first good one, not when they were confirmed.
    """
    kind = kind_of(check, is_maintenance=is_maintenance)
    if before is not None and kind is kind_of(before, is_maintenance=was_maintenance):
        return None
    if was_maintenance or is_maintenance or before is None:
        return Mark(kind, now, now)
    seen_at = check.last_started_at or now
    if kind is SpanKind.DOWN:
        return Mark(kind, check.down_since or seen_at, seen_at)
    if kind is SpanKind.UNKNOWN:
        return Mark(kind, check.unknown_since or seen_at, now)
    return Mark(kind, (check.up_since or seen_at) if is_downish(before) else seen_at, seen_at)


def apply_mark(spans: Sequence[Span], check_id: str, mark: Mark) -> tuple[Span, ...]:
    """Return the spans of one check, oldest first, with the mark applied: still without gap or overlap.

    A backdated outage takes over seconds that counted as up, never those of a maintenance or of not knowing.
    """
    kept: list[Span] = []
    for span in spans:
        if span.to_at is not None and span.to_at <= mark.from_at:
            kept.append(span)
            continue
        if span.from_at < mark.from_at:
            kept.append(replace(span, to_at=mark.from_at))
        is_kept = mark.kind is SpanKind.DOWN and span.kind in (SpanKind.MAINTENANCE, SpanKind.UNKNOWN)
        from_at = max(span.from_at, mark.from_at)
        to_at = mark.seen_at if span.to_at is None else min(span.to_at, mark.seen_at)
        if from_at < to_at:
            kept.append(Span(check_id, span.kind if is_kept else mark.kind, from_at, to_at))
    if not kept:
        return (Span(check_id, mark.kind, mark.from_at),)
    kept.append(Span(check_id, mark.kind, kept[-1].to_at or mark.seen_at))
    merged: list[Span] = []
    for span in kept:
        if merged and merged[-1].kind is span.kind:
            merged[-1] = replace(merged[-1], to_at=span.to_at)
        else:
            merged.append(span)
    return tuple(merged)


@dataclass(frozen=True, slots=True)
class Uptime:
    """Seconds of a period by class. What no span covers counts as unknown."""

    up_seconds: float = 0.0
    down_seconds: float = 0.0
    maintenance_seconds: float = 0.0
    unknown_seconds: float = 0.0

    @property
    def availability(self) -> float | None:
        """Return up / (up + down), or None when neither was seen."""
        known = self.up_seconds + self.down_seconds
        return self.up_seconds / known if known > 0 else None

    @property
    def coverage(self) -> float:
        """Return the share of the period that is known."""
        total = self.up_seconds + self.down_seconds + self.maintenance_seconds + self.unknown_seconds
        return (total - self.unknown_seconds) / total if total > 0 else 0.0

    @property
    def is_sufficient(self) -> bool:
        return self.availability is not None and self.coverage >= MIN_COVERAGE

    def text(self, decimals: int = 2) -> str:
        """Return `99.98 %`, cut and never rounded up, or `insufficient data`."""
        if self.availability is None or not self.is_sufficient:
            return "insufficient data"
        scale = 10**decimals
        cut = math.floor(self.availability * 100 * scale + 1e-9) / scale
        if self.down_seconds > 0:
            cut = min(cut, 100 - 1 / scale)
        return f"{cut:.{decimals}f} %"


def uptime_of(spans: Iterable[Span], from_at: datetime, to_at: datetime) -> Uptime:
    """Return the seconds of each class between two instants; an open span lasts until `to_at`."""
    seconds = dict.fromkeys(SpanKind, 0.0)
    for span in spans:
        start, end = max(span.from_at, from_at), min(span.to_at or to_at, to_at)
        if start < end:
            seconds[span.kind] += since(start, end)
    unseen = max(0.0, since(from_at, to_at) - sum(seconds.values()))
    return Uptime(
        seconds[SpanKind.UP],
        seconds[SpanKind.DOWN],
        seconds[SpanKind.MAINTENANCE],
        seconds[SpanKind.UNKNOWN] + unseen,
    )


@dataclass(frozen=True, slots=True)
class BurnRule:
    """The error budget burns `factor` times too fast over both windows."""

    factor: float
    long_seconds: float
    short_seconds: float
    severity: Severity


BURN_RULES = (
    BurnRule(14.4, 3_600.0, 300.0, Severity.PAGE),
    BurnRule(6.0, 6 * 3_600.0, 1_800.0, Severity.PAGE),
    BurnRule(3.0, 24 * 3_600.0, 2 * 3_600.0, Severity.WARNING),
    BurnRule(1.0, 72 * 3_600.0, 6 * 3_600.0, Severity.WARNING),
)
"""Google's SRE workbook, chapter "Alerting on SLOs", table 5-8."""


def burning(spans: Sequence[Span], target: float, now: datetime) -> BurnRule | None:
    """Return the loudest rule that holds for this objective (0 < target < 1, e.g. 0.995), or None.

    Counted over confirmed, backdated seconds: single looks are too coarse for it.
    """
    for rule in BURN_RULES:
        long = uptime_of(spans, after(now, -rule.long_seconds), now)
        short = uptime_of(spans, after(now, -rule.short_seconds), now)
        if long.down_seconds < MIN_BAD_SECONDS:
            continue
        rates = [
            (1 - (one.availability or 0.0)) / (1 - target) for one in (long, short) if one.availability is not None
        ]
        if len(rates) == 2 and min(rates) >= rule.factor:
            return rule
    return None
