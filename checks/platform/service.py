"""`platform.service`: each service is there, is not suspended, and is as render.yaml wants it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict

from checks.base import IO
from checks.platform.asking import FRESH_SECONDS, PlatformCheck, PlatformConfig, none_found, services_of
from checks.platform.shapes import Service
from checks.result import Fact, Reason, Verdict, degraded, failed, ok
from checks.wording import listed

WHY_SUSPENDED = {
    "billing": "Render → Billing: pay, then Resume.",
    "stuck_crashlooping": "It crashed again and again: read its log, deploy a fix, then Resume.",
    "user": "Somebody suspended it by hand: Resume it, or take it out of monitor.yaml.",
    "parent_service": "The service it belongs to is suspended: Resume that one.",
}


class Wanted(BaseModel):
    """What render.yaml says of a service."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    plan: str | None = None
    region: str | None = None
    auto_deploy: bool | None = None


class PlatformServiceConfig(PlatformConfig):
    """What is expected."""

    kind: Literal["platform.service"] = "platform.service"
    expected: Mapping[str, Wanted] = {}
    """Service name → what render.yaml says of it."""


@dataclass(frozen=True, slots=True)
class PlatformServiceSeen:
    """The services that are there."""

    services: tuple[Service, ...]


class PlatformService(PlatformCheck[PlatformServiceConfig, PlatformServiceSeen]):
    """Read the list of services."""

    Config = PlatformServiceConfig
    remembers = 30

    async def measure(self, io: IO) -> PlatformServiceSeen:
        """Ask once for all."""
        config = self.config
        api = io.render(config.api_url, config.api_key)
        return PlatformServiceSeen(await services_of(api, config, max_age_seconds=FRESH_SECONDS))

    def judge(self, seen: PlatformServiceSeen, now: datetime, before: Sequence[PlatformServiceSeen] = ()) -> Verdict:
        """Failed where one is suspended or gone, degraded where one is not as it should be."""
        config = self.config
        facts = tuple(Fact(service.name, _state(service)) for service in seen.services)
        gone = _gone(config, seen, before)
        if gone:
            return failed(
                Reason.MISSING, f"not on Render: {listed(gone)}", *facts,
                hint="Was it deleted or renamed? Sync the Blueprint, or correct the names in monitor.yaml.",
            )  # fmt: skip
        if not seen.services:
            return none_found(config)
        suspended = [service for service in seen.services if service.is_suspended]
        if suspended:
            first = suspended[0]
            why = listed(first.suspenders) or "no reason given"
            hint = next((WHY_SUSPENDED[who] for who in first.suspenders if who in WHY_SUSPENDED), "Resume it.")
            return failed(
                Reason.MISSING, f"suspended: {listed([one.name for one in suspended])} ({why})", *facts,
                hint=f"{hint} {first.dashboard_url}".rstrip(),
            )  # fmt: skip
        other = [word for service in seen.services for word in _differences(service, config.expected)]
        if other:
            return degraded(
                Reason.DRIFT, f"not as render.yaml says: {listed(other)}", *facts,
                hint="Sync the Blueprint on Render, or write into render.yaml what is meant.",
            )  # fmt: skip
        count = len(seen.services)
        return ok(f"{count} service{'s' if count > 1 else ''}, none suspended", *facts)


def _gone(config: PlatformServiceConfig, seen: PlatformServiceSeen, before: Sequence[PlatformServiceSeen]) -> list[str]:
    """Return what is missing for certain: an id that was given, or a name that was there before."""
    if config.service_ids:
        there = {service.id for service in seen.services}
        return [name for name in config.service_ids if name not in there]
    known = {service.name for look in before for service in look.services}
    return sorted(known - {service.name for service in seen.services})


def _differences(service: Service, expected: Mapping[str, Wanted]) -> list[str]:
    wanted = expected.get(service.name, Wanted())
    pairs = (("plan", wanted.plan, service.plan), ("region", wanted.region, service.region))
    words = [
        f"{service.name} {name} {is_so}, not {want}"
        for name, want, is_so in pairs
        if want and want.replace(" ", "_") != is_so  # render.yaml writes `pro plus`, the API `pro_plus`
    ]
    if wanted.auto_deploy is not None and wanted.auto_deploy != service.auto_deploy:
        words.append(f"{service.name} auto-deploy is {'on' if service.auto_deploy else 'off'}")
    return words


def _state(service: Service) -> str:
    words = [service.type.replace("_", " "), service.plan, service.region]
    words.append("suspended" if service.is_suspended else f"auto-deploy {'on' if service.auto_deploy else 'off'}")
    return ", ".join(word for word in words if word)
