"""The static site of the Mini App, as Render serves one: a rewrite to index.html, but a true 404 for assets."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import FileResponse, PlainTextResponse, Response
from starlette.routing import Route

from demo.nexus import environment
from demo.nexus.environment import SettingError
from demo.nexus.flaws import Flaw, has

IMMUTABLE = "public, max-age=31536000, immutable"
FRESH = "no-cache"


@dataclass(frozen=True, slots=True)
class Settings:
    """The built app, and what it is told at run time."""

    dist: Path
    api_url: str
    sdk_url: str = ""
    """Where telegram-web-app.js comes from; empty: the app does without."""
    page_headers: Mapping[str, str] = field(default_factory=dict)
    """Headers of the page beside or instead of its own, as render.yaml may name them."""

    @classmethod
    def from_environment(cls) -> Self:
        """Read API_URL, DIST (else the built app beside this file), TELEGRAM_SDK_URL, PAGE_HEADERS (JSON).

        Raises `SettingError`.
        """
        dist = Path(environment.text("DIST", str(Path(__file__).with_name("dist"))))
        if not (dist / "index.html").is_file():
            raise SettingError(f"DIST: {dist} holds no index.html")
        return cls(
            dist,
            environment.http_url("API_URL"),
            environment.http_url("TELEGRAM_SDK_URL", ""),
            _headers(environment.text("PAGE_HEADERS", "{}")),
        )


def create_app(settings: Settings) -> Starlette:
    """Return the site."""

    async def config(_: Request) -> Response:
        api_url = "undefined" if has(Flaw.API_UNDEFINED) else settings.api_url
        values = json.dumps({"apiUrl": api_url, "sdkUrl": settings.sdk_url})
        headers = {"Cache-Control": FRESH}
        return Response(f"window.NEXUS_CONFIG = {values};\n", media_type="text/javascript", headers=headers)

    async def asset(request: Request) -> Response:
        path = _file(settings.dist / "assets", request.path_params["path"])
        if path is None and has(Flaw.SPA_OVER_ASSETS):
            return FileResponse(settings.dist / "index.html", headers={"Cache-Control": FRESH})
        if path is None:
            raise HTTPException(404)
        kind = "text/plain" if has(Flaw.ASSETS_AS_TEXT) else None
        return FileResponse(path, headers={"Cache-Control": IMMUTABLE}, media_type=kind)

    async def page(request: Request) -> Response:
        path = _file(settings.dist, request.path_params["path"]) or settings.dist / "index.html"
        if not path.is_file():
            return PlainTextResponse("The app is not here.", status_code=503)
        return FileResponse(path, headers={"Cache-Control": FRESH, **settings.page_headers})

    return Starlette(
        routes=[
            Route("/config.js", config),
            Route("/assets/{path:path}", asset),
            Route("/{path:path}", page),
        ]
    )


def _headers(value: str) -> Mapping[str, str]:
    try:
        headers = json.loads(value)
    except ValueError:
        raise SettingError("PAGE_HEADERS: is not JSON") from None
    if not isinstance(headers, dict) or not all(isinstance(text, str) for text in headers.values()):
        raise SettingError("PAGE_HEADERS: must be an object of texts")
    return headers


def _file(folder: Path, path: str) -> Path | None:
    """Return the file `path` names inside `folder`, or nothing: never one outside of it."""
    if "\0" in path:
        return None
    root = folder.resolve()
    found = (root / path).resolve()
    return found if found.is_relative_to(root) and found.is_file() else None
