"""What is known of one deploy of one service, from the first word of it to the verdict, as it is kept."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

SHORT = 7


class DeployVerdict(StrEnum):
    """What became of a deploy. A metric label."""

    PASSED = "passed"
    BROKEN = "broken"
    """Something fails that did not fail before."""
    BROKEN_BEFORE = "broken_before"
    """What fails failed before it, or for a reason that lies elsewhere."""
    DEPLOY_FAILED = "deploy_failed"
    """It never went live."""
    CANCELED = "canceled"
    SUPERSEDED = "superseded"
    """Another deploy followed before this one could be judged."""
    UNDECIDED = "undecided"
    """Nothing could be seen of it, or nothing looks at this service."""


@dataclass(frozen=True, slots=True)
class Trouble:
    """One check that is not well after a deploy."""

    check_id: str
    since: datetime
    summary: str
    because_of: str = ""
    """The check of another service that explains it."""


@dataclass(frozen=True, slots=True)
class RolledBack:
    """Who asked Render for a rollback, and to what. Written before Render is asked, so that it is never asked twice."""

    asked_at: datetime
    by: str
    to_deploy_id: str
    to_commit: str


@dataclass(frozen=True, slots=True)
class DeployRecord:
    """One deploy of one service. Every instant is aware UTC."""

    id: str
    """Render's (`dep-…`); or made of service, commit and instant where only `/version` told of it."""
    service: str
    commit: str
    status: str
    """As Render says it: `build_in_progress`, `live`, `build_failed` …"""
    started_at: datetime
    seen_at: datetime
    """When the monitor first heard of it."""
    message: str = ""
    """The first line of the commit's message."""
    trigger: str = ""
    render_service_id: str = ""
    """Empty where it is not on Render: then there is no log and no rollback."""
    live_at: datetime | None = None
    live_seen_at: datetime | None = None
    """When the monitor heard that it is live: the window is counted from here."""
    ended_at: datetime | None = None
    """When it failed or was cancelled."""
    had_pre_deploy: bool = False
    """Its pre-deploy command ran: mostly migrations."""
    schema_before: str = ""
    """The database's migration when it was first heard of; empty where nobody knows."""
    schema_after: str = ""
    ran_at: datetime | None = None
    """When all checks of the service were started at once."""
    ran_seconds: float | None = None
    """How long that took until the last one had answered."""
    judged_at: datetime | None = None
    verdict: DeployVerdict | None = None
    passed: int = 0
    degraded: tuple[Trouble, ...] = ()
    broken: tuple[Trouble, ...] = ()
    """What fails since it went live, or went down while it did."""
    broken_before: tuple[Trouble, ...] = ()
    elsewhere: tuple[str, ...] = ()
    """Checks of other services that went down after it began."""
    unseen: int = 0
    """Checks that could not be looked at."""
    log_end: str = ""
    """The end of the build log, where it failed."""
    still_live: str = ""
    """The commit that serves in its place, where it failed."""
    can_roll_back_to: str = ""
    """The deploy that a rollback would bring back; empty where none is offered."""
    can_roll_back_to_commit: str = ""
    no_rollback: str = ""
    """Why none is offered, in a few words."""
    rolled_back: RolledBack | None = None
    marked: tuple[str, ...] = ()
    """Where a marker was left, or was given up: `grafana`, `sentry`."""

    @property
    def short(self) -> str:
        """Return the commit as people write it; the deploy's id where it has none."""
        return self.commit[:SHORT] or self.id

    @property
    def is_judged(self) -> bool:
        return self.verdict is not None

    @property
    def failed(self) -> int:
        """Return how many checks failed."""
        return len(self.broken) + len(self.broken_before)

    @property
    def total(self) -> int:
        """Return how many checks said something."""
        return self.passed + len(self.degraded) + self.failed

    @property
    def has_migrations(self) -> bool:
        """Return whether it seems to have changed the database: a rollback does not change it back."""
        return self.had_pre_deploy or (
            bool(self.schema_before) and bool(self.schema_after) and self.schema_before != self.schema_after
        )
