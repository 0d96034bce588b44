"""How things stand: the checklist by its headings. Pure: the state in, a message out."""

from collections.abc import Callable, Iterable
from datetime import datetime

from monitor.bot.lines import Line, check_line, headline, rendered, sign_of, title
from monitor.delivery.entities import Rendered, Span
from monitor.delivery.wording import name as check_name
from monitor.delivery.wording import names
from monitor.engine.model import Plan, State

Headings = Callable[[str], str]
"""Given the id of a check, returns the heading under which it stands."""

FULL_CHECKS = 20
"""So many lines are read at one glance at a phone."""

MOST_SYMPTOMS = 6


def status_message(plan: Plan, state: State, now: datetime, heading: Headings) -> Rendered:
    """Return the headings and what is not up; every check where there are few."""
    if len(plan.checks) <= FULL_CHECKS:
        return all_message(plan, state, now, heading)
    groups = grouped(plan.checks, heading)
    lines: list[Line] = [headline(plan, state, now), [Span("")]]
    for name, check_ids in groups.items():
        lines += _short(name, check_ids, state)
    more = f"/status {_word(next(iter(groups)))} lists the checks of that heading, /status all every one"
    return rendered([*lines, [Span("")], [Span(more)]])


def all_message(plan: Plan, state: State, now: datetime, heading: Headings) -> Rendered:
    """Return every check with sign and summary, by heading."""
    groups = grouped(plan.checks, heading).items()
    lines = [line for name, check_ids in groups for line in _full(name, check_ids, state)]
    return rendered([headline(plan, state, now), *lines])


def heading_message(plan: Plan, state: State, wanted: str, heading: Headings) -> Rendered | None:
    """Return each check under one heading; None where there is no such heading."""
    groups = grouped(plan.checks, heading)
    for name, check_ids in groups.items():
        if _word(name) == _word(wanted):
            return rendered(_full(name, check_ids, state)[1:])
    return None


def grouped(check_ids: Iterable[str], heading: Headings) -> dict[str, list[str]]:
    """Return the checks by heading, in the order of the checklist."""
    groups: dict[str, list[str]] = {}
    for check_id in check_ids:
        groups.setdefault(heading(check_id), []).append(check_id)
    return {name: sorted(ids) for name, ids in groups.items()}


def _word(name: str) -> str:
    """Return a heading as it may be typed: letters and digits alone."""
    return "".join(character for character in name.casefold() if character.isalnum())


def _full(name: str, check_ids: list[str], state: State) -> list[Line]:
    return [[Span("")], [title(name)], *(check_line(check_id, state) for check_id in check_ids)]


def _short(name: str, check_ids: list[str], state: State) -> list[Line]:
    bad = [check_id for check_id in check_ids if sign_of(state.checks.get(check_id)) != "🟢"]
    count = f"{len(check_ids) - len(bad)} of {len(check_ids)} up"
    sign = _worst(sign_of(state.checks.get(check_id)) for check_id in bad)
    because: dict[int, list[Span]] = {}
    lines: list[Line] = [[Span(f"{sign} "), title(name), Span(f" · {count}")]]
    for check_id in bad:
        incident_id = _explained_by(check_id, state)
        if incident_id is None:
            lines.append(check_line(check_id, state))
        else:
            because.setdefault(incident_id, []).append(check_name(check_id))
    for incident_id, symptoms in sorted(because.items()):
        lines.append([Span(f"because of #INC-{incident_id}: "), *names(symptoms, MOST_SYMPTOMS)])
    return lines


def _explained_by(check_id: str, state: State) -> int | None:
    """Return the live incident whose root explains the check; None for a root, and for what stands alone."""
    check = state.checks.get(check_id)
    incident = None if check is None or check.incident_id is None else state.incidents.get(check.incident_id)
    is_symptom = incident is not None and incident.is_live and not incident.is_storm and incident.root != check_id
    return incident.id if incident is not None and is_symptom else None


def _worst(signs: Iterable[str]) -> str:
    present = set(signs)
    return next((sign for sign in ("🔴", "🟠", "🟡", "⚪") if sign in present), "🟢")
