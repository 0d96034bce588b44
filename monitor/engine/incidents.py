"""The incident: opening, joining, re-rooting, rising, resolving, closing. Who explains what is decided elsewhere."""

from dataclasses import replace
from datetime import datetime

from monitor.engine.candidates import incident_to_reopen, incident_to_reroot, is_storm, running_storm
from monitor.engine.deploys import deploy_of
from monitor.engine.draft import Draft, is_root_of
from monitor.engine.explain import note_explanations
from monitor.engine.plan import Severity
from monitor.engine.silences import mark_suppressed
from monitor.engine.state import Cause, CheckState, CheckStatus, Incident, IncidentStatus, Member, Role
from monitor.engine.timers import after, is_due, since


def open_root(draft: Draft, check_id: str, cause: Cause) -> None:
    """Make this check a root: raise, re-root or reopen an incident that is there, else open a new one."""
    check = draft.check(check_id)
    severity = draft.plan.checks[check_id].severity if cause is Cause.DOWN else Severity.WARNING
    own = draft.live_incident_of(check)
    if own is not None:
        if is_root_of(own, check_id):
            _worsen(draft, own, check_id, cause, severity)
            return
        leave(draft, own, check_id, "it is a fault of its own")
    if cause is Cause.DOWN:
        told_below = incident_to_reroot(draft, check_id)
        if told_below is not None:
            _reroot(draft, told_below, check_id, severity)
            return
    storm = running_storm(draft, severity)
    if storm is not None:
        _join(draft, storm, check_id, Role.ROOT)
        raise_severity(draft, storm.id, severity)
        return
    earlier = incident_to_reopen(draft, check_id, cause)
    if earlier is not None:
        _reopen(draft, earlier, check_id, severity)
    else:
        _open_new(draft, check_id, cause, severity)


def join_symptom(draft: Draft, incident_id: int, check_id: str) -> None:
    """Add the check as a symptom. A page among the symptoms makes the incident a page."""
    _join(draft, draft.incidents[incident_id], check_id, Role.SYMPTOM)
    if draft.incidents[incident_id].cause is Cause.DOWN:
        raise_severity(draft, incident_id, draft.plan.checks[check_id].severity)


def leave(draft: Draft, incident: Incident, check_id: str, why: str) -> None:
    """Take the check out of its incident, and resolve that one when nothing else keeps it open."""
    draft.put_check(replace(draft.check(check_id), incident_id=None))
    members = tuple(
        replace(member, left_at=draft.now) if member.check_id == check_id else member for member in incident.members
    )
    draft.put_incident(replace(incident, members=members, revision=incident.revision + 1))
    draft.note(incident.id, "symptom_left", f"{check_id}: {why}", check_id)
    settle(draft, incident.id)


def raise_severity(draft: Draft, incident_id: int, severity: Severity) -> None:
    """Raise the severity, never lower it. A rise ends an ack: it was given to something smaller."""
    incident = draft.incidents[incident_id]
    if severity is not Severity.PAGE or incident.severity is Severity.PAGE:
        return
    changed = replace(incident, severity=severity, unacked_since=draft.now, revision=incident.revision + 1)
    if incident.status is IncidentStatus.ACKED:
        changed = _without_ack(changed)
    draft.put_incident(changed)
    draft.note(incident_id, "severity_rose", f"from {incident.severity} to {severity}")


def touch(draft: Draft, incident_id: int) -> None:
    """Have the card drawn again."""
    incident = draft.incidents[incident_id]
    draft.put_incident(replace(incident, revision=incident.revision + 1))


def count_drop(draft: Draft, check_id: str) -> None:
    """Count one confirmed drop of a live incident's root, and mark it as flapping after the third within the hour."""
    rules = draft.plan.rules
    check = draft.check(check_id)
    # One in the future was before the clock was set back: it counts, as of now.
    lately = (at for at in check.dropped_at if since(at, draft.now) < rules.flap_window_seconds)
    dropped_at = (*(min(at, draft.now) for at in lately), draft.now)
    is_flapping = check.is_flapping or len(dropped_at) >= rules.flap_drops
    draft.put_check(replace(check, dropped_at=dropped_at, is_flapping=is_flapping))
    incident = draft.live_incident_of(check)
    assert incident is not None
    if is_flapping and not incident.is_unstable:
        draft.note(incident.id, "unstable", f"{check_id}: {len(dropped_at)} drops", check_id)
    draft.put_incident(
        replace(incident, is_unstable=incident.is_unstable or is_flapping, revision=incident.revision + 1)
    )


def settle(draft: Draft, incident_id: int) -> None:
    """Resolve the incident when every member is well. Silences, deploys and holds have no say in it."""
    incident = draft.incidents[incident_id]
    if not incident.is_live or not all(_is_well(draft, incident, member) for member in incident.members):
        return
    for member in incident.members:
        check = draft.checks.get(member.check_id)
        if check is not None and check.incident_id == incident_id:
            draft.put_check(replace(check, incident_id=None))
    draft.put_incident(
        replace(
            _without_ack(incident),
            status=IncidentStatus.RESOLVED,
            resolved_at=draft.now,
            revision=incident.revision + 1,
        )
    )
    draft.note(incident_id, "resolved", f"{incident.root} and all that hung on it")


def acknowledge(draft: Draft, incident_id: int, author: str) -> None:
    """Note that a person has taken it, for an hour (a page) or eight (a warning)."""
    incident = draft.incidents.get(incident_id)
    if incident is None or not incident.is_live:
        return
    draft.put_incident(
        replace(
            incident,
            status=IncidentStatus.ACKED,
            acked_by=author,
            acked_at=draft.now,
            ack_until=after(draft.now, _ack_seconds(draft, incident)),
            revision=incident.revision + 1,
        )
    )
    draft.note(incident_id, "acked", f"by {author}", author)


def pass_time(draft: Draft, incident: Incident) -> None:
    """Let an ack lapse, close what was resolved long enough ago."""
    if incident.ack_until is not None:
        if is_due(incident.ack_until, draft.now, _ack_seconds(draft, incident)):
            draft.put_incident(replace(_without_ack(incident), unacked_since=draft.now, revision=incident.revision + 1))
            draft.note(incident.id, "ack_lapsed", f"{incident.acked_by} took it and it is still open")
    elif incident.status is IncidentStatus.RESOLVED and incident.resolved_at is not None:
        window = draft.plan.rules.reopen_window_seconds
        if is_due(after(incident.resolved_at, window), draft.now, window):
            draft.put_incident(replace(incident, status=IncidentStatus.CLOSED))
            draft.note(incident.id, "closed", "the reopening window has passed")


def _open_new(draft: Draft, check_id: str, cause: Cause, severity: Severity) -> None:
    check = draft.check(check_id)
    began_at = _began_at(draft, check, cause)
    policy = draft.plan.checks[check_id]
    incident = Incident(
        draft.take_number("next_incident_id"),
        check_id,
        severity,
        IncidentStatus.OPEN,
        began_at,
        draft.now,
        (Member(check_id, Role.ROOT, draft.now),),
        is_storm=is_storm(draft, severity),
        deploy_id=deploy_of(draft.plan.rules, draft.deploys.values(), policy.service, began_at),
        cause=cause,
        unacked_since=draft.now,
    )
    draft.put_incident(incident)
    draft.put_check(replace(check, incident_id=incident.id))
    draft.note(incident.id, "opened", f"{check_id} is {cause}", check_id)
    note_explanations(draft, incident.id)
    mark_suppressed(draft, incident.id)


def _reopen(draft: Draft, incident: Incident, check_id: str, severity: Severity) -> None:
    members = tuple(
        replace(member, left_at=member.left_at or incident.resolved_at)
        for member in incident.members
        if member.check_id != check_id
    )
    draft.put_incident(
        replace(
            incident,
            status=IncidentStatus.OPEN,
            members=(Member(check_id, Role.ROOT, draft.now), *members),
            resolved_at=None,
            reopened_at=draft.now,
            broke_again_at=_began_at(draft, draft.check(check_id), incident.cause),
            reopen_count=incident.reopen_count + 1,
            is_storm=False,
            is_unstable=False,
            unacked_since=draft.now,
            revision=incident.revision + 1,
        )
    )
    draft.put_check(replace(draft.check(check_id), incident_id=incident.id))
    draft.note(incident.id, "reopened", f"{check_id} fails again", check_id)
    note_explanations(draft, incident.id)
    raise_severity(draft, incident.id, severity)
    mark_suppressed(draft, incident.id)


def _reroot(draft: Draft, incident: Incident, check_id: str, severity: Severity) -> None:
    check = draft.check(check_id)
    former = incident.root
    members = tuple(
        replace(member, role=Role.FORMER_ROOT) if member.role is Role.ROOT else member
        for member in incident.members
        if member.check_id != check_id
    )
    draft.put_incident(
        replace(
            incident,
            root=check_id,
            started_at=min(incident.started_at, check.down_since or incident.started_at),
            members=(Member(check_id, Role.ROOT, draft.now), *members),
            revision=incident.revision + 1,
        )
    )
    draft.put_check(replace(check, incident_id=incident.id))
    draft.note(incident.id, "rerooted", f"{check_id} explains {former}", check_id)
    raise_severity(draft, incident.id, severity)
    mark_suppressed(draft, incident.id)


def _join(draft: Draft, incident: Incident, check_id: str, role: Role) -> None:
    others = tuple(member for member in incident.members if member.check_id != check_id)
    draft.put_incident(
        replace(incident, members=(*others, Member(check_id, role, draft.now)), revision=incident.revision + 1)
    )
    draft.put_check(replace(draft.check(check_id), incident_id=incident.id))
    draft.note(incident.id, "symptom_joined" if role is Role.SYMPTOM else "root_joined", check_id, check_id)


def _worsen(draft: Draft, incident: Incident, check_id: str, cause: Cause, severity: Severity) -> None:
    """Raise a warning of the check's own; only a check without a live incident opens a lesser one."""
    draft.put_incident(replace(incident, cause=cause, revision=incident.revision + 1))
    draft.note(incident.id, "worsened", f"{check_id} is {cause}", check_id)
    raise_severity(draft, incident.id, severity)


def _without_ack(incident: Incident) -> Incident:
    return replace(incident, status=IncidentStatus.OPEN, acked_by=None, acked_at=None, ack_until=None)


def _ack_seconds(draft: Draft, incident: Incident) -> float:
    rules = draft.plan.rules
    return rules.ack_page_seconds if incident.severity is Severity.PAGE else rules.ack_warning_seconds


def _is_well(draft: Draft, incident: Incident, member: Member) -> bool:
    if member.left_at is not None or member.check_id not in draft.plan.checks:
        return True
    check = draft.check(member.check_id)
    is_root = member.role is Role.ROOT
    if incident.cause is Cause.DEGRADED and check.is_degraded:
        return False
    if is_root and (check.is_flapping or (incident.cause is Cause.STALE and check.is_stale)):
        return False
    return check.status is CheckStatus.UP


def _began_at(draft: Draft, check: CheckState, cause: Cause) -> datetime:
    began = {
        Cause.DOWN: check.down_since,
        Cause.DEGRADED: check.degraded_since,
        Cause.STALE: check.unknown_since or check.last_started_at,
    }[cause]
    return began or draft.now
