"""One check as a message, and the check a person means by a few letters. Pure."""

from collections.abc import Iterable
from datetime import datetime

from monitor.bot.lines import Line, rendered, sign_of
from monitor.delivery.entities import Rendered, Span, clip
from monitor.delivery.evidence import evidence_text
from monitor.delivery.wording import moment, name, sentence, spell
from monitor.engine.model import CheckPolicy, State

MOST_MEANT = 12
EVIDENCE_UNITS = 1200


def check_message(policy: CheckPolicy, state: State, now: datetime) -> Rendered:
    """Return how one check stands, what it saw last, and what to do."""
    check = state.checks.get(policy.id)
    head: Line = [
        Span(f"{sign_of(check)} {_status(policy, state)}", "bold"),
        Span(f" · {sentence(policy.service, 60)} · "),
        name(policy.id),
    ]
    seen = None if check is None else check.last_result
    if check is None or seen is None:
        return rendered([head, [Span("not looked at yet")]])
    verdict = seen.verdict
    took = f", took {seen.duration_seconds:.3g} s"
    lines: list[Line] = [head, [Span("looked at "), moment(seen.started_at, now), Span(took)], [Span("")]]
    lines.append([Span(sentence(verdict.summary) or verdict.outcome.value)])
    if verdict.hint:
        lines.append([Span("Try: ", "bold"), Span(sentence(verdict.hint))])
    if check.down_since is not None and sign_of(check) == "🔴":
        lines.append([Span("Down since "), moment(check.down_since, now), Span(f", {spell(now - check.down_since)}")])
    incident = state.incidents.get(check.incident_id or 0)
    if incident is not None and incident.is_live:
        lines.append([Span(f"Part of #INC-{incident.id}: /incident {incident.id}")])
    lines += [[Span("")], [Span(clip(evidence_text(seen), EVIDENCE_UNITS), "expandable_blockquote")]]
    return rendered(lines)


def meant(word: str, check_ids: Iterable[str]) -> list[str]:
    """Return the checks somebody may mean: the one of that id, else those whose id begins so, else those that hold it.

    At most `MOST_MEANT`.
    """
    wanted = word.casefold()
    known = sorted(check_ids)
    for fits in (str.__eq__, str.startswith, str.__contains__):
        found = [check_id for check_id in known if fits(check_id.casefold(), wanted)]
        if found:
            return found[:MOST_MEANT]
    return []


def _status(policy: CheckPolicy, state: State) -> str:
    check = state.checks.get(policy.id)
    if check is None:
        return "PENDING"
    if check.is_stale:
        return "NOT SEEN"
    return "DEGRADED" if sign_of(check) == "🟡" and check.is_degraded else check.status.value.upper()
