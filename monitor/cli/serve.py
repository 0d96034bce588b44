"""`nexus-monitor serve`: watch the stack until told to stop."""

from typing import Annotated

import typer

from monitor.cli.options import ConfigOption, configured


def serve(
    config: ConfigOption = None,
    host: Annotated[str | None, typer.Option(help="Where to listen. [default: MONITOR_HOST or 127.0.0.1]")] = None,
    port: Annotated[int | None, typer.Option(min=0, max=65535, help="[default: PORT or 8700]")] = None,
) -> None:
    """Watch the stack: by monitor.yaml and the environment."""
    settings, stack, checklist = configured(config)
    changes: dict[str, object] = {}
    if host is not None:
        changes["monitor_host"] = host
    if port is not None:
        changes["port"] = port
    from monitor.service import run_service

    run_service(settings.model_copy(update=changes), stack, checklist)
