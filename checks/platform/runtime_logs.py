"""`platform.runtime_logs`: errors, crashes and deprecations in what the running services write."""

from asyncio import TaskGroup
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from checks.base import IO, RenderReader, Seconds
from checks.platform.asking import SHARED_SECONDS, PlatformCheck, PlatformConfig, none_found, services_of
from checks.platform.log_rules import APP_RULES, ASKED_OF_RENDER, Hit, hits
from checks.platform.logs import app_lines
from checks.platform.shapes import LogLine, Service, instants_of
from checks.result import Fact, Outcome, Reason, Verdict, degraded, failed, ok
from checks.wording import duration, listed

EXAMPLES = 5


class PlatformRuntimeLogsConfig(PlatformConfig):
    """How far back, and how long a start lasts."""

    kind: Literal["platform.runtime_logs"] = "platform.runtime_logs"
    window_seconds: Seconds = 300.0
    """What was written in these last seconds counts."""
    start_seconds: Seconds = 120.0
    """An import error or traceback so soon after an instance began is a failed start."""
    news_seconds: Seconds = 900.0
    """A signature that was not there before this is new."""


@dataclass(frozen=True, slots=True)
class PlatformRuntimeLogsSeen:
    """What was written lately."""

    at: datetime
    services: tuple[Service, ...]
    lines: tuple[LogLine, ...]
    began: Mapping[str, tuple[datetime, ...]]
    """Service id → when each of its instances began."""

    def hits(self) -> tuple[Hit, ...]:
        """Return what the rules find."""
        return hits(self.lines, APP_RULES)


class PlatformRuntimeLogs(PlatformCheck[PlatformRuntimeLogsConfig, PlatformRuntimeLogsSeen]):
    """Hold the applications' logs against the rules."""

    Config = PlatformRuntimeLogsConfig
    remembers = 64

    async def measure(self, io: IO) -> PlatformRuntimeLogsSeen:
        """Ask once for each owner and region."""
        config = self.config
        api = io.render(config.api_url, config.api_key)
        services = tuple(one for one in await services_of(api, config) if one.runs and not one.is_suspended)
        now = io.now()
        since = now - timedelta(seconds=config.window_seconds)
        groups: dict[tuple[str, str], list[Service]] = {}
        for service in services:
            groups.setdefault((service.owner_id, service.region), []).append(service)
        async with TaskGroup() as group:
            reading = [group.create_task(app_lines(api, some, since, now, ASKED_OF_RENDER)) for some in groups.values()]
            asking = {service.id: group.create_task(_began(api, service)) for service in services}
        lines = tuple(line for one in reading for line in one.result())
        return PlatformRuntimeLogsSeen(now, services, lines, {name: one.result() for name, one in asking.items()})

    def judge(
        self, seen: PlatformRuntimeLogsSeen, now: datetime, before: Sequence[PlatformRuntimeLogsSeen] = ()
    ) -> Verdict:
        """Failed for a crash or a failed start, degraded for what is new, slow or will break one day."""
        if not seen.services:
            return none_found(self.config)
        names = {service.id: service.name for service in seen.services}
        known = self._known(seen, before)
        told = [(outcome, hit) for hit in seen.hits() if (outcome := self._outcome(hit, seen, known)) is not Outcome.OK]
        facts = tuple(
            Fact(f"{hit.rule.id} on {_where(hit, names)}", f"{len(hit.lines)} × {hit.signature}") for _, hit in told[:8]
        )
        if not told:
            return ok(
                f"nothing to tell in the last {duration(self.config.window_seconds)}", Fact("lines", len(seen.lines))
            )
        broken = [hit for outcome, hit in told if outcome is Outcome.FAILED]
        hit = (broken or [hit for _, hit in told])[0]
        summary = f"{_where(hit, names)}: {hit.rule.id}: {hit.example}"
        excerpt = "\n".join(one.example for _, one in told[:EXAMPLES])
        values = {"findings_count": float(len(told))}
        make = failed if broken else degraded
        reason = Reason.FAILING if hit.rule.id != "slow" else Reason.SLOW
        return make(reason, summary, *facts, hint=hit.rule.hint, excerpt=excerpt, values=values)

    def _outcome(self, hit: Hit, seen: PlatformRuntimeLogsSeen, known: frozenset[str] | None) -> Outcome:
        if hit.rule.id == "error" or hit.rule.id == "traceback":
            is_start = hit.rule.at_start_only and self._is_at_start(hit, seen)
            if is_start:
                return Outcome.FAILED
            return Outcome.OK if known is None or hit.signature in known else Outcome.DEGRADED
        if hit.rule.at_start_only and not self._is_at_start(hit, seen):
            return Outcome.DEGRADED
        return hit.rule.outcome

    def _is_at_start(self, hit: Hit, seen: PlatformRuntimeLogsSeen) -> bool:
        limit = timedelta(seconds=self.config.start_seconds)
        return any(
            timedelta() <= line.at - at <= limit for line in hit.lines for at in seen.began.get(line.resource, ())
        )

    def _known(self, seen: PlatformRuntimeLogsSeen, before: Sequence[PlatformRuntimeLogsSeen]) -> frozenset[str] | None:
        """Return the signatures that are no news; None while we have not looked long enough to know."""
        limit = seen.at - timedelta(seconds=self.config.news_seconds)
        old = [look for look in before if look.at <= limit]
        return frozenset(hit.signature for look in old for hit in look.hits()) if old else None


async def _began(api: RenderReader, service: Service) -> tuple[datetime, ...]:
    return instants_of(await api.get(f"/services/{service.id}/instances", max_age_seconds=SHARED_SECONDS))


def _where(hit: Hit, names: Mapping[str, str]) -> str:
    return listed(list(dict.fromkeys(names.get(line.resource, line.resource or "?") for line in hit.lines)))
