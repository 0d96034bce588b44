"""Where Render's webhook calls: signed, so it needs no token."""

from __future__ import annotations

from fastapi import APIRouter, HTTPException, Request
from pydantic import BaseModel

from monitor.web.api.models import ErrorBody
from monitor.web.context import TakeHook

LONGEST_BODY_BYTES = 65_536
"""Render's deliveries are a few hundred bytes."""


class HookBody(BaseModel):
    """What Render is told."""

    detail: str


def hook_routes(take: TakeHook) -> APIRouter:
    """Return the one route, open to whoever signs with the webhook's secret."""
    router = APIRouter(tags=["webhooks"])

    @router.post(
        "/hooks/render",
        operation_id="hook_render",
        responses={code: {"model": ErrorBody} for code in (401, 413, 422, 503)},
    )
    async def delivered(request: Request) -> HookBody:
        """Keep a delivery of Render's webhook; it is worked off afterwards."""
        body = bytearray()
        async for part in request.stream():
            body += part
            if len(body) > LONGEST_BODY_BYTES:
                raise HTTPException(413, f"hooks: more than {LONGEST_BODY_BYTES} bytes")
        status, line = await take(request.headers, bytes(body))
        if status != 200:
            raise HTTPException(status, line)
        return HookBody(detail=line)

    return router
