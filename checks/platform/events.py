"""`platform.events`: what Render itself noted: instances that failed, restarts, maintenance."""

from asyncio import TaskGroup
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from checks.base import IO, RenderReader, Seconds
from checks.platform.asking import (
    FRESH_SECONDS,
    PlatformCheck,
    PlatformConfig,
    none_found,
    services_of,
    stamp,
)
from checks.platform.shapes import RenderEvent, Service, event_of
from checks.result import Fact, Reason, Verdict, degraded, failed, ok
from checks.wording import duration, listed

WINDOW_SECONDS = 3600.0
SHOWN = 8

OTHERS = {
    "server_hardware_failure": "Render's hardware failed: it moves the instance by itself.",
    "pipeline_minutes_exhausted": "No build minutes are left: nothing is deployed until you buy more.",
    "image_pull_failed": "The image cannot be pulled: name, tag and registry credential.",
    "auto_deploy_disabled": "Auto-deploy is off: the next push will not go live by itself.",
    "branch_deleted": "The branch that is deployed is gone: choose another in the service's settings.",
}
"""Worth a warning whenever they happen, and why."""


class PlatformEventsConfig(PlatformConfig):
    """How much is too much."""

    kind: Literal["platform.events"] = "platform.events"
    failures: int = 2
    """So many failed instances of one service …"""
    failures_seconds: Seconds = 600.0
    """… within this are failed."""
    restarts: int = 2
    """So many restarts of one service within an hour are degraded."""


@dataclass(frozen=True, slots=True)
class PlatformEventsSeen:
    """The last hour's events of each service."""

    of: tuple[tuple[Service, tuple[RenderEvent, ...]], ...]


class PlatformEvents(PlatformCheck[PlatformEventsConfig, PlatformEventsSeen]):
    """Read the events of each service."""

    Config = PlatformEventsConfig

    async def measure(self, io: IO) -> PlatformEventsSeen:
        """Ask for all services at once."""
        config = self.config
        api = io.render(config.api_url, config.api_key)
        since = stamp(io.now() - timedelta(seconds=WINDOW_SECONDS), 30)
        services = await services_of(api, config)
        async with TaskGroup() as group:
            asking = [group.create_task(_events(api, service, since)) for service in services]
        return PlatformEventsSeen(tuple(zip(services, (one.result() for one in asking), strict=True)))

    def judge(self, seen: PlatformEventsSeen, now: datetime, before: Sequence[PlatformEventsSeen] = ()) -> Verdict:
        """The worst of them counts."""
        if not seen.of:
            return none_found(self.config)
        config = self.config
        events = [(service, event) for service, some in seen.of for event in some]
        facts = tuple(
            Fact(f"{service.name} {event.type.replace('_', ' ')}", _detail(event, now))
            for service, event in events[:SHOWN]
        )
        recent = now - timedelta(seconds=config.failures_seconds)
        for service, some in seen.of:
            broken = [event for event in some if event.type == "server_failed" and event.at >= recent]
            if len(broken) >= config.failures:
                why = reason_of(broken[0])
                within = duration(config.failures_seconds)
                return failed(
                    Reason.FAILING, f"{service.name} failed {len(broken)} times within {within}: {why}", *facts,
                    hint=f"{_failure_hint(why)} {service.dashboard_url}".rstrip(),
                    values={"failures_count": float(len(broken))},
                )  # fmt: skip
        for service, some in seen.of:
            restarts = [event for event in some if event.type in ("server_restarted", "server_failed")]
            if len(restarts) >= config.restarts:
                return degraded(
                    Reason.FAILING, f"{service.name} restarted {len(restarts)} times within an hour", *facts,
                    hint=f"Read its log before each restart; is memory short? {service.dashboard_url}".rstrip(),
                )  # fmt: skip
        lasting = [service.name for service, some in seen.of if _is_in_maintenance(some)]
        if lasting:
            return degraded(
                Reason.DEPENDENCY_DOWN, f"Render's maintenance of {listed(lasting)}", *facts,
                hint="It ends by itself; silence what it disturbs.",
            )  # fmt: skip
        found = next(((service, event) for service, event in events if event.type in OTHERS), None)
        if found is not None:
            service, event = found
            return degraded(
                Reason.DRIFT, f"{service.name}: {event.type.replace('_', ' ')}", *facts, hint=OTHERS[event.type]
            )
        return ok(f"{len(events)} event{'' if len(events) == 1 else 's'} within an hour, nothing to tell", *facts)


async def _events(api: RenderReader, service: Service, since: str) -> tuple[RenderEvent, ...]:
    items = await api.all(
        f"/services/{service.id}/events", [("startTime", since)], max_age_seconds=FRESH_SECONDS, most_pages=2
    )
    events = (event for item in items if (event := event_of(item)) is not None)
    return tuple(sorted(events, key=lambda event: event.at, reverse=True))


def reason_of(event: RenderEvent) -> str:
    """Return why an instance failed, in a few words."""
    reason: Any = event.details.get("reason")
    found: dict[str, Any] = {key: value for key, value in reason.items() if value} if isinstance(reason, dict) else {}
    if isinstance(found.get("oomKilled"), dict):
        return f"out of memory (limit {found['oomKilled'].get('memoryLimit', '?')})"
    if "nonZeroExit" in found:
        return f"exit status {found['nonZeroExit']}"
    if isinstance(found.get("unhealthy"), str):
        return f"unhealthy: {found['unhealthy']}"
    if "evicted" in found:
        return str(found.get("evictionReason") or "evicted")
    if "timedOutSeconds" in found:
        return str(found.get("timedOutReason") or f"timed out after {found['timedOutSeconds']} s")
    return "ended early" if "earlyExit" in found else "no reason given"


def _failure_hint(why: str) -> str:
    if why.startswith("out of memory"):
        return "Lower the concurrency, find the leak, or take a larger plan."
    if why.startswith("unhealthy"):
        return "Its health check does not answer within 5 s: look at the API's own checks and its log."
    return "Read the end of its log."


def _is_in_maintenance(events: Sequence[RenderEvent]) -> bool:
    """Return whether the newest word about maintenance is that it began; `events` are newest first."""
    newest = next((event for event in events if event.type in ("maintenance_started", "maintenance_ended")), None)
    return newest is not None and newest.type == "maintenance_started"


def _detail(event: RenderEvent, now: datetime) -> str:
    ago = f"{duration(max(0.0, (now - event.at).total_seconds()))} ago"
    return f"{ago}, {reason_of(event)}" if event.type == "server_failed" else ago
