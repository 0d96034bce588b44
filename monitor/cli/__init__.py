"""The command line: one file a command. What a command needs is imported when it runs, so that help is quick."""

from typing import Annotated

import typer

from monitor import __version__
from monitor.cli.check import check
from monitor.cli.config import config
from monitor.cli.demo import demo
from monitor.cli.discover import discover
from monitor.cli.preflight import preflight
from monitor.cli.scenario import scenario
from monitor.cli.serve import serve
from monitor.cli.smoke import smoke

app = typer.Typer(
    name="nexus-monitor",
    help="Watches a FastAPI + Telegram bot + Celery + Mini App stack and tells you the one thing that is broken.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.command()(serve)
app.command()(check)
app.command()(smoke)
app.command()(discover)
app.command()(scenario)
app.command()(preflight)
app.add_typer(demo, name="demo")
app.add_typer(config, name="config")


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"nexus-monitor {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show it and stop.")
    ] = False,
) -> None:
    pass


__all__ = ["app"]
