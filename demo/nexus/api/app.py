"""The application: routers, and the Mini App's right to call from its own origin."""

from urllib.parse import urlsplit

from fastapi import FastAPI
from starlette.middleware.cors import CORSMiddleware

from demo.nexus.api import health, me, stats, tasks, users
from demo.nexus.api.parts import lifespan
from demo.nexus.api.settings import Settings
from demo.nexus.flaws import Flaw, has


def create_app(settings: Settings) -> FastAPI:
    """Return nexus-api for `settings`; connections are opened when it starts."""
    app = FastAPI(title="Nexus", version="1.0.0", lifespan=lifespan)
    app.state.settings = settings
    page = urlsplit(settings.miniapp_url)
    app.add_middleware(
        CORSMiddleware,
        allow_origins=[] if has(Flaw.NO_CORS) else [f"{page.scheme}://{page.netloc}"],
        allow_methods=["GET", "POST", "PATCH"],
        allow_headers=["Authorization", "Content-Type"],
        max_age=600,
    )
    for module in (health, users, tasks, stats, me):
        if not (module is tasks and has(Flaw.ROUTER_GONE)):
            app.include_router(module.router)
    return app
