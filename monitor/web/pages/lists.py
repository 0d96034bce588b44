"""The pages of silences and objectives."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from monitor.web.asking import ask
from monitor.web.context import WebContext
from monitor.web.pages.frame import Frame

SHOWN = 50


def list_routes(context: WebContext, frame: Frame) -> APIRouter:
    """Return the routes."""
    router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)

    @router.get("/silences")
    async def silences(request: Request, selector: str = "") -> HTMLResponse:
        """Show what is silenced, and the form that begins a silence."""
        stored = await ask(context.history.silences(SHOWN))
        running = {number: one for number, one in context.state().silences.items() if one.ended_at is None}
        over = [one for one in stored if one.id not in running]
        services = list(dict.fromkeys(policy.service for policy in context.plan.checks.values()))
        return frame.page(
            request,
            "silences.html",
            {},
            running=sorted(running.values(), key=lambda one: -one.id),
            over=over,
            services=services,
            checks=list(context.plan.checks),
            parents=[name for name, below in _children(context).items() if below],
            selector=selector,
        )

    @router.get("/slo")
    async def slo(request: Request) -> HTMLResponse:
        """Show how the objectives stand."""
        return frame.page(request, "slo.html", {}, assessments=context.assessments())

    return router


def _children(context: WebContext) -> dict[str, int]:
    below = dict.fromkeys(context.plan.checks, 0)
    for policy in context.plan.checks.values():
        for parent in policy.hard_parents:
            if parent in below:
                below[parent] += 1
    return below
