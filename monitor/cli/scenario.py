"""`nexus-monitor scenario FILE`: what would be said, when and to whom, if this happened."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from monitor.scenario.play import Said

LINES_SHOWN = 2


def scenario(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A timeline of faults; see docs/scenarios.md.")],
) -> None:
    """Play FILE against your own monitor.yaml: nothing is looked at, nothing is sent. Exit 1 if `expect` differs."""
    from monitor.config.checklist import build_checklist
    from monitor.config.environment import with_environment
    from monitor.config.settings import settings_from
    from monitor.config.stack import stack_from
    from monitor.scenario.compare import differences
    from monitor.scenario.play import play, spell
    from monitor.scenario.script import scenario_from, values_of

    script = scenario_from(file)
    settings = settings_from(values_of(script.environment))
    # Nothing is looked at, so any value will do that is an address and long enough for a token.
    stack, _ = with_environment(stack_from(file.parent / script.config), lambda name: "https://stand-in.invalid")
    checklist = build_checklist(settings, stack)
    said = play(checklist, script)
    _show(said)
    count = "nothing was said" if not said else f"{len(said)} message{'s' if len(said) > 1 else ''}"
    typer.echo(f"{count} in {spell(script.seconds)}, {len(checklist.checks)} checks")
    if script.expect is None:
        return
    lines = differences(said, script.expect)
    if not lines:
        typer.echo("as expected")
        return
    typer.echo("not as expected (- expected and not said, + said and not expected):")
    for line in lines:
        typer.echo(line)
    raise typer.Exit(1)


def _show(said: "tuple[Said, ...]") -> None:
    from monitor.scenario.play import spell

    width = max([4, *(len(one.chat) for one in said)])
    typer.echo(f"{'time':>8}  {'chat':<{width}}  {'kind':<9} message")
    for one in said:
        lines = [line for line in one.text.splitlines() if line.strip()][:LINES_SHOWN]
        typer.echo(f"{spell(one.at_seconds):>8}  {one.chat:<{width}}  {one.kind.value:<9} {lines[0]}")
        for line in lines[1:]:
            typer.echo(f"{'':>8}  {'':<{width}}  {'':<9} {line}")
