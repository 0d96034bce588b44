"""RedBeat's own keys: when its next entry is due, and whether a beat holds its lock. They need no worker to be seen."""

from collections.abc import Awaitable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, cast

from checks.result import Fact, Reason, Verdict, failed, ok
from checks.wording import duration

PREFIX = "redbeat:"
"""RedBeat's default `redbeat_key_prefix`."""

LOOP_SECONDS = 300.0
"""RedBeat's default `beat_max_loop_interval`: it looks at its entries at least so often."""

LEAST_OVERDUE_SECONDS = 60.0
"""An entry is late for two loops of beat, and for so long at least, before beat is said to be silent."""


@dataclass(frozen=True, slots=True)
class RedBeat:
    """What RedBeat has written."""

    next_due_at: datetime
    """The earliest due time of all entries, in UTC: in the past, once nobody sends."""
    loop_seconds: float = LOOP_SECONDS
    locks: bool = True
    """Whether it uses a lock at all."""
    lock_seconds: float | None = None
    """How long the lock still lives; None where nobody holds it."""


async def read_redbeat(client: Any, conf: Mapping[str, Any], global_prefix: str) -> RedBeat | None:
    """Return what RedBeat has written to this Redis; None where it has no entry there.

    `conf` is a worker's configuration, or empty: it names the keys where they are not the default.
    https://redbeat.readthedocs.io/en/latest/config.html
    """
    prefix = conf.get("redbeat_key_prefix") or PREFIX
    lock = conf.get("redbeat_lock_key", f"{prefix}:lock")
    lock = lock if not lock or lock.startswith(prefix) else prefix + lock
    pipeline = client.pipeline(transaction=False)
    pipeline.zrange(f"{global_prefix}{prefix}:schedule", 0, 0, withscores=True)
    pipeline.pttl(f"{global_prefix}{lock}")
    first, lock_milliseconds = await cast(Awaitable[list[Any]], pipeline.execute())
    if not first:
        return None
    loop = conf.get("beat_max_loop_interval")
    return RedBeat(
        datetime.fromtimestamp(float(first[0][1]), UTC),
        float(loop) if isinstance(loop, int | float) and loop > 0 else LOOP_SECONDS,
        bool(lock),
        lock_milliseconds / 1000 if lock_milliseconds >= 0 else None,
    )


def judge_redbeat(seen: RedBeat, now: datetime) -> Verdict:
    """An entry long overdue, or a lock that nobody holds, means that no beat works."""
    overdue = (now - seen.next_due_at).total_seconds()
    facts = (
        Fact("recognised by", "RedBeat's schedule in Redis"),
        Fact("next entry overdue for", round(max(overdue, 0.0), 1), "s"),
        Fact("lock held for", seen.lock_seconds, "s"),
    )
    values = {"beat_overdue_seconds": max(overdue, 0.0)}
    hint = (
        "Read beat's log and restart it. LockNotOwnedError in it: a pause was longer than the lock lives; set"
        " beat_max_loop_interval to 5 and redbeat_lock_timeout to 25. After a hard stop a new beat waits for the"
        " old lock to end."
    )
    if overdue > max(LEAST_OVERDUE_SECONDS, 2 * seen.loop_seconds):
        summary = f"RedBeat's next entry is overdue for {duration(overdue)}"
        return failed(Reason.SILENT, summary, *facts, hint=hint, values=values)
    if seen.locks and seen.lock_seconds is None:
        return failed(Reason.SILENT, "no beat holds RedBeat's lock", *facts, hint=hint, values=values)
    if overdue > 0:
        return ok("RedBeat sends: its next entry is due now", *facts, values=values)
    return ok(f"RedBeat sends: its next entry is due in {duration(-overdue)}", *facts, values=values)
