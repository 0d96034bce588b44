"""What the daily digest says: the warnings of one day, what is left of them. Pure."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from monitor.delivery.entities import TEXT_UNITS, Rendered, Span, clean, clip, compose, spans_units
from monitor.delivery.wording import condition_of, moment, spell, subject, tag
from monitor.engine.model import CheckState, Incident, Severity

DAY = timedelta(days=1)
TITLE_UNITS = 60


def warnings_of(incidents: Sequence[Incident], morning: datetime) -> list[Incident]:
    """Return the warnings of the day before `morning`: what is there still, then what came and went; newest last."""
    ours = [
        incident
        for incident in incidents
        if incident.severity is Severity.WARNING
        and incident.opened_at <= morning
        and (incident.is_live or (incident.resolved_at or incident.opened_at) > morning - DAY)
    ]
    return sorted(ours, key=lambda one: (not one.is_live, one.outage_started_at, one.id))


def render_digest(
    title: str, warnings: Sequence[Incident], checks: Mapping[str, CheckState], now: datetime
) -> Rendered | None:
    """Return the digest; None on a day without warnings."""
    if not warnings:
        return None
    left = sum(incident.is_live for incident in warnings)
    count = f"{len(warnings)} warning{'s' if len(warnings) > 1 else ''}"
    still = f"{left} still there" if left else "all over"
    spans = [Span(f"☕ {clip(clean(title), TITLE_UNITS)}: {count} since yesterday, {still}", "bold")]
    for shown, incident in enumerate(warnings):
        line = [Span("\n"), *_line(incident, checks, now)]
        rest = [Span(f"\n… and {len(warnings) - shown} more")]
        if spans_units([*spans, *line, *rest]) > TEXT_UNITS:
            spans += rest
            break
        spans += line
    return Rendered(*compose(spans))


def _line(incident: Incident, checks: Mapping[str, CheckState], now: datetime) -> list[Span]:
    condition = condition_of(incident, checks)
    who = [Span(f"{condition.sign} {tag(incident)} "), subject(incident)]
    if incident.is_live:
        lasted = spell(now - incident.outage_started_at)
        return [*who, Span(f" {condition.word} since "), moment(incident.outage_started_at, now), Span(f", {lasted}")]
    ended = incident.resolved_at or now
    lasted = spell(ended - incident.outage_started_at)
    return [*who, Span(" "), moment(incident.outage_started_at, now), Span(f", over after {lasted}")]
