"""beat.config: can the schedule work at all? Its expressions, tasks, queues, time zone and clock changes."""

import asyncio
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Literal

from pydantic import Field

from checks.base import IO, Check, Seconds
from checks.beat.dues import clock_changes_between, dues_after, next_due
from checks.beat.expressions import Crontab, Interval, Unreadable
from checks.beat.table import Entry, Table, no_schedule, registered_tasks, served_queues, table_of, without_zone
from checks.celery_broker import open_broker
from checks.celery_wire import AFTER_SECONDS, BEAT_MARKER, BrokerConfig, told_of_broker
from checks.result import Fact, Reason, Verdict, degraded, ok
from checks.wording import listed

SHOWN_DUES = 3
SHOWN_ENTRIES = 20

CLOCK_CHANGE_DAYS = 7
"""So long before a clock change the entries that it hits are a finding."""

CHANGE_SHOWN = timedelta(hours=1)
"""So long a change of the schedule is shown."""

BUILT_IN = "celery."
"""Tasks that every worker has, and that it does not name when asked."""


class BeatConfigConfig(BrokerConfig):
    """The settings of `beat.config`."""

    kind: Literal["beat.config"] = "beat.config"
    interval_seconds: Seconds = 300.0
    timeout_seconds: Seconds = 10.0
    checklist: str = "Beat: cron expressions work"
    expected_entries: tuple[str, ...] = ()
    """Names of entries that have to be there; empty: not known yet."""
    marker: str = Field(default=BEAT_MARKER, min_length=4, max_length=80)
    """The argument of the heartbeat entry."""


@dataclass(frozen=True, slots=True)
class Change:
    """What became different between two looks."""

    at: datetime
    said: str


@dataclass(frozen=True, slots=True)
class ConfigSeen:
    """What one look found."""

    table: Table
    answering: int
    """How many workers told their configuration."""
    registered: frozenset[str] | None = None
    """The tasks that some worker can run, without the built-in ones; None where not every worker has told."""
    served: frozenset[str] | None = None
    """The queues that some worker reads; None where not every worker has told."""
    change: Change | None = None
    """The last one, if there was one."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that keeps an entry from working."""

    reason: Reason
    said: str
    hint: str


class BeatConfig(Check[BeatConfigConfig, ConfigSeen]):
    """Read the schedule, and what workers can run, and compare them."""

    Config = BeatConfigConfig
    __slots__ = ("_change", "_nodes", "_reply_id", "_table")

    def __init__(self, config: BeatConfigConfig) -> None:
        super().__init__(config)
        self._reply_id = str(uuid.uuid4())
        self._nodes: set[str] = set()
        self._table: Table | None = None
        self._change: Change | None = None

    async def measure(self, io: IO) -> ConfigSeen:
        """Ask all workers for configuration, tasks and queues."""
        config = self.config
        async with (
            asyncio.timeout(io.timeout_seconds - AFTER_SECONDS),
            open_broker(io, config, self._reply_id, self._nodes) as broker,
        ):
            told = await broker.ask("conf", "registered", "active_queues")
        confs = [conf for _, conf in told["conf"].answers if isinstance(conf, dict)]
        if not confs:
            return ConfigSeen(Table(), 0)
        table = table_of(confs, config.marker)
        if self._table is not None and self._table.fingerprint != table.fingerprint:
            self._change = Change(io.now(), difference(self._table, table))
        self._table = table
        registered, served = registered_tasks(told["registered"]), served_queues(told["active_queues"])
        return ConfigSeen(table, len(confs), registered, served, self._change)

    def judge(self, seen: ConfigSeen, now: datetime, before: Sequence[ConfigSeen] = ()) -> Verdict:
        """Any finding is degraded: beat.schedule says whether it hurts."""
        table = seen.table
        missing = [name for name in self.config.expected_entries if name not in {one.name for one in table.entries}]
        if not seen.answering or not (table.entries or missing):
            return no_schedule(seen.answering)
        findings = [*_missing(missing), *_findings(seen, now)]
        facts = _facts(seen, now)
        values = {"schedule_entries_total": float(len(table.entries)), "schedule_findings_total": float(len(findings))}
        if findings:
            said = "; ".join(finding.said for finding in findings[:2])
            said += f" (+{len(findings) - 2} more)" if len(findings) > 2 else ""
            found = [Fact(f"finding {number}", one.said) for number, one in enumerate(findings, 1)]
            first = findings[0]
            return degraded(first.reason, said, *found, *facts, hint=first.hint, values=values)
        count = len(table.entries)
        soonest = _soonest(table, now)
        said = f"{count} {'entry' if count == 1 else 'entries'} can be read and run, {table.zone_name}"
        if soonest is not None:
            said += f"; next due {soonest[1]}, {table.clock(soonest[0])}"
        return ok(said, *facts, values=values)

    def on_failure(self, verdict: Verdict) -> Verdict:
        """Say it of the broker."""
        return told_of_broker(verdict, self.config)


def difference(before: Table, after: Table) -> str:
    """Return what is new, gone and different, by the entries' names."""
    old, new = ({entry.name: entry for entry in table.entries} for table in (before, after))
    parts = [f"new: {listed(sorted(new.keys() - old.keys()))}"] if new.keys() - old.keys() else []
    parts += [f"gone: {listed(sorted(old.keys() - new.keys()))}"] if old.keys() - new.keys() else []
    other = sorted(name for name in old.keys() & new.keys() if old[name] != new[name])
    parts += [f"changed: {listed(other)}"] if other else []
    if before.zone_name != after.zone_name:
        parts.append(f"time zone {before.zone_name or 'of beat'} → {after.zone_name or 'of beat'}")
    return "; ".join(parts)


def _missing(names: list[str]) -> Iterator[Finding]:
    if names:
        yield Finding(
            Reason.MISSING,
            f"no longer in the schedule: {listed(names)}",
            "See what the last deploy did to beat_schedule; if it was meant, take the name out of expected_entries.",
        )


def _findings(seen: ConfigSeen, now: datetime) -> Iterator[Finding]:
    table = seen.table
    for entry in table.entries:
        if isinstance(entry.expression, Unreadable):
            hint = "Use a crontab or an interval if it is to be watched, or a push check that the task itself calls."
            yield Finding(Reason.PROTOCOL_ERROR, f"entry {entry.name} is {entry.expression}", hint)
        elif without_zone(table, entry):
            hint = "Set app.conf.timezone to a name such as Europe/Berlin, and leave enable_utc on."
            zone = table.zone_name or "that beat's machine has"
            yield Finding(Reason.NOT_CONFIGURED, f"entry {entry.name}: the time zone {zone} is not known", hint)
        elif _never(entry, table, now):
            hint = "Celery takes day of month AND day of week: drop one of the two."
            yield Finding(Reason.DRIFT, f"entry {entry.name} ({entry.expression}) is not due in twelve years", hint)
        if entry.task and seen.registered is not None and not _is_registered(entry.task, seen.registered):
            hint = "Import the module that holds the task in the worker (include=, autodiscover_tasks), or correct it."
            yield Finding(Reason.MISSING, f"entry {entry.name}: no worker has the task {entry.task}", hint)
        if entry.queue and seen.served is not None and entry.queue not in seen.served:
            hint = "Start a worker with -Q for this queue, or correct the entry's queue or task_routes."
            yield Finding(Reason.NO_CONSUMER, f"entry {entry.name}: no worker serves queue {entry.queue}", hint)
    if table.differing:
        hint = "During a deploy this passes; otherwise workers run different versions, or two apps share a broker."
        yield Finding(Reason.DRIFT, f"workers tell different schedules: {listed(table.differing)}", hint)
    yield from _clock_change(table, now)


def _clock_change(table: Table, now: datetime) -> Iterator[Finding]:
    """Name what is due once a day or less, and in an hour that a clock change skips or repeats."""
    if table.zone is None:
        return
    change_at = next(clock_changes_between(table.zone, now, now + timedelta(days=CLOCK_CHANGE_DAYS)), None)
    if change_at is None:
        return
    hit = [entry.name for entry in table.entries if _is_hit(entry, table, now, change_at)]
    if hit:
        yield Finding(
            Reason.DRIFT,
            f"the clocks change {table.clock(change_at)}, when these are due: {listed(hit)}",
            "Move them out of that hour, or give the app a time zone without clock changes, such as UTC.",
        )


def _is_hit(entry: Entry, table: Table, now: datetime, change_at: datetime) -> bool:
    if not isinstance(entry.expression, Crontab) or len(entry.expression.hours) > 1 or table.zone is None:
        return False
    due = next(
        (due for due in dues_after(entry.expression, table.zone, change_at - timedelta(hours=1, minutes=1))), None
    )
    return due is not None and due.is_unsure and due.at > now


def _never(entry: Entry, table: Table, now: datetime) -> bool:
    if not isinstance(entry.expression, Crontab) or table.zone is None:
        return False
    return next_due(entry.expression, table.zone, now) is None


def _is_registered(task: str, registered: frozenset[str]) -> bool:
    return task.startswith(BUILT_IN) or task in registered


def _soonest(table: Table, now: datetime) -> tuple[datetime, str] | None:
    """Return the next due time of any crontab, and the entry's name."""
    crontabs = [(one.expression, one.name) for one in table.entries if isinstance(one.expression, Crontab)]
    zone = table.zone or UTC  # a crontab without a known zone is a finding, and never comes here
    dues = [(at, name) for crontab, name in crontabs if (at := next_due(crontab, zone, now)) is not None]
    return min(dues, default=None)


def _facts(seen: ConfigSeen, now: datetime) -> tuple[Fact, ...]:
    table = seen.table
    facts = [Fact("schedule", table.fingerprint), Fact("time zone", table.zone_name or "not known")]
    if seen.change is not None and now - seen.change.at <= CHANGE_SHOWN:
        facts.append(Fact(f"changed {table.clock(seen.change.at)}", seen.change.said))
    for entry in table.entries[:SHOWN_ENTRIES]:
        said = [str(entry.expression), entry.task or "no task", *([f"queue {entry.queue}"] if entry.queue else [])]
        if isinstance(entry.expression, Crontab) and table.zone is not None:
            dues = islice(dues_after(entry.expression, table.zone, now), SHOWN_DUES)
            said.append("next " + ", ".join(table.clock(due.at) for due in dues))
        elif isinstance(entry.expression, Interval):
            said.append("counted from beat's start")
        facts.append(Fact(entry.name, " · ".join(said)))
    if len(table.entries) > SHOWN_ENTRIES:
        facts.append(Fact("entries not shown", len(table.entries) - SHOWN_ENTRIES))
    facts.append(Fact("workers that answer", seen.answering))
    return tuple(facts)
