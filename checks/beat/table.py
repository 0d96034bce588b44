"""Reads the schedule from what workers tell of their configuration: entries, time zone, queues. Never arguments."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from fnmatch import fnmatchcase
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from checks.beat.expressions import Crontab, Expression, Unreadable, expression_of
from checks.celery_wire import DEFAULT_QUEUE, Replies
from checks.result import Fact, Reason, Verdict, unknown


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of the schedule. Its arguments are not kept: they may hold secrets."""

    name: str
    task: str
    expression: Expression
    queue: str = ""
    """Where its message goes; empty where the configuration does not say it plainly."""
    marker: str = ""
    """Set for the heartbeat entry, whose task others run too."""

    @property
    def key(self) -> tuple[str, str]:
        """Return what its events are recognised by: entries with the same key cannot be told apart."""
        return (self.task, self.marker)


@dataclass(frozen=True, slots=True)
class Table:
    """The schedule of one app."""

    entries: tuple[Entry, ...] = ()
    """Sorted by name."""
    zone_name: str = "UTC"
    zone: tzinfo | None = UTC
    """None where the name is of no zone known here: then no crontab can be checked."""
    differing: tuple[str, ...] = ()
    """Entries that workers tell differently."""

    @property
    def fingerprint(self) -> str:
        """Return eight letters that change with the schedule or its time zone."""
        said = [f"{one.name}|{one.task}|{one.expression}|{one.queue}" for one in self.entries]
        return hashlib.sha256("\n".join([self.zone_name, *said]).encode()).hexdigest()[:8]

    def clock(self, at: datetime, *, seconds: bool = False) -> str:
        """Return `Mon 23 Nov 09:00 CET`: the instant as the app's own clock shows it."""
        return f"{at.astimezone(self.zone or UTC):%a %d %b {'%H:%M:%S' if seconds else '%H:%M'} %Z}"


def table_of(confs: Sequence[Mapping[str, Any]], marker: str) -> Table:
    """Return the schedule that the answers to the remote control command `conf` tell together.

    The first to tell an entry is believed; `differing` names those that another one tells differently. `marker` is
    the argument by which the heartbeat entry is recognised.
    """
    entries: dict[str, Entry] = {}
    differing: set[str] = set()
    zone_name = next((_zone_name(conf) for conf in confs if _schedule(conf)), "UTC")
    for conf in confs:
        for name, rendered in _schedule(conf).items():
            entry = _entry(str(name), rendered, conf, marker)
            if entries.setdefault(entry.name, entry) != entry:
                differing.add(entry.name)
    return Table(
        tuple(entries[name] for name in sorted(entries)), zone_name, _zone(zone_name), tuple(sorted(differing))
    )


def without_zone(table: Table, entry: Entry) -> bool:
    """Return whether the entry cannot be checked because the app's time zone is not known."""
    return table.zone is None and isinstance(entry.expression, Crontab)


def served_queues(told: Replies) -> frozenset[str] | None:
    """Return the names of the queues that workers read; None where not every worker has answered."""
    if not told.answers or len(told.answers) < told.listening:
        return None
    return frozenset(
        str(queue.get("name")) for _, answer in told.answers for queue in answer or () if isinstance(queue, Mapping)
    )


def registered_tasks(told: Replies) -> frozenset[str] | None:
    """Return the names of the tasks that workers have; None where not every worker has answered.

    A worker writes attributes behind the name, e.g. `app.report [rate_limit=10/m]`.
    """
    if not told.answers or len(told.answers) < told.listening:
        return None
    return frozenset(str(task).split(" ")[0] for _, answer in told.answers for task in answer or ())


def no_schedule(answering: int) -> Verdict:
    """Say why there is no schedule to look at."""
    if not answering:
        return unknown(
            Reason.DEPENDENCY_DOWN,
            "no worker answers, so the schedule cannot be read",
            hint="Repair the worker first (worker.online).",
        )
    return unknown(
        Reason.NOT_CONFIGURED,
        "the app's configuration holds no schedule",
        Fact("workers that answer", answering),
        hint="A schedule that lives in a database, in RedBeat or in the beat process alone cannot be read from a"
        " worker: put it in app.conf.beat_schedule of the app that the workers load, or watch a job with a push check.",
    )


def _schedule(conf: Mapping[str, Any]) -> Mapping[str, Any]:
    schedule = conf.get("beat_schedule") or conf.get("CELERYBEAT_SCHEDULE")
    return schedule if isinstance(schedule, Mapping) else {}


def _entry(name: str, rendered: Any, conf: Mapping[str, Any], marker: str) -> Entry:
    if not isinstance(rendered, Mapping) or not isinstance(rendered.get("task"), str):
        return Entry(name, "", Unreadable("an entry without a task"))
    task = rendered["task"]
    options = rendered.get("options")
    is_marked = marker in str(rendered.get("args"))
    return Entry(
        name,
        task,
        expression_of(rendered.get("schedule")),
        _queue(task, options if isinstance(options, Mapping) else {}, conf),
        marker if is_marked else "",
    )


def _queue(task: str, options: Mapping[str, Any], conf: Mapping[str, Any]) -> str:
    """Return where the task's message goes, as Celery's router decides it; empty where that takes code to know."""
    if isinstance(options.get("queue"), str):
        return str(options["queue"])
    if options.get("exchange") or options.get("routing_key"):
        return ""
    routes = conf.get("task_routes") or conf.get("CELERY_ROUTES") or {}
    for router in routes if isinstance(routes, list) else [routes]:
        if not isinstance(router, Mapping):
            return ""  # a function, named by its text
        route = router.get(task) or next(
            (to for to_what, to in router.items() if fnmatchcase(task, str(to_what))), None
        )
        if isinstance(route, str):
            return route
        if route is not None:
            queue = route.get("queue") if isinstance(route, Mapping) else None
            return queue if isinstance(queue, str) else ""
    return str(conf.get("task_default_queue") or conf.get("CELERY_DEFAULT_QUEUE") or DEFAULT_QUEUE)


def _zone_name(conf: Mapping[str, Any]) -> str:
    """Return the name of the zone in which the app reads its crontabs; empty where only beat's own machine knows it."""
    zone = conf.get("timezone") or conf.get("CELERY_TIMEZONE")
    if isinstance(zone, str):
        return zone.removeprefix("zoneinfo.ZoneInfo(key='").removesuffix("')")
    is_utc = conf.get("enable_utc", conf.get("CELERY_ENABLE_UTC", True))
    return "UTC" if is_utc else ""


def _zone(name: str) -> tzinfo | None:
    try:
        return UTC if name.upper() == "UTC" else ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None
