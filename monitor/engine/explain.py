"""Soft edges: a check that is down may explain another one. It is named, and suppresses nothing."""

from collections.abc import Mapping

from monitor.engine.check_state import is_downish
from monitor.engine.draft import Draft, is_root_of
from monitor.engine.plan import Plan
from monitor.engine.state import CheckState, Incident


def may_explain(plan: Plan, checks: Mapping[str, CheckState], incident: Incident) -> tuple[str, ...]:
    """Return the soft parents of the incident's roots that are down and stand outside of it, as declared."""
    members = {member.check_id for member in incident.members if member.left_at is None}
    found = (
        parent
        for member in incident.members
        if is_root_of(incident, member.check_id) and member.check_id in plan.checks
        for parent in plan.checks[member.check_id].soft_parents
        if parent in plan.checks and parent not in members and is_downish(checks.get(parent))
    )
    return tuple(dict.fromkeys(found))


def note_explanations(draft: Draft, incident_id: int) -> None:
    """Write into the history of an incident that has just begun what may explain it."""
    names = may_explain(draft.plan, draft.checks, draft.incidents[incident_id])
    if names:
        draft.note(incident_id, "explained", f"may be explained by {', '.join(names)}")


def explained_below(draft: Draft, check_id: str) -> tuple[int, ...]:
    """Return the live incidents that this check, now that it is down or up again, explains more or less."""
    return tuple(
        incident.id
        for incident in draft.incidents.values()
        if incident.is_live
        and any(
            is_root_of(incident, member.check_id)
            and member.check_id in draft.plan.checks
            and check_id in draft.plan.checks[member.check_id].soft_parents
            for member in incident.members
        )
    )
