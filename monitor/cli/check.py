"""`nexus-monitor check ID`: one look at one thing, printed with its evidence."""

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from monitor.cli.options import DEFAULT_FILE, ConfigOption, configured

SIGNS = {"ok": "✔ ok", "degraded": "▲ degraded", "failed": "✘ failed", "unknown": "? unknown"}
EXIT_STATUS = {"ok": 0, "degraded": 0, "failed": 1, "unknown": 6}


def check(
    check_id: Annotated[str, typer.Argument(metavar="ID", help="For example api.health; `config check` lists them.")],
    config: ConfigOption = None,
    record: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="Save the answers of Render's API there, redacted.")
    ] = None,
) -> None:
    """Look once at ID and print what was seen. Exit status: 0 ok or degraded, 1 failed, 6 could not decide."""
    from monitor.config.stack import nearest
    from monitor.errors import UsageError

    settings, _, checklist = configured(config)
    if check_id not in checklist.checks:
        skipped = next((item for item in checklist.skipped if item.id == check_id), None)
        if skipped and skipped.setting:
            why = f" ({skipped.why})" if skipped.why else ""
            raise UsageError(f"{check_id}: needs the environment variable {skipped.setting}{why}")
        if skipped:
            raise UsageError(f"{check_id}: {skipped.why or f'is switched off in {(config or DEFAULT_FILE).name}'}")
        raise UsageError(f"{check_id}: no such check{nearest(check_id, set(checklist.checks))}")
    from monitor.looks import look_once

    result = asyncio.run(look_once(check_id, settings, checklist, record=record))
    verdict = result.verdict
    typer.echo(f"{SIGNS[verdict.outcome.value]}  {check_id}  {verdict.summary}  ({result.duration_seconds:.3f} s)")
    for fact in verdict.evidence.facts:
        typer.echo(
            f"    {fact.name}: {'-' if fact.value is None else fact.value}{' ' + fact.unit if fact.unit else ''}"
        )
    if verdict.evidence.excerpt:
        typer.echo("    seen: " + verdict.evidence.excerpt.replace("\n", "\n          "))
    if verdict.reason:
        typer.echo(f"    reason: {verdict.reason.value}")
    if verdict.hint:
        typer.echo(f"    try: {verdict.hint}")
    raise typer.Exit(EXIT_STATUS[verdict.outcome.value])
