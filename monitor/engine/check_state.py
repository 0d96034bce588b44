"""One check's machine: pending, up, suspect, down, recovering; and the slower one beside it, degraded."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any, Literal

from checks.result import Outcome, Result
from monitor.engine.baseline import is_slow, learn
from monitor.engine.plan import CheckPolicy, Rules
from monitor.engine.state import CheckState, CheckStatus
from monitor.engine.timers import spans

Shown = Literal["up", "degraded", "down", "unknown", "pending"]

_DOWNISH = (CheckStatus.DOWN, CheckStatus.RECOVERING)

_FRESH_SPEED: Mapping[str, Any] = {
    "is_degraded": False,
    "degraded_since": None,
    "first_degraded_at": None,
    "degraded_window": (),
    "degraded_window_started_at": (),
}


def is_downish(check: CheckState | None) -> bool:
    """Return whether it is down, or recovering and so not yet known to be up."""
    return check is not None and check.status in _DOWNISH


def status_of(check: CheckState) -> Shown:
    """Return what a display shows: a suspect is still up, one that recovers is still down."""
    if check.status in _DOWNISH:
        return "down"
    if check.is_stale or check.unknown_since is not None:
        return "unknown"
    if check.status is CheckStatus.PENDING:
        return "pending"
    return "degraded" if check.is_degraded else "up"


def confirm_seconds(policy: CheckPolicy) -> float:
    """Return how long N failures take at most, from the start of the first to the end of the last."""
    step = max(policy.retry_seconds, policy.timeout_seconds)
    return max((policy.confirm_failures - 1) * step, policy.confirm_span_seconds) + policy.timeout_seconds


def stale_after_seconds(policy: CheckPolicy) -> float:
    """Return for how long one look is evidence."""
    usual = 3.0 * policy.interval_seconds + policy.timeout_seconds
    return usual if policy.stale_after_seconds is None else policy.stale_after_seconds


def apply_look(policy: CheckPolicy, rules: Rules, check: CheckState, result: Result, now: datetime) -> CheckState:
    """Return the check after one more look; the very same object when the look is old or was seen before.

    A last look in the future means that the clock was set back since: then any look is news.
    """
    last = check.last_started_at
    if last is not None and result.started_at <= last <= now:
        return check
    outcome = result.verdict.outcome
    if outcome is Outcome.UNKNOWN:
        unknown_since = result.started_at if check.unknown_since is None else check.unknown_since
        return replace(check, last_started_at=result.started_at, last_result=result, unknown_since=unknown_since)
    has_failed = outcome is Outcome.FAILED
    size = policy.confirm_k
    changes: dict[str, Any] = {
        "last_started_at": result.started_at,
        "last_result": result,
        "unknown_since": None,
        "is_stale": False,
        "stale_since": None,
        "window": (*check.window, has_failed)[-size:],
        "window_started_at": (*check.window_started_at, result.started_at)[-size:],
    }
    if has_failed:
        _fail(policy, check, result, changes)
    else:
        _succeed(policy, check, result, now, changes)
        _judge_speed(policy, rules, check, result, changes)
    return replace(check, **changes)


def forget_slowness(check: CheckState) -> CheckState:
    """Return the check with the slower machine at its start; what is usual stays known."""
    return replace(check, **_FRESH_SPEED)


def _fail(policy: CheckPolicy, check: CheckState, result: Result, changes: dict[str, Any]) -> None:
    started_at = result.started_at
    failures = check.failures_in_row + 1
    changes |= {"last_failure": result, "failures_in_row": failures, "successes_in_row": 0, "first_ok_at": None}
    if check.gate_until is not None and started_at >= check.gate_until:
        changes["gated_failures"] = check.gated_failures + 1
        changes["gated_first_at"] = check.gated_first_at or started_at
    starts: tuple[datetime, ...] = changes["window_started_at"]
    is_down = check.status in _DOWNISH
    first_bad_at = check.first_bad_at or started_at
    streak_at = starts[-min(failures, len(starts))] if is_down else first_bad_at
    is_solid = result.verdict.certain or (
        failures >= policy.confirm_failures and spans(streak_at, started_at, policy.confirm_span_seconds)
    )
    if is_down:
        changes["status"] = CheckStatus.DOWN
        changes["is_intermittent"] = check.is_intermittent and not is_solid
        return
    window: tuple[bool, ...] = changes["window"]
    if is_solid:
        changes |= {"status": CheckStatus.DOWN, "first_bad_at": first_bad_at, "down_since": first_bad_at}
    elif sum(window) >= policy.confirm_m:
        first_bad_at = starts[window.index(True)]
        changes |= {
            "status": CheckStatus.DOWN,
            "first_bad_at": first_bad_at,
            "down_since": first_bad_at,
            "is_intermittent": True,
        }
    else:
        changes |= {"status": CheckStatus.SUSPECT, "first_bad_at": first_bad_at}


def _succeed(policy: CheckPolicy, check: CheckState, result: Result, now: datetime, changes: dict[str, Any]) -> None:
    started_at = result.started_at
    successes = check.successes_in_row + 1
    changes |= {"failures_in_row": 0, "successes_in_row": successes, "last_ok_started_at": started_at}
    if check.status in _DOWNISH:
        first_ok_at = check.first_ok_at or started_at
        changes["first_ok_at"] = first_ok_at
        changes["status"] = CheckStatus.RECOVERING
        is_back = successes >= policy.recover_successes and spans(first_ok_at, started_at, policy.recover_span_seconds)
        if is_back and (not check.is_intermittent or sum(changes["window"]) <= 1):
            changes |= _fresh_page()
            changes |= {"up_since": first_ok_at, "recovered_at": now, "window": (), "window_started_at": ()}
    elif check.status is not CheckStatus.UP:
        changes |= _fresh_page()
        if check.up_since is None:
            changes["up_since"] = started_at


def _fresh_page() -> dict[str, Any]:
    """Return the fields of a check that is up and carries nothing over from an outage."""
    return {
        "status": CheckStatus.UP,
        "first_bad_at": None,
        "down_since": None,
        "first_ok_at": None,
        "is_intermittent": False,
        "held_since": None,
        "hold_until": None,
        "gate_until": None,
        "gated_failures": 0,
        "gated_first_at": None,
    }


def _judge_speed(policy: CheckPolicy, rules: Rules, check: CheckState, result: Result, changes: dict[str, Any]) -> None:
    """Move the degraded machine by one look that worked, and let a good one teach what is usual."""
    seconds = result.duration_seconds
    is_good = result.verdict.outcome is Outcome.OK and not is_slow(
        check.baseline, seconds, policy.slow_floor_seconds, policy.slow_ceiling_seconds
    )
    if is_good and check.status is CheckStatus.UP:
        changes["baseline"] = learn(check.baseline, seconds, result.started_at.timestamp())
    if is_good and True not in check.degraded_window:
        if check.degraded_window:
            changes |= _FRESH_SPEED
        return
    window = (*check.degraded_window, not is_good)[-rules.degraded_k :]
    starts = (*check.degraded_window_started_at, result.started_at)[-rules.degraded_k :]
    changes |= {"degraded_window": window, "degraded_window_started_at": starts}
    bad = sum(window)
    if check.is_degraded:
        if len(window) - bad >= rules.degraded_clear:
            changes |= _FRESH_SPEED
    elif bad < rules.degraded_m:
        changes["first_degraded_at"] = None
    else:
        first_at = check.first_degraded_at or starts[window.index(True)]
        changes["first_degraded_at"] = first_at
        if spans(first_at, result.started_at, rules.degraded_min_seconds):
            changes |= {"is_degraded": True, "degraded_since": first_at}
