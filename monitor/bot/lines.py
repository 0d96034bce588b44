"""Messages of the bot as lines: joined, cut to what fits, and the signs they share. Pure."""

from datetime import datetime

from monitor.delivery.entities import TEXT_UNITS, Button, Rendered, Span, clean, clip, compose, spans_units
from monitor.delivery.wording import moment, name, sentence
from monitor.engine.model import CheckState, CheckStatus, Plan, State

SUMMARY_UNITS = 70
TITLE_UNITS = 60

Line = list[Span]


def rendered(lines: list[Line], buttons: tuple[tuple[Button, ...], ...] = ()) -> Rendered:
    """Return the lines as a message; lines that do not fit are counted instead."""
    for kept in range(len(lines), 0, -1):
        left_out = [[Span(f"… and {len(lines) - kept} more lines")]] if kept < len(lines) else []
        spans = joined([*lines[:kept], *left_out])
        if spans_units(spans) <= TEXT_UNITS:
            break
    return Rendered(*compose(spans), buttons)


def said(text: str) -> Rendered:
    """Return a sentence as a message."""
    return Rendered(sentence(text, TEXT_UNITS))


def joined(lines: list[Line]) -> list[Span]:
    """Return the lines as spans with line breaks between them."""
    spans: list[Span] = []
    for line in lines:
        spans += [Span("\n"), *line] if spans else line
    return spans


def title(text: str) -> Span:
    """Return a heading."""
    return Span(clip(clean(text) or "?", TITLE_UNITS), "bold")


def headline(plan: Plan, state: State, now: datetime) -> Line:
    """Return how things stand, in one line."""
    states = [state.checks.get(check_id) for check_id in plan.checks]
    up = sum(check is not None and check.status is CheckStatus.UP and not check.is_stale for check in states)
    live = [incident for incident in state.incidents.values() if incident.is_live]
    if live:
        text = f"{len(live)} incident{'s' if len(live) > 1 else ''} · {up} of {len(states)} checks up"
        return [Span(f"🔴 {text}", "bold"), Span(" · "), moment(now, now)]
    if up == len(states):
        return [Span(f"🟢 All {up} checks are up", "bold"), Span(" · "), moment(now, now)]
    return [Span(f"⚪ {up} of {len(states)} checks up, no incident", "bold"), Span(" · "), moment(now, now)]


def check_line(check_id: str, state: State) -> Line:
    """Return a check with its sign and what it saw."""
    check = state.checks.get(check_id)
    seen = None if check is None else check.last_result
    summary = "not looked at yet" if seen is None else sentence(seen.verdict.summary, SUMMARY_UNITS)
    return [Span(f"{sign_of(check)} "), name(check_id), *([Span(f" {summary}")] if summary else [])]


def sign_of(check: CheckState | None) -> str:
    """Return the coloured sign of a check."""
    if check is None or check.is_stale or check.status is CheckStatus.PENDING:
        return "⚪"
    if check.status is CheckStatus.DOWN:
        return "🔴"
    if check.status is CheckStatus.RECOVERING:
        return "🟠"
    return "🟡" if check.is_degraded or check.status is CheckStatus.SUSPECT else "🟢"
