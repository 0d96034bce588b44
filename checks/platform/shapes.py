"""What Render's API answers, as values: services, deploys, events, log lines, series. Unknown fields are ignored.

Source: Render's public API description (`service`, `deploy`, `GET /logs`, `GET /metrics/…`, `GET …/events`).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

RUNNING = frozenset({"build_in_progress", "pre_deploy_in_progress", "update_in_progress"})
WAITING = frozenset({"created", "queued"})
FAILED = frozenset({"build_failed", "pre_deploy_failed", "update_failed"})
WAS_LIVE = frozenset({"live", "deactivated"})
"""Deactivated: it was live, and another one has followed."""
SHORT = 7


@dataclass(frozen=True, slots=True)
class Service:
    """A service on Render."""

    id: str
    name: str
    type: str
    is_suspended: bool = False
    suspenders: tuple[str, ...] = ()
    owner_id: str = ""
    dashboard_url: str = ""
    repo: str = ""
    branch: str = ""
    auto_deploy: bool = True
    is_partly_deployed: bool = False
    """A root directory or build filter: commits that do not touch it are not deployed."""
    plan: str = ""
    region: str = ""
    fewest_instances: int = 1
    most_instances: int = 1

    @property
    def runs(self) -> bool:
        """Return whether it has processes: instances, logs, processor and memory."""
        return self.type in ("web_service", "private_service", "background_worker")


@dataclass(frozen=True, slots=True)
class Deploy:
    """One deploy of a service."""

    id: str
    status: str
    commit: str = ""
    message: str = ""
    trigger: str = ""
    created_at: datetime | None = None
    started_at: datetime | None = None
    finished_at: datetime | None = None

    @property
    def short(self) -> str:
        """Return the commit as people write it; the deploy's id where it has none."""
        return self.commit[:SHORT] or self.id

    @property
    def is_under_way(self) -> bool:
        return self.status in RUNNING

    @property
    def is_over(self) -> bool:
        """Return whether its status will change no more, save from live to deactivated."""
        return self.status not in RUNNING | WAITING


@dataclass(frozen=True, slots=True)
class RenderEvent:
    """Something that happened to a service."""

    id: str
    type: str
    at: datetime
    details: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class LogLine:
    """One line of a log."""

    at: datetime
    message: str
    resource: str = ""
    instance: str = ""


@dataclass(frozen=True, slots=True)
class Series:
    """A metric of one instance or service over time."""

    resource: str
    instance: str
    points: tuple[tuple[datetime, float], ...]
    """Oldest first."""


def service_of(item: Any) -> Service | None:
    """Return a service of a list's item or of an answer; None for what is none."""
    body = _inner(item, "service")
    if not body.get("id") or not body.get("name"):
        return None
    details = _mapping(body.get("serviceDetails"))
    scaling = _mapping(details.get("autoscaling"))
    fewest = _number(details.get("numInstances"), 1)
    most = fewest
    if scaling.get("enabled"):
        fewest, most = _number(scaling.get("min"), fewest), _number(scaling.get("max"), fewest)
    filters = _mapping(body.get("buildFilter"))
    return Service(
        id=_text(body, "id"),
        name=_text(body, "name"),
        type=_text(body, "type"),
        is_suspended=body.get("suspended") == "suspended",
        suspenders=tuple(str(who) for who in body.get("suspenders") or ()),
        owner_id=_text(body, "ownerId"),
        dashboard_url=_text(body, "dashboardUrl"),
        repo=_text(body, "repo"),
        branch=_text(body, "branch"),
        auto_deploy=body.get("autoDeploy") != "no",
        is_partly_deployed=bool(body.get("rootDir") or filters.get("paths") or filters.get("ignoredPaths")),
        plan=_text(details, "plan"),
        region=_text(details, "region"),
        fewest_instances=fewest,
        most_instances=most,
    )


def deploy_of(item: Any) -> Deploy | None:
    """Return a deploy of a list's item or of an answer; None for what is none."""
    body = _inner(item, "deploy")
    if not body.get("id"):
        return None
    commit = _mapping(body.get("commit"))
    return Deploy(
        id=_text(body, "id"),
        status=_text(body, "status"),
        commit=_text(commit, "id"),
        message=_text(commit, "message").partition("\n")[0],
        trigger=_text(body, "trigger"),
        created_at=instant(body.get("createdAt")),
        started_at=instant(body.get("startedAt")),
        finished_at=instant(body.get("finishedAt")),
    )


def event_of(item: Any) -> RenderEvent | None:
    """Return an event of a list's item or of an answer; None for what is none."""
    body = _inner(item, "event")
    at = instant(body.get("timestamp"))
    if at is None or not body.get("type"):
        return None
    return RenderEvent(_text(body, "id"), _text(body, "type"), at, _mapping(body.get("details")))


def lines_of(answer: Any) -> tuple[LogLine, ...]:
    """Return the lines of an answer of `GET /logs`, oldest first."""
    lines = []
    for item in _mapping(answer).get("logs") or ():
        body = _mapping(item)
        at = instant(body.get("timestamp"))
        if at is None:
            continue
        labels = {_text(_mapping(label), "name"): _text(_mapping(label), "value") for label in body.get("labels") or ()}
        line = LogLine(at, _text(body, "message"), labels.get("resource", ""), labels.get("instance", ""))
        lines.append(line)
    return tuple(sorted(lines, key=lambda line: line.at))


def series_of(answer: Any) -> tuple[Series, ...]:
    """Return the series of an answer of `GET /metrics/…`; an empty answer says nothing, not zero."""
    found = []
    for item in answer if isinstance(answer, list) else ():
        body = _mapping(item)
        labels = {
            _text(_mapping(label), "field"): _text(_mapping(label), "value") for label in body.get("labels") or ()
        }
        points = [
            (at, float(value))
            for point in map(_mapping, body.get("values") or ())
            if (at := instant(point.get("timestamp"))) is not None
            and isinstance(value := point.get("value"), int | float)
        ]
        found.append(Series(labels.get("resource", ""), labels.get("instance", ""), tuple(sorted(points))))
    return tuple(found)


def instants_of(answer: Any) -> tuple[datetime, ...]:
    """Return when each instance of an answer of `…/instances` began, oldest first."""
    began = (instant(_mapping(item).get("createdAt")) for item in (answer if isinstance(answer, list) else ()))
    return tuple(sorted(at for at in began if at is not None))


def instant(text: Any) -> datetime | None:
    """Return an RFC 3339 instant; None for what is none."""
    try:
        at = datetime.fromisoformat(text) if isinstance(text, str) else None
    except ValueError:
        return None
    return at if at is None or at.tzinfo is not None else None


def current(deploys: Iterable[Deploy]) -> Deploy | None:
    """Return the deploy that is live."""
    return next((deploy for deploy in deploys if deploy.status == "live"), None)


def _inner(item: Any, name: str) -> Mapping[str, Any]:
    body = _mapping(item)
    return _mapping(body.get(name)) if name in body else body


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _text(body: Mapping[str, Any], name: str) -> str:
    value = body.get(name)
    return value if isinstance(value, str) else ""


def _number(value: Any, otherwise: int) -> int:
    return value if isinstance(value, int) else otherwise
