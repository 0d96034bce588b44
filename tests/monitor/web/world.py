"""A watched stack without store or engine: tests change it and read the pages."""

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime

import httpx
from pydantic import SecretStr

from checks.result import Result, Verdict
from monitor.engine.deploy_record import DeployRecord
from monitor.engine.model import (
    AppendTimeline,
    CheckStatus,
    DeployWindow,
    Event,
    Incident,
    Plan,
    Silence,
    State,
)
from monitor.engine.objectives import Assessment
from monitor.engine.step import step
from monitor.metrics import Metrics
from monitor.store.queries import DaySeconds, Look
from monitor.verbs import Hands
from monitor.web.app import build_app
from monitor.web.context import WebContext
from monitor.web.people import People
from monitor.web.public import Public

HEADINGS = {"vantage": "Can we see at all?", "postgres": "Data", "redis": "Data", "api": "API", "bot": "Telegram bot"}
HEADINGS |= {"worker": "Worker and beat", "beat": "Worker and beat", "miniapp": "Mini App"}


class FakeHistory:
    """Answers from lists; `error` makes every question fail."""

    def __init__(self) -> None:
        self.results_of: dict[str, list[Result]] = {}
        self.stored: dict[int, Incident] = {}
        self.rows: dict[int, list[AppendTimeline]] = {}
        self.days_of: dict[str, list[DaySeconds]] = {}
        self.old_silences: list[Silence] = []
        self.old_deploys: list[DeployWindow] = []
        self.records: list[DeployRecord] = []
        self.error: Exception | None = None

    async def results(self, check_id: str, limit: int) -> Sequence[Result]:
        self._fail()
        return self.results_of.get(check_id, [])[:limit]

    async def series(self, check_id: str, since_at: datetime, limit: int) -> Sequence[Look]:
        self._fail()
        return [look for look in (await self.looks(limit)).get(check_id, []) if look.started_at >= since_at]

    async def days(
        self, now: datetime, days: int = 90, check_ids: Sequence[str] | None = None
    ) -> Mapping[str, Sequence[DaySeconds]]:
        self._fail()
        return self.days_of

    async def silences(self, limit: int) -> Sequence[Silence]:
        self._fail()
        return self.old_silences[:limit]

    async def deploys(self, limit: int) -> Sequence[DeployWindow]:
        self._fail()
        return self.old_deploys[:limit]

    async def deploy_records(self, limit: int) -> Sequence[DeployRecord]:
        self._fail()
        return self.records[:limit]

    async def looks(self, limit: int, check_ids: Sequence[str] | None = None) -> Mapping[str, Sequence[Look]]:
        self._fail()
        return {
            check_id: [
                Look(one.started_at, one.duration_seconds, one.verdict.outcome) for one in reversed(results[:limit])
            ]
            for check_id, results in self.results_of.items()
        }

    async def incidents(self, limit: int) -> Sequence[Incident]:
        self._fail()
        return sorted(self.stored.values(), key=lambda one: -one.id)[:limit]

    async def incident(self, incident_id: int) -> Incident | None:
        self._fail()
        return self.stored.get(incident_id)

    async def timeline(self, incident_id: int) -> Sequence[AppendTimeline]:
        self._fail()
        return self.rows.get(incident_id, [])

    def _fail(self) -> None:
        if self.error is not None:
            raise self.error


class FakeChanges:
    """Wakes when the world says so, from any thread."""

    def __init__(self) -> None:
        self.event = asyncio.Event()
        self.loop = asyncio.get_running_loop()

    async def wait(self) -> None:
        await self.event.wait()
        self.event.clear()


@dataclass
class World:
    """The fake stack; tests change it and read the pages."""

    plan: Plan
    state: State
    history: FakeHistory
    now: datetime
    token: str | None = None
    ticked_at: datetime | None = None
    waiting_for: list[str] = field(default_factory=list)
    clock: Callable[[], datetime] | None = None
    listeners: list[FakeChanges] = field(default_factory=list)
    stack: str = "Nexus"
    is_local: bool = True
    is_leading: bool = True
    people: People | None = None
    public: Public | None = None
    assessments: tuple[Assessment, ...] = ()
    applied: list[Event] = field(default_factory=list)
    probed: list[str] = field(default_factory=list)

    @contextmanager
    def subscribe(self) -> Iterator[FakeChanges]:
        changes = FakeChanges()
        self.listeners.append(changes)
        try:
            yield changes
        finally:
            self.listeners.remove(changes)

    def change(self, check_id: str, status: CheckStatus, verdict: Verdict, **more: object) -> None:
        """Put one check into another state and wake everybody."""
        result = Result(check_id, verdict, self._now(), 0.021)
        before = self.state.checks[check_id]
        after = replace(before, status=status, last_result=result, last_started_at=self._now(), **more)
        self.state = replace(self.state, checks={**self.state.checks, check_id: after})
        self.wake()

    async def apply(self, event: Event) -> None:
        """Let the real engine decide, and wake everybody."""
        self.applied.append(event)
        self.state = step(self.plan, self.state, event, self._now()).state
        self.wake()

    def wake(self) -> None:
        """Tell every listener that something moved."""
        for changes in self.listeners:
            changes.loop.call_soon_threadsafe(changes.event.set)

    def metrics(self) -> Metrics:
        return Metrics(
            self.plan,
            lambda: self.state,
            version="0.1.0",
            loop_lag_seconds=lambda: 0.002,
            outbox_oldest_seconds=lambda: 0.0,
        )

    def context(self) -> WebContext:
        async def readiness() -> Sequence[str]:
            return self.waiting_for

        return WebContext(
            stack=self.stack,
            version="0.1.0",
            watched=lambda: self.plan,
            state=lambda: self.state,
            history=self.history,
            metrics=self.metrics(),
            now=self._now,
            loop_ticked_at=lambda: self.ticked_at or self._now(),
            readiness=readiness,
            subscribe=self.subscribe,
            headings={check_id: HEADINGS.get(check_id.split(".")[0], "bulk") for check_id in self.plan.checks},
            assessments=lambda: self.assessments,
            api_token=SecretStr(self.token) if self.token else None,
            is_local=self.is_local,
            people=self.people,
            hands=Hands(self.apply, self.probed.append, lambda: self.is_leading),
            public=self.public,
        )

    def _now(self) -> datetime:
        return self.clock() if self.clock is not None else self.now


def browse(world: World) -> httpx.AsyncClient:
    transport = httpx.ASGITransport(build_app(world.context()), raise_app_exceptions=False)
    return httpx.AsyncClient(transport=transport, base_url="http://monitor.test")
