"""Keeps what was heard of each scheduled task, and when it could be heard: the feed itself keeps only the newest."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from checks.base import FeedView, Heard
from checks.beat.table import Entry

Key = tuple[str, str]

KEPT_FIRINGS = 50
"""So many of the last firings of each task are kept."""

KEPT_SPANS = 50
FEED_KEEPS = 5
"""When so many are new at once, the feed may have dropped older ones."""

WORKER_HEARTBEAT_SECONDS = 15.0
"""A worker whose heartbeat event is younger takes part: it is sent every 2 s."""

EVENTS_ON_SECONDS = 5.0
"""So long after a worker's start its task events may still be switched off."""


@dataclass(frozen=True, slots=True)
class Firing:
    """One message of a scheduled task that a worker took."""

    at: datetime
    uuid: str
    has_failed: bool = False
    was_revoked: bool = False
    """Too old when the worker took it (`expires`), or revoked by hand: it did not run."""


@dataclass(frozen=True, slots=True)
class Span:
    """A time in which every firing would have been heard."""

    since: datetime
    until: datetime


@dataclass(frozen=True, slots=True)
class Memory:
    """The ledger as one immutable picture."""

    firings: Mapping[Key, tuple[Firing, ...]]
    """By task and marker, oldest first."""
    complete_since: Mapping[Key, datetime]
    """Where older firings may be missing: since when none is."""
    spans: tuple[Span, ...]
    """Oldest first."""
    last_taken_at: datetime | None
    """When a worker last took a task of any kind: proof that it could have taken ours."""


class Ledger:
    """Reads one feed's views in turn."""

    def __init__(self, prefix: str) -> None:
        """`prefix` is the app's `global_keyprefix`: events of other apps on the broker are not ours."""
        self._prefix = prefix
        self._firings: dict[Key, dict[str, Firing]] = {}
        self._complete_since: dict[Key, datetime] = {}
        self._spans: list[Span] = []
        self._last_taken_at: datetime | None = None
        self._is_broken = False
        """No worker took part at the last look: the last span has ended."""

    def read(self, view: FeedView, entries: Iterable[Entry], *, answering: int, now: datetime) -> Memory:
        """Take over what is new in `view`, and return the picture. `answering`: workers that just answered."""
        ours = [heard for heard in view.heard if heard.data.get("prefix", "") == self._prefix]
        taken = [heard for heard in ours if heard.type == "task-received"]
        self._last_taken_at = max((heard.at for heard in taken), default=self._last_taken_at)
        ended = _ended(ours)
        wanted = {entry.key for entry in entries}
        for key in wanted:
            self._keep(key, [heard for heard in taken if _key(heard) == key], ended)
        for key in [key for key in self._firings if key not in wanted]:
            del self._firings[key]
            self._complete_since.pop(key, None)
        self._extend(view, ours, answering, now)
        return Memory(
            {key: tuple(firings.values()) for key, firings in self._firings.items()},
            dict(self._complete_since),
            tuple(self._spans),
            self._last_taken_at,
        )

    def _keep(self, key: Key, heard: list[Heard], ended: Mapping[str, set[str]]) -> None:
        known = self._firings.setdefault(key, {})
        new = [one for one in heard if str(one.data.get("uuid")) not in known]
        if len(new) >= FEED_KEEPS:
            self._complete_since[key] = new[0].at
        for one in new:
            uuid = str(one.data.get("uuid"))
            known[uuid] = Firing(one.at, uuid)
        for uuid in known.keys() & ended.keys():
            how = ended[uuid]
            known[uuid] = replace(known[uuid], has_failed="task-failed" in how, was_revoked="task-revoked" in how)
        while len(known) > KEPT_FIRINGS:
            del known[next(iter(known))]
            oldest_at = next(iter(known.values())).at
            self._complete_since[key] = max(self._complete_since.get(key, oldest_at), oldest_at)

    def _extend(self, view: FeedView, heard: list[Heard], answering: int, now: datetime) -> None:
        """Lengthen the last span, or begin a new one after a gap in the feed, a worker's start or its absence."""
        if view.listening_since is None:
            return
        alive_at = max((one.at for one in heard if one.type == "worker-heartbeat"), default=None)
        is_alive = alive_at is not None and now - alive_at <= timedelta(seconds=WORKER_HEARTBEAT_SECONDS)
        if not answering and not is_alive:
            self._is_broken = True
            return
        started = [one.at + timedelta(seconds=EVENTS_ON_SECONDS) for one in heard if one.type == "worker-online"]
        since = max(view.listening_since, *started) if started else view.listening_since
        if since > now:
            return
        if self._spans and self._spans[-1].since >= since and not self._is_broken:
            self._spans[-1] = Span(self._spans[-1].since, now)
        else:
            self._spans.append(Span(now if self._is_broken else since, now))
            self._is_broken = False
            del self._spans[:-KEPT_SPANS]


def _key(heard: Heard) -> Key:
    return (str(heard.data.get("name")), str(heard.data.get("args", "")))


def _ended(heard: Iterable[Heard]) -> dict[str, set[str]]:
    """Return the ids of tasks that ended badly, with the types of the events that say so."""
    ended: dict[str, set[str]] = {}
    for one in heard:
        if one.type in ("task-failed", "task-revoked"):
            ended.setdefault(str(one.data.get("uuid")), set()).add(one.type)
    return ended
