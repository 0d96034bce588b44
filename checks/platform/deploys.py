"""`platform.deploys`: the newest deploy of each service went live, or an older one still serves."""

from asyncio import TaskGroup
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from checks.base import IO, RenderReader, Seconds
from checks.platform.asking import (
    FRESH_SECONDS,
    PlatformCheck,
    PlatformConfig,
    deploys_of,
    none_found,
    services_of,
)
from checks.platform.log_rules import BUILD_RULES, hits
from checks.platform.logs import build_lines
from checks.platform.shapes import FAILED, Deploy, LogLine, Service, current
from checks.result import Fact, Outcome, Reason, Verdict, degraded, failed, ok
from checks.wording import duration, listed

SHOWN_LINES = 20

HINTS = {
    "build_failed": "Read the end of the build log above; `nexus-monitor preflight` finds what a build trips over.",
    "pre_deploy_failed": "The pre-deploy command failed, mostly a migration: read the end of its log.",
    "update_failed": "The new instance did not get healthy: start command, port (0.0.0.0:$PORT), health check path.",
}


class PlatformDeploysConfig(PlatformConfig):
    """How long a deploy may take."""

    kind: Literal["platform.deploys"] = "platform.deploys"
    slow_deploy_seconds: Seconds = 1200.0
    """A build, or a wait in the queue, longer than this is degraded."""


@dataclass(frozen=True, slots=True)
class DeploysOf:
    """The newest deploys of one service, newest first."""

    service: Service
    deploys: tuple[Deploy, ...]
    log: tuple[LogLine, ...] = ()
    """The end of the build log, where the newest one failed."""

    @property
    def newest(self) -> Deploy | None:
        """Return the newest deploy that was not cancelled."""
        return next((deploy for deploy in self.deploys if deploy.status != "canceled"), None)


@dataclass(frozen=True, slots=True)
class PlatformDeploysSeen:
    """The deploys of each service."""

    of: tuple[DeploysOf, ...]


class PlatformDeploys(PlatformCheck[PlatformDeploysConfig, PlatformDeploysSeen]):
    """Read the newest deploys of each service."""

    Config = PlatformDeploysConfig

    async def measure(self, io: IO) -> PlatformDeploysSeen:
        """Ask for all services at once."""
        config = self.config
        api = io.render(config.api_url, config.api_key)
        async with TaskGroup() as group:
            asking = [group.create_task(_deploys(api, service, io.now())) for service in await services_of(api, config)]
        return PlatformDeploysSeen(tuple(one.result() for one in asking))

    def judge(self, seen: PlatformDeploysSeen, now: datetime, before: Sequence[PlatformDeploysSeen] = ()) -> Verdict:
        """The worst of them counts."""
        if not seen.of:
            return none_found(self.config)
        facts = tuple(Fact(one.service.name, _said(one, now)) for one in seen.of)
        verdicts = [self._judge_one(one, now, facts) for one in seen.of]
        for outcome in (Outcome.FAILED, Outcome.DEGRADED):
            found = [verdict for verdict in verdicts if verdict is not None and verdict.outcome is outcome]
            if found:
                return found[0]
        live = [f"{one.service.name} {deploy.short}" for one in seen.of if (deploy := current(one.deploys))]
        return ok(f"live: {listed(live, 5)}" if live else "nothing was deployed yet", *facts)

    def _judge_one(self, one: DeploysOf, now: datetime, facts: tuple[Fact, ...]) -> Verdict | None:
        newest, name = one.newest, one.service.name
        if newest is None:
            return None
        if newest.status in FAILED:
            what = newest.status.replace("_", " ").replace("pre deploy", "pre-deploy")
            live = current(one.deploys)
            found = hits(one.log, BUILD_RULES) if newest.status == "build_failed" else ()
            hint = f"{found[0].rule.hint if found else HINTS[newest.status]} {one.service.dashboard_url}".rstrip()
            excerpt = "\n".join(line.message for line in one.log[-SHOWN_LINES:]) or None
            summary = f"{name} {newest.short}: {what}{f' ({found[0].rule.id})' if found else ''}"
            if live is None:
                return failed(
                    Reason.FAILING, f"{summary}, and nothing is live", *facts, hint=hint, excerpt=_end(excerpt)
                )
            return degraded(
                Reason.FAILING, f"{summary}; {live.short} is still live", *facts, hint=hint, excerpt=_end(excerpt)
            )
        began_at = newest.started_at or newest.created_at
        if newest.is_over or began_at is None:
            return None
        lasts = (now - began_at).total_seconds()
        if lasts <= self.config.slow_deploy_seconds:
            return None
        doing = "is building" if newest.is_under_way else "waits in the queue"
        return degraded(
            Reason.SLOW, f"{name} {newest.short} {doing} for {duration(lasts)}", *facts,
            hint=f"Render → Events: does it hang, or is another one first? {one.service.dashboard_url}".rstrip(),
            values={"deploy_seconds": lasts},
        )  # fmt: skip


async def _deploys(api: RenderReader, service: Service, now: datetime) -> DeploysOf:
    found = DeploysOf(service, await deploys_of(api, service, max_age_seconds=FRESH_SECONDS))
    newest = found.newest
    if newest is None or newest.status not in FAILED or newest.finished_at is None:
        return found
    since = newest.finished_at - timedelta(minutes=10)
    log = await build_lines(api, service, since, newest.finished_at, now, is_newest_first=True)
    return DeploysOf(service, found.deploys, log or ())


def _said(one: DeploysOf, now: datetime) -> str:
    newest, live = one.newest, current(one.deploys)
    if newest is None:
        return "no deploy"
    ended_at = newest.finished_at or newest.created_at
    ago = f", {duration(max(0.0, (now - ended_at).total_seconds()))} ago" if ended_at else ""
    words = f"{newest.short} {newest.status.replace('_', ' ')}{ago}"
    return words if live is None or live.id == newest.id else f"{words}; live: {live.short}"


def _end(excerpt: str | None) -> str | None:
    """Return the end of a log that fits: why it failed stands in its last lines."""
    return None if excerpt is None else excerpt[-550:]
