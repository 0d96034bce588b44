"""The course of a deploy: when its window opens, when all checks run at once, when it is judged. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from checks.result import Outcome, Reason
from monitor.engine.deploy_record import DeployRecord, DeployVerdict
from monitor.engine.model import (
    CheckState,
    CheckStatus,
    DeployEnded,
    DeployStarted,
    Event,
    Rules,
    State,
)

RUN_MARGIN_SECONDS = 15.0
"""A run is over when so much more than the longest time limit has passed, whoever has not answered."""
CONFIRM = timedelta(seconds=60)
"""The verdict waits so long for a check that has just begun to fail or to recover, or cannot look."""
OPENED_WITHIN = timedelta(minutes=1)
LOST = timedelta(hours=3)
"""Render ends a deploy in less: 120 min to build, 30 min before it, 15 min to start."""


@dataclass(frozen=True, slots=True)
class Move:
    """What is to be done about one deploy now."""

    record: DeployRecord
    events: tuple[Event, ...] = ()
    """For the engine; each may be told twice."""
    probe: tuple[str, ...] = ()
    """Checks to be looked at at once."""
    is_due: bool = False
    """It can be judged."""


def window_events(record: DeployRecord, state: State, now: datetime) -> tuple[Event, ...]:
    """Return what the engine does not know yet of this deploy."""
    if record.is_judged:
        return ()
    window = state.deploys.get(record.id)
    events: list[Event] = []
    if window is None:
        # One that has failed needs none; and a window that was forgotten while it builds is not opened again.
        is_news = record.live_at is not None or now - record.seen_at < OPENED_WITHIN
        if record.ended_at is not None or not is_news:
            return ()
        events.append(DeployStarted(record.id, record.service, record.commit))
    if window is None or (window.live_at is None and window.ended_at is None):
        if record.live_at is not None:
            events.append(DeployEnded(record.id, is_live=True))
        elif record.ended_at is not None:
            events.append(DeployEnded(record.id, is_live=False))
    return tuple(events)


def move(
    record: DeployRecord,
    state: State,
    rules: Rules,
    limits: Mapping[str, float],
    now: datetime,
    newer: Sequence[DeployRecord] = (),
) -> Move:
    """Return what is to be done about a deploy that is not judged. `limits` are the time limits of its checks.

    `newer` are later deploys of the same service.
    """
    if record.ended_at is not None:
        return Move(record, is_due=True)
    if record.live_at is None or record.live_seen_at is None:
        return Move(record, is_due=now - record.seen_at > LOST or any(one.live_at for one in newer))
    if any(one.live_at for one in newer) or (record.status == "deactivated" and record.ran_at is None):
        return Move(record, is_due=True)
    settle = timedelta(seconds=rules.deploy_settle_seconds)
    if record.ran_at is None:
        if now < record.live_at + settle:
            return Move(record)
        return Move(replace(record, ran_at=now), probe=tuple(limits))
    if record.ran_seconds is None:
        seconds = run_seconds(record.ran_at, [state.checks.get(name) for name in limits])
        longest = max(limits.values(), default=0.0) + RUN_MARGIN_SECONDS
        if seconds is None and (now - record.ran_at).total_seconds() < longest:
            return Move(record)
        return Move(replace(record, ran_seconds=(now - record.ran_at).total_seconds() if seconds is None else seconds))
    ends_at = record.live_seen_at + settle + timedelta(seconds=rules.deploy_observe_seconds)
    if now < ends_at:
        return Move(record)
    is_open = any(is_undecided(state.checks.get(name)) for name in limits)
    return Move(record, is_due=not is_open or now >= ends_at + CONFIRM)


def run_seconds(ran_at: datetime, checks: Sequence[CheckState | None]) -> float | None:
    """Return how long it took from `ran_at` until the last check had answered; None while one has not."""
    longest = 0.0
    for check in checks:
        seen = None if check is None else check.last_result
        if seen is None or seen.started_at < ran_at:
            return None
        since = (seen.started_at - ran_at).total_seconds()
        if since <= RUN_MARGIN_SECONDS:  # a later look is not part of the run
            longest = max(longest, since + seen.duration_seconds)
    return longest


def is_undecided(check: CheckState | None) -> bool:
    """Say whether a few looks more may tell."""
    if check is None or check.last_result is None:
        return False
    said = check.last_result.verdict
    is_blind = said.outcome is Outcome.UNKNOWN and said.reason is not Reason.NOT_CONFIGURED
    return is_blind or check.status in (CheckStatus.SUSPECT, CheckStatus.RECOVERING)


def early_verdict(record: DeployRecord, newer: Sequence[DeployRecord]) -> DeployVerdict | None:
    """Return the verdict that needs no look at the checks; None where they decide."""
    if record.ended_at is not None:
        return DeployVerdict.CANCELED if record.status == "canceled" else DeployVerdict.DEPLOY_FAILED
    if any(one.live_at for one in newer) or (record.status == "deactivated" and record.ran_at is None):
        return DeployVerdict.SUPERSEDED
    return DeployVerdict.UNDECIDED if record.live_at is None else None
