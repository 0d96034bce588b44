"""The ways in: the API token, typed once, or Telegram's signed word for who opened the Mini App."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from http.cookies import Morsel, SimpleCookie

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from jinja2 import Environment

from monitor.web.access import COOKIE, SESSION_SECONDS, Access, safe_next
from monitor.web.forms import fields_of, is_same_origin
from monitor.web.pages.render import render
from monitor.web.people import InitDataError


def login_routes(access: Access, environment: Environment, now: Callable[[], datetime]) -> APIRouter:
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
        fields = await fields_of(request)
        target = safe_next(fields.get("next", "/"))
        if not is_same_origin(request):
            return form(target, "The form came from another site.", 403)
        if not access.may_try(request.client.host if request.client else ""):
            return form(target, "Too many attempts: wait a minute.", 429)
        if not access.is_token(fields.get("token", "").strip()):
            return form(target, "This is not the token.", 403)
        return _let_in(request, RedirectResponse(target, 303), access.new_session())

    @router.post("/logout")
    async def logout(request: Request) -> Response:
        """End the session of this browser."""
        if not is_same_origin(request):
            return form("/", "The form came from another site.", 403)
        answer = RedirectResponse("/login", 303)
        answer.delete_cookie(COOKIE)
        return answer

    people = access.people
    if people is None:
        return router

    @router.get("/miniapp")
    async def miniapp(next: str = "/") -> HTMLResponse:  # noqa: A002 (the name of the query parameter)
        """Show the page that Telegram opens: its script hands the init data in."""
        return HTMLResponse(render(environment, "miniapp.html", target=safe_next(next)))

    @router.post("/login/telegram")
    async def login_telegram(request: Request) -> Response:
        """Check the init data; on success set the cookie and say where to go."""
        if not is_same_origin(request):
            return JSONResponse({"detail": "The form came from another site."}, 403)
        if not access.may_try(request.client.host if request.client else ""):
            return JSONResponse({"detail": "Too many attempts: wait a minute."}, 429)
        fields = await fields_of(request)
        try:
            user = people.user_of(fields.get("init_data", ""), now())
        except InitDataError as error:
            return JSONResponse({"detail": str(error)}, 403)
        target = safe_next(fields.get("next", "/"))
        return _let_in(request, JSONResponse({"next": target}), access.new_session(user), in_frame=True)

    return router


def _let_in(request: Request, response: Response, session: str, *, in_frame: bool = False) -> Response:
    """Set the session's cookie; in the frame that Telegram Web shows the app in, one that other sites' frames take."""
    cookie = SimpleCookie({COOKIE: session})
    morsel: Morsel[str] = cookie[COOKIE]
    is_https = request.url.scheme == "https"
    morsel["max-age"], morsel["path"], morsel["httponly"] = SESSION_SECONDS, "/", True
    morsel["samesite"] = "None" if in_frame and is_https else "lax"
    if is_https:
        morsel["secure"] = True
    partitioned = "; Partitioned" if in_frame and is_https else ""
    response.headers.append("Set-Cookie", morsel.OutputString() + partitioned)
    return response
