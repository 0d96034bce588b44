"""Leaves a marker of each deploy where people look at charts and errors: Grafana's annotations, Sentry's releases."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from monitor.config.settings import Settings
from monitor.engine.deploy_record import DeployRecord, DeployVerdict
from monitor.probing.tls import USER_AGENT, tls_context

if TYPE_CHECKING:
    import httpx

ANSWER_SECONDS = 10.0
WENT_LIVE = (DeployVerdict.PASSED, DeployVerdict.BROKEN, DeployVerdict.BROKEN_BEFORE, DeployVerdict.UNDECIDED)


class MarkerRefusedError(Exception):
    """It was not taken. Its text is safe to show."""


class Markers:
    """Grafana and Sentry, as far as they are given."""

    def __init__(
        self,
        settings: Settings,
        http: "Callable[[], AbstractAsyncContextManager[httpx.AsyncClient]] | None" = None,
    ) -> None:
        self._settings = settings
        self._http = http or _client

    def wanted(self, record: DeployRecord) -> tuple[str, ...]:
        """Return where a marker of this deploy is still to be left."""
        if record.verdict is None:
            return ()
        wanted = []
        if self._settings.grafana_url and self._settings.grafana_token:
            wanted.append("grafana")
        # A release that never went live was deployed nowhere.
        is_deployed = bool(record.commit) and record.live_at is not None and record.verdict in WENT_LIVE
        if self._settings.sentry_org and self._settings.sentry_auth_token and is_deployed:
            wanted.append("sentry")
        return tuple(name for name in wanted if name not in record.marked)

    async def leave(self, where: str, record: DeployRecord) -> None:
        """Leave one marker. Raises MarkerRefusedError, or what httpx raises."""
        await (self._grafana(record) if where == "grafana" else self._sentry(record))

    async def _grafana(self, record: DeployRecord) -> None:
        settings = self._settings
        assert settings.grafana_token is not None
        verdict = "" if record.verdict is None else record.verdict.value
        end_at = record.live_at or record.ended_at or record.judged_at or record.started_at
        body = {
            "time": _milliseconds(record.started_at),
            "timeEnd": _milliseconds(end_at),
            "tags": ["deploy", record.service, verdict],
            "text": f"{record.short} on {record.service}: {verdict.replace('_', ' ')}",
        }
        await self._post(f"{settings.grafana_url}/api/annotations", settings.grafana_token.get_secret_value(), body)

    async def _sentry(self, record: DeployRecord) -> None:
        settings = self._settings
        assert settings.sentry_auth_token is not None
        assert record.live_at is not None
        path = f"/api/0/organizations/{quote(settings.sentry_org or '', safe='')}/releases/{record.commit}/deploys/"
        body = {
            "environment": settings.sentry_environment,
            "name": f"{record.service} {record.short}",
            "dateStarted": record.started_at.isoformat(),
            "dateFinished": record.live_at.isoformat(),
        }
        await self._post(settings.sentry_url + path, settings.sentry_auth_token.get_secret_value(), body)

    async def _post(self, url: str, token: str, body: dict[str, Any]) -> None:
        async with self._http() as client:
            answer = await client.post(url, json=body, headers={"authorization": f"Bearer {token}"})
        if not answer.is_success:
            raise MarkerRefusedError(f"status {answer.status_code}")


def _milliseconds(at: datetime) -> int:
    return int(at.timestamp() * 1000)


@asynccontextmanager
async def _client() -> "AsyncIterator[httpx.AsyncClient]":
    import httpx

    async with httpx.AsyncClient(
        trust_env=False,
        timeout=ANSWER_SECONDS,
        limits=httpx.Limits(max_keepalive_connections=0),
        verify=tls_context(),
        headers={"user-agent": USER_AGENT},
    ) as client:
        yield client
