"""What a look saw, as the lines under a message. Pure."""

from checks.result import Evidence, Fact, Result
from monitor.delivery.entities import clean
from monitor.delivery.wording import sentence


def evidence_text(shown: Result) -> str:
    """Return when it was looked at, the reason, the facts and the excerpt, a line each."""
    lines = [] if shown.verdict.reason is None else [f"reason: {shown.verdict.reason.value}"]
    lines.append(f"looked at {shown.started_at:%H:%M:%S} UTC, took {shown.duration_seconds:.3g} s")
    return "\n".join(lines + _evidence_lines(shown.verdict.evidence))


def _evidence_lines(evidence: Evidence) -> list[str]:
    lines = [_fact_line(fact) for fact in evidence.facts]
    if evidence.excerpt is not None:
        lines.append(clean(evidence.excerpt, keep_lines=True))
    return [line for line in lines if line]


def _fact_line(fact: Fact) -> str:
    value = fact.value
    if value is None:
        shown = "–"
    elif isinstance(value, bool):
        shown = "yes" if value else "no"
    elif isinstance(value, float):
        shown = f"{value:.4g}"
    else:
        shown = str(value)
    return sentence(f"{fact.name}: {shown} {fact.unit}")
