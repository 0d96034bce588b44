"""Builds the web face: health, metrics, JSON API, pages."""

from __future__ import annotations

from http import HTTPStatus

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, JSONResponse, Response
from fastapi.staticfiles import StaticFiles
from jinja2 import Environment
from starlette.exceptions import HTTPException

from monitor.verbs import NotDoneError
from monitor.web.access import Access, Guard
from monitor.web.api.health import health_routes
from monitor.web.api.routes import api_routes
from monitor.web.asking import RecentHistory
from monitor.web.context import WebContext
from monitor.web.headers import SecurityHeaders
from monitor.web.hooks import hook_routes
from monitor.web.pages.acts import act_routes
from monitor.web.pages.deploys import deploy_routes
from monitor.web.pages.frame import Frame
from monitor.web.pages.lists import list_routes
from monitor.web.pages.live import EventStreams
from monitor.web.pages.login import login_routes
from monitor.web.pages.render import WEB, render, template_environment
from monitor.web.pages.routes import page_routes
from monitor.web.pages.status import status_routes
from monitor.web.push import push_routes

_FOR_PROGRAMS = ("/api/", "/push/", "/hooks/", "/events", "/metrics", "/healthz", "/readyz", "/openapi.json")


def build_app(context: WebContext) -> FastAPI:
    """Return the application. It starts nothing and keeps nothing but a few seconds of history."""
    app = FastAPI(
        title="Nexus Monitor",
        summary="What is up, what is broken, and since when.",
        version=context.version,
        docs_url=None,  # they load scripts from elsewhere
        redoc_url=None,
    )
    environment = template_environment(context)
    recent = RecentHistory(context.history, context.now)
    frame = Frame(environment, EventStreams(context), can_act=context.hands is not None)
    app.include_router(health_routes(context))
    app.include_router(api_routes(context))
    app.include_router(push_routes(context))
    if context.take_hook is not None:
        app.include_router(hook_routes(context.take_hook))
    app.include_router(page_routes(context, environment, frame, recent))
    app.include_router(list_routes(context, frame))
    app.include_router(deploy_routes(context, frame))
    if context.hands is not None:
        app.include_router(act_routes(context, context.hands))
    if context.public is not None:
        app.include_router(status_routes(context, context.public, environment, recent))
    app.mount("/static", StaticFiles(directory=WEB / "static"), name="static")
    access = Access(context.api_token, context.now, context.people, is_local=context.is_local)
    if access.has_login:
        app.include_router(login_routes(access, environment, context.now))
    app.add_middleware(Guard, access=access)
    app.add_middleware(SecurityHeaders, in_telegram=access.has_login and context.people is not None)
    _say_errors(app, environment)
    return app


def _say_errors(app: FastAPI, environment: Environment) -> None:
    """Answer every error with one line: JSON for programs, a page for people."""

    def answer(request: Request, status: int, line: str, headers: dict[str, str] | None = None) -> Response:
        if request.url.path.startswith(_FOR_PROGRAMS):
            return JSONResponse({"detail": line}, status, headers)
        page = render(environment, "error.html", status=status, phrase=HTTPStatus(status).phrase, line=line)
        return HTMLResponse(page, status, headers)

    @app.exception_handler(HTTPException)
    async def http_error(request: Request, error: HTTPException) -> Response:
        line = str(error.detail)
        if line == HTTPStatus(error.status_code).phrase:
            line = f"{request.method} {request.url.path}: {line.lower()}"
        return answer(request, error.status_code, line, dict(error.headers or {}))

    @app.exception_handler(RequestValidationError)
    async def bad_request(request: Request, error: RequestValidationError) -> Response:
        first = error.errors()[0]
        return answer(request, 422, f"{first['loc'][-1]}: {first['input']!r}: {first['msg']}")

    @app.exception_handler(NotDoneError)
    async def not_done(request: Request, error: NotDoneError) -> Response:
        return answer(request, 503, str(error))

    @app.exception_handler(Exception)
    async def internal_error(request: Request, _error: Exception) -> Response:
        return answer(request, 500, f"{request.method} {request.url.path}: internal error, see the log")
