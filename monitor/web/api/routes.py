"""The JSON API, version 1: status, checks, incidents. It only reads."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query
from fastapi.security import HTTPBearer

from monitor.web.api.bodies import (
    check_body,
    check_detail_body,
    incident_body,
    incident_detail_body,
    result_body,
    slo_body,
)
from monitor.web.api.models import (
    CheckBody,
    CheckDetailBody,
    ErrorBody,
    IncidentBody,
    IncidentDetailBody,
    ResultBody,
    SeriesBody,
    SloBody,
    StatusBody,
)
from monitor.web.api.series import series_body
from monitor.web.asking import ask, find_incident, find_policy
from monitor.web.context import WebContext
from monitor.web.views import check_view, check_views, incident_view, live_incidents, overall, still_ok

Hours = Annotated[int, Query(ge=1, le=14 * 24, description="How far back.")]
Limit = Annotated[int, Query(ge=1, le=500, description="How many at most.")]
IncidentId = Annotated[int, Path(ge=1, le=2**63 - 1)]
# Only names the scheme in the OpenAPI document: the guard in front of the routes does the checking.
_BEARER = Depends(HTTPBearer(auto_error=False, description="Needed when the monitor has an API token."))


def _errors(*codes: int) -> dict[int | str, dict[str, Any]]:
    return {code: {"model": ErrorBody} for code in (401, 422, *codes)}


def api_routes(context: WebContext) -> APIRouter:
    """Return the routes under `/api/v1`."""
    router = APIRouter(prefix="/api/v1", dependencies=[_BEARER])

    @router.get("/status", tags=["status"], responses=_errors())
    async def status() -> StatusBody:
        """Return everything at a glance."""
        state = context.state()
        views = check_views(context.plan, state)
        return StatusBody(
            status=overall(view.status for view in views),
            checks=[check_body(view) for view in views],
            incidents=[incident_body(incident_view(one, state)) for one in live_incidents(state)],
        )

    @router.get("/checks", tags=["checks"], responses=_errors())
    async def checks() -> list[CheckBody]:
        """Return every check, in the order of the plan."""
        return [check_body(view) for view in check_views(context.plan, context.state())]

    @router.get("/checks/{check_id}", tags=["checks"], responses=_errors(404))
    async def check(check_id: str) -> CheckDetailBody:
        """Return one check with its rules and its newest looks."""
        return check_detail_body(check_view(find_policy(context, check_id), context.state()))

    @router.get("/checks/{check_id}/results", tags=["checks"], responses=_errors(404, 503))
    async def results(check_id: str, limit: Limit = 50) -> list[ResultBody]:
        """Return the looks of one check, newest first."""
        policy = find_policy(context, check_id)
        return [result_body(one) for one in await ask(context.history.results(policy.id, limit))]

    @router.get("/checks/{check_id}/series", tags=["checks"], responses=_errors(404, 503))
    async def series(check_id: str, hours: Hours = 1) -> SeriesBody:
        """Return what a chart of the last hours shows: looks, incidents and deploys."""
        policy = find_policy(context, check_id)
        return await ask(series_body(context, policy, context.now() - timedelta(hours=hours)))

    @router.get("/slo", tags=["slo"], responses=_errors())
    async def slo() -> list[SloBody]:
        """Return every objective, judged within the last minute; none until the first was."""
        return [slo_body(one) for one in context.assessments()]

    @router.get("/incidents", tags=["incidents"], responses=_errors(503))
    async def incidents(limit: Limit = 50) -> list[IncidentBody]:
        """Return incidents, closed ones included: live ones first, then the newest."""
        state = context.state()
        stored = await ask(context.history.incidents(limit))
        return [incident_body(incident_view(state.incidents.get(one.id, one), state)) for one in stored]

    @router.get("/incidents/{incident_id}", tags=["incidents"], responses=_errors(404, 503))
    async def incident(incident_id: IncidentId) -> IncidentDetailBody:
        """Return one incident with its timeline."""
        found = await find_incident(context, incident_id)
        state = context.state()
        timeline = await ask(context.history.timeline(incident_id))
        ok_now = still_ok(context.plan, state) if found.is_live else []
        return incident_detail_body(incident_view(found, state), timeline, ok_now)

    return router
