"""`platform.resources`: processor, memory and disk against what the plan gives."""

from asyncio import TaskGroup
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from checks.base import IO, RenderReader, Seconds
from checks.platform.asking import (
    SHARED_SECONDS,
    PlatformCheck,
    PlatformConfig,
    none_found,
    services_of,
    stamp,
)
from checks.platform.shapes import Series, Service, series_of
from checks.result import Fact, Reason, Verdict, degraded, failed, ok
from checks.wording import duration

METRICS = ("cpu", "cpu-limit", "memory", "memory-limit", "disk-usage", "disk-capacity")
WINDOW_SECONDS = 900.0
RESOLUTION_SECONDS = 60


class PlatformResourcesConfig(PlatformConfig):
    """Shares of the plan's limit, and for how long."""

    kind: Literal["platform.resources"] = "platform.resources"
    interval_seconds: Seconds = 90.0
    memory_failed: float = 0.9
    memory_degraded: float = 0.8
    memory_seconds: Seconds = 300.0
    cpu_degraded: float = 0.7
    cpu_seconds: Seconds = 600.0
    disk_degraded: float = 0.8


@dataclass(frozen=True, slots=True)
class PlatformResourcesSeen:
    """The series of each metric."""

    services: tuple[Service, ...]
    metrics: Mapping[str, tuple[Series, ...]]


@dataclass(frozen=True, slots=True)
class Use:
    """How much of a limit one service's fullest instance used over the last while."""

    service: str
    share_least: float
    """The least within the window: above a threshold means above it all the time."""
    share_now: float


class PlatformResources(PlatformCheck[PlatformResourcesConfig, PlatformResourcesSeen]):
    """Divide what is used by what there is."""

    Config = PlatformResourcesConfig

    async def measure(self, io: IO) -> PlatformResourcesSeen:
        """Ask once for each metric, for all services at once."""
        config = self.config
        api = io.render(config.api_url, config.api_key)
        services = tuple(one for one in await services_of(api, config) if one.runs)
        if not services:
            return PlatformResourcesSeen((), {})
        now = io.now()
        asked = [
            *(("resource", service.id) for service in services),
            ("startTime", stamp(now - timedelta(seconds=WINDOW_SECONDS), 30)), ("endTime", stamp(now, 30)),
            ("resolutionSeconds", str(RESOLUTION_SECONDS)),
        ]  # fmt: skip
        async with TaskGroup() as group:
            asking = {name: group.create_task(_series(api, name, asked)) for name in METRICS}
        return PlatformResourcesSeen(services, {name: one.result() for name, one in asking.items()})

    def judge(
        self, seen: PlatformResourcesSeen, now: datetime, before: Sequence[PlatformResourcesSeen] = ()
    ) -> Verdict:
        """Memory near its limit is failed; an empty answer is no zero."""
        if not seen.services:
            return none_found(self.config)
        config = self.config
        memory = _uses(seen, "memory", "memory-limit", now, config.memory_seconds)
        cpu = _uses(seen, "cpu", "cpu-limit", now, config.cpu_seconds)
        disk = _uses(seen, "disk-usage", "disk-capacity", now, WINDOW_SECONDS)
        kinds = (("memory", memory), ("cpu", cpu), ("disk", disk))
        facts = tuple(Fact(service.name, _said(service.name, kinds)) for service in seen.services)
        values = {f"{name}_share": max(use.share_now for use in some) for name, some in kinds if some}
        full = _most(memory, config.memory_failed)
        if full is not None:
            return failed(
                Reason.CAPACITY,
                f"{full.service} uses {full.share_now:.0%} of its memory, for {duration(config.memory_seconds)}",
                *facts, values=values,
                hint="It will soon be killed: restart it, lower the worker's concurrency or set "
                "--max-memory-per-child, or take a larger plan.",
            )  # fmt: skip
        limits = (
            ("memory", memory, config.memory_degraded, "Find what grows, before it is killed; or a larger plan."),
            ("disk", disk, config.disk_degraded, "Clean up, or grow the disk (it cannot shrink again)."),
            (
                "processor",
                cpu,
                config.cpu_degraded,
                "Look for a busy loop or too many tasks at once; or a larger plan.",
            ),
        )
        for name, uses, limit, hint in limits:
            high = _most(uses, limit)
            if high is not None:
                return degraded(
                    Reason.CAPACITY, f"{high.service} uses {high.share_now:.0%} of its {name}", *facts,
                    hint=hint, values=values,
                )  # fmt: skip
        if not any(some for _, some in kinds):
            return ok("Render has no numbers for these services", *facts)
        said = ", ".join(f"{name} ≤ {max(use.share_now for use in some):.0%}" for name, some in kinds if some)
        return ok(said, *facts, values=values)


async def _series(api: RenderReader, name: str, asked: Sequence[tuple[str, str]]) -> tuple[Series, ...]:
    more = [] if name.endswith(("-limit", "-capacity")) else [("aggregationMethod", "MAX")]
    return series_of(await api.get(f"/metrics/{name}", [*asked, *more], max_age_seconds=SHARED_SECONDS))


def _uses(seen: PlatformResourcesSeen, used: str, limit: str, now: datetime, seconds: float) -> tuple[Use, ...]:
    """Return the fullest instance of each service whose limit is known and whose points span the window."""
    since = now - timedelta(seconds=seconds)
    uses = []
    for service in seen.services:
        limits = [value for one in seen.metrics[limit] if one.resource == service.id for _, value in one.points]
        if not limits or max(limits) <= 0:
            continue
        shares = [
            Use(service.name, least, newest)
            for one in seen.metrics[used]
            if one.resource == service.id and one.points
            for newest, least in [_shares(one, since, max(limits))]
        ]
        if shares:
            uses.append(max(shares, key=lambda use: (use.share_least, use.share_now)))
    return tuple(uses)


def _shares(one: Series, since: datetime, limit: float) -> tuple[float, float]:
    """Return the newest share, and the least within the window: 0 where the points do not go back so far."""
    newest = one.points[-1][1] / limit
    has_whole_window = one.points[0][0] <= since
    within = [value for at, value in one.points if at >= since]
    return newest, (min(within) / limit if has_whole_window and within else 0.0)


def _most(uses: Sequence[Use], limit: float) -> Use | None:
    high = [use for use in uses if use.share_least >= limit]
    return max(high, key=lambda use: use.share_now, default=None)


def _said(name: str, kinds: Sequence[tuple[str, Sequence[Use]]]) -> str:
    words = [f"{kind} {use.share_now:.0%}" for kind, uses in kinds for use in uses if use.service == name]
    return ", ".join(words) or "no numbers"
