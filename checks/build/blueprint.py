"""`build.blueprint`: the rules of render.yaml, before it is pushed."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from checks.base import IO, Check, CheckConfig
from checks.build.blueprint_rules import rules, services
from checks.build.findings import Finding, verdict_of_findings
from checks.build.render_yaml import NotYamlError, read
from checks.result import Fact, Reason, Verdict, unknown


class BuildBlueprintConfig(CheckConfig):
    """Where the repository is."""

    kind: str = "build.blueprint"
    id: str = "build.blueprint"
    service: str = "render"
    interval_seconds: float = 3600.0
    timeout_seconds: float = 10.0
    path: Path = Path()
    """The repository's root."""
    file: str = "render.yaml"


@dataclass(frozen=True, slots=True)
class BlueprintSeen:
    """What stands in the repository."""

    text: str | None
    """None where there is no such file."""
    files: frozenset[str]
    """Names at the root."""


class BuildBlueprint(Check[BuildBlueprintConfig, BlueprintSeen]):
    """Read render.yaml and hold it against the platform's rules."""

    Config = BuildBlueprintConfig

    async def measure(self, io: IO) -> BlueprintSeen:
        """Read the file and the names beside it."""
        return await asyncio.to_thread(self._read)

    def judge(self, seen: BlueprintSeen, now: datetime, before: Sequence[BlueprintSeen] = ()) -> Verdict:
        """Failed for each error, degraded for each warning; not asked where there is no such file."""
        file = self.config.file
        if seen.text is None:
            return unknown(Reason.NOT_CONFIGURED, f"{file}: there is none", hint=f"Name it: {file} at the root.")
        findings = blueprint_findings(seen.text, file, seen.files)
        count = 0 if any(finding.rule == "yaml" for finding in findings) else len(services(read(seen.text)))
        return verdict_of_findings(
            findings, f"{file}: {count} services, no rule broken", Fact("services", count), reason=Reason.DRIFT
        )

    def _read(self) -> BlueprintSeen:
        file = self.config.path / self.config.file
        names = frozenset(entry.name for entry in self.config.path.iterdir() if entry.is_file())
        return BlueprintSeen(file.read_text(encoding="utf-8") if file.is_file() else None, names)


def blueprint_findings(text: str, file: str, files: frozenset[str] = frozenset()) -> list[Finding]:
    """Return every broken rule of a render.yaml; one for the whole where it is no YAML."""
    try:
        root = read(text)
    except NotYamlError as error:
        return [Finding("yaml", "error", file, error.line, f"no YAML: {error.problem}", "quote what holds `: `")]
    return list(rules(root, file, files))
