"""Instants and durations: small arithmetic that survives a clock that was set back."""

from datetime import datetime, timedelta


def after(at: datetime, seconds: float) -> datetime:
    """Return the instant `seconds` later."""
    return at + timedelta(seconds=seconds)


def since(at: datetime, now: datetime) -> float:
    """Return the seconds from `at` to `now`; negative when `at` lies ahead."""
    return (now - at).total_seconds()


def is_due(at: datetime, now: datetime, longest_seconds: float) -> bool:
    """Return whether a timer is due.

    A timer further away than it can ever have been set (`longest_seconds`) is due too: the clock was set back, and
    nothing may wait for ever.
    """
    return at <= now or since(now, at) > longest_seconds


def spans(began_at: datetime, at: datetime, seconds: float) -> bool:
    """Return whether `began_at` lies so long before `at`; or after it: the clock was set back, and is no guide."""
    return not 0 <= since(began_at, at) < seconds
