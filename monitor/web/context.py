"""What the web face is given: the engine's state, the store's history, the clock. It only notes that jobs called."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from pydantic import SecretStr

from checks.base import Push
from checks.result import Result
from monitor.engine.deploy_record import DeployRecord
from monitor.engine.model import AppendTimeline, DeployWindow, Incident, Plan, Silence, State
from monitor.engine.objectives import Assessment
from monitor.store.queries import DaySeconds, Look
from monitor.verbs import Hands
from monitor.web.people import People
from monitor.web.public import Public


class History(Protocol):
    """What is asked of the store's `Queries`. Every method reads, and may raise `StoreError`."""

    async def results(self, check_id: str, limit: int) -> Sequence[Result]:
        """Return up to `limit` looks of one check, newest first."""
        ...

    async def looks(self, limit: int, check_ids: Sequence[str] | None = None) -> Mapping[str, Sequence[Look]]:
        """Return up to `limit` newest looks of each check (or of these), oldest first."""
        ...

    async def series(self, check_id: str, since_at: datetime, limit: int) -> Sequence[Look]:
        """Return the looks of one check since `since_at`, oldest first; the `limit` newest where there are more."""
        ...

    async def days(
        self, now: datetime, days: int = 90, check_ids: Sequence[str] | None = None
    ) -> Mapping[str, Sequence[DaySeconds]]:
        """Return the last `days` days (UTC) of each check (or of these), oldest first, today included."""
        ...

    async def incidents(self, limit: int) -> Sequence[Incident]:
        """Return up to `limit` incidents, closed ones included: live ones first, then the newest."""
        ...

    async def incident(self, incident_id: int) -> Incident | None:
        """Return one incident, or None where there never was one with this number."""
        ...

    async def timeline(self, incident_id: int) -> Sequence[AppendTimeline]:
        """Return what happened in one incident, oldest first."""
        ...

    async def silences(self, limit: int) -> Sequence[Silence]:
        """Return up to `limit` silences, ended ones included: running ones first, then the newest."""
        ...

    async def deploys(self, limit: int) -> Sequence[DeployWindow]:
        """Return the windows of up to `limit` deploys, newest first."""
        ...

    async def deploy_records(self, limit: int) -> Sequence[DeployRecord]:
        """Return up to `limit` deploys with what is known of them, newest first."""
        ...


class Exposes(Protocol):
    """Shows metrics as text."""

    def exposition(self) -> tuple[bytes, str]:
        """Return the text and its content type."""
        ...


class Changes(Protocol):
    """One listener's view of a state that moves."""

    async def wait(self) -> None:
        """Return as soon as something changed since the last return; the caller sets the time-out."""
        ...


TakeHook = Callable[[Mapping[str, str], bytes], Awaitable[tuple[int, str]]]
"""Given headers and body of a delivery; returns a status and one line."""


async def _record_nothing(check_id: str, push: Push) -> None:
    """Remember nothing: there is no switch."""


@dataclass(frozen=True, slots=True)
class WebContext:
    """Everything `build_app` needs."""

    stack: str
    """The name of the watched stack, as a person says it."""
    version: str
    watched: Callable[[], Plan]
    """The plan as it is now: what is found anew extends it."""
    state: Callable[[], State]
    history: History
    metrics: Exposes
    now: Callable[[], datetime]
    """The wall clock, aware UTC."""
    loop_ticked_at: Callable[[], datetime]
    """When the event loop last proved that it runs."""
    readiness: Callable[[], Awaitable[Sequence[str]]]
    """What is not ready yet, a few words each; empty when all is."""
    subscribe: Callable[[], AbstractContextManager[Changes]]
    headings: Mapping[str, str] = field(default_factory=dict)
    """Check id to the heading it stands under; a check without one stands under its service."""
    assessments: Callable[[], Sequence[Assessment]] = tuple
    """How the objectives stand."""
    switches: Mapping[str, SecretStr] = field(default_factory=dict)
    """Id of each dead-man's switch to the token that a job must show."""
    record_push: Callable[[str, Push], Awaitable[None]] = _record_nothing
    """Remember that a job called. May raise `StoreError`."""
    take_hook: TakeHook | None = None
    """Takes Render's webhook; None where it is not set up."""
    api_token: SecretStr | None = None
    """When set, pages, API and metrics ask for it."""
    is_local: bool = False
    """Only this machine can reach us."""
    people: People | None = None
    """Who may log in as a Telegram Mini App; nobody without the monitor's own bot."""
    hands: Hands | None = None
    """How the pages act; without it they only show."""
    public: Public | None = None
    """What the public status page shows; without it there is none."""

    @property
    def plan(self) -> Plan:
        """The plan as it is now."""
        return self.watched()
