"""The report as JUnit XML: a suite per heading, failure = down, error = could not look."""

import re
from itertools import groupby
from xml.etree import ElementTree

from monitor.smoke.report import Finding, Mark, Report
from monitor.smoke.reports.listing import evidence

NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What XML 1.0 does not allow in a document, not even escaped (W3C, section 2.2)."""


def junit(report: Report) -> str:
    """Return the document."""
    root = ElementTree.Element("testsuites", _counts(report.findings) | {"name": _clean(report.stack)})
    by_heading = sorted(report.findings, key=lambda finding: _first(report, finding.heading))
    for heading, group in groupby(by_heading, key=lambda finding: finding.heading):
        findings = tuple(group)
        suite = ElementTree.SubElement(root, "testsuite", _counts(findings) | {"name": _clean(heading)})
        suite.set("timestamp", report.started_at.isoformat())
        if report.commit:
            properties = ElementTree.SubElement(suite, "properties")
            ElementTree.SubElement(properties, "property", name="commit", value=_clean(report.commit))
        for finding in findings:
            _case(suite, finding)
    ElementTree.indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ElementTree.tostring(root, encoding="unicode") + "\n"


def _case(suite: ElementTree.Element, finding: Finding) -> None:
    case = ElementTree.SubElement(
        suite,
        "testcase",
        classname=_clean(finding.service),
        name=finding.check_id,
        time=f"{finding.duration_seconds:.3f}",
    )
    said = f"{finding.summary} (because of {finding.because_of})" if finding.because_of else finding.summary
    told = "\n".join(evidence(finding.verdict)) if finding.verdict is not None else ""
    reason = finding.verdict.reason.value if finding.verdict is not None and finding.verdict.reason else ""
    match finding.mark:
        case Mark.FAILED if finding.is_blocking:
            ElementTree.SubElement(case, "failure", message=_clean(said), type=reason).text = _clean(told)
        case Mark.UNKNOWN if finding.is_blocking:
            ElementTree.SubElement(case, "error", message=_clean(said), type=reason).text = _clean(told)
        case Mark.SKIPPED:
            ElementTree.SubElement(case, "skipped", message=_clean(said))
        case Mark.PASSED:
            pass
        case _:  # degraded, flaky, and what could only ever be a warning
            properties = ElementTree.SubElement(case, "properties")
            ElementTree.SubElement(properties, "property", name="mark", value=finding.mark.value)
            ElementTree.SubElement(case, "system-out").text = _clean(f"{finding.mark.value}: {said}\n{told}")


def _first(report: Report, heading: str) -> int:
    return next(number for number, finding in enumerate(report.findings) if finding.heading == heading)


def _counts(findings: tuple[Finding, ...]) -> dict[str, str]:
    return {
        "tests": str(len(findings)),
        "failures": str(sum(finding.mark is Mark.FAILED and finding.is_blocking for finding in findings)),
        "errors": str(sum(finding.mark is Mark.UNKNOWN and finding.is_blocking for finding in findings)),
        "skipped": str(sum(finding.mark is Mark.SKIPPED for finding in findings)),
        "time": f"{sum(finding.duration_seconds for finding in findings):.3f}",
    }


def _clean(text: str) -> str:
    return NOT_XML.sub("\N{REPLACEMENT CHARACTER}", text)
