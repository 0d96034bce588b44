"""What API and pages show of plan and state: pure functions from the engine's values to flat ones."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from checks.result import Outcome, Result
from monitor.engine.check_state import Shown, status_of
from monitor.engine.model import CheckPolicy, CheckState, Incident, IncidentStatus, Plan, Role, State

WORST_FIRST: tuple[Shown, ...] = ("down", "degraded", "unknown", "pending", "up")

SIGNS: dict[Shown, str] = {"up": "✓", "degraded": "!", "down": "✕", "unknown": "?", "pending": "…"}
"""One sign a status: readable without colour."""


@dataclass(frozen=True, slots=True)
class CheckView:
    """One check, as it stands."""

    id: str
    service: str
    status: Shown
    summary: str
    last_run_at: datetime | None
    duration_seconds: float | None
    incident: int | None
    policy: CheckPolicy
    result: Result | None
    """The newest look."""
    failure: Result | None
    """The newest failed look of the running or last outage."""
    notes: tuple[str, ...]
    """What the status word alone does not say: stale, flapping, on its way up or down."""
    since: datetime | None
    """Since when it is down or unknown; None for the other statuses."""


@dataclass(frozen=True, slots=True)
class IncidentView:
    """One incident with what the current state adds to it."""

    incident: Incident
    symptoms: tuple[str, ...]
    """Checks that fail because the root does, now."""
    root_summary: str
    """What the root saw when it was last bad; empty when that is not remembered any more."""
    root_hint: str
    root_failure: Result | None
    ended_at: datetime | None


def check_view(policy: CheckPolicy, state: State) -> CheckView:
    """Return how one check of the plan stands; a check never looked at is pending."""
    check = state.checks.get(policy.id, CheckState(policy.id))
    result = check.last_result
    status = status_of(check)
    return CheckView(
        id=policy.id,
        service=policy.service,
        status=status,
        summary=result.verdict.summary if result is not None else "not looked at yet",
        last_run_at=check.last_started_at,
        duration_seconds=result.duration_seconds if result is not None else None,
        incident=check.incident_id,
        policy=policy,
        result=result,
        failure=check.last_failure,
        notes=tuple(_notes_of(check)),
        since={"down": check.down_since, "unknown": check.unknown_since}.get(status),
    )


def check_views(plan: Plan, state: State) -> list[CheckView]:
    """Return every check of the plan, in the plan's order."""
    return [check_view(policy, state) for policy in plan.checks.values()]


def overall(statuses: Iterable[Shown]) -> Shown:
    """Return the worst status; pending where there is no check at all."""
    present = set(statuses)
    return next((status for status in WORST_FIRST if status in present), "pending")


def live_incidents(state: State) -> list[Incident]:
    """Return the open and acknowledged incidents: pages before warnings, the oldest first."""
    live = (incident for incident in state.incidents.values() if incident.is_live)
    return sorted(live, key=lambda one: (one.severity.value != "page", one.started_at, one.id))


def incident_view(incident: Incident, state: State) -> IncidentView:
    """Return the incident with its present symptoms and what its root saw."""
    failure = _evidence_of(incident, state.checks.get(incident.root))
    return IncidentView(
        incident=incident,
        symptoms=tuple(
            member.check_id for member in incident.members if member.role is Role.SYMPTOM and member.left_at is None
        ),
        root_summary=failure.verdict.summary if failure is not None else "",
        root_hint=failure.verdict.hint if failure is not None else "",
        root_failure=failure,
        ended_at=incident.resolved_at,
    )


def still_ok(plan: Plan, state: State) -> list[str]:
    """Return the checks that are up and whose newest look was good, in the plan's order."""
    return [
        view.id
        for view in check_views(plan, state)
        if view.status == "up" and view.result is not None and view.result.verdict.outcome is Outcome.OK
    ]


def _evidence_of(incident: Incident, root: CheckState | None) -> Result | None:
    """Return the look that shows what is wrong with the root; None once a later fault may have overwritten it."""
    if root is None or incident.status is IncidentStatus.CLOSED:
        return None
    newest = root.last_result
    is_slow_only = status_of(root) != "down" and newest is not None and newest.verdict.outcome is Outcome.DEGRADED
    return newest if is_slow_only and incident.is_live else root.last_failure


def _notes_of(check: CheckState) -> Iterable[str]:
    if check.status.value in ("suspect", "recovering"):
        yield check.status.value
    if check.is_stale:
        yield "stale"
    if check.is_flapping:
        yield "flapping"
    elif check.is_intermittent:
        yield "intermittent"
