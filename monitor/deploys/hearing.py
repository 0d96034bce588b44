"""Hears of deploys: from Render's webhook, by asking Render, and from what services say of themselves."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog

from checks.redaction import redact
from monitor.deploys.render import Found
from monitor.deploys.rolling_back import render_errors
from monitor.deploys.sightings import Version, Versions, is_same, versions_of
from monitor.deploys.world import World

POLL_SECONDS = 60.0
BUSY_POLL_SECONDS = 15.0
"""While a deploy is under way; half as often where the webhook tells as well."""
RENDER_PATIENCE = timedelta(minutes=2)
"""So long Render may take to tell of a commit that a service names already."""

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Heard:
    """What was heard at one time."""

    found: tuple[Found, ...] = ()
    """Oldest first for each service."""
    deliveries: tuple[str, ...] = ()
    """Of the webhook: worked off once `found` is kept."""


class Hearing:
    """Asks nobody more often than needed; what one source does not tell, another one does."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._versions = Versions({})
        self._unexplained: dict[str, Version] = {}
        """Services that name a commit of which Render has not told yet."""
        self._polled_at: datetime | None = None
        """None: ask at once."""
        self._render_fails = False

    def begin(self, commits: Mapping[str, str]) -> None:
        """Begin with the commit that each service ran when it was last followed."""
        self._versions = Versions(commits)

    async def listen(self) -> Heard:
        """Return what Render says, if it is time to ask. Raises `StoreError`."""
        found: list[Found] = []
        deliveries: list[str] = []
        world = self._world
        if world.has_webhook and world.render is not None:
            for delivery in await world.records.rows.waiting_hooks():
                try:
                    found += await world.render.of_event(delivery.service_id, delivery.event_id)
                except render_errors() as error:
                    log.warning("deploys.event_not_followed", event_id=delivery.event_id, error=type(error).__name__)
                    self._polled_at = None  # the poll finds what the event was about
                deliveries.append(delivery.id)
        return Heard((*found, *await self._polled()), tuple(deliveries))

    async def _polled(self) -> list[Found]:
        world, now, before = self._world, self._world.now(), self._polled_at
        is_busy = any(record.live_at is None and record.render_service_id for record in world.records.open())
        pause = timedelta(seconds=_pause_seconds(is_busy=is_busy, has_webhook=world.has_webhook))
        if world.render is None or (before is not None and now < before + pause):
            return []
        max_age_seconds = 0.0 if before is None else 10.0
        self._polled_at = now
        found: list[Found] = []
        try:
            for service in await world.render.services():
                newest = await world.render.newest(service, max_age_seconds=max_age_seconds)
                found += [Found(service, deploy) for deploy in reversed(newest)]
        except render_errors() as error:
            write = log.debug if self._render_fails else log.warning
            write("deploys.not_polled", error=type(error).__name__, detail=redact(str(error))[:200])
            self._render_fails = True
        else:
            self._render_fails = False
        return found

    def versions(self) -> list[Version]:
        """Return the deploys of which only the services themselves tell."""
        world, now = self._world, self._world.now()
        for version in self._versions.changes(versions_of(world.line.state.checks)):
            self._unexplained[version.service] = version
            self._polled_at = None
        alone = []
        for service, version in tuple(self._unexplained.items()):
            newest = world.records.of_service(service)[-1:]
            is_explained = any(is_same(record.commit, version.commit) for record in newest)
            is_on_render = world.render is not None and service in world.render.service_names
            is_waiting = is_on_render and now - version.at <= RENDER_PATIENCE
            if not is_explained and is_waiting:
                continue
            if not is_explained and (not is_on_render or self._render_fails):
                alone.append(version)
            del self._unexplained[service]
        return alone


def _pause_seconds(*, is_busy: bool, has_webhook: bool) -> float:
    if not is_busy:
        return POLL_SECONDS
    return 2 * BUSY_POLL_SECONDS if has_webhook else BUSY_POLL_SECONDS
