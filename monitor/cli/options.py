"""Options that several commands share, and how they become settings."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from monitor.config.checklist import Checklist
    from monitor.config.settings import Settings
    from monitor.config.stack import Stack

DEFAULT_FILE = Path("monitor.yaml")

ConfigOption = Annotated[
    Path | None,
    typer.Option(
        "--config", "-c", help="The stack's file. [default: monitor.yaml, where there is one]", show_default=False
    ),
]


def configured(path: Path | None) -> "tuple[Settings, Stack, Checklist]":
    """Read environment and file, and add what is found. Raises UsageError with every mistake of both, one line each.

    Looks around for some seconds at most, and not at all where a service keeps what it found.
    """
    import asyncio

    from monitor.config.checklist import build_checklist
    from monitor.discovery.known import known
    from monitor.log import configure_logging

    configure_logging("error")
    settings, stack = read(path)
    build_checklist(settings, stack)  # a mistake is told before anybody looks around
    return settings, stack, build_checklist(settings, stack, asyncio.run(known(settings)))


def read(path: Path | None) -> "tuple[Settings, Stack]":
    """Read environment and file. Raises UsageError with every mistake of both, one line each."""
    from monitor.config.environment import with_environment
    from monitor.config.settings import settings_from
    from monitor.config.stack import stack_from
    from monitor.errors import UsageError

    lines: list[str] = []
    settings: Settings | None = None
    stack: Stack | None = None
    try:
        settings = settings_from(os.environ)
    except UsageError as error:
        lines += error.lines
    try:
        stack, unset = with_environment(
            stack_from(path or (DEFAULT_FILE if DEFAULT_FILE.is_file() else None)), os.environ.get
        )
        lines += (f"monitor.yaml: {line}" for line in unset)
    except UsageError as error:
        lines += error.lines
    if settings is None or stack is None or lines:
        raise UsageError(*lines)
    return settings, stack
