"""What somebody asked to be silenced, read from the words of a command. Pure."""

import re
from dataclasses import dataclass
from datetime import datetime, time, timedelta

from monitor.engine.model import Plan
from monitor.verbs import is_known

EVERYTHING = "vantage.loop"
"""Parent of every other check: its subtree is the whole stack."""

MOST = timedelta(days=7)
REASON_CHARACTERS = 200

_UNITS = {"m": "minutes", "min": "minutes", "h": "hours", "d": "days"}
_DURATION = re.compile(r"(?:\d{1,5}(?:min|[mhd]))+")
_PART = re.compile(r"(\d{1,5})(min|[mhd])")
_INCIDENT = re.compile(r"#?(?:inc-)?(\d{1,18})", re.IGNORECASE)
_CLOCK = re.compile(r"(\d{1,2}):(\d\d)")


class WishError(ValueError):
    """The words cannot be understood; the message says why, for the person."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What is to be silent, until when, and why."""

    selector: str
    ends_at: datetime | None
    """None: until the incident is resolved."""
    reason: str = ""


def incident_number(word: str) -> int | None:
    """Return the number of `42`, `#42`, `INC-42` or `#INC-42`; None for anything else."""
    found = _INCIDENT.fullmatch(word)
    return int(found[1]) if found is not None and word.isascii() else None


def read_wish(words: tuple[str, ...], plan: Plan, now: datetime) -> Wish:
    """Read `WHAT HOW-LONG [WHY]`. Raises WishError."""
    what, rest = words[0], words[1:]
    selector = _selector(what, plan)
    if not rest:
        raise WishError("How long? For example 30m, 2h, 1d, until 09:00, or until resolved.")
    if rest[0].casefold() == "until":
        if len(rest) == 1:
            raise WishError("Until when? For example until 09:00, or until resolved.")
        ends_at, reason = _until(rest[1], selector, plan, now), rest[2:]
    else:
        ends_at, reason = now + _duration(rest[0]), rest[1:]
    if ends_at is not None and ends_at > now + MOST:
        raise WishError("At most 7 days.")
    return Wish(selector, ends_at, " ".join(reason)[:REASON_CHARACTERS])


def _selector(word: str, plan: Plan) -> str:
    number = incident_number(word)
    if number is not None:
        return f"incident:{number}"
    if word.casefold() == "all" and EVERYTHING in plan.checks:
        return f"subtree:{EVERYTHING}"
    for selector in (word, f"check:{word}", f"service:{word}"):
        if is_known(plan, selector):
            return selector
    raise WishError(
        f"I know no {word[:80]!r}. It is the number of an incident, a check, a service, subtree:CHECK, or all."
    )


def _duration(word: str) -> timedelta:
    if not _DURATION.fullmatch(word.casefold()):
        raise WishError(f"I cannot read {word[:40]!r} as a time: write 30m, 2h, 1d, until 09:00, or until resolved.")
    spans = (timedelta(**{_UNITS[unit]: int(number)}) for number, unit in _PART.findall(word.casefold()))
    span = sum(spans, timedelta())
    if not span:
        raise WishError("It must last a while.")
    return span


def _until(word: str, selector: str, plan: Plan, now: datetime) -> datetime | None:
    if word.casefold() == "resolved":
        if not selector.startswith("incident:"):
            raise WishError("Only an incident can be silenced until it is resolved.")
        return None
    clock = _CLOCK.fullmatch(word)
    if clock is None or int(clock[1]) > 23 or int(clock[2]) > 59:
        raise WishError(f"I cannot read {word[:40]!r} as a time of day: write until 09:00.")
    return plan.morning.next_at(time(int(clock[1]), int(clock[2])), now)
