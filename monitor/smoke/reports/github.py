"""The report for GitHub Actions: annotations on the run, and a table in its summary."""

from collections.abc import Iterator

from monitor.smoke.report import Finding, Mark, Report
from monitor.smoke.reports.listing import SIGNS, ending

MOST_ANNOTATIONS = 10
"""GitHub shows ten of each kind and drops the rest (docs.github.com, usage limits of annotations)."""
SUMMARY_BYTES = 900_000
"""Below GitHub's limit of 1 MiB for a step's summary."""


def annotations(report: Report, *, strict: bool = False) -> Iterator[str]:
    """Yield workflow commands, the worst first: at most ten errors and ten warnings, then the ending."""
    errors = [finding for finding in report.findings if finding.mark is Mark.FAILED and finding.is_blocking]
    warnings = [
        finding
        for finding in report.findings
        if finding not in errors and finding.mark in {Mark.FAILED, Mark.UNKNOWN, Mark.DEGRADED}
    ]
    roots_first = sorted(errors, key=lambda finding: bool(finding.because_of))
    yield from (_annotation("error", finding) for finding in roots_first[:MOST_ANNOTATIONS])
    yield from (_annotation("warning", finding) for finding in warnings[:MOST_ANNOTATIONS])
    yield ending(report, strict=strict)


def summary(report: Report, *, strict: bool = False) -> str:
    """Return the Markdown of the step's summary."""
    rows = [f"### {_cell(ending(report, strict=strict))}", "", "| | checklist | checks |", "|---|---|---|"]
    rows += [
        f"| {SIGNS[line.mark]} | {_cell(line.text)} | {_cell(', '.join(line.check_ids) or line.note)} |"
        for line in report.lines
    ]
    rows += ["", "| | check | what was seen | what to do |", "|---|---|---|---|"]
    rows += [_row(finding) for finding in report.findings]
    text = "\n".join(rows) + "\n"
    encoded = text.encode()
    return text if len(encoded) <= SUMMARY_BYTES else encoded[:SUMMARY_BYTES].decode(errors="ignore") + "\n…\n"


def _annotation(level: str, finding: Finding) -> str:
    said = f"{finding.summary} (because of {finding.because_of})" if finding.because_of else finding.summary
    hint = finding.verdict.hint if finding.verdict is not None and not finding.because_of else ""
    return f"::{level} title={_property(finding.check_id)}::{_text(f'{said}. {hint}' if hint else said)}"


def _row(finding: Finding) -> str:
    hint = finding.verdict.hint if finding.verdict is not None else ""
    said = f"{finding.summary} (because of {finding.because_of})" if finding.because_of else finding.summary
    shown = hint if finding.mark not in {Mark.PASSED, Mark.FLAKY} and not finding.because_of else ""
    return f"| {SIGNS[finding.mark]} | `{finding.check_id}` | {_cell(said)} | {_cell(shown)} |"


def _text(value: str) -> str:
    """Escape a workflow command's message (actions/toolkit, packages/core/src/command.ts)."""
    return value.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(value: str) -> str:
    return _text(value).replace(":", "%3A").replace(",", "%2C")


def _cell(value: str) -> str:
    """Escape what would break a Markdown table or start markup."""
    for sign in ("\\", "|", "<", "`", "*", "_", "["):
        value = value.replace(sign, f"\\{sign}")
    return value.replace("\n", " ")
