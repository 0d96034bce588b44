"""What was seen of a deploy, by Render's API or by `/version`, and the record that it makes. Pure."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from checks.platform.shapes import WAS_LIVE, Deploy, Service
from checks.redaction import redact
from monitor.engine.deploy_record import SHORT, DeployRecord
from monitor.engine.model import CheckState

OLD = timedelta(minutes=15)
"""A deploy that was over for longer when it was first heard of is history: nobody waits for its verdict."""
SAME = timedelta(minutes=15)
"""`/version` and Render tell of the same deploy when it is the same commit within so long."""
FLUTTER = timedelta(minutes=10)
"""For so long an old instance may still answer in turn with the new one."""

_VERSION = re.compile(r"([0-9a-f]{7,64}) at /", re.IGNORECASE)
VERSION_CHECK = "api.version"
SCHEMA_CHECK = "postgres.migrations"


@dataclass(frozen=True, slots=True)
class Version:
    """The commit that a service named."""

    service: str
    commit: str
    at: datetime


def record_of(deploy: Deploy, service: Service, now: datetime) -> DeployRecord:
    """Return the record of a deploy that was heard of just now."""
    return DeployRecord(
        id=deploy.id,
        service=service.name,
        commit=deploy.commit,
        status=deploy.status,
        started_at=min(now, deploy.started_at or deploy.created_at or now),
        seen_at=now,
        message=redact(deploy.message),
        trigger=deploy.trigger,
        render_service_id=service.id,
    )


def seen_again(record: DeployRecord, deploy: Deploy, now: datetime) -> DeployRecord:
    """Return the record with what Render says now. A deploy that is live or over never goes back."""
    if record.live_at is not None or record.ended_at is not None:
        return replace(record, status=deploy.status) if deploy.status in WAS_LIVE else record
    changes = replace(
        record,
        status=deploy.status,
        commit=record.commit or deploy.commit,
        message=record.message or redact(deploy.message),
        had_pre_deploy=record.had_pre_deploy or deploy.status in ("pre_deploy_in_progress", "pre_deploy_failed"),
    )
    if deploy.status in WAS_LIVE:
        return replace(changes, live_at=min(now, deploy.finished_at or now), live_seen_at=now)
    if deploy.is_over:
        return replace(changes, ended_at=min(now, deploy.finished_at or now))
    return changes


def is_history(deploy: Deploy, now: datetime) -> bool:
    """Say whether a deploy that is new to us was over long ago."""
    if not deploy.is_over:
        return False
    over_at = deploy.finished_at or deploy.created_at
    return over_at is None or over_at < now - OLD or deploy.status == "deactivated"


def is_told_already(deploy: Deploy, service: str, records: Iterable[DeployRecord], now: datetime) -> bool:
    """Say whether `/version` told of this deploy before Render did."""
    live_at = deploy.finished_at or now
    return any(
        record.service == service
        and not record.render_service_id
        and is_same(record.commit, deploy.commit)
        and record.live_at is not None
        and abs(record.live_at - live_at) < SAME
        for record in records
    )


def versions_of(checks: Mapping[str, CheckState]) -> tuple[Version, ...]:
    """Return which commit each service named last, as `api.version` saw it."""
    state = checks.get(VERSION_CHECK)
    if state is None or state.last_result is None:
        return ()
    found = []
    for fact in state.last_result.verdict.evidence.facts:
        said = _VERSION.match(fact.value) if isinstance(fact.value, str) else None
        if said:
            found.append(Version(fact.name, said[1].lower(), state.last_result.started_at))
    return tuple(found)


def schema_of(checks: Mapping[str, CheckState]) -> str:
    """Return the database's migration, as it was seen last; empty where nobody knows."""
    state = checks.get(SCHEMA_CHECK)
    if state is None or state.last_result is None:
        return ""
    facts = {fact.name: fact.value for fact in state.last_result.verdict.evidence.facts}
    revision = facts.get("revision")
    return revision if isinstance(revision, str) and revision != "none" else ""


class Versions:
    """Notices when a service names another commit than before."""

    def __init__(self, known: Mapping[str, str]) -> None:
        """`known` is the commit that each service ran when it was last followed."""
        self._now_at: dict[str, str] = dict(known)
        self._left: dict[tuple[str, str], datetime] = {}

    def changes(self, seen: Sequence[Version]) -> tuple[Version, ...]:
        """Return the services that run another commit now. The first one ever seen is no change."""
        changed = []
        for version in seen:
            before = self._now_at.get(version.service)
            if before is None:
                self._now_at[version.service] = version.commit
            elif not is_same(before, version.commit):
                left_at = self._left.get((version.service, version.commit[:SHORT]))
                if left_at is not None and version.at - left_at < FLUTTER:
                    continue  # an old instance answers in turn with the new one
                self._now_at[version.service] = version.commit
                self._left[version.service, before[:SHORT]] = version.at
                changed.append(version)
        return tuple(changed)


def record_of_version(version: Version, now: datetime) -> DeployRecord:
    """Return the record of a deploy that only `/version` tells of: it is live already."""
    return DeployRecord(
        id=f"{version.service}:{version.commit[:12]}:{int(version.at.timestamp())}",
        service=version.service,
        commit=version.commit,
        status="live",
        started_at=version.at,
        seen_at=now,
        live_at=version.at,
        live_seen_at=now,
    )


def is_same(one: str, other: str) -> bool:
    """Say whether two names of a commit, either of which may be cut short, mean the same."""
    return bool(one) and one[:SHORT].lower() == other[:SHORT].lower()
