"""The pages, and the event stream of each."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Annotated

from fastapi import APIRouter, Path
from fastapi.responses import HTMLResponse, StreamingResponse
from jinja2 import Environment
from markupsafe import Markup

from monitor.web.asking import RecentLooks, find_incident, find_policy
from monitor.web.context import WebContext
from monitor.web.pages.fragments import Fragments, Pages, groups_of
from monitor.web.pages.live import EventStreams
from monitor.web.pages.render import render

IncidentId = Annotated[int, Path(ge=1, le=2**63 - 1)]


def page_routes(context: WebContext, environment: Environment) -> APIRouter:
    """Return the routes; they are for people, so the API's document leaves them out."""
    router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)
    pages = Pages(context, environment, RecentLooks(context.history, context.now))
    streams = EventStreams(context)

    def page(template: str, fragments: Fragments, **values: object) -> HTMLResponse:
        safe = {name: Markup(html) for name, html in fragments.items()}  # noqa: S704 (our own templates escaped it)
        return HTMLResponse(render(environment, template, fragments=safe, **values))

    def events(fragments: Callable[[], Awaitable[Fragments]], moved: Callable[[], object]) -> StreamingResponse:
        streams.check_room()
        return StreamingResponse(
            streams.stream(fragments, moved), media_type="text/event-stream", headers={"X-Accel-Buffering": "no"}
        )

    @router.get("/")
    async def dashboard() -> HTMLResponse:
        """Show the checklist."""
        groups = groups_of(context.plan, context)
        return page("dashboard.html", await pages.dashboard(), groups=groups, events="/events")

    @router.get("/checks/{check_id}")
    async def check(check_id: str) -> HTMLResponse:
        """Show one check."""
        fragments = await pages.check(check_id)
        return page("check.html", fragments, check_id=check_id, events=f"/events/checks/{check_id}")

    @router.get("/incidents")
    async def incidents() -> HTMLResponse:
        """Show the list of incidents."""
        return page("incidents.html", await pages.incidents(), events="/events/incidents")

    @router.get("/incidents/{incident_id}")
    async def incident(incident_id: IncidentId) -> HTMLResponse:
        """Show one incident."""
        fragments = await pages.incident(incident_id)
        return page("incident.html", fragments, incident_id=incident_id, events=f"/events/incidents/{incident_id}")

    @router.get("/events")
    async def dashboard_events() -> StreamingResponse:
        """Stream the dashboard's changes."""
        return events(pages.dashboard, context.state)

    @router.get("/events/checks/{check_id}")
    async def check_events(check_id: str) -> StreamingResponse:
        """Stream one check's changes."""
        find_policy(context, check_id)
        return events(lambda: pages.check(check_id), lambda: context.state().checks.get(check_id))

    @router.get("/events/incidents")
    async def incidents_events() -> StreamingResponse:
        """Stream changes of the list of incidents."""
        return events(pages.incidents, lambda: context.state().incidents)

    @router.get("/events/incidents/{incident_id}")
    async def incident_events(incident_id: IncidentId) -> StreamingResponse:
        """Stream one incident's changes."""
        await find_incident(context, incident_id)
        return events(lambda: pages.incident(incident_id), context.state)

    return router
