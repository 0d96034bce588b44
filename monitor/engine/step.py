"""The whole engine in one pure function: from the state and an event to the next state and what to do."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import assert_never

from checks.result import Outcome, Reason
from monitor.engine.check_state import apply_look, is_downish, stale_after_seconds
from monitor.engine.correlate import decide, decide_below, inherit_gate, open_gates, probe_ancestors
from monitor.engine.deploys import end_deploy, expire_deploys, start_deploy
from monitor.engine.draft import Draft, is_root_of
from monitor.engine.events import (
    Acked,
    CardEdited,
    ChatMended,
    Delivered,
    DeployEnded,
    DeployStarted,
    Effect,
    Event,
    Looked,
    ProbeNow,
    Silenced,
    SilenceEnded,
    Tick,
)
from monitor.engine.explain import explained_below, note_explanations
from monitor.engine.incidents import (
    acknowledge,
    count_drop,
    join_symptom,
    open_root,
    pass_time,
    settle,
    touch,
)
from monitor.engine.plan import CheckPolicy, Plan
from monitor.engine.silences import end_silence, expire_silences, mark_suppressed, start_silence
from monitor.engine.state import Cause, CheckState, CheckStatus, Incident, State
from monitor.engine.telling import apply_delivery, apply_edit, is_finished, mend_chat, next_due_of, reconcile, take_back
from monitor.engine.timers import after, since


@dataclass(frozen=True, slots=True)
class Step:
    """The state after one event, and the effects it asks for, in order."""

    state: State
    effects: tuple[Effect, ...] = ()


def step(plan: Plan, state: State, event: Event, now: datetime) -> Step:
    """Return what this event makes of the state. Pure: time is `now`, and nothing else is read.

    What did not change stays the same object, so the caller stores what is not identical.
    """
    draft = Draft(plan, state, now)
    match event:
        case Looked():
            _look(draft, event)
        case Tick():
            _tick(draft)
        case Acked():
            acknowledge(draft, event.incident_id, event.author)
        case Silenced():
            start_silence(draft, event)
            _mark_all_suppressed(draft)
        case SilenceEnded():
            end_silence(draft, event)
            _mark_all_suppressed(draft)
        case Delivered():
            apply_delivery(draft, event)
            _touch_all(draft)
        case CardEdited():
            apply_edit(draft, event)
        case ChatMended():
            mend_chat(draft, event.chat_id)
            _touch_all(draft)
        case DeployStarted():
            start_deploy(draft, event)
        case DeployEnded():
            end_deploy(draft, event)
        case _:
            assert_never(event)
    for incident_id in tuple(draft.touched):
        reconcile(draft, incident_id)
    return Step(draft.finish(), tuple(draft.effects))


def fresh_start(state: State, now: datetime) -> State:
    """Return the state as a new process takes it over: what waited to open waits for a failure seen by this one."""
    checks = {
        name: check
        if check.held_since is None and check.hold_until is None
        else replace(check, held_since=None, hold_until=None)
        for name, check in state.checks.items()
    }
    return replace(state, checks=checks, held=frozenset(), fresh_since=now)


def next_due_at(plan: Plan, state: State) -> datetime | None:
    """Return when the engine next does something about an incident by itself; None when nothing is under way."""
    times = [incident_due_at(plan, state, incident) for incident in state.incidents.values()]
    return min((at for at in times if at is not None), default=None)


def incident_due_at(plan: Plan, state: State, incident: Incident) -> datetime | None:
    """Return this incident's next timer. An open one without any is told to nobody: no chat is configured."""
    return next_due_of(Draft(plan, state, incident.opened_at), incident)


def _look(draft: Draft, event: Looked) -> None:
    result = event.result
    policy = draft.plan.checks.get(result.check_id)
    if policy is None:
        return
    before = draft.check(result.check_id)
    check = apply_look(policy, draft.plan.rules, before, result, draft.now)
    if check is before:
        return
    if check.first_bad_at is not None and before.first_bad_at is None:
        check = inherit_gate(draft, check, result.started_at)
    draft.put_check(check)
    if result.verdict.outcome is Outcome.UNKNOWN:
        _look_again(draft, policy, check, result.started_at)
        return
    if check.last_failure is result and check.first_bad_at == result.started_at:
        probe_ancestors(draft, check)
    if check.status is CheckStatus.DOWN:
        if not is_downish(before):
            _count_drop_of_root(draft, check)
        decide(draft, check.id, has_failed_now=True)
    if check.status is CheckStatus.UP and is_downish(before):
        open_gates(draft, check.id)
    _follow_degraded(draft, check.id)
    if draft.held:
        decide_below(draft, check.id)
    _follow_incident(draft, before)
    _follow_explained(draft, before)
    _look_again(draft, policy, draft.check(check.id), result.started_at)


def _count_drop_of_root(draft: Draft, check: CheckState) -> None:
    """Count a drop within a live incident, which goes on without being decided again."""
    incident = draft.live_incident_of(check)
    if incident is not None and incident.cause is Cause.DOWN and is_root_of(incident, check.id):
        count_drop(draft, check.id)


def _follow_degraded(draft: Draft, check_id: str) -> None:
    """Open a warning for a check that works badly, unless what is wrong above or below it is told already."""
    check = draft.check(check_id)
    if not check.is_degraded or check.status is not CheckStatus.UP or draft.live_incident_of(check) is not None:
        return
    for name in draft.plan.graph.ancestors[check_id]:
        ancestor = draft.checks.get(name)
        if ancestor is None:
            continue
        incident = draft.live_incident_of(ancestor)
        if ancestor.is_degraded and incident is not None and incident.cause is Cause.DEGRADED:
            join_symptom(draft, incident.id, check_id)
            return
        if ancestor.status not in (CheckStatus.UP, CheckStatus.PENDING):
            return
    for name in draft.plan.graph.descendants[check_id]:
        descendant = draft.checks.get(name)
        incident = None if descendant is None else draft.live_incident_of(descendant)
        if incident is not None and incident.cause is Cause.DOWN and incident.root == name:
            join_symptom(draft, incident.id, check_id)
            return
    open_root(draft, check_id, Cause.DEGRADED)


def _follow_incident(draft: Draft, before: CheckState) -> None:
    """Bring the incident of the check that was looked at up to date."""
    check = draft.check(before.id)
    incident = draft.live_incident_of(check)
    if incident is None:
        return
    draft.touched[incident.id] = None
    if (check.status, check.is_degraded, check.is_stale) != (before.status, before.is_degraded, before.is_stale):
        touch(draft, incident.id)
        settle(draft, incident.id)


def _follow_explained(draft: Draft, before: CheckState) -> None:
    """Have the incidents drawn again that this check may explain, when it went down or came back."""
    is_down = is_downish(draft.check(before.id))
    if is_down == is_downish(before):
        return
    for incident_id in explained_below(draft, before.id):
        touch(draft, incident_id)
        if is_down:
            note_explanations(draft, incident_id)


def _look_again(draft: Draft, policy: CheckPolicy, check: CheckState, started_at: datetime) -> None:
    """Ask for the next look sooner than planned while something is being found out."""
    rules = draft.plan.rules
    is_waiting = check.status is CheckStatus.DOWN and check.held_since is not None
    if is_waiting or check.status in (CheckStatus.SUSPECT, CheckStatus.RECOVERING):
        pace = policy.retry_seconds
    elif check.degraded_window and check.degraded_window[-1] is not check.is_degraded:
        pace = rules.degraded_min_seconds / max(1, rules.degraded_m - 1)
    else:
        return
    if pace < policy.interval_seconds:
        draft.effects.append(ProbeNow(check.id, max(0.0, since(draft.now, after(started_at, pace)))))


def _tick(draft: Draft) -> None:
    expire_silences(draft)
    expire_deploys(draft)
    _forget_unplanned(draft)
    _check_clocks(draft)
    for name in sorted(draft.held):
        decide(draft, name)
    for incident in tuple(draft.incidents.values()):
        if is_finished(draft, incident):
            take_back(draft, incident)
            draft.remove("incidents", incident.id)
        else:
            pass_time(draft, incident)
            draft.touched[incident.id] = None
    _mark_all_suppressed(draft)


def _check_clocks(draft: Draft) -> None:
    """Notice stale evidence and the end of flapping."""
    quiet_seconds = draft.plan.rules.flap_quiet_seconds
    now = draft.now
    for name, policy in draft.plan.checks.items():
        check = draft.checks.get(name)
        if check is None:
            check = CheckState(name)
        if check.is_flapping and check.status is CheckStatus.UP:
            quiet_at = check.recovered_at or now
            if quiet_at > now:  # the clock was set back: quiet is counted from here
                draft.put_check(replace(check, recovered_at=now))
                continue
            if since(quiet_at, now) >= quiet_seconds:
                draft.put_check(replace(check, is_flapping=False))
                incident = draft.live_incident_of(check)
                if incident is not None:
                    settle(draft, incident.id)
                continue
        seen_at = check.unknown_since or check.last_started_at or draft.fresh_since
        if seen_at is None:
            continue
        limit = stale_after_seconds(policy)
        if (now - seen_at).total_seconds() <= limit:
            continue
        if check.stale_since is None:
            draft.put_check(replace(check, is_stale=True, stale_since=now))
        elif since(check.stale_since, now) > limit and draft.live_incident_of(check) is None:
            _warn_of_stale(draft, name)


def _warn_of_stale(draft: Draft, check_id: str) -> None:
    """Open a warning of our own, unless something above explains that we cannot look, or it never could be seen."""
    if _is_unobservable(draft, check_id):
        return
    ancestors = [draft.checks.get(name) for name in draft.plan.graph.ancestors[check_id]]
    patience = stale_after_seconds(draft.plan.checks[check_id])
    if all(above is None or _has_been_seen_well(above, draft.now, patience) for above in ancestors):
        open_root(draft, check_id, Cause.STALE)


def _is_unobservable(draft: Draft, check_id: str) -> bool:
    """Return whether looks go on and say that it cannot be seen as things are set up: nothing new to be told."""
    check = draft.checks.get(check_id)
    if check is None or check.last_result is None:
        return False
    seconds = since(check.last_result.started_at, draft.now)
    said = check.last_result.verdict.reason
    return said is Reason.NOT_CONFIGURED and seconds <= stale_after_seconds(draft.plan.checks[check_id])


def _has_been_seen_well(check: CheckState, now: datetime, seconds: float) -> bool:
    """Return whether it is up, and has been so for long enough that a look below it should have come."""
    if check.status is not CheckStatus.UP or check.is_stale:
        return False
    return check.recovered_at is None or not 0 <= since(check.recovered_at, now) <= seconds


def _forget_unplanned(draft: Draft) -> None:
    """Drop checks that the plan does not know any more, and resolve what only they kept open."""
    if draft.checks.keys() <= draft.plan.checks.keys():
        return
    for name in sorted(draft.checks.keys() - draft.plan.checks.keys()):
        incident = draft.live_incident_of(draft.check(name))
        draft.remove("checks", name)
        if incident is not None:
            touch(draft, incident.id)
            settle(draft, incident.id)


def _mark_all_suppressed(draft: Draft) -> None:
    for incident in tuple(draft.incidents.values()):
        if incident.is_live:
            mark_suppressed(draft, incident.id)


def _touch_all(draft: Draft) -> None:
    for incident_id in draft.incidents:
        draft.touched[incident_id] = None
