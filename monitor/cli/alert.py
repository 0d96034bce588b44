"""`nexus-monitor test-alert`: one message through every way that is configured."""

import asyncio

import typer

from monitor.cli.options import ConfigOption, read


def send_alert(config: ConfigOption = None) -> None:
    """Send one message through each channel, and say what arrived where. Exit status: 0 all arrived, 1 not."""
    from datetime import UTC, datetime

    from monitor.delivery.trial import trials
    from monitor.log import configure_logging

    configure_logging("error")
    settings, stack = read(config)

    async def run() -> bool:
        is_well, count = True, 0
        async for finding in trials(settings, stack, datetime.now(UTC)):
            count += 1
            is_well = is_well and finding.is_well
            sign = "✔" if finding.is_well else "▲" if finding.has_arrived else "✘"
            typer.echo(f"{sign} {finding.name}: {'; '.join(part for part in (finding.where, finding.cause) if part)}")
            if finding.change:
                typer.echo(f"    change: {finding.change}")
        if not count:
            typer.echo("✘ nobody is told\n    change: set ALERT_BOT_TOKEN and ALERT_CHAT_ID, or MONITOR_FALLBACK_URLS")
        return is_well and count > 0

    raise typer.Exit(0 if asyncio.run(run()) else 1)
