"""Turns views into the API's bodies."""

from __future__ import annotations

from collections.abc import Sequence

from checks.result import Result
from monitor.engine.model import AppendTimeline
from monitor.engine.objectives import Assessment, hours
from monitor.web.api.models import (
    CheckBody,
    CheckDetailBody,
    EvidenceBody,
    FactBody,
    IncidentBody,
    IncidentDetailBody,
    MemberBody,
    ResultBody,
    SloBody,
    TimelineBody,
)
from monitor.web.views import CheckView, IncidentView


def check_body(view: CheckView) -> CheckBody:
    """Return one check in short."""
    reason = view.result.verdict.reason if view.result is not None else None
    return CheckBody(
        id=view.id,
        service=view.service,
        status=view.status,
        reason=reason.value if reason is not None else None,
        summary=view.summary,
        last_run_at=view.last_run_at,
        duration_seconds=view.duration_seconds,
        incident=view.incident,
    )


def check_detail_body(view: CheckView) -> CheckDetailBody:
    """Return one check in full."""
    policy = view.policy
    return CheckDetailBody(
        **check_body(view).model_dump(),
        notes=list(view.notes),
        since=view.since,
        severity=policy.severity.value,
        interval_seconds=policy.interval_seconds,
        timeout_seconds=policy.timeout_seconds,
        depends_on=list(policy.hard_parents),
        explained_by=list(policy.soft_parents),
        runbook_url=policy.runbook_url,
        last_result=result_body(view.result) if view.result is not None else None,
        last_failure=result_body(view.failure) if view.failure is not None else None,
    )


def result_body(result: Result) -> ResultBody:
    """Return one look."""
    verdict = result.verdict
    return ResultBody(
        started_at=result.started_at,
        duration_seconds=result.duration_seconds,
        outcome=verdict.outcome.value,
        reason=verdict.reason.value if verdict.reason is not None else None,
        summary=verdict.summary,
        hint=verdict.hint,
        evidence=EvidenceBody(
            facts=[FactBody(name=fact.name, value=fact.value, unit=fact.unit) for fact in verdict.evidence.facts],
            excerpt=verdict.evidence.excerpt,
        ),
        values=dict(verdict.values),
        vantage=result.vantage,
    )


def incident_body(view: IncidentView) -> IncidentBody:
    """Return one incident in short."""
    incident = view.incident
    return IncidentBody(
        id=incident.id,
        root=incident.root,
        severity=incident.severity.value,
        status=incident.status.value,
        summary=view.root_summary,
        symptoms=list(view.symptoms),
        started_at=incident.started_at,
        opened_at=incident.opened_at,
        resolved_at=incident.resolved_at,
        acked_by=incident.acked_by,
        reopen_count=incident.reopen_count,
        deploy=incident.deploy_id,
    )


def incident_detail_body(
    view: IncidentView, timeline: Sequence[AppendTimeline], still_ok: Sequence[str]
) -> IncidentDetailBody:
    """Return one incident in full."""
    return IncidentDetailBody(
        **incident_body(view).model_dump(),
        hint=view.root_hint,
        members=[
            MemberBody(check=one.check_id, role=one.role.value, joined_at=one.joined_at, left_at=one.left_at)
            for one in view.incident.members
        ],
        timeline=[TimelineBody(at=row.at, actor=row.actor, kind=row.kind, text=row.text) for row in timeline],
        still_ok=list(still_ok),
    )


def slo_body(assessment: Assessment) -> SloBody:
    """Return how an objective stands."""
    objective = assessment.objective
    return SloBody(
        name=objective.name,
        service=objective.service,
        checks=list(objective.checks),
        target=objective.target,
        window_days=objective.window_seconds / 86_400,
        availability=assessment.uptime.availability,
        coverage=assessment.uptime.coverage,
        summary=assessment.uptime.text(),
        budget_left=assessment.budget_left,
        burn_rates={hours(seconds): rate for seconds, rate in assessment.rates.items()},
        burning=None if assessment.rule is None else assessment.rule.factor,
        outages=assessment.outages,
    )
