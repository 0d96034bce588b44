"""Many checks, one root: who explains a check that is down, what it waits for, and when it opens an incident itself."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from zlib import crc32

from monitor.engine.check_state import confirm_seconds, forget_slowness, is_downish
from monitor.engine.deploys import running_window
from monitor.engine.draft import Draft, is_root_of
from monitor.engine.events import ProbeNow
from monitor.engine.incidents import count_drop, join_symptom, leave, open_root
from monitor.engine.state import Cause, CheckState, CheckStatus, Incident
from monitor.engine.timers import after, is_due, since, spans


def decide(draft: Draft, check_id: str, *, has_failed_now: bool = False) -> None:
    """Decide what a check that is down is: a symptom, held, or a root. Called again whenever evidence comes in.

    `has_failed_now`: its own look has just failed, so ancestors without fresh evidence are looked at again.
    """
    check = draft.check(check_id)
    if check.status is not CheckStatus.DOWN:
        return
    incident = draft.live_incident_of(check)
    if incident is not None and incident.cause is Cause.DOWN and is_root_of(incident, check_id):
        _unhold(draft, check)
        return
    ancestors = draft.plan.graph.ancestors[check_id]
    down = [name for name in ancestors if _explains(draft, name)]
    if down:
        _attach(draft, check, incident, down)
        return
    if not _is_fresh(draft, check):
        _hold(draft, check, None)
        return
    blockers = [name for name in ancestors if _may_explain(draft, name, check)]
    if blockers and not _has_held_long_enough(draft, check):
        is_new = check.hold_until is None
        _hold(draft, check, blockers)
        if is_new or has_failed_now:
            draft.effects.extend(
                ProbeNow(name) for name in blockers if draft.check(name).status is not CheckStatus.SUSPECT
            )
        return
    if not _is_through_gate(draft, check) or _is_deploying(draft, check):
        _hold(draft, check, None)
        return
    open_root(draft, check_id, Cause.DOWN)
    _unhold(draft, draft.check(check_id))
    count_drop(draft, check_id)
    decide_below(draft, check_id)


def decide_below(draft: Draft, check_id: str) -> None:
    """Decide again for every held check that hangs on this one."""
    for name in sorted(draft.held):
        if name in draft.plan.graph.ancestors and check_id in draft.plan.graph.ancestors[name]:
            decide(draft, name)


def probe_ancestors(draft: Draft, check: CheckState) -> None:
    """Have every ancestor looked at that was not since the check's first failure, so that it confirms in parallel.

    One already in question keeps its own pace: five children failing at once must not make five failures of one.
    """
    for name in draft.plan.graph.ancestors[check.id]:
        ancestor = draft.check(name)
        if ancestor.status is CheckStatus.SUSPECT:
            continue
        looked_at = ancestor.last_started_at
        if looked_at is None or check.first_bad_at is None or looked_at < check.first_bad_at:
            draft.effects.append(ProbeNow(name))


def inherit_gate(draft: Draft, check: CheckState, started_at: datetime) -> CheckState:
    """Return the check, gated if its failure began while an ancestor that had just recovered was settling."""
    settle_seconds = draft.plan.rules.gate_settle_seconds
    gates = [
        after(ancestor.recovered_at, settle_seconds)
        for name in draft.plan.graph.ancestors[check.id]
        if (ancestor := draft.checks.get(name)) is not None and ancestor.recovered_at is not None
    ]
    gate_until = max(gates, default=started_at)
    if gate_until <= started_at:
        return check
    return replace(check, gate_until=gate_until, gated_failures=0, gated_first_at=None)


def open_gates(draft: Draft, check_id: str) -> None:
    """After a recovery: give every descendant that is not up time to follow, and look at it again.

    One that only worked badly did so under a parent that was down: that is no evidence against it any more.
    """
    gate_until = after(draft.now, draft.plan.rules.gate_settle_seconds)
    for name in draft.plan.graph.descendants[check_id]:
        check = draft.checks.get(name)
        if check is None or check.status is CheckStatus.PENDING:
            continue
        if check.status is CheckStatus.UP:
            if check.degraded_window and draft.live_incident_of(check) is None:
                draft.put_check(forget_slowness(check))
            continue
        is_waiting = check.status is CheckStatus.DOWN and not _is_settled_root(draft, check)
        draft.put_check(
            replace(
                check,
                gate_until=gate_until,
                gated_failures=0,
                gated_first_at=None,
                hold_until=None,
                held_since=(check.held_since or draft.now) if is_waiting else check.held_since,
            )
        )
        draft.effects.append(ProbeNow(name, _jitter_seconds(draft, check_id, name)))


def _is_settled_root(draft: Draft, check: CheckState) -> bool:
    incident = draft.live_incident_of(check)
    return incident is not None and incident.cause is Cause.DOWN and is_root_of(incident, check.id)


def _explains(draft: Draft, name: str) -> bool:
    """Return whether this ancestor is down, and either told of or at least seen lately."""
    ancestor = draft.checks.get(name)
    if ancestor is None or not is_downish(ancestor):
        return False
    return not ancestor.is_stale or draft.live_incident_of(ancestor) is not None


def _attach(draft: Draft, check: CheckState, incident: Incident | None, down: Sequence[str]) -> None:
    """Make the check a symptom of the nearest root's incident; wait while that one is not decided itself."""
    live = (draft.live_incident_of(draft.check(name)) for name in down)
    numbers = [found.id for found in live if found is not None and found.cause is Cause.DOWN]
    if not numbers or (incident is not None and is_root_of(incident, check.id)):
        _hold(draft, check, None)
        return
    if incident is None or incident.id not in numbers:
        if incident is not None:
            leave(draft, incident, check.id, "another fault explains it")
        join_symptom(draft, numbers[0], check.id)
    check = draft.check(check.id)
    if check.held_since is not None:
        draft.put_check(replace(check, held_since=None, hold_until=None))


def _may_explain(draft: Draft, name: str, check: CheckState) -> bool:
    """Return whether this ancestor is suspect, or has no ok that started after the check's first failure."""
    ancestor = draft.checks.get(name)
    if ancestor is None or ancestor.status is CheckStatus.PENDING:
        return False
    if ancestor.status is not CheckStatus.UP or ancestor.last_ok_started_at is None:
        return True
    began_at = check.gated_first_at or check.first_bad_at
    if draft.fresh_since is not None and ancestor.last_ok_started_at < draft.fresh_since:
        return True
    return began_at is not None and ancestor.last_ok_started_at < began_at


def _is_fresh(draft: Draft, check: CheckState) -> bool:
    """Return whether a failure of this check was seen by this process, not only by the one before it."""
    failure = check.last_failure
    return draft.fresh_since is None or (failure is not None and failure.started_at >= draft.fresh_since)


def _has_held_long_enough(draft: Draft, check: CheckState) -> bool:
    return check.hold_until is not None and is_due(check.hold_until, draft.now, draft.plan.rules.hold_max_seconds)


def _is_through_gate(draft: Draft, check: CheckState) -> bool:
    """Return whether enough failures began after the gate."""
    settle_seconds = draft.plan.rules.gate_settle_seconds
    if check.gate_until is None or since(draft.now, check.gate_until) > settle_seconds:
        return True
    failure = check.last_failure
    if failure is None or check.gated_first_at is None:
        return False
    if failure.verdict.certain:
        return True
    policy = draft.plan.checks[check.id]
    return check.gated_failures >= policy.confirm_failures and spans(
        check.gated_first_at, failure.started_at, policy.confirm_span_seconds
    )


def _is_deploying(draft: Draft, check: CheckState) -> bool:
    service = draft.plan.checks[check.id].service
    return running_window(draft.plan.rules, draft.deploys.values(), service, draft.now) is not None


def _hold(draft: Draft, check: CheckState, blockers: Sequence[str] | None) -> None:
    """Hold the check. With blockers the hold ends by itself, as soon as they could all have been confirmed down."""
    hold_until = check.hold_until
    if blockers and hold_until is None:
        rules = draft.plan.rules
        longest = max(confirm_seconds(draft.plan.checks[name]) for name in blockers)
        hold_until = after(draft.now, min(rules.hold_max_seconds, longest + rules.hold_margin_seconds))
    if check.held_since is None or hold_until != check.hold_until:
        draft.put_check(replace(check, held_since=check.held_since or draft.now, hold_until=hold_until))


def _unhold(draft: Draft, check: CheckState) -> None:
    if check.held_since is not None or check.gate_until is not None:
        draft.put_check(
            replace(check, held_since=None, hold_until=None, gate_until=None, gated_failures=0, gated_first_at=None)
        )


def _jitter_seconds(draft: Draft, parent: str, child: str) -> float:
    share = crc32(f"{parent}:{child}".encode()) % 1000 / 1000.0
    return round(draft.plan.rules.probe_jitter_seconds * share, 3)
