"""The pages of silences, deploys and objectives."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from monitor.engine.deploys import window_ends_at
from monitor.engine.model import DeployWindow, Incident
from monitor.web.asking import ask
from monitor.web.context import WebContext
from monitor.web.pages.frame import Frame

SHOWN = 50
INCIDENTS_ASKED = 500


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

    @router.get("/deploys")
    async def deploys(request: Request) -> HTMLResponse:
        """Show the deploys, and what began after each."""
        stored = {one.id: one for one in await ask(context.history.deploys(SHOWN))}
        stored |= context.state().deploys
        incidents = await ask(context.history.incidents(INCIDENTS_ASKED))
        known = {one.id: one for one in incidents} | dict(context.state().incidents)
        newest = sorted(stored.values(), key=lambda one: one.started_at, reverse=True)[:SHOWN]
        rows = [(one, *_verdict(context, one, _after(one, known))) for one in newest]
        return frame.page(request, "deploys.html", {}, rows=rows)

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


def _after(deploy: DeployWindow, incidents: dict[int, Incident]) -> list[Incident]:
    return sorted((one for one in incidents.values() if one.deploy_id == deploy.id), key=lambda one: one.id)


def _verdict(context: WebContext, deploy: DeployWindow, incidents: list[Incident]) -> tuple[str, str, list[Incident]]:
    """Return the status that colours it, the word, and the incidents that began after it."""
    if deploy.is_failed:
        return "down", "failed", incidents
    if incidents:
        return "down" if any(one.is_live for one in incidents) else "degraded", "broke something", incidents
    if deploy.live_at is None and deploy.ended_at is None:
        return "pending", "in flight", incidents
    if window_ends_at(context.plan.rules, deploy) > context.now():
        return "pending", "observed", incidents
    return "up", "good", incidents
