"""`nexus-monitor preflight [PATH]`: would this repository build on Render? Asked before it is pushed."""

import asyncio
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

SIGNS = {"ok": "✔", "degraded": "▲", "failed": "✘", "unknown": "?"}


def preflight(
    path: Annotated[Path, typer.Argument(help="The repository's root.")] = Path(),
    created_on: Annotated[
        datetime | None,
        typer.Option(
            "--created-on",
            formats=["%Y-%m-%d"],
            help="When the services were created: it decides the Python of those without a pin. [default: today]",
            show_default=False,
        ),
    ] = None,
) -> None:
    """Look at requirements, .python-version and render.yaml. Exit status: 0 fine or warnings, 1 failed, 6 undecided."""
    from checks.build.blueprint import BuildBlueprint, BuildBlueprintConfig
    from checks.build.wheels import BuildWheels, BuildWheelsConfig
    from checks.result import Outcome
    from monitor.errors import UsageError
    from monitor.looks import look_at
    from monitor.smoke.reports.listing import evidence

    if not path.is_dir():
        raise UsageError(f"{path}: is no folder")
    day = created_on.date() if created_on is not None else None
    checks = (
        BuildBlueprint(BuildBlueprintConfig(path=path)),
        BuildWheels(BuildWheelsConfig(path=path, created_on=day)),
    )
    results = asyncio.run(look_at(checks))
    for result in results:
        verdict = result.verdict
        typer.echo(f"{SIGNS[verdict.outcome.value]} {result.check_id}  {verdict.summary}")
        if verdict.outcome is not Outcome.OK:
            for line in evidence(verdict):
                typer.echo(line)
    outcomes = {result.verdict.outcome for result in results}
    raise typer.Exit(1 if Outcome.FAILED in outcomes else 6 if outcomes == {Outcome.UNKNOWN} else 0)
