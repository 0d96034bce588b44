"""How each entry of the schedule stands: its due times against what workers took. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from heapq import merge
from itertools import islice

from checks.beat.dues import Due, dues_before, next_due
from checks.beat.expressions import Crontab, Interval, Unreadable
from checks.beat.ledger import KEPT_FIRINGS, Firing, Key, Memory
from checks.beat.table import Entry, Table
from checks.wording import duration

EARLY = timedelta(seconds=2)
"""The clocks of beat's machine and ours may differ by so much."""

RARE = timedelta(hours=20)
"""An entry that is due less often than this is missed when it was missed once: the next chance is a day away."""


class State(StrEnum):
    """What is known of one entry, worst first."""

    UNSERVED = "sent, and no worker serves its queue"
    MISSED = "missed"
    MISSED_ONCE = "missed once"
    BROKE = "ran, and failed"
    EXPIRED = "taken too late to run"
    LATE = "late"
    WAITING = "sent, waits for a worker"
    UNCHECKED = "not checked"
    NOT_YET = "not seen yet"
    ON_TIME = "on time"


@dataclass(frozen=True, slots=True)
class Waiting:
    """What lies in the queues."""

    messages: Mapping[Key, int]
    """By task and marker: how many wait."""
    deep_queues: frozenset[str] = frozenset()
    """Queues longer than what was looked through."""


@dataclass(frozen=True, slots=True)
class Watched:
    """Everything that a look knows of the schedule and of what came of it."""

    table: Table
    memory: Memory
    waiting: Waiting
    served_queues: frozenset[str] | None
    """None where not every worker has told."""


@dataclass(frozen=True, slots=True)
class Standing:
    """One entry, judged."""

    entry: Entry
    state: State
    why: str = ""
    due_at: datetime | None = None
    """The due time that the state is about."""
    seen_at: datetime | None = None
    """When a worker last took it."""
    next_at: datetime | None = None


def standings(seen: Watched, now: datetime, grace: timedelta) -> tuple[Standing, ...]:
    """Return how every entry stands, worst first."""
    groups: dict[Key, list[Entry]] = {}
    found: list[Standing] = []
    for entry in seen.table.entries:
        if isinstance(entry.expression, Unreadable):
            found.append(Standing(entry, State.UNCHECKED, entry.expression.why))
        else:
            groups.setdefault(entry.key, []).append(entry)
    for entries in groups.values():
        found += _group(entries, seen, now, grace)
    order = list(State)
    return tuple(sorted(found, key=lambda one: (order.index(one.state), one.entry.name)))


def _group(entries: Sequence[Entry], seen: Watched, now: datetime, grace: timedelta) -> Iterator[Standing]:
    """Judge the entries that run one task: an event says the task, and not the entry."""
    intervals = sorted((one for one in entries if isinstance(one.expression, Interval)), key=_period)
    crontabs = [one for one in entries if isinstance(one.expression, Crontab)]
    for entry in intervals[:1]:
        yield _interval(entry, seen, now, grace)
    for entry in [*intervals[1:], *(crontabs if intervals else ())]:
        yield Standing(
            entry,
            State.UNCHECKED,
            f"runs the same task as {intervals[0].name}, and events do not name the entry",
            next_at=_next_due(entry, seen.table, now),
        )
    if crontabs and not intervals:
        yield from _crontabs(crontabs, seen, now, grace)


def _interval(entry: Entry, seen: Watched, now: datetime, grace: timedelta) -> Standing:
    """An interval is counted from beat's own start: one run in two periods is what can be asked for."""
    period = _period(entry)
    firings = seen.memory.firings.get(entry.key, ())
    last = firings[-1] if firings else None
    seen_at = last.at if last else None
    span = seen.memory.spans[-1] if seen.memory.spans else None
    if span is None:
        return Standing(entry, State.NOT_YET, "no worker was seen to take part", seen_at=seen_at)
    since = max(span.since, seen_at) if seen_at else span.since
    if span.until - since > 2 * period + grace:
        why = f"silent for {_spoken(span.until - since)}, due every {_spoken(period)}"
        if _waits(entry, seen):
            return Standing(entry, _waiting_state(entry, seen), why, seen_at=seen_at)
        if entry.queue in seen.waiting.deep_queues:
            return Standing(
                entry, State.WAITING, f"queue {entry.queue} holds more than can be looked through", seen_at=seen_at
            )
        if seen.memory.last_taken_at is None or seen.memory.last_taken_at <= since + period:
            return Standing(entry, State.NOT_YET, "workers take no task at all", seen_at=seen_at)
        if seen_at is None:
            why = f"never fired in {_spoken(span.until - since)}, due every {_spoken(period)}"
        return Standing(entry, State.MISSED, why, seen_at=seen_at)
    if last is None:
        return Standing(entry, State.NOT_YET, f"watched for {_spoken(span.until - since)}")
    return Standing(entry, _how_it_ended(last) or State.ON_TIME, seen_at=seen_at)


def _crontabs(entries: Sequence[Entry], seen: Watched, now: datetime, grace: timedelta) -> Iterator[Standing]:
    """Give each due time, newest first, the first firing after it that no newer due time has taken."""
    zone = seen.table.zone
    if zone is None:
        for entry in entries:
            yield Standing(entry, State.UNCHECKED, f"the time zone {seen.table.zone_name or 'of beat'} is not known")
        return
    memory, key = seen.memory, entries[0].key
    firings = memory.firings.get(key, ())
    since = min((span.since for span in memory.spans), default=now)
    together = islice(merge(*(_dated(one, seen.table, now, since) for one in entries), key=_newest_first), KEPT_FIRINGS)
    waiting = _waits(entries[0], seen)
    unused = list(firings)
    judged: dict[str, list[_Judged]] = {entry.name: [] for entry in entries}
    for due, entry in together:
        firing = next((one for one in unused if one.at >= due.at - EARLY), None)
        if firing is not None:
            unused.remove(firing)
            judged[entry.name].append(_Judged(due, firing))
        elif now >= due.at + grace and waiting:
            waiting -= 1
            judged[entry.name].append(_Judged(due, is_waiting=True))
        elif _would_have_been_seen(due, entry, seen, now, grace):
            judged[entry.name].append(_Judged(due))
    for entry in entries:
        others = [one.name for one in entries if one is not entry]
        yield _crontab(entry, judged[entry.name], firings, others, seen, now, grace)


@dataclass(frozen=True, slots=True)
class _Judged:
    """A due time and what came of it: a firing, a message that waits, or nothing."""

    due: Due
    firing: Firing | None = None
    is_waiting: bool = False

    @property
    def is_missed(self) -> bool:
        return self.firing is None and not self.is_waiting


def _crontab(
    entry: Entry,
    judged: Sequence[_Judged],
    firings: Sequence[Firing],
    others: Sequence[str],
    seen: Watched,
    now: datetime,
    grace: timedelta,
) -> Standing:
    next_at = _next_due(entry, seen.table, now)
    shared = f"counted together with {', '.join(others)}: the same task" if others else ""
    seen_at = next((one.firing.at for one in judged if one.firing), None)
    if seen_at is None and firings and not others:
        seen_at = firings[-1].at
    if not judged:
        why = "never due in twelve years" if next_at is None else shared
        return Standing(entry, State.NOT_YET, why, seen_at=seen_at, next_at=next_at)
    newest = judged[0]
    due_at = newest.due.at
    if newest.is_waiting:
        return Standing(entry, _waiting_state(entry, seen), shared, due_at, seen_at, next_at)
    if newest.firing is not None:
        lateness = newest.firing.at - due_at
        state = _how_it_ended(newest.firing) or (State.LATE if lateness > grace else State.ON_TIME)
        why = f"{_spoken(lateness)} late" if state is State.LATE else shared
        return Standing(entry, state, why, due_at, seen_at, next_at)
    is_rare = next_at is None or next_at - due_at >= RARE
    if is_rare or (len(judged) > 1 and judged[1].is_missed):
        why = "never seen since the watch began" if seen_at is None else shared
        return Standing(entry, State.MISSED, why, due_at, seen_at, next_at)
    return Standing(entry, State.MISSED_ONCE, shared, due_at, seen_at, next_at)


def _would_have_been_seen(due: Due, entry: Entry, seen: Watched, now: datetime, grace: timedelta) -> bool:
    """Return whether silence after `due` means that beat did not send: never so while workers take nothing."""
    memory = seen.memory
    return (
        not due.is_unsure
        and now >= due.at + grace
        and entry.queue not in seen.waiting.deep_queues
        and due.at >= memory.complete_since.get(entry.key, due.at)
        and memory.last_taken_at is not None
        and memory.last_taken_at > due.at
        and any(span.since + EARLY <= due.at and due.at + grace <= span.until for span in memory.spans)
    )


def _dated(entry: Entry, table: Table, now: datetime, since: datetime) -> Iterator[tuple[Due, Entry]]:
    assert isinstance(entry.expression, Crontab)
    assert table.zone is not None
    return ((due, entry) for due in dues_before(entry.expression, table.zone, now, since))


def _newest_first(dated: tuple[Due, Entry]) -> float:
    return -dated[0].at.timestamp()


def _next_due(entry: Entry, table: Table, now: datetime) -> datetime | None:
    if isinstance(entry.expression, Crontab) and table.zone is not None:
        return next_due(entry.expression, table.zone, now)
    return None


def _waits(entry: Entry, seen: Watched) -> int:
    return seen.waiting.messages.get(entry.key, 0)


def _waiting_state(entry: Entry, seen: Watched) -> State:
    is_served = seen.served_queues is None or not entry.queue or entry.queue in seen.served_queues
    return State.WAITING if is_served else State.UNSERVED


def _how_it_ended(firing: Firing) -> State | None:
    if firing.has_failed:
        return State.BROKE
    return State.EXPIRED if firing.was_revoked else None


def _period(entry: Entry) -> timedelta:
    assert isinstance(entry.expression, Interval)
    return timedelta(seconds=entry.expression.seconds)


def _spoken(span: timedelta) -> str:
    return duration(span.total_seconds())
