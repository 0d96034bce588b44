"""The login page: the API token, typed once, becomes a session cookie."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from jinja2 import Environment

from monitor.web.access import COOKIE, SESSION_SECONDS, Access, safe_next
from monitor.web.pages.render import render

_BODY_BYTES_MAX = 4096


def login_routes(access: Access, environment: Environment) -> APIRouter:
    """Return the routes."""
    router = APIRouter(include_in_schema=False)

    def form(target: str, message: str = "", status: int = 200) -> HTMLResponse:
        return HTMLResponse(render(environment, "login.html", target=target, message=message), status)

    @router.get("/login")
    async def show(next: str = "/") -> HTMLResponse:  # noqa: A002 (the name of the query parameter)
        """Show the form."""
        return form(safe_next(next))

    @router.post("/login")
    async def login(request: Request) -> Response:
        """Compare the token; on success set the cookie and go on to the page that was asked for."""
        fields = parse_qs((await _small_body(request)).decode("utf-8", "replace"))
        target = safe_next(fields.get("next", ["/"])[0])
        if not _is_same_origin(request):
            return form(target, "The form came from another site.", 403)
        if not access.may_try(request.client.host if request.client else ""):
            return form(target, "Too many attempts: wait a minute.", 429)
        if not access.is_token(fields.get("token", [""])[0].strip()):
            return form(target, "This is not the token.", 403)
        answer = RedirectResponse(target, 303)
        answer.set_cookie(
            COOKIE,
            access.new_session(),
            max_age=SESSION_SECONDS,
            httponly=True,
            samesite="lax",
            secure=request.url.scheme == "https",
        )
        return answer

    @router.post("/logout")
    async def logout(request: Request) -> Response:
        """End the session of this browser."""
        if not _is_same_origin(request):
            return form("/", "The form came from another site.", 403)
        answer = RedirectResponse("/login", 303)
        answer.delete_cookie(COOKIE)
        return answer

    return router


def _is_same_origin(request: Request) -> bool:
    """Say whether a browser sent this form from one of our own pages."""
    site = request.headers.get("sec-fetch-site")
    if site is not None:
        return site in ("same-origin", "none")
    origin = request.headers.get("origin")
    return origin is None or urlsplit(origin).netloc == request.headers.get("host")


async def _small_body(request: Request) -> bytes:
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > _BODY_BYTES_MAX:
            return b""
    return body
