"""What everybody may see: how the chosen services stand. No check, no evidence, no address, no name of a person."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from monitor.engine.check_state import Shown
from monitor.engine.model import Incident, Plan, Severity, State
from monitor.store.queries import DaySeconds
from monitor.web.overview import statuses_of
from monitor.web.views import live_incidents, overall

WORDS: dict[Shown, str] = {
    "up": "operational",
    "degraded": "slow",
    "down": "down",
    "unknown": "not known",
    "pending": "not known yet",
}


@dataclass(frozen=True, slots=True)
class Public:
    """The `status_page` of `monitor.yaml`."""

    title: str
    services: Mapping[str, str]
    """Service to the name that people read."""


@dataclass(frozen=True, slots=True)
class ServiceView:
    """One service, as everybody may see it."""

    service: str
    name: str
    status: Shown
    word: str
    since: datetime | None
    """Since when something is wrong with it."""
    checks: tuple[str, ...]


def services_of(public: Public, plan: Plan, state: State) -> list[ServiceView]:
    """Return the chosen services, in the order of the configuration."""
    statuses = statuses_of(plan, state)
    live = live_incidents(state)
    views = []
    for service, name in public.services.items():
        checks = tuple(policy.id for policy in plan.checks.values() if policy.service == service)
        status = service_status(plan, statuses, checks)
        begun = [one.outage_started_at for one in live if _is_about(one, checks)]
        since = min(begun, default=None) if status in ("down", "degraded") else None
        views.append(ServiceView(service, name, status, WORDS[status], since, checks))
    return views


def service_status(plan: Plan, statuses: Mapping[str, Shown], checks: Sequence[str]) -> Shown:
    """Return how a service stands. A check that only warns makes it slow, never down."""
    words: list[Shown] = []
    for name in checks:
        status = statuses[name]
        is_warning = plan.checks[name].severity is Severity.WARNING
        words.append("degraded" if status == "down" and is_warning else status)
    return overall(words)


def days_of_service(plan: Plan, checks: Sequence[str], days: Mapping[str, Sequence[DaySeconds]]) -> list[DaySeconds]:
    """Return the days of its paging checks taken together: each day as the worst of them had it."""
    by_day: dict[object, DaySeconds] = {}
    for name in checks:
        if plan.checks[name].severity is Severity.PAGE:
            for day in days.get(name, ()):
                worst = by_day.get(day.day)
                if worst is None or _badness(day) > _badness(worst):
                    by_day[day.day] = day
    return [by_day[day] for day in sorted(by_day, key=str)]


def _badness(day: DaySeconds) -> tuple[float, float]:
    return (day.down_seconds, -day.up_seconds)


def _is_about(incident: Incident, checks: Sequence[str]) -> bool:
    return any(member.check_id in checks and member.left_at is None for member in incident.members)
