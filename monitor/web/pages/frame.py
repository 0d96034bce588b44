"""What every page needs beside its own content: who looks, what was just done, the pieces, the event stream."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from fastapi import Request
from fastapi.responses import HTMLResponse, StreamingResponse
from jinja2 import Environment
from markupsafe import Markup

from monitor.web.access import Person
from monitor.web.forms import SAID_COOKIE, said
from monitor.web.pages.fragments import Fragments
from monitor.web.pages.live import EventStreams
from monitor.web.pages.render import render


@dataclass(frozen=True, slots=True)
class Frame:
    """Puts pages together."""

    environment: Environment
    streams: EventStreams
    can_act: bool
    """There is a line to act on."""

    def forms(self, request: Request) -> dict[str, object]:
        """Return what forms need to know of the one who looks."""
        person: Person | None = request.state.person
        may_act = self.can_act and person is not None and person.may_act
        return {"may_act": may_act, "csrf": person.csrf if person is not None and may_act else ""}

    def page(self, request: Request, template: str, fragments: Fragments, **values: object) -> HTMLResponse:
        """Return one whole page."""
        safe = {name: Markup(html) for name, html in fragments.items()}  # noqa: S704 (our own templates escaped it)
        sentence = said(request)
        body = render(self.environment, template, fragments=safe, said=sentence, **self.forms(request), **values)
        response = HTMLResponse(body)
        if sentence:
            response.delete_cookie(SAID_COOKIE)
        return response

    def events(self, fragments: Callable[[], Awaitable[Fragments]], moved: Callable[[], object]) -> StreamingResponse:
        """Return the stream of a page's changes."""
        self.streams.check_room()
        return StreamingResponse(
            self.streams.stream(fragments, moved), media_type="text/event-stream", headers={"X-Accel-Buffering": "no"}
        )
