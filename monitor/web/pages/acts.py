"""Where the buttons lead: each does one thing through the engine, and goes back to the page it was pressed on."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, HTTPException, Path, Request
from fastapi.responses import RedirectResponse

from monitor.engine.model import Silenced
from monitor.verbs import Hands, Verbs, is_known
from monitor.web.asking import find_incident, find_policy
from monitor.web.context import WebContext
from monitor.web.forms import act_form, answer

Number = Annotated[int, Path(ge=1, le=2**63 - 1)]
REASON_CHARACTERS = 200
MINUTES = {"30": 30, "60": 60, "240": 240, "1440": 1440, "10080": 10_080}
"""How long a silence may be asked for."""


def act_routes(context: WebContext, hands: Hands) -> APIRouter:
    """Return the routes."""
    router = APIRouter(include_in_schema=False)
    verbs = Verbs(hands, context.state, context.now)

    @router.post("/incidents/{incident_id}/ack")
    async def ack(request: Request, incident_id: Number) -> RedirectResponse:
        """Take an incident."""
        person, _ = await act_form(request)
        incident = await find_incident(context, incident_id)
        return answer(f"/incidents/{incident_id}", await verbs.ack(incident, person.name))

    @router.post("/incidents/{incident_id}/recheck")
    async def recheck(request: Request, incident_id: Number) -> RedirectResponse:
        """Look again at everything that is part of an incident."""
        await act_form(request)
        incident = await find_incident(context, incident_id)
        members = (member.check_id for member in incident.members if member.left_at is None)
        known = [name for name in (incident.root, *members) if name in context.plan.checks]
        return answer(f"/incidents/{incident_id}", verbs.recheck(known))

    @router.post("/incidents/{incident_id}/silence")
    async def silence_incident(request: Request, incident_id: Number) -> RedirectResponse:
        """Tell nothing of an incident for a while, or until it is resolved."""
        person, fields = await act_form(request)
        incident = await find_incident(context, incident_id)
        minutes = None if fields.get("minutes") == "resolved" else _minutes(fields)
        sentence = await verbs.silence_incident(incident, minutes, person.name)
        return answer(f"/incidents/{incident_id}", sentence)

    @router.post("/checks/{check_id}/run")
    async def run(request: Request, check_id: str) -> RedirectResponse:
        """Look at one check now."""
        await act_form(request)
        find_policy(context, check_id)
        return answer(f"/checks/{check_id}", verbs.recheck([check_id]))

    @router.post("/silences")
    async def silence(request: Request) -> RedirectResponse:
        """Begin a silence or a maintenance."""
        person, fields = await act_form(request)
        selector = fields.get("selector", "").strip()
        _must_exist(context, selector)
        reason = " ".join(fields.get("reason", "").split())[:REASON_CHARACTERS]
        if not reason:
            raise HTTPException(422, "reason: say why, in a few words: the others will want to know")
        ends_at = context.now() + timedelta(minutes=_minutes(fields))
        event = Silenced(selector, ends_at, person.name, reason, is_maintenance=fields.get("maintenance") == "on")
        return answer("/silences", await verbs.silence(event))

    @router.post("/silences/{silence_id}/end")
    async def end(request: Request, silence_id: Number) -> RedirectResponse:
        """End a silence early."""
        person, _ = await act_form(request)
        return answer("/silences", await verbs.end_silence(silence_id, person.name))

    return router


def _minutes(fields: dict[str, str]) -> int:
    asked = fields.get("minutes", "")
    if asked not in MINUTES:
        raise HTTPException(422, f"minutes: {asked[:20]!r} must be one of {', '.join(MINUTES)}")
    return MINUTES[asked]


def _must_exist(context: WebContext, selector: str) -> None:
    if not is_known(context.plan, selector):
        raise HTTPException(422, f"selector: {selector[:80]!r} must be check:…, subtree:… or service:… of a known one")
