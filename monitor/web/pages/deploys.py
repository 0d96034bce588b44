"""The page of deploys: each with its verdict, what is wrong since, and the incidents that began after it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from monitor.engine.deploy_record import DeployRecord, DeployVerdict
from monitor.engine.model import Incident
from monitor.web.asking import ask
from monitor.web.context import WebContext
from monitor.web.pages.frame import Frame

SHOWN = 50
INCIDENTS_ASKED = 500

WORDS = {
    DeployVerdict.PASSED: ("up", "good"),
    DeployVerdict.BROKEN: ("down", "broke something"),
    DeployVerdict.BROKEN_BEFORE: ("degraded", "broken before"),
    DeployVerdict.DEPLOY_FAILED: ("down", "failed"),
    DeployVerdict.CANCELED: ("unknown", "cancelled"),
    DeployVerdict.SUPERSEDED: ("unknown", "superseded"),
    DeployVerdict.UNDECIDED: ("unknown", "undecided"),
}


class Row(NamedTuple):
    """One deploy on the page."""

    deploy: DeployRecord
    status: str
    """What colours it."""
    word: str
    incidents: Sequence[Incident]


def deploy_routes(context: WebContext, frame: Frame) -> APIRouter:
    """Return the route."""
    router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)

    @router.get("/deploys")
    async def deploys(request: Request) -> HTMLResponse:
        """Show the deploys, newest first, and what began after each."""
        records = await ask(context.history.deploy_records(SHOWN))
        incidents = await ask(context.history.incidents(INCIDENTS_ASKED))
        known = {one.id: one for one in incidents} | dict(context.state().incidents)
        rows = [
            Row(one, *_said(one), [known[number] for number in sorted(known) if known[number].deploy_id == one.id])
            for one in records
        ]
        return frame.page(request, "deploys.html", {}, rows=rows)

    return router


def _said(record: DeployRecord) -> tuple[str, str]:
    """Return the status that colours it, and the word."""
    if record.verdict is not None:
        return WORDS[record.verdict]
    return "pending", "in flight" if record.live_at is None else "observed"
