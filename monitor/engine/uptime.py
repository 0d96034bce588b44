"""Uptime, honestly: four classes of seconds, availability with its coverage, burn rates."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from monitor.engine.plan import Severity
from monitor.engine.spans import Span, SpanKind
from monitor.engine.timers import after, since

MIN_COVERAGE = 0.95
"""Below this share of known seconds a number would be a guess."""
MIN_BAD_SECONDS = 300.0
"""A burn rate over less bad time than this is noise."""


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
        start, end = max(span.started_at, from_at), min(span.ended_at or to_at, to_at)
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


def burn_rate(uptime: Uptime, target: float) -> float | None:
    """Return how many times too fast the error budget burns (0 < target < 1); None without a known second."""
    return None if uptime.availability is None else (1.0 - uptime.availability) / (1.0 - target)


def burning(spans: Sequence[Span], target: float, now: datetime) -> BurnRule | None:
    """Return the loudest rule that holds for this objective (0 < target < 1, e.g. 0.995), or None.

    Counted over confirmed, backdated seconds: single looks are too coarse for it.
    """
    for rule in BURN_RULES:
        long = uptime_of(spans, after(now, -rule.long_seconds), now)
        short = uptime_of(spans, after(now, -rule.short_seconds), now)
        if long.down_seconds < MIN_BAD_SECONDS:
            continue
        rates = [rate for rate in (burn_rate(long, target), burn_rate(short, target)) if rate is not None]
        if len(rates) == 2 and min(rates) >= rule.factor:
            return rule
    return None
