"""What a smoke run found, and what it means for whoever waits for it. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import IntEnum, StrEnum

from checks.result import Outcome, Reason, Verdict

SCHEMA_VERSION = 1


class ExitStatus(IntEnum):
    """What the command's exit status says."""

    PASSED = 0
    FAILED = 1
    USAGE = 2
    DEPLOY_FAILED = 3
    NOT_LIVE_IN_TIME = 4
    DEGRADED = 5
    """Only with `--strict`."""
    UNDECIDED = 6
    INTERRUPTED = 130


class Mark(StrEnum):
    """What became of one check, or of one line of the checklist. The worst comes first."""

    FAILED = "failed"
    UNKNOWN = "unknown"
    DEGRADED = "degraded"
    FLAKY = "flaky"
    """Failed first and passed when it was looked at again."""
    PASSED = "passed"
    SKIPPED = "skipped"


SEVERITY = tuple(Mark)


@dataclass(frozen=True, slots=True)
class Finding:
    """What one check said in the end."""

    check_id: str
    service: str
    heading: str
    mark: Mark
    summary: str
    verdict: Verdict | None = None
    """None where it was skipped."""
    is_blocking: bool = True
    """False where it could only ever open a warning: its failure is told, and fails nothing."""
    duration_seconds: float = 0.0
    """Of the last look."""
    looks: int = 1
    because_of: str = ""
    """The failed check that explains this failure."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the post-deploy checklist, in its own words."""

    text: str
    mark: Mark
    check_ids: tuple[str, ...]
    note: str = ""
    """Why nothing answers it, where nothing does."""


@dataclass(frozen=True, slots=True)
class Report:
    """One smoke run."""

    stack: str
    started_at: datetime
    duration_seconds: float
    findings: tuple[Finding, ...]
    """In the order of the checklist."""
    lines: tuple[Line, ...]
    commit: str = ""
    """The commit that was waited for."""
    waited: str = ""
    """What became of waiting for it, in a few words."""
    ended_early: ExitStatus | None = None
    """Set where the checks were never reached: the deploy failed, or was not live in time."""

    def count(self, mark: Mark) -> int:
        """Return how many checks ended so."""
        return sum(finding.mark is mark for finding in self.findings)

    def exit_status(self, *, strict: bool = False) -> ExitStatus:
        """Return the one answer: 0 where the deploy may stay."""
        if self.ended_early is not None:
            return self.ended_early
        blocking = [finding for finding in self.findings if finding.is_blocking]
        if any(finding.mark is Mark.FAILED for finding in blocking):
            return ExitStatus.FAILED
        if any(finding.mark is Mark.UNKNOWN for finding in blocking):
            return ExitStatus.UNDECIDED
        warned = any(finding.mark in {Mark.DEGRADED, Mark.FAILED} for finding in self.findings)
        return ExitStatus.DEGRADED if strict and warned else ExitStatus.PASSED


def mark_of(verdict: Verdict, *, failed_before: bool) -> Mark:
    """Return what the last verdict of a check means, given whether an earlier look had failed."""
    match verdict.outcome:
        case Outcome.FAILED:
            return Mark.FAILED
        case Outcome.UNKNOWN:
            # What cannot be seen without a line of the user's is not undecided: it was never asked for.
            return Mark.SKIPPED if verdict.reason is Reason.NOT_CONFIGURED else Mark.UNKNOWN
        case Outcome.DEGRADED:
            return Mark.DEGRADED
        case Outcome.OK:
            return Mark.FLAKY if failed_before else Mark.PASSED


def lines_of(coverage: Sequence[tuple[str, tuple[str, ...], str]], findings: Mapping[str, Finding]) -> tuple[Line, ...]:
    """Return the checklist's lines with their marks; `coverage` is (text, check ids, note) in order.

    A line is as good as the worst of the checks that answer it; one that nothing answers is skipped.
    """
    lines = []
    for text, check_ids, note in coverage:
        marks = [findings[check_id].mark for check_id in check_ids if check_id in findings]
        seen = [mark for mark in marks if mark is not Mark.SKIPPED]
        worst = min(seen, key=SEVERITY.index) if seen else Mark.SKIPPED
        present = tuple(check_id for check_id in check_ids if check_id in findings)
        lines.append(Line(text, worst, present, "" if seen else note))
    return tuple(lines)


def with_causes(findings: Sequence[Finding], parents: Mapping[str, tuple[str, ...]]) -> tuple[Finding, ...]:
    """Return the findings, each failure that a failed parent explains with the nearest root of it named."""
    failed = {finding.check_id for finding in findings if finding.mark is Mark.FAILED}

    def root(check_id: str, seen: frozenset[str]) -> str:
        for parent in parents.get(check_id, ()):
            if parent in failed and parent not in seen:
                return root(parent, seen | {parent}) or parent
        for parent in parents.get(check_id, ()):
            if parent not in seen:
                above = root(parent, seen | {parent})
                if above:
                    return above
        return ""

    return tuple(
        replace(finding, because_of=root(finding.check_id, frozenset({finding.check_id})))
        if finding.mark is Mark.FAILED
        else finding
        for finding in findings
    )
