"""What is usual for a check: a running median and spread of the logarithm of good durations, in five numbers."""

import math

MIN_LOOKS = 200
"""Fewer good looks than this are no baseline."""
DRIFT_PER_LOOK = 0.004
"""The step of the running quantiles once settled, in units of the spread: a day of looks every 30 s turns them over."""
MIN_SPREAD = 0.05
MAX_CREEP_PER_DAY = 1.2
SECONDS_PER_DAY = 86_400.0

Baseline = tuple[float, ...]
"""Empty, or: looks, median of log seconds, median absolute deviation of it, the day's number, its opening median."""


def learn(baseline: Baseline, duration_seconds: float, at_seconds: float) -> Baseline:
    """Return the baseline with one more good look, `at_seconds` since the epoch.

    The median follows by small signed steps, so one outlier moves it no more than any other look. After the first
    200 looks it rises by at most 20 % a day: slow rot does not become usual.
    """
    value = math.log(max(duration_seconds, 1e-4))
    day = at_seconds // SECONDS_PER_DAY
    if not baseline:
        return (1.0, value, MIN_SPREAD, day, value)
    looks, median, spread, known_day, opening = baseline
    step = max((looks + 1.0) ** -0.66, DRIFT_PER_LOOK) * max(spread, MIN_SPREAD)
    if looks < MIN_LOOKS or day != known_day:
        known_day, opening = day, median
    distance = abs(value - median)
    median += math.copysign(step, value - median) if value != median else 0.0
    spread = max(0.0, spread + math.copysign(step, distance - spread))
    if looks >= MIN_LOOKS:
        median = min(median, opening + math.log(MAX_CREEP_PER_DAY))
    return (looks + 1.0, median, spread, known_day, opening)


def threshold_seconds(baseline: Baseline, floor_seconds: float) -> float | None:
    """Return above what a look is slow: max(floor, 2 median, exp(log median + 4 x 1.4826 MAD)); None while unknown."""
    if not baseline or baseline[0] < MIN_LOOKS:
        return None
    _, median, spread, _, _ = baseline
    return max(floor_seconds, 2.0 * math.exp(median), math.exp(median + 4.0 * 1.4826 * spread))


def is_slow(baseline: Baseline, duration_seconds: float, floor_seconds: float, ceiling_seconds: float | None) -> bool:
    """Return whether this look was slow: above the ceiling always, else against what is usual."""
    if ceiling_seconds is not None and duration_seconds > ceiling_seconds:
        return True
    if duration_seconds <= floor_seconds:
        return False
    threshold = threshold_seconds(baseline, floor_seconds)
    return threshold is not None and duration_seconds > threshold
