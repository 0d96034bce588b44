"""What following deploys is built over: its neighbours as protocols, in one value."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from checks.platform.shapes import Deploy, Service
from monitor.deploys.records import Records
from monitor.deploys.render import Found
from monitor.deploys.rolling_back import RollingBack
from monitor.engine.deploy_record import DeployRecord
from monitor.engine.model import Event, Plan, State


class Render(Protocol):
    """What Render is asked. Methods raise `RenderApiError` or what httpx raises."""

    @property
    def service_names(self) -> frozenset[str]: ...

    async def services(self) -> tuple[Service, ...]: ...

    async def newest(self, service: Service, *, max_age_seconds: float) -> tuple[Deploy, ...]: ...

    async def of_event(self, service_id: str, event_id: str) -> Sequence[Found]: ...

    async def still_live(self, service_id: str) -> str: ...

    async def log_end(self, service_id: str, deploy: Deploy, now: datetime) -> str: ...

    async def deploy(self, service_id: str, deploy_id: str) -> Deploy | None: ...


class Line(Protocol):
    """The one place where the engine's state changes."""

    @property
    def state(self) -> State: ...

    async def apply(self, *events: Event) -> None: ...


class Marks(Protocol):
    """Leaves markers."""

    def wanted(self, record: DeployRecord) -> tuple[str, ...]: ...

    async def leave(self, where: str, record: DeployRecord) -> None: ...


class Counts(Protocol):
    """What is counted."""

    def deploy_live(self, service: str, at: datetime) -> None: ...

    def deploy_judged(self, service: str, verdict: str) -> None: ...


@dataclass(frozen=True, slots=True)
class World:
    """What a deploy watch is built over."""

    records: Records
    line: Line
    plan: Plan
    limits: Mapping[str, float]
    """The checks that are really run, with their time limits in seconds."""
    rolling_back: RollingBack
    markers: Marks
    counts: Counts
    probe_now: Callable[[str], object]
    on_live: Callable[[], object]
    """Called when a deploy went live: what is found about the stack may have changed."""
    now: Callable[[], datetime]
    render: Render | None = None
    """None where no key of Render's API is given."""
    has_webhook: bool = False
    dashboard_url: str | None = None
