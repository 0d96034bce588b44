"""The report for people: plain lines, the checklist in its own words, failures once more with what to do."""

from collections.abc import Iterator

from checks.result import Fact, Verdict
from monitor.smoke.report import ExitStatus, Finding, Mark, Report

SIGNS = {
    Mark.PASSED: "✔",
    Mark.FLAKY: "~",
    Mark.DEGRADED: "▲",
    Mark.FAILED: "✘",
    Mark.UNKNOWN: "?",
    Mark.SKIPPED: "–",
}
ENDINGS = {
    ExitStatus.PASSED: "passed",
    ExitStatus.FAILED: "FAILED",
    ExitStatus.DEPLOY_FAILED: "the deploy itself FAILED",
    ExitStatus.NOT_LIVE_IN_TIME: "the commit was NOT LIVE in time",
    ExitStatus.DEGRADED: "DEGRADED, and --strict",
    ExitStatus.UNDECIDED: "UNDECIDED: something that blocks could not be looked at",
}


def progress_line(finding: Finding) -> str:
    """Return one finding in one line, as it becomes final."""
    again = f", {finding.looks} looks" if finding.looks > 1 else ""
    took = f"  ({1000 * finding.duration_seconds:.0f} ms{again})" if finding.verdict is not None else ""
    return f"{SIGNS[finding.mark]} {finding.check_id:<22} {finding.summary}{took}"


def listing(report: Report, *, strict: bool = False) -> Iterator[str]:
    """Yield the lines of the whole report."""
    if report.waited:
        yield report.waited
    if report.lines:
        yield ""
    for line in report.lines:
        answered = ", ".join(line.check_ids) if line.mark is not Mark.SKIPPED else line.note or "not looked at"
        yield f"{SIGNS[line.mark]} {line.text}  [{answered}]"
    for finding in report.findings:
        if finding.mark in {Mark.FAILED, Mark.UNKNOWN, Mark.DEGRADED}:
            yield ""
            yield from _told(finding)
    yield ""
    yield ending(report, strict=strict)


def ending(report: Report, *, strict: bool = False) -> str:
    """Return the verdict in one line."""
    counts = ", ".join(f"{report.count(mark)} {mark.value}" for mark in Mark if report.count(mark))
    at = f" at {report.commit[:12]}" if report.commit else ""
    said = ENDINGS[report.exit_status(strict=strict)]
    return f"{report.stack}{at}: {said} in {report.duration_seconds:.1f} s" + (f" ({counts})" if counts else "")


def _told(finding: Finding) -> Iterator[str]:
    blocking = "" if finding.is_blocking else "  (a warning)"
    yield f"{SIGNS[finding.mark]} {finding.check_id}  {finding.summary}{blocking}"
    if finding.because_of:
        yield f"    because of: {finding.because_of}"
        return
    if finding.verdict is not None:
        yield from evidence(finding.verdict)


def evidence(verdict: Verdict) -> Iterator[str]:
    """Yield what to do and what was seen, indented."""
    if verdict.hint:
        yield f"    try: {verdict.hint}"
    for fact in verdict.evidence.facts:
        yield f"    {fact.name}: {value(fact)}"
    if verdict.evidence.excerpt:
        yield "    seen: " + verdict.evidence.excerpt.replace("\n", "\n          ")


def value(fact: Fact) -> str:
    """Return a fact's value with its unit; `-` where there is none."""
    return "-" if fact.value is None else f"{fact.value}{' ' + fact.unit if fact.unit else ''}"
