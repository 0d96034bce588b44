"""What the operators' bot answers to commands. Pure: the state in, a message out."""

from datetime import datetime

from monitor.delivery.entities import TEXT_UNITS, Rendered, Span, clean, clip, compose, spans_units
from monitor.delivery.wording import condition_of, moment, name, sentence, spell, subject, tag
from monitor.engine.model import CheckState, CheckStatus, Incident, Plan, State

SUMMARY_UNITS = 70
LISTED_INCIDENTS = 20

COMMANDS = {
    "status": "every check, by service",
    "incidents": "what is broken now",
    "help": "what I can do",
}


def status_message(plan: Plan, state: State, now: datetime) -> Rendered:
    """Return every check by service with sign and summary; services that are all up shrink to a line if need be."""
    head = [_headline(plan, state, now)]
    by_service: dict[str, list[str]] = {}
    for check_id, policy in sorted(plan.checks.items()):
        by_service.setdefault(policy.service, []).append(check_id)
    full = {service: _service_lines(service, check_ids, state) for service, check_ids in sorted(by_service.items())}
    lines = [*head, *(line for block in full.values() for line in block)]
    if spans_units(_joined(lines)) > TEXT_UNITS:
        lines = [*head]
        for service, check_ids in sorted(by_service.items()):
            lines += _short_service_lines(service, check_ids, state)
    return _rendered(lines)


def incidents_message(plan: Plan, state: State, now: datetime) -> Rendered:
    """Return the live incidents, oldest first."""
    live = [incident for _, incident in sorted(state.incidents.items()) if incident.is_live]
    if not live:
        return _rendered([_headline(plan, state, now)])
    lines: list[list[Span]] = []
    for incident in live[:LISTED_INCIDENTS]:
        lines += (
            [[Span("")], *_incident_lines(incident, state, now)] if lines else _incident_lines(incident, state, now)
        )
    if len(live) > LISTED_INCIDENTS:
        lines.append([Span(f"… and {len(live) - LISTED_INCIDENTS} more")])
    return _rendered(lines)


def help_message() -> Rendered:
    """Return what the bot can do."""
    lines = [[Span("I tell you the one thing that is broken.", "bold")], [Span("")]]
    lines += [[Span(f"/{command} – {what}")] for command, what in COMMANDS.items()]
    lines += [
        [Span("")],
        [Span("Under an incident: ✅ Ack takes it, 🔁 Re-check looks again now, 🔕 silences it.")],
    ]
    return _rendered(lines)


def stranger_message(user_id: int, chat_id: int) -> Rendered:
    """Return what somebody unknown is told: the two numbers that the operator has to enter."""
    return _rendered(
        [
            [Span("I do not know you yet. Give these numbers to whoever runs the monitor.")],
            [Span("Your user id: "), Span(str(user_id), "code")],
            [Span("This chat's id: "), Span(str(chat_id), "code")],
        ]
    )


def refusal_message() -> Rendered:
    """Return the refusal for somebody unknown."""
    return _rendered([[Span("Sorry, I only answer the operators of this monitor. /start tells you your user id.")]])


def _headline(plan: Plan, state: State, now: datetime) -> list[Span]:
    states = [state.checks.get(check_id) for check_id in plan.checks]
    up = sum(check is not None and check.status is CheckStatus.UP and not check.is_stale for check in states)
    live = [incident for incident in state.incidents.values() if incident.is_live]
    if live:
        text = f"{len(live)} incident{'s' if len(live) > 1 else ''} · {up} of {len(states)} checks up"
        return [Span(f"🔴 {text}", "bold"), Span(" · "), moment(now, now)]
    if up == len(states):
        return [Span(f"🟢 All {up} checks are up", "bold"), Span(" · "), moment(now, now)]
    return [Span(f"⚪ {up} of {len(states)} checks up, no incident", "bold"), Span(" · "), moment(now, now)]


def _service_lines(service: str, check_ids: list[str], state: State) -> list[list[Span]]:
    return [[Span("")], [_service_name(service)], *(_check_line(check_id, state) for check_id in check_ids)]


def _short_service_lines(service: str, check_ids: list[str], state: State) -> list[list[Span]]:
    bad = [check_id for check_id in check_ids if sign_of(state.checks.get(check_id)) != "🟢"]
    count = f"{len(check_ids) - len(bad)} of {len(check_ids)} up"
    head = [Span("🔴 " if bad else "🟢 "), _service_name(service), Span(f" · {count}")]
    return [head, *(_check_line(check_id, state) for check_id in bad)]


def _service_name(service: str) -> Span:
    return Span(clip(clean(service) or "?", 60), "bold")


def _check_line(check_id: str, state: State) -> list[Span]:
    check = state.checks.get(check_id)
    line = [Span(f"{sign_of(check)} "), name(check_id)]
    seen = None if check is None else check.last_result
    summary = "not looked at yet" if seen is None else sentence(seen.verdict.summary, SUMMARY_UNITS)
    return [*line, Span(f" {summary}")] if summary else line


def sign_of(check: CheckState | None) -> str:
    """Return the coloured sign of a check."""
    if check is None or check.is_stale or check.status is CheckStatus.PENDING:
        return "⚪"
    if check.status is CheckStatus.DOWN:
        return "🔴"
    if check.status is CheckStatus.RECOVERING:
        return "🟠"
    return "🟡" if check.is_degraded or check.status is CheckStatus.SUSPECT else "🟢"


def _incident_lines(incident: Incident, state: State, now: datetime) -> list[list[Span]]:
    condition = condition_of(incident, state.checks)
    lines = [
        [Span(f"{condition.sign} {condition.word}", "bold"), Span(f" · {tag(incident)} "), subject(incident)],
        [Span("since "), moment(incident.outage_started_at, now), Span(f", {spell(now - incident.outage_started_at)}")],
    ]
    if incident.acked_by is not None:
        lines.append([Span(f"✅ {sentence(incident.acked_by, 100)}")])
    return lines


def _rendered(lines: list[list[Span]]) -> Rendered:
    """Return the lines as a message; lines that do not fit are counted instead."""
    for kept in range(len(lines), 0, -1):
        left_out = [[Span(f"… and {len(lines) - kept} more lines")]] if kept < len(lines) else []
        spans = _joined([*lines[:kept], *left_out])
        if spans_units(spans) <= TEXT_UNITS:
            break
    return Rendered(*compose(spans))


def _joined(lines: list[list[Span]]) -> list[Span]:
    spans: list[Span] = []
    for line in lines:
        spans += [Span("\n"), *line] if spans else line
    return spans
