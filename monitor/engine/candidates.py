"""Which incident a new root belongs to: one to re-root, one to reopen, or one that stands for many."""

from monitor.engine.check_state import is_downish
from monitor.engine.draft import Draft
from monitor.engine.plan import Severity
from monitor.engine.state import Cause, Incident, IncidentStatus
from monitor.engine.timers import since


def incident_to_reroot(draft: Draft, check_id: str) -> Incident | None:
    """Return the first incident, opened within 120 s, whose root hangs on this check."""
    below = draft.plan.graph.descendants[check_id]
    found = [
        incident
        for incident in draft.incidents.values()
        if incident.is_live
        and incident.cause is Cause.DOWN
        and not incident.is_storm
        and incident.root in below
        and since(incident.live_since, draft.now) <= draft.plan.rules.reroot_window_seconds
        and is_downish(draft.checks.get(incident.root))
    ]
    return min(found, key=lambda incident: (incident.live_since, incident.id)) if found else None


def incident_to_reopen(draft: Draft, check_id: str, cause: Cause) -> Incident | None:
    """Return the incident of this root that was resolved within the reopening window."""
    for incident in draft.incidents.values():
        if incident.status is IncidentStatus.RESOLVED and incident.root == check_id and incident.cause is cause:
            return incident
    return None


def running_storm(draft: Draft, severity: Severity) -> Incident | None:
    """Return the live incident that stands for many, while roots keep coming."""
    window = draft.plan.rules.storm_window_seconds
    for incident in draft.incidents.values():
        if incident.is_live and incident.is_storm and incident.severity is severity:
            newest = max(member.joined_at for member in incident.members)
            if since(newest, draft.now) <= window:
                return incident
    return None


def is_storm(draft: Draft, severity: Severity) -> bool:
    """Return whether so many roots were opened lately that one card is to stand for the next."""
    rules = draft.plan.rules
    lately = [
        incident.id
        for incident in draft.incidents.values()
        if incident.severity is severity and since(incident.live_since, draft.now) <= rules.storm_window_seconds
    ]
    return len(lately) >= rules.storm_roots
