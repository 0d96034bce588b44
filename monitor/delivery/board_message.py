"""What a chat's board says: how things stand, in one message that is always the same one. Pure."""

from datetime import datetime

from monitor.delivery.entities import TEXT_UNITS, Rendered, Span, clean, clip, compose, spans_units
from monitor.delivery.wording import condition_of, moment, sentence, subject, tag
from monitor.engine.model import CheckStatus, Incident, Plan, State

SIGN = "📋"
"""How every board begins, whatever stands on it. No message about an incident begins so."""

TITLE_UNITS = 60
LISTED_INCIDENTS = 15
PERSON_UNITS = 60


def render_board(title: str, plan: Plan, state: State, now: datetime) -> Rendered:
    """Return the board: one line when all is well, and one more for each live incident, oldest first."""
    live = [incident for _, incident in sorted(state.incidents.items()) if incident.is_live]
    spans = _head(title, len(live), plan, state, now)
    for listed, incident in enumerate(live):
        line = [Span("\n"), *_incident_line(incident, state, now)]
        rest = [Span(f"\n… and {len(live) - listed} more")]
        if listed == LISTED_INCIDENTS or spans_units([*spans, *line, *rest]) > TEXT_UNITS:
            spans += rest
            break
        spans += line
    return Rendered(*compose(spans))


def _head(title: str, live: int, plan: Plan, state: State, now: datetime) -> list[Span]:
    total = len(plan.checks)
    checks = [state.checks.get(check_id) for check_id in plan.checks]
    up = sum(check is not None and check.status is CheckStatus.UP and not check.is_stale for check in checks)
    name = clip(clean(title), TITLE_UNITS)
    if up == total and not live:
        standing = f"all {total} checks OK"
    else:
        standing = f"{up} of {total} checks OK, {live or 'no'} incident{'' if live == 1 else 's'}"
    return [Span(f"{SIGN} {name}: {standing}", "bold"), Span(", "), moment(now, now)]


def _incident_line(incident: Incident, state: State, now: datetime) -> list[Span]:
    condition = condition_of(incident, state.checks)
    line = [Span(f"{condition.sign} {tag(incident)} "), subject(incident), Span(f" {condition.word} since ")]
    line.append(moment(incident.started_at, now))
    if incident.suppressed_since is not None:
        line.append(Span(" 🔕"))
    if incident.acked_by is not None:
        line.append(Span(f" ✅ {sentence(incident.acked_by, PERSON_UNITS) or '?'}"))
    return line
