"""`platform.build_logs`: what the build of the newest deploy that went live warned about."""

from asyncio import TaskGroup
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from checks.base import IO, RenderReader, Seconds
from checks.platform.asking import PlatformCheck, PlatformConfig, deploys_of, none_found, services_of
from checks.platform.log_rules import BUILD_RULES, Hit, hits
from checks.platform.logs import build_lines
from checks.platform.shapes import WAS_LIVE, Deploy, LogLine, Service
from checks.result import Fact, Reason, Verdict, degraded, ok
from checks.wording import listed

EXAMPLES = 5


class PlatformBuildLogsConfig(PlatformConfig):
    """It reads the log of each deploy once."""

    kind: Literal["platform.build_logs"] = "platform.build_logs"
    interval_seconds: Seconds = 300.0
    timeout_seconds: Seconds = 30.0
    stale_after_seconds: Seconds | None = None


@dataclass(frozen=True, slots=True)
class Build:
    """The build of one service's newest deploy that went live."""

    service: Service
    deploy: Deploy | None
    """None where there is none."""
    lines: tuple[LogLine, ...] | None
    """None where it was not read: our budget of log calls is used up for now."""


@dataclass(frozen=True, slots=True)
class PlatformBuildLogsSeen:
    """One build for each service."""

    builds: tuple[Build, ...]


class PlatformBuildLogs(PlatformCheck[PlatformBuildLogsConfig, PlatformBuildLogsSeen]):
    """Hold the build logs against the rules."""

    Config = PlatformBuildLogsConfig

    async def measure(self, io: IO) -> PlatformBuildLogsSeen:
        """Read the log of each service's newest deploy that went live."""
        config = self.config
        api = io.render(config.api_url, config.api_key)
        async with TaskGroup() as group:
            reading = [group.create_task(_build(api, service, io.now())) for service in await services_of(api, config)]
        return PlatformBuildLogsSeen(tuple(one.result() for one in reading))

    def judge(
        self, seen: PlatformBuildLogsSeen, now: datetime, before: Sequence[PlatformBuildLogsSeen] = ()
    ) -> Verdict:
        """Degraded where a rule hits; a build that failed is told by `platform.deploys`."""
        if not seen.builds:
            return none_found(self.config)
        found = [(build, hits(build.lines or (), BUILD_RULES)) for build in seen.builds]
        facts = tuple(Fact(build.service.name, _said(build, met)) for build, met in found)
        worst = [(build, met) for build, met in found if met]
        if not worst:
            read = sum(bool(build.lines) for build in seen.builds)
            return ok(f"{read} build log{'' if read == 1 else 's'} read, nothing to warn about", *facts)
        build, met = min(worst, key=lambda pair: BUILD_RULES.index(pair[1][0].rule))
        first = met[0]
        names = listed(list(dict.fromkeys(hit.rule.id for hit in met)))
        lines = [hit.example for _, some in worst for hit in some][:EXAMPLES]
        return degraded(
            Reason.DRIFT, f"build of {build.service.name}: {names}", *facts, hint=first.rule.hint,
            excerpt="\n".join(lines), values={"warnings_count": float(sum(len(some) for _, some in worst))},
        )  # fmt: skip


async def _build(api: RenderReader, service: Service, now: datetime) -> Build:
    deploys = await deploys_of(api, service)
    newest = next((deploy for deploy in deploys if deploy.status in WAS_LIVE), None)
    if newest is None or newest.finished_at is None or newest.created_at is None:
        return Build(service, None, ())
    return Build(service, newest, await build_lines(api, service, newest.created_at, newest.finished_at, now))


def _said(build: Build, met: tuple[Hit, ...]) -> str:
    if build.deploy is None:
        return "no deploy went live yet"
    if build.lines is None:
        return f"{build.deploy.short}: not read yet, the budget of log calls is used up"
    if not build.lines:
        return f"{build.deploy.short}: no log kept"
    counts: dict[str, int] = {}
    for hit in met:
        counts[hit.rule.id] = counts.get(hit.rule.id, 0) + len(hit.lines)
    words = ", ".join(f"{name} × {count}" for name, count in counts.items()) or "clean"
    return f"{build.deploy.short}: {words} ({len(build.lines)} lines)"
