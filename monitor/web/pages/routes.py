"""The pages, and the event stream of each."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query, Request
from fastapi.responses import HTMLResponse, StreamingResponse
from jinja2 import Environment
from markupsafe import Markup

from monitor.engine.check_state import Shown
from monitor.web.asking import RecentHistory, find_incident, find_policy
from monitor.web.context import WebContext
from monitor.web.overview import statuses_of
from monitor.web.pages.fragments import Pages
from monitor.web.pages.frame import Frame

IncidentId = Annotated[int, Path(ge=1, le=2**63 - 1)]
PAGE_ROWS = 100


def page_routes(context: WebContext, environment: Environment, frame: Frame, recent: RecentHistory) -> APIRouter:
    """Return the routes; they are for people, so the API's document leaves them out."""
    router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)
    pages = Pages(context, environment, recent)

    @router.get("/")
    async def dashboard(request: Request) -> HTMLResponse:
        """Show the checklist."""
        overview = pages.overview()
        return frame.page(
            request, "dashboard.html", await pages.dashboard(overview), overview=overview, events="/events"
        )

    @router.get("/checks")
    async def checks(
        request: Request,
        q: Annotated[str, Query(max_length=100)] = "",
        heading: Annotated[str, Query(max_length=100)] = "",
        service: Annotated[str, Query(max_length=100)] = "",
        status: Shown | None = None,
        page: Annotated[int, Query(ge=1, le=10_000)] = 1,
    ) -> HTMLResponse:
        """Show the checks that are asked for, a hundred a page."""
        statuses = statuses_of(context.plan, context.state())
        found = [
            policy.id
            for policy in context.plan.checks.values()
            if q.lower() in policy.id.lower()
            and (not heading or context.headings.get(policy.id, policy.service) == heading)
            and (not service or policy.service == service)
            and (status is None or statuses[policy.id] == status)
        ]
        shown = found[(page - 1) * PAGE_ROWS : page * PAGE_ROWS]
        rows = [Markup(row) for row in await pages.rows(shown)]  # noqa: S704 (our own templates escaped it)
        asked = {"q": q, "heading": heading, "service": service, "status": status or ""}
        count = -(-len(found) // PAGE_ROWS)
        return frame.page(
            request, "checks.html", {}, rows=rows, asked=asked, total=len(found), page=page, page_count=count
        )

    @router.get("/checks/{check_id}")
    async def check(request: Request, check_id: str) -> HTMLResponse:
        """Show one check."""
        fragments = await pages.check(check_id, frame.forms(request))
        return frame.page(request, "check.html", fragments, check_id=check_id, events=f"/events/checks/{check_id}")

    @router.get("/incidents")
    async def incidents(request: Request) -> HTMLResponse:
        """Show the list of incidents."""
        return frame.page(request, "incidents.html", await pages.incidents(), events="/events/incidents")

    @router.get("/incidents/{incident_id}")
    async def incident(request: Request, incident_id: IncidentId) -> HTMLResponse:
        """Show one incident."""
        fragments = await pages.incident(incident_id, frame.forms(request))
        events = f"/events/incidents/{incident_id}"
        return frame.page(request, "incident.html", fragments, incident_id=incident_id, events=events)

    @router.get("/events")
    async def dashboard_events() -> StreamingResponse:
        """Stream the dashboard's changes."""
        return frame.events(pages.dashboard, context.state)

    @router.get("/events/checks/{check_id}")
    async def check_events(request: Request, check_id: str) -> StreamingResponse:
        """Stream one check's changes."""
        find_policy(context, check_id)
        forms = frame.forms(request)
        return frame.events(lambda: pages.check(check_id, forms), lambda: context.state().checks.get(check_id))

    @router.get("/events/incidents")
    async def incidents_events() -> StreamingResponse:
        """Stream changes of the list of incidents."""
        return frame.events(pages.incidents, lambda: context.state().incidents)

    @router.get("/events/incidents/{incident_id}")
    async def incident_events(request: Request, incident_id: IncidentId) -> StreamingResponse:
        """Stream one incident's changes."""
        await find_incident(context, incident_id)
        forms = frame.forms(request)
        return frame.events(lambda: pages.incident(incident_id, forms), context.state)

    return router
