"""The bodies of the JSON API. What they hold is promised: a field is added, never renamed."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, Field

Status = Literal["up", "degraded", "down", "unknown", "pending"]


class ErrorBody(BaseModel):
    """Why a request was refused."""

    detail: str = Field(description="One line that names the thing and the value.")


class LivenessBody(BaseModel):
    """Whether the monitor itself runs."""

    status: Literal["ok", "stuck"]
    loop_ticked_seconds_ago: float


class ReadinessBody(BaseModel):
    """Whether the monitor has begun its work."""

    status: Literal["ready", "waiting"]
    waiting_for: list[str]


class CheckBody(BaseModel):
    """One check, as it stands."""

    id: str
    service: str
    status: Status
    reason: str | None = Field(description="Why the newest look was not ok; not_configured: nothing to look at.")
    summary: str = Field(description="What the newest look saw, one line, without secrets.")
    last_run_at: datetime | None = Field(description="Start of the newest look, UTC.")
    duration_seconds: float | None
    incident: int | None = Field(description="Number of the live incident it is part of.")


class FactBody(BaseModel):
    """One thing seen."""

    name: str
    value: str | int | float | bool | None
    unit: str


class EvidenceBody(BaseModel):
    """What a look saw, redacted."""

    facts: list[FactBody]
    excerpt: str | None


class ResultBody(BaseModel):
    """One look."""

    started_at: datetime
    duration_seconds: float
    outcome: Literal["ok", "degraded", "failed", "unknown"]
    reason: str | None
    summary: str
    hint: str
    evidence: EvidenceBody
    values: dict[str, float]
    vantage: str


class CheckDetailBody(CheckBody):
    """One check with its rules and its newest looks."""

    notes: list[str]
    since: datetime | None
    severity: Literal["warning", "page"]
    interval_seconds: float
    timeout_seconds: float
    depends_on: list[str]
    explained_by: list[str]
    runbook_url: str | None
    last_result: ResultBody | None
    last_failure: ResultBody | None


class MemberBody(BaseModel):
    """One check's part in an incident."""

    check: str
    role: Literal["root", "symptom", "former_root"]
    joined_at: datetime
    left_at: datetime | None


class TimelineBody(BaseModel):
    """One row of an incident's history."""

    at: datetime
    actor: str
    kind: str
    text: str


class IncidentBody(BaseModel):
    """One incident."""

    id: int
    root: str
    severity: Literal["warning", "page"]
    status: Literal["open", "acked", "resolved", "closed"]
    summary: str = Field(description="What the root saw when it last failed; empty when it is not remembered.")
    symptoms: list[str] = Field(description="Checks that fail now because the root does.")
    started_at: datetime = Field(description="When the fault began.")
    opened_at: datetime = Field(description="When it was confirmed.")
    resolved_at: datetime | None
    acked_by: str | None
    reopen_count: int
    deploy: str | None = Field(description="The deploy it began after.")


class IncidentDetailBody(IncidentBody):
    """One incident with everything known of it."""

    hint: str
    members: list[MemberBody]
    timeline: list[TimelineBody]
    still_ok: list[str] = Field(description="Checks that are up now; empty once the incident is over.")


class LookBody(BaseModel):
    """One look, as a chart shows it."""

    started_at: datetime
    duration_seconds: float
    outcome: Literal["ok", "degraded", "failed", "unknown"]


class SeriesIncidentBody(BaseModel):
    """An incident that the check was part of."""

    id: int
    root: str
    started_at: datetime
    ended_at: datetime | None


class SeriesDeployBody(BaseModel):
    """A deploy of the check's service."""

    id: str
    commit: str
    started_at: datetime


class SeriesBody(BaseModel):
    """The recent past of one check."""

    looks: list[LookBody] = Field(description="Oldest first; the newest 2000 where there are more.")
    incidents: list[SeriesIncidentBody]
    deploys: list[SeriesDeployBody]


class SloBody(BaseModel):
    """One objective, as it stands."""

    name: str
    service: str
    checks: list[str] = Field(description="All of them must be up.")
    target: float = Field(description="Share of the time, e.g. 0.995.")
    window_days: float
    availability: float | None = Field(description="Up / (up + down) over the window; null when nothing is known.")
    coverage: float = Field(description="Share of the window that is known.")
    summary: str = Field(description="The availability cut, never rounded up, or `insufficient data`.")
    budget_left: float | None = Field(description="Share of the error budget that is left; below 0 when overdrawn.")
    burn_rates: dict[str, float | None] = Field(description="By window, e.g. `1h`: 1 uses up the budget exactly.")
    burning: float | None = Field(description="The factor of the loudest burn rule that holds.")
    outages: int = Field(description="How many separate outages that rule counts.")


class StatusBody(BaseModel):
    """Everything at a glance."""

    status: Status = Field(description="The worst of all checks: down, degraded, unknown, pending, up.")
    checks: list[CheckBody]
    incidents: list[IncidentBody] = Field(description="Open and acknowledged ones.")
