"""`platform.commit`: the services of one repository run one commit, except for the minutes of a deploy."""

from asyncio import TaskGroup
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from checks.base import IO, RenderReader, Seconds
from checks.platform.asking import PlatformCheck, PlatformConfig, deploys_of, none_found, services_of
from checks.platform.shapes import SHORT, Deploy, Service, current
from checks.result import Fact, Reason, Verdict, degraded, failed, ok
from checks.wording import duration, shortened


class PlatformCommitConfig(PlatformConfig):
    """How long they may differ."""

    kind: Literal["platform.commit"] = "platform.commit"
    drift_seconds: Seconds = 600.0
    """Different commits for longer than this are degraded."""
    expected_commit: str | None = None
    """The commit that must be live on every service; for a run after a deploy."""


@dataclass(frozen=True, slots=True)
class LiveOn:
    """What is live on one service."""

    service: Service
    deploy: Deploy | None


@dataclass(frozen=True, slots=True)
class PlatformCommitSeen:
    """What is live on each service."""

    of: tuple[LiveOn, ...]


class PlatformCommit(PlatformCheck[PlatformCommitConfig, PlatformCommitSeen]):
    """Compare the commits that are live."""

    Config = PlatformCommitConfig

    async def measure(self, io: IO) -> PlatformCommitSeen:
        """Ask for all services at once."""
        config = self.config
        api = io.render(config.api_url, config.api_key)
        async with TaskGroup() as group:
            asking = [group.create_task(_live(api, service)) for service in await services_of(api, config)]
        return PlatformCommitSeen(tuple(one.result() for one in asking))

    def judge(self, seen: PlatformCommitSeen, now: datetime, before: Sequence[PlatformCommitSeen] = ()) -> Verdict:
        """Judge how long the services that should be alike have differed."""
        if not seen.of:
            return none_found(self.config)
        facts = tuple(Fact(one.service.name, _said(one)) for one in seen.of)
        expected = self.config.expected_commit
        if expected is not None:
            behind = [one for one in seen.of if one.deploy and one.deploy.commit and not _is_same(one.deploy, expected)]
            if behind:
                return failed(
                    Reason.VERSION, f"{expected[:SHORT]} is not live: {_each(behind)}", *facts,
                    hint="Is its deploy queued, failed, or left out by a build filter? See platform.deploys.",
                )  # fmt: skip
        for repo in dict.fromkeys(one.service.repo for one in seen.of if one.service.repo):
            alike = [
                one
                for one in seen.of
                if one.service.repo == repo and one.deploy and one.deploy.commit and not one.service.is_partly_deployed
            ]
            if len({one.deploy.commit for one in alike if one.deploy}) < 2:
                continue
            # The drift began when the newest of them went live.
            since = max((at for one in alike if one.deploy and (at := one.deploy.finished_at)), default=now)
            lasts = max(0.0, (now - since).total_seconds())
            if lasts > self.config.drift_seconds:
                return degraded(
                    Reason.VERSION, f"different commits for {duration(lasts)}: {_each(alike)}", *facts,
                    hint="Did one deploy fail, or is auto-deploy off there? Deploy the newest commit.",
                    values={"drift_seconds": lasts},
                )  # fmt: skip
            return ok(f"a deploy is under way: {_each(alike)}", *facts, values={"drift_seconds": lasts})
        commits = {one.deploy.commit[:SHORT] for one in seen.of if one.deploy and one.deploy.commit}
        return ok(f"live: {', '.join(sorted(commits)) or 'nothing with a commit'}", *facts)


async def _live(api: RenderReader, service: Service) -> LiveOn:
    return LiveOn(service, current(await deploys_of(api, service)))


def _is_same(deploy: Deploy, expected: str) -> bool:
    length = min(len(deploy.commit), len(expected))
    return deploy.commit[:length].lower() == expected[:length].lower()


def _each(some: Sequence[LiveOn]) -> str:
    return shortened(", ".join(f"{one.service.name} {one.deploy.short}" for one in some if one.deploy), 120)


def _said(one: LiveOn) -> str:
    if one.deploy is None:
        return "nothing is live"
    note = " (a build filter or root directory: it may be behind)" if one.service.is_partly_deployed else ""
    return f"{one.deploy.commit[:12] or one.deploy.id}{note}"
