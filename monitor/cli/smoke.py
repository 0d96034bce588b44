"""`nexus-monitor smoke`: the checklist once, for whoever has just deployed."""

import asyncio
import os
import sys
from pathlib import Path
from typing import Annotated, Literal

import typer

from monitor.cli.options import ConfigOption, configured

Reporter = Literal["list", "github", "json", "junit"]


def smoke(
    config: ConfigOption = None,
    only: Annotated[list[str] | None, typer.Option(help="Only these checks, or families: api, bot.webhook.")] = None,
    skip: Annotated[list[str] | None, typer.Option(help="Not these checks, or families.")] = None,
    retries: Annotated[int, typer.Option(min=0, max=10, help="Looks again at a failed check so often.")] = 2,
    patience: Annotated[
        float, typer.Option(min=0, max=600, help="Seconds for checks that must listen, such as beat's.")
    ] = 75.0,
    strict: Annotated[bool, typer.Option("--strict", help="Warnings count: exit status 5.")] = False,
    reporter: Annotated[Reporter, typer.Option(help="What is printed.")] = "list",
    junit_file: Annotated[Path | None, typer.Option("--junit", help="Write JUnit XML there.")] = None,
    json_file: Annotated[Path | None, typer.Option("--json", help="Write JSON there.")] = None,
    summary_file: Annotated[
        Path | None, typer.Option("--summary", help="Append a Markdown summary there.", envvar="GITHUB_STEP_SUMMARY")
    ] = None,
) -> None:
    """Walk the checklist once. Exit status: 0 passed, 1 failed, 2 usage, 5 degraded with --strict, 6 undecided."""
    from checks.registry import CHECKS
    from monitor.config.coverage import coverage
    from monitor.errors import UsageError
    from monitor.looks import walk_once
    from monitor.smoke.reports.github import annotations, summary
    from monitor.smoke.reports.junit import junit
    from monitor.smoke.reports.listing import listing, progress_line
    from monitor.smoke.reports.machine import report_json
    from monitor.smoke.run import Walk

    settings, stack, checklist = configured(config)
    wanted = [name for name in checklist.checks if _is_named(name, only, True) and not _is_named(name, skip, False)]
    if not wanted:
        raise UsageError("--only, --skip: no check is left to look at")
    covered = [(line.words, line.by, line.why) for line in coverage(checklist, CHECKS)]
    progress = (lambda finding: typer.echo(progress_line(finding))) if reporter == "list" else (lambda finding: None)
    report = asyncio.run(
        walk_once(
            settings, stack, checklist, wanted, covered, Walk(retries=retries, patience_seconds=patience), progress
        )
    )
    told = {
        "list": lambda: "\n".join(listing(report, strict=strict)),
        "github": lambda: "\n".join(annotations(report, strict=strict)),
        "json": lambda: report_json(report, strict=strict).rstrip(),
        "junit": lambda: junit(report).rstrip(),
    }
    typer.echo(told[reporter]())
    for path, text, mode in (
        (junit_file, junit, "w"),
        (json_file, lambda one: report_json(one, strict=strict), "w"),
        (summary_file, lambda one: summary(one, strict=strict), "a"),
    ):
        if path is not None:
            try:
                with path.open(mode, encoding="utf-8") as file:
                    file.write(text(report))
            except OSError as error:
                raise UsageError(f"{path}: cannot be written: {os.strerror(error.errno or 0)}") from None
    sys.stdout.flush()
    raise typer.Exit(int(report.exit_status(strict=strict)))


def _is_named(check_id: str, names: list[str] | None, default: bool) -> bool:
    """Say whether a check or its family is among the names."""
    if not names:
        return default
    return any(check_id == name or check_id.startswith(f"{name}.") for name in names)
