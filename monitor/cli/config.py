"""`nexus-monitor config check`: is the configuration good, and what will be watched?"""

import typer

from monitor.cli.options import ConfigOption, configured

config = typer.Typer(help="The configuration.", no_args_is_help=True)


@config.callback()
def _group() -> None:
    """The configuration."""


@config.command("check")
def check_config(path: ConfigOption = None) -> None:
    """Read everything, look around once: one line for each mistake and exit status 2, or what would be watched."""
    settings, _, checklist = configured(path)
    if settings.fallback_addresses:
        from monitor.delivery.fallback import open_services

        open_services(settings.fallback_addresses)
    for check_id, check in checklist.checks.items():
        typer.echo(f"{check_id:<20} every {check.config.interval_seconds:g} s  {check.config.service}")
    for item in checklist.skipped:
        why = f"set {item.setting} to add it" if item.setting else item.why or "switched off"
        why += f" ({item.why})" if item.setting and item.why else ""
        typer.echo(f"{item.id:<20} not watched: {why}")
    chats = ", ".join(checklist.chat_targets) or "nobody is told: set ALERT_BOT_TOKEN and ALERT_CHAT_ID"
    typer.echo(f"{len(checklist.checks)} checks; told: {chats}")
