"""The monitor's own health, and its metrics: what platforms and Prometheus ask for."""

from __future__ import annotations

import asyncio

from fastapi import APIRouter, Response

from monitor.web.api.models import ErrorBody, LivenessBody, ReadinessBody
from monitor.web.context import WebContext

LOOP_SILENT_SECONDS = 60.0
"""A loop that has not ticked for so long is stuck."""

READINESS_SECONDS = 5.0


def health_routes(context: WebContext) -> APIRouter:
    """Return the routes."""
    router = APIRouter(tags=["the monitor itself"])

    @router.get("/healthz", responses={503: {"model": LivenessBody}})
    async def healthz(response: Response) -> LivenessBody:
        """Say whether the monitor itself runs. Never depends on what it watches."""
        ago = max(0.0, (context.now() - context.loop_ticked_at()).total_seconds())
        is_alive = ago <= LOOP_SILENT_SECONDS
        response.status_code = 200 if is_alive else 503
        return LivenessBody(status="ok" if is_alive else "stuck", loop_ticked_seconds_ago=round(ago, 3))

    @router.get("/readyz", responses={503: {"model": ReadinessBody}})
    async def readyz(response: Response) -> ReadinessBody:
        """Say whether the store answers and every check was looked at once."""
        try:
            async with asyncio.timeout(READINESS_SECONDS):
                waiting_for = list(await context.readiness())
        except TimeoutError:
            waiting_for = ["an answer within 5 s"]
        response.status_code = 503 if waiting_for else 200
        return ReadinessBody(status="waiting" if waiting_for else "ready", waiting_for=waiting_for)

    @router.get(
        "/metrics",
        response_class=Response,
        responses={200: {"content": {"text/plain": {"schema": {"type": "string"}}}}, 401: {"model": ErrorBody}},
    )
    async def metrics() -> Response:
        """Return every metric in Prometheus' text format."""
        body, content_type = context.metrics.exposition()
        return Response(body, headers={"Content-Type": content_type})

    return router
