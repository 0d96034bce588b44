"""Counts how tasks end, by task and minute: from worker events that bear a task's id, and seldom its name."""

import re
import sys
from collections import Counter, OrderedDict, deque
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from checks.base import Tally

KEPT_MINUTES = 15
KEPT_COUNTS = 2000
"""So many different (minute, task, ending, exception) are counted apart; further ones of a minute are left out."""
KEPT_NAMES = 20_000
"""Ids whose task is remembered: as many as may be on their way at once."""
KEPT_TASKS = 300
KEPT_RUNTIMES = 100
"""Of each task."""

_ENDINGS = {"task-succeeded": "succeeded", "task-failed": "failed", "task-retried": "retried"}
_NOT_REGISTERED = re.compile(r"NotRegistered\('([\w.\-]{1,100})'\)")
_CLASS = re.compile(r"(?:[\w.]*\.)?([A-Za-z_]\w{0,79})")


@dataclass(slots=True)
class _Runs:
    """What is known of one task."""

    runtimes: deque[float]
    successes: int = 0
    """In a row, up to now."""


class Tallies:
    """The counts of one broker. Bounded; no argument, result or message of an exception is kept."""

    def __init__(self) -> None:
        self._names: OrderedDict[str, str] = OrderedDict()
        self._counts: Counter[tuple[datetime, str, str, str, str]] = Counter()
        self._runs: OrderedDict[tuple[str, str], _Runs] = OrderedDict()

    def note(self, at: datetime, event: Mapping[str, Any], prefix: str) -> str:
        """Count one event of a task; return the task's name, empty when it is not known."""
        task_id, kind = str(event.get("uuid") or ""), event["type"]
        name = str(event.get("name") or "")
        if name and task_id:
            self._names[task_id] = sys.intern(name)
            self._names.move_to_end(task_id)
            if len(self._names) > KEPT_NAMES:
                self._names.popitem(last=False)
        name = name or self._names.get(task_id, "")
        ending = "expired" if kind == "task-revoked" and event.get("expired") else _ENDINGS.get(kind, "")
        if ending:
            said = str(event.get("exception") or "")
            if not name and (unknown := _NOT_REGISTERED.match(said)):
                name = unknown[1]
            self._count(at, prefix, name, ending, said)
            self._note_run(prefix, name, ending, event.get("runtime"))
        return name

    def view(self, now: datetime) -> tuple[Tally, ...]:
        """Return the counts of the last minutes, oldest first."""
        self._forget(now)
        return tuple(Tally(*key, count) for key, count in sorted(self._counts.items()))

    @property
    def runtimes(self) -> dict[str, tuple[float, ...]]:
        """Return the last run times of each task in seconds, oldest first."""
        return {name: tuple(runs.runtimes) for (_, name), runs in self._runs.items() if runs.runtimes}

    @property
    def successes(self) -> dict[tuple[str, str], int]:
        """Return by (prefix, task) how many times in a row it has succeeded up to now."""
        return {key: runs.successes for key, runs in self._runs.items()}

    def _count(self, at: datetime, prefix: str, name: str, ending: str, said: str) -> None:
        minute_at = at.replace(second=0, microsecond=0)
        found = _CLASS.match(said) if ending != "succeeded" else None
        key = (minute_at, prefix, name, ending, found[1] if found else "")
        if key not in self._counts and len(self._counts) >= KEPT_COUNTS:
            self._forget(at)
        if key in self._counts or len(self._counts) < KEPT_COUNTS:
            self._counts[key] += 1

    def _note_run(self, prefix: str, name: str, ending: str, runtime: Any) -> None:
        if not name:
            return
        runs = self._runs.setdefault((prefix, name), _Runs(deque(maxlen=KEPT_RUNTIMES)))
        self._runs.move_to_end((prefix, name))
        if len(self._runs) > KEPT_TASKS:
            self._runs.popitem(last=False)
        runs.successes = runs.successes + 1 if ending == "succeeded" else 0
        if ending == "succeeded" and isinstance(runtime, int | float):
            runs.runtimes.append(float(runtime))

    def _forget(self, now: datetime) -> None:
        oldest_at = now - timedelta(minutes=KEPT_MINUTES)
        for key in [key for key in self._counts if key[0] < oldest_at]:
            del self._counts[key]
