"""Reads from a worker's configuration which schedule entry tells that beat lives."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from checks.celery_wire import CANARY_TASK

_CLOCK = re.compile(r"(?:(\d+) days?, )?(\d+):(\d\d):(\d\d)(?:\.(\d+))?")
_FREQUENCY = re.compile(r"<freq: ([\d.]+) (second|minute|hour|day)s?>")
_UNITS = {"second": 1.0, "minute": 60.0, "hour": 3600.0, "day": 86_400.0}


@dataclass(frozen=True, slots=True)
class Pulse:
    """What beat sends regularly, and how it is recognised. Arguments of tasks are never kept: they may hold secrets."""

    task: str
    period_seconds: float
    marker: str = ""
    """Found in the arguments of every beat; empty: every run of `task` counts, which is weaker evidence."""
    queue: str = ""
    """The queue of the entry's options; empty for the default."""
    expires_seconds: float | None = None
    """How long after sending its message expires; None when it is not known."""
    entry: str = ""
    """The name of the schedule entry."""


def pulse_of(conf: Mapping[str, Any], marker: str, period_seconds: float | None) -> Pulse | None:
    """Return the entry with `marker`, else the interval entry with the shortest period, else None.

    `conf` is an answer to the remote control command `conf`. A given `period_seconds` speaks for an entry with
    `marker` that need not be seen in the configuration (the schedule may live in the beat process or a database).
    """
    schedule = conf.get("beat_schedule") or conf.get("CELERYBEAT_SCHEDULE") or {}
    pulses = []
    for name, entry in sorted(schedule.items()):
        options = entry.get("options") or {}
        is_marked = marker in str(entry.get("args"))
        period = interval_seconds(entry.get("schedule"))
        if is_marked and period_seconds is not None:
            period = period_seconds
        if period:
            pulse = Pulse(
                str(entry.get("task")),
                period,
                marker if is_marked else "",
                str(options.get("queue") or ""),
                interval_seconds(options.get("expires")),
                str(name),
            )
            if is_marked:
                return pulse
            pulses.append(pulse)
    if period_seconds is not None:
        return Pulse(CANARY_TASK, period_seconds, marker)
    return min(pulses, key=lambda pulse: pulse.period_seconds, default=None)


def told_pulse(confs: Sequence[Mapping[str, Any]], marker: str, period_seconds: float | None) -> Pulse | None:
    """Return the best pulse that any of the answers tells: one with the marker before any other."""
    pulses = [pulse for conf in confs if (pulse := pulse_of(conf, marker, period_seconds)) is not None]
    return next((pulse for pulse in pulses if pulse.marker), pulses[0] if pulses else None)


def interval_seconds(schedule: Any) -> float | None:
    """Return the seconds of an interval as `inspect conf` writes it; None for a crontab or another kind.

    It writes numbers as they are, a timedelta as `0:05:00`, and a `schedule` as `<freq: 1.50 minutes>`.
    """
    if isinstance(schedule, bool):
        return None
    if isinstance(schedule, int | float):
        return float(schedule)
    if not isinstance(schedule, str):
        return None
    if match := _FREQUENCY.fullmatch(schedule):
        return float(match[1]) * _UNITS[match[2]]
    if match := _CLOCK.fullmatch(schedule):
        days, hours, minutes, seconds, fraction = (match[1] or 0, match[2], match[3], match[4], match[5] or 0)
        whole = int(days) * 86_400 + int(hours) * 3600 + int(minutes) * 60 + int(seconds)
        return whole + float(f"0.{fraction}")
    return None
