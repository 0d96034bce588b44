"""A Render account in this process, asked through its real HTTP side."""

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from pydantic import SecretStr

from checks.base import IO
from checks.platform.client import RenderApi
from checks.platform.shapes import Deploy, Service
from demo.renderapi.account import Account, Held
from demo.renderapi.server import RenderServer
from tests.fakes import NOW, io_for

KEY = SecretStr("rnd_" + "k" * 28)
URL = "http://render.test/v1"
OLD, NEW = "0a1b2c3d4e5f", "abc1234def56"
GIVEN: dict[str, Any] = {"api_key": KEY, "api_url": URL, "names": ("nexus-api", "nexus-beat", "nexus-miniapp")}


class Render:
    """The account, its clock, and an IO whose client asks it."""

    def __init__(self) -> None:
        self.at = datetime.now(UTC).replace(microsecond=0)
        self.account = Account(lambda: self.at)
        self.api = self.account.add_service("nexus-api", commit=OLD)
        self.beat = self.account.add_service("nexus-beat", "background_worker", commit=OLD)
        self.miniapp = self.account.add_service("nexus-miniapp", "static_site", commit=OLD)
        self.server = RenderServer(self.account, KEY.get_secret_value())
        self.app = self.server.app()
        self.records: list[tuple[str, str, int, Any]] = []
        self.slept: list[float] = []
        self.monotonic = time.monotonic()
        self.client = self.new_client()

    def new_client(self) -> RenderApi:
        return RenderApi(
            URL, KEY, self._http, lambda: self.monotonic, sleep=self._sleep,
            record=lambda *answer: self.records.append(answer),
        )  # fmt: skip

    @asynccontextmanager
    async def _http(self) -> AsyncIterator[httpx.AsyncClient]:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(self.app)) as client:
            yield client

    async def _sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.monotonic += seconds

    def io(self) -> IO:
        return io_for(render=lambda url, key: self.client, now=lambda: self.at)

    def later(self, **by: float) -> None:
        """Let time pass; answers kept so far grow old."""
        self.at += timedelta(**by)
        self.monotonic += timedelta(**by).total_seconds()

    def deployed(self, held: Held, status: str, commit: str = NEW, **after: float) -> dict[str, Any]:
        """Play a deploy to its end, which comes `after` its start."""
        deploy = self.account.begin_deploy(held, commit, "A change")
        self.later(**(after or {"minutes": 2}))
        self.account.advance(held, deploy, status)
        return deploy


@pytest.fixture
def render() -> Render:
    return Render()


def service(name: str = "nexus-api", **more: Any) -> Service:
    """Return a service as it is read."""
    values: dict[str, Any] = {"type": "web_service", "plan": "starter", "region": "frankfurt", "repo": "r"}
    return Service(id=f"srv-{name}", name=name, **{**values, **more})


def deploy(status: str = "live", commit: str = NEW, minutes: float = -60.0, **more: Any) -> Deploy:
    """Return a deploy that ended, or began, so long after NOW."""
    at = NOW + timedelta(minutes=minutes)
    values: dict[str, Any] = {"created_at": at, "started_at": at, "finished_at": at}
    return Deploy(id=f"dep-{commit}-{status}", status=status, commit=commit, **{**values, **more})
