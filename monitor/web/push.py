"""Dead-man's switches: a job calls here when it has run."""

from __future__ import annotations

import hmac
from typing import Annotated, Literal

from fastapi import APIRouter, Header, HTTPException, Query
from pydantic import BaseModel

from checks.base import Push
from checks.redaction import redact
from monitor.web.api.models import ErrorBody
from monitor.web.asking import ask
from monitor.web.context import WebContext

MESSAGE_CHARACTERS = 200


class PushBody(BaseModel):
    """What a job is told."""

    check: str
    status: Literal["ok", "failed"]
    """What was noted."""


def push_routes(context: WebContext) -> APIRouter:
    """Return the one route, open to whoever has the switch's own token."""
    router = APIRouter(tags=["dead-man's switches"])

    async def called(
        check_id: str,
        token: Annotated[str, Query(description="Or as a bearer token, which no proxy logs.")] = "",
        status: Annotated[Literal["ok", "failed"], Query(description="What became of the job.")] = "ok",
        message: Annotated[str, Query(description="A few words about it.", max_length=2000)] = "",
        authorization: Annotated[str, Header(include_in_schema=False)] = "",
    ) -> PushBody:
        """Note that the job has run."""
        expected = context.switches.get(check_id)
        scheme, _, bearer = authorization.partition(" ")
        given = bearer.strip() if scheme.lower() == "bearer" else token
        # One answer for a wrong token and an unknown switch: whoever has no token learns no names.
        if expected is None or not hmac.compare_digest(given.encode(), expected.get_secret_value().encode()):
            raise HTTPException(403, f"push: there is no switch {check_id!r} with this token")
        words = " ".join(redact(message).split())[:MESSAGE_CHARACTERS]
        await ask(context.record_push(check_id, Push(context.now(), status == "ok", words)))
        return PushBody(check=check_id, status=status)

    for method in ("GET", "POST"):
        router.add_api_route(
            "/push/{check_id}",
            called,
            methods=[method],
            operation_id=f"push_{method.lower()}",
            responses={code: {"model": ErrorBody} for code in (403, 422, 503)},
        )
    return router
