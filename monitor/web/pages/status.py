"""The public status page and the badges: open to everybody, and telling nothing but how the chosen services stand."""

from __future__ import annotations

from fastapi import APIRouter, HTTPException
from fastapi.responses import HTMLResponse, Response
from jinja2 import Environment

from monitor.engine.check_state import Shown
from monitor.web.asking import RecentHistory
from monitor.web.context import WebContext
from monitor.web.pages.render import render
from monitor.web.public import WORDS, Public, ServiceView, days_of_service, services_of
from monitor.web.uptime_bars import DAYS, bars_of
from monitor.web.views import overall

FRESH_SECONDS = 15
CHARACTER = 6.6
"""Width of one, at the badge's size."""
PAD = 9
COLOURS: dict[Shown, str] = {
    "up": "#15713f",
    "degraded": "#8a5a00",
    "down": "#b3261e",
    "unknown": "#6941b5",
    "pending": "#59636f",
}


def status_routes(context: WebContext, public: Public, environment: Environment, recent: RecentHistory) -> APIRouter:
    """Return the routes."""
    router = APIRouter(include_in_schema=False)

    def views() -> list[ServiceView]:
        return services_of(public, context.plan, context.state())

    @router.get("/status")
    async def status() -> HTMLResponse:
        """Show how the chosen services stand."""
        shown = views()
        names = tuple(sorted(name for view in shown for name in view.checks))
        days = await recent.days.get(names)
        now = context.now()
        rows = [(view, bars_of(days_of_service(context.plan, view.checks, days), now)) for view in shown]
        worst = overall(view.status for view in shown)
        body = render(environment, "status.html", title=public.title, rows=rows, status=worst, now=now, days=DAYS)
        return HTMLResponse(body, headers={"Cache-Control": f"public, max-age={FRESH_SECONDS}"})

    def badge(label: str, state: Shown) -> Response:
        word = WORDS[state]
        left, right = (round(len(text) * CHARACTER + 2 * PAD) for text in (label, word))
        body = render(environment, "badge.svg", label=label, word=word, left=left, right=right, colour=COLOURS[state])
        cache = f"public, max-age={FRESH_SECONDS}"
        return Response(body, media_type="image/svg+xml", headers={"Cache-Control": cache})

    @router.get("/badge.svg")
    async def badge_of_all() -> Response:
        """Draw how everything that was chosen stands."""
        return badge(public.title, overall(view.status for view in views()))

    @router.get("/badge/{service}.svg")
    async def badge_of_one(service: str) -> Response:
        """Draw how one service stands."""
        for view in views():
            if view.service == service:
                return badge(view.name, view.status)
        raise HTTPException(404, f"badge: there is none for {service!r}")

    return router
