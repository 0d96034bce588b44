"""What is broken now, and one incident with its history. Pure: the state in, a message out."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from monitor.bot.lines import Line, headline, rendered
from monitor.delivery.card import Scene, card_spans
from monitor.delivery.entities import TEXT_UNITS, Rendered, Span, compose, spans_units
from monitor.delivery.wording import (
    buttons,
    condition_of,
    moment,
    sentence,
    spell,
    subject,
    tag,
)
from monitor.engine.model import AppendTimeline, CheckState, Incident, IncidentStatus, Plan, Role, State

LISTED_INCIDENTS = 20
LISTED_ROWS = 8
ROW_UNITS = 120
HISTORY_UNITS = 1000


def incidents_message(plan: Plan, state: State, now: datetime) -> Rendered:
    """Return the live incidents: pages first, the oldest first."""
    live = live_incidents(state)
    lines: list[Line] = [headline(plan, state, now)]
    for incident in live[:LISTED_INCIDENTS]:
        lines += [[Span("")], *_incident_lines(incident, state, now)]
    if len(live) > LISTED_INCIDENTS:
        lines.append([Span(f"… and {len(live) - LISTED_INCIDENTS} more")])
    if live:
        lines += [[Span("")], [Span(f"/incident {live[0].id} shows all of it")]]
    return rendered(lines)


def live_incidents(state: State) -> list[Incident]:
    """Return what is open or taken: pages before warnings, the oldest first."""
    live = (incident for incident in state.incidents.values() if incident.is_live)
    return sorted(live, key=lambda one: (one.severity.value != "page", one.outage_started_at, one.id))


def incident_message(
    incident: Incident,
    state: State,
    plan: Plan,
    timeline: Sequence[AppendTimeline],
    now: datetime,
    dashboard_url: str | None,
) -> Rendered:
    """Return the card of an incident and the end of its history, with the buttons that make sense."""
    # Once it is closed, what the root saw last may be of another outage.
    checks: Mapping[str, CheckState] = {} if incident.status is IncidentStatus.CLOSED else state.checks
    deploy = None if incident.deploy_id is None else state.deploys.get(incident.deploy_id)
    history = _history(timeline, now)
    room = TEXT_UNITS - spans_units(history)
    spans = [*card_spans(Scene(incident, checks, plan, now, dashboard_url, deploy), room), *history]
    text, entities = compose(spans)
    return Rendered(text, entities, buttons(incident, plan.morning, dashboard_url))


def _incident_lines(incident: Incident, state: State, now: datetime) -> list[Line]:
    condition = condition_of(incident, state.checks)
    lines: list[Line] = [
        [
            Span(f"{condition.sign} {condition.word}", "bold"),
            Span(f" · {incident.severity.value} · {tag(incident)} "),
            subject(incident),
        ],
        [Span("since "), moment(incident.outage_started_at, now), Span(f", {spell(now - incident.outage_started_at)}")],
    ]
    symptoms = sum(member.role is Role.SYMPTOM and member.left_at is None for member in incident.members)
    if symptoms:
        lines[-1].append(Span(f", {symptoms} more because of it"))
    if incident.acked_by is not None and incident.acked_at is not None:
        taken: Line = [Span(f"✅ {sentence(incident.acked_by, 100)}, "), moment(incident.acked_at, now)]
    else:
        taken = [Span("nobody has taken it")]
    if incident.suppressed_since is not None:
        taken.append(Span(" · 🔕 silenced"))
    return [*lines, taken]


def _history(timeline: Sequence[AppendTimeline], now: datetime) -> list[Span]:
    """Return the newest rows, oldest first, and how many came before."""
    shown: list[list[Span]] = []
    for row in reversed(timeline[-LISTED_ROWS:]):
        who = "" if row.actor == "monitor" or row.actor in row.text else f" ({row.actor})"
        text = sentence(f"{row.kind.replace('_', ' ')}: {row.text}{who}", ROW_UNITS)
        line = [Span("\n"), moment(row.at, now), Span(f" {text}")]
        if spans_units([*line, *(span for row in shown for span in row)]) > HISTORY_UNITS:
            break
        shown.insert(0, line)
    if not shown:
        return []
    before = len(timeline) - len(shown)
    head = "History" if not before else f"History, after {before} earlier"
    return [Span("\n\n"), Span(head, "bold"), *(span for row in shown for span in row)]
