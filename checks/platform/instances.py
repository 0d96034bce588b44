"""`platform.instances`: as many instances as there should be; a second beat would fire everything twice."""

from asyncio import TaskGroup
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from checks.base import IO, RenderReader, Seconds
from checks.platform.asking import FRESH_SECONDS, PlatformCheck, PlatformConfig, none_found, services_of
from checks.platform.shapes import Service, instants_of
from checks.result import Fact, Reason, Verdict, degraded, failed, ok
from checks.wording import duration


class PlatformInstancesConfig(PlatformConfig):
    """How long a change of instances may take."""

    kind: Literal["platform.instances"] = "platform.instances"
    fewer_seconds: Seconds = 120.0
    """Fewer than there should be for longer than this is degraded."""
    more_seconds: Seconds = 300.0
    """More, with the newest older than this, is degraded: the old instance of a deploy should be gone by then."""


@dataclass(frozen=True, slots=True)
class Instances:
    """The instances of one service."""

    service: Service
    began: tuple[datetime, ...]
    """Oldest first."""

    @property
    def are_few(self) -> bool:
        return len(self.began) < self.service.fewest_instances


@dataclass(frozen=True, slots=True)
class PlatformInstancesSeen:
    """The instances of each service that runs processes."""

    at: datetime
    of: tuple[Instances, ...]


class PlatformInstances(PlatformCheck[PlatformInstancesConfig, PlatformInstancesSeen]):
    """Count the instances of each service."""

    Config = PlatformInstancesConfig
    remembers = 16

    async def measure(self, io: IO) -> PlatformInstancesSeen:
        """Ask for all services at once; a suspended one has none."""
        config = self.config
        api = io.render(config.api_url, config.api_key)
        services = [one for one in await services_of(api, config) if one.runs and not one.is_suspended]
        async with TaskGroup() as group:
            asking = [group.create_task(_instances(api, service)) for service in services]
        return PlatformInstancesSeen(io.now(), tuple(one.result() for one in asking))

    def judge(
        self, seen: PlatformInstancesSeen, now: datetime, before: Sequence[PlatformInstancesSeen] = ()
    ) -> Verdict:
        """None is failed; fewer or more for too long is degraded."""
        if not seen.of:
            return none_found(self.config)
        facts = tuple(Fact(one.service.name, _said(one, now)) for one in seen.of)
        values = {"instances_count": float(sum(len(one.began) for one in seen.of))}
        none = [one.service for one in seen.of if not one.began]
        if none:
            return failed(
                Reason.MISSING, f"{none[0].name} has no instance", *facts, values=values,
                hint=f"It crashes at its start or was never deployed: read its log. {none[0].dashboard_url}".rstrip(),
            )  # fmt: skip
        more = next((one for one in seen.of if self._is_too_many(one, now)), None)
        if more is not None:
            return degraded(
                Reason.DRIFT,
                f"{more.service.name} has {len(more.began)} instances, not {more.service.most_instances}",
                *facts, values=values,
                hint="An old instance still runs beside the new one: two beats fire everything twice. Restart the "
                f"service. {more.service.dashboard_url}".rstrip(),
            )  # fmt: skip
        few = next((one for one in seen.of if one.are_few and self._lasts(one, seen, before)), None)
        if few is not None:
            return degraded(
                Reason.MISSING,
                f"{few.service.name} has {len(few.began)} of {few.service.fewest_instances} instances",
                *facts, values=values,
                hint=f"One does not start, or is being replaced: read its events. {few.service.dashboard_url}".rstrip(),
            )  # fmt: skip
        count, services = sum(len(one.began) for one in seen.of), len(seen.of)
        said = f"{count} instance{'' if count == 1 else 's'} of {services} service{'' if services == 1 else 's'}"
        return ok(said, *facts, values=values)

    def _is_too_many(self, one: Instances, now: datetime) -> bool:
        limit = now - timedelta(seconds=self.config.more_seconds)
        return len(one.began) > one.service.most_instances and one.began[-1] <= limit

    def _lasts(self, one: Instances, seen: PlatformInstancesSeen, before: Sequence[PlatformInstancesSeen]) -> bool:
        since = seen.at
        for look in reversed(before):
            earlier = next((other for other in look.of if other.service.id == one.service.id), None)
            if earlier is None or not earlier.are_few:
                break
            since = look.at
        return seen.at - since > timedelta(seconds=self.config.fewer_seconds)


async def _instances(api: RenderReader, service: Service) -> Instances:
    answer = await api.get(f"/services/{service.id}/instances", max_age_seconds=FRESH_SECONDS)
    return Instances(service, instants_of(answer))


def _said(one: Instances, now: datetime) -> str:
    ages = ", ".join(duration(max(0.0, (now - at).total_seconds())) for at in one.began)
    return f"{len(one.began)}, running for {ages}" if one.began else "none"
