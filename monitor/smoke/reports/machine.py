"""The report as JSON: for programs, and the wire form between a deployed monitor and whoever asked it."""

import json
from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Any

from checks.result import Evidence, Fact, Outcome, Reason, Verdict
from monitor.smoke.report import SCHEMA_VERSION, ExitStatus, Finding, Line, Mark, Report


def report_json(report: Report, *, strict: bool = False) -> str:
    """Return the whole report as one document."""
    return json.dumps(report_body(report, strict=strict), ensure_ascii=False, indent=2) + "\n"


def report_body(report: Report, *, strict: bool = False) -> dict[str, Any]:
    """Return the report as JSON's own types."""
    status = report.exit_status(strict=strict)
    return {
        "schemaVersion": SCHEMA_VERSION,
        "stack": report.stack,
        "verdict": status.name.lower(),
        "exitStatus": int(status),
        "commit": report.commit,
        "waited": report.waited,
        "endedEarly": None if report.ended_early is None else int(report.ended_early),
        "startedAt": report.started_at.isoformat(),
        "durationSeconds": round(report.duration_seconds, 3),
        "counts": {mark.value: report.count(mark) for mark in Mark},
        "checklist": [
            {"text": line.text, "mark": line.mark.value, "checks": list(line.check_ids), "note": line.note}
            for line in report.lines
        ],
        "checks": [finding_body(finding) for finding in report.findings],
    }


def finding_body(finding: Finding) -> dict[str, Any]:
    """Return one finding as JSON's own types."""
    verdict = finding.verdict
    return {
        "id": finding.check_id,
        "service": finding.service,
        "heading": finding.heading,
        "mark": finding.mark.value,
        "summary": finding.summary,
        "isBlocking": finding.is_blocking,
        "durationSeconds": round(finding.duration_seconds, 6),
        "looks": finding.looks,
        "becauseOf": finding.because_of,
        "verdict": None
        if verdict is None
        else {
            "outcome": verdict.outcome.value,
            "reason": verdict.reason.value if verdict.reason else None,
            "summary": verdict.summary,
            "hint": verdict.hint,
            "facts": [asdict(fact) for fact in verdict.evidence.facts],
            "excerpt": verdict.evidence.excerpt,
        },
    }


def finding_from(body: Mapping[str, Any]) -> Finding:
    """Return the finding of a body. Raises KeyError, TypeError or ValueError where it is none."""
    said = body["verdict"]
    verdict = None
    if said is not None:
        facts = tuple(Fact(fact["name"], fact["value"], fact["unit"]) for fact in said["facts"])
        verdict = Verdict(
            Outcome(said["outcome"]),
            said["summary"],
            Reason(said["reason"]) if said["reason"] else None,
            said["hint"],
            Evidence(facts, said["excerpt"]),
        )
    return Finding(
        body["id"],
        body["service"],
        body["heading"],
        Mark(body["mark"]),
        body["summary"],
        verdict,
        body["isBlocking"],
        body["durationSeconds"],
        body["looks"],
        body["becauseOf"],
    )


def report_from(body: Mapping[str, Any]) -> Report:
    """Return the report of a body. Raises KeyError, TypeError or ValueError where it is none."""
    if body["schemaVersion"] != SCHEMA_VERSION:
        raise ValueError(f"schemaVersion: {body['schemaVersion']!r} must be {SCHEMA_VERSION}")
    return Report(
        body["stack"],
        datetime.fromisoformat(body["startedAt"]),
        body["durationSeconds"],
        tuple(finding_from(finding) for finding in body["checks"]),
        tuple(
            Line(line["text"], Mark(line["mark"]), tuple(line["checks"]), line["note"]) for line in body["checklist"]
        ),
        body["commit"],
        body["waited"],
        None if body["endedEarly"] is None else ExitStatus(body["endedEarly"]),
    )


def _line_from(body: Mapping[str, Any]) -> Line:
    return Line(body["text"], Mark(body["mark"]), tuple(body["checks"]), body["note"])
