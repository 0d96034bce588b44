"""Reads a form that a person sent from one of our own pages, and sends the answer back as a page with one sentence."""

from __future__ import annotations

import hmac
from urllib.parse import parse_qs, quote, unquote, urlsplit

from fastapi import HTTPException, Request
from fastapi.responses import RedirectResponse

from monitor.web.access import Person

BODY_BYTES_MAX = 8192
SAID_COOKIE = "nexus_said"
SAID_SECONDS = 15
_SAID_CHARACTERS_MAX = 300


def is_same_origin(request: Request) -> bool:
    """Say whether a browser sent this form from one of our own pages."""
    site = request.headers.get("sec-fetch-site")
    if site is not None:
        return site in ("same-origin", "none")
    origin = request.headers.get("origin")
    return origin is None or urlsplit(origin).netloc == request.headers.get("host")


async def fields_of(request: Request) -> dict[str, str]:
    """Return the fields of a form, the first value of each; none where the body is too large to be one."""
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > BODY_BYTES_MAX:
            return {}
    return {name: values[0] for name, values in parse_qs(body.decode("utf-8", "replace")).items()}


async def act_form(request: Request) -> tuple[Person, dict[str, str]]:
    """Return who acts, and the form. Raises 403 for whoever may only look, and for a form from elsewhere."""
    person: Person | None = request.state.person
    if person is None or not person.may_act:
        raise HTTPException(403, "you may look, but not act: see MONITOR_TOKEN and alerts.operators")
    if not is_same_origin(request):
        raise HTTPException(403, "the form came from another site")
    fields = await fields_of(request)
    if not hmac.compare_digest(fields.get("csrf", "").encode(), person.csrf.encode()):
        raise HTTPException(403, "the form is out of date: go back, load the page again, and try once more")
    return person, fields


def answer(target: str, sentence: str) -> RedirectResponse:
    """Go back to a page that shows the sentence once."""
    response = RedirectResponse(target, 303)
    response.set_cookie(
        SAID_COOKIE, quote(sentence[:_SAID_CHARACTERS_MAX]), max_age=SAID_SECONDS, httponly=True, samesite="lax"
    )
    return response


def said(request: Request) -> str:
    """Return the sentence of the last answer; empty where there is none."""
    return unquote(request.cookies.get(SAID_COOKIE, ""))[:_SAID_CHARACTERS_MAX]
