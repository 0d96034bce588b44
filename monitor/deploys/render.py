"""What Render says of deploys: by asking, or by following an event of its webhook; and asking it for a rollback."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from checks.platform.asking import PlatformConfig, deploys_of, services_of
from checks.platform.client import RenderApi
from checks.platform.logs import build_lines
from checks.platform.shapes import Deploy, Service, current, deploy_of, event_of

SERVICES_SECONDS = 300.0
"""So long the list of services is taken as it was read."""
LOG_LINES = 12
LOG_BEFORE = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Found:
    """A deploy, and whose it is."""

    service: Service
    deploy: Deploy


class RenderDeploys:
    """Asks Render's API about the services that are watched. Methods raise `RenderApiError` or what httpx raises."""

    def __init__(
        self,
        api: RenderApi,
        config: PlatformConfig,
        monotonic: Callable[[], float],
        *,
        writing: RenderApi | None = None,
    ) -> None:
        """`config` says which services; `writing` has the key that may deploy, where that is another one."""
        self._api = api
        self._config = config
        self._writing = writing or api
        self._monotonic = monotonic
        self._services: tuple[Service, ...] = ()
        self._read_at = float("-inf")

    @property
    def service_names(self) -> frozenset[str]:
        """The names of the services as they were read last."""
        return frozenset(service.name for service in self._services)

    async def services(self, *, is_fresh: bool = False) -> tuple[Service, ...]:
        """Return the services that are watched."""
        if is_fresh or self._monotonic() - self._read_at > SERVICES_SECONDS:
            self._services = await services_of(self._api, self._config)
            self._read_at = self._monotonic()
        return self._services

    async def service(self, service_id: str) -> Service | None:
        """Return one service; None for one that is not watched."""
        for is_fresh in (False, True):
            for service in await self.services(is_fresh=is_fresh):
                if service.id == service_id:
                    return service
        return None

    async def newest(self, service: Service, *, max_age_seconds: float) -> tuple[Deploy, ...]:
        """Return the newest deploys of a service, newest first."""
        return await deploys_of(self._api, service, max_age_seconds=max_age_seconds)

    async def of_event(self, service_id: str, event_id: str) -> Sequence[Found]:
        """Return the deploy that an event is about: from the event to the deploy to its commit.

        An event that names none (the build of one) is about the newest. Empty for a service that is not watched.
        """
        service = await self.service(service_id)
        if service is None:
            return ()
        event = event_of(await self._api.get(f"/events/{event_id}", max_age_seconds=0.0))
        deploy_id = None if event is None else event.details.get("deployId")
        if not isinstance(deploy_id, str) or not deploy_id:
            newest = await self.newest(service, max_age_seconds=0.0)
            return [Found(service, newest[0])] if newest else ()
        answer = await self._api.get(f"/services/{service.id}/deploys/{deploy_id}", max_age_seconds=0.0)
        deploy = deploy_of(answer)
        return () if deploy is None else [Found(service, deploy)]

    async def still_live(self, service_id: str) -> str:
        """Return the commit that is live on a service; empty where none is."""
        service = await self.service(service_id)
        live = None if service is None else current(await self.newest(service, max_age_seconds=0.0))
        return "" if live is None else live.commit

    async def log_end(self, service_id: str, deploy: Deploy, now: datetime) -> str:
        """Return the last lines of a build that failed; empty where they cannot be had."""
        service = await self.service(service_id)
        if service is None or deploy.finished_at is None:
            return ""
        since = max(deploy.finished_at - LOG_BEFORE, deploy.created_at or deploy.finished_at - LOG_BEFORE)
        lines = await build_lines(self._api, service, since, deploy.finished_at, now, is_newest_first=True)
        return "\n".join(line.message for line in (lines or ())[-LOG_LINES:])

    async def deploy(self, service_id: str, deploy_id: str) -> Deploy | None:
        """Return one deploy as it is now."""
        return deploy_of(await self._api.get(f"/services/{service_id}/deploys/{deploy_id}", max_age_seconds=0.0))

    async def roll_back(self, service_id: str, deploy_id: str) -> None:
        """Ask Render to bring a deploy back."""
        await self._writing.post(f"/services/{service_id}/rollback", {"deployId": deploy_id})
        self._api.forget()
