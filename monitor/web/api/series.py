"""Gathers what the chart of one check shows."""

from __future__ import annotations

from datetime import datetime

from monitor.engine.model import CheckPolicy
from monitor.web.api.models import LookBody, SeriesBody, SeriesDeployBody, SeriesIncidentBody
from monitor.web.context import WebContext

LOOKS_MAX = 2000
INCIDENTS_ASKED = 200
DEPLOYS_ASKED = 50


async def series_body(context: WebContext, policy: CheckPolicy, since_at: datetime) -> SeriesBody:
    """Return the looks since `since_at`, the incidents it was part of, the deploys of its service."""
    looks = await context.history.series(policy.id, since_at, LOOKS_MAX)
    stored = {one.id: one for one in await context.history.incidents(INCIDENTS_ASKED)} | dict(context.state().incidents)
    deploys = {one.id: one for one in await context.history.deploys(DEPLOYS_ASKED)} | dict(context.state().deploys)
    return SeriesBody(
        looks=[
            LookBody(started_at=one.started_at, duration_seconds=one.duration_seconds, outcome=one.outcome.value)
            for one in looks
        ],
        incidents=[
            SeriesIncidentBody(id=one.id, root=one.root, started_at=one.outage_started_at, ended_at=one.resolved_at)
            for one in stored.values()
            if any(member.check_id == policy.id for member in one.members)
            and (one.resolved_at is None or one.resolved_at > since_at)
        ],
        deploys=[
            SeriesDeployBody(id=one.id, commit=one.commit, started_at=one.started_at)
            for one in deploys.values()
            if one.service == policy.service and one.started_at > since_at
        ],
    )
