"""One thing that is wrong in a repository, with the line where it stands, and the verdict over all of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from checks.result import Evidence, Fact, Outcome, Reason, Verdict

Level = Literal["error", "warning"]
FACTS = 40
"""So many findings stand in the evidence; the rest is counted."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One broken rule."""

    rule: str
    """Short and stable, e.g. `python-version`."""
    level: Level
    file: str
    line: int
    """From 1; 0 where it is about the whole file, or about something that is not there."""
    message: str
    """What is wrong: names the thing and the value."""
    fix: str
    """What to write instead."""

    @property
    def where(self) -> str:
        """File and line, as editors open them."""
        return f"{self.file}:{self.line}" if self.line else self.file


def verdict_of_findings(findings: Sequence[Finding], fine: str, *facts: Fact, reason: Reason) -> Verdict:
    """Return failed for any error, degraded for any warning, else ok with the words of `fine`."""
    ordered = sorted(findings, key=lambda finding: (finding.level, finding.file, finding.line))
    errors = [finding for finding in ordered if finding.level == "error"]
    told = [Fact(finding.where, f"{finding.level}: {finding.message} [{finding.rule}]") for finding in ordered[:FACTS]]
    more = len(ordered) - FACTS
    if more > 0:
        told.append(Fact("more findings", more))
    if not ordered:
        return Verdict(Outcome.OK, fine, evidence=Evidence(facts))
    first = ordered[0]
    count = f"{len(errors)} errors, " if errors else ""
    others = f" ({count}{len(ordered) - len(errors)} warnings)" if len(ordered) > 1 else ""
    outcome = Outcome.FAILED if errors else Outcome.DEGRADED
    hint = f"{first.where}: {first.fix}"
    return Verdict(outcome, f"{first.message}{others}", reason, hint, Evidence((*facts, *told)), certain=bool(errors))
