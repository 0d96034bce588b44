"""Sets up logging: structlog and the standard library through one formatter that takes secrets out."""

from __future__ import annotations

import logging
import sys
from collections.abc import Mapping, MutableMapping
from typing import Any, TextIO

import structlog

from checks.redaction import MASK, redact

NOISY_LOGGERS = (
    "httpx",
    "httpcore",
    "aiogram.event",
    "aiosqlite",
    "asyncio",
    "alembic.runtime",
    "urllib3",
    "requests_oauthlib",
)
"""They log every request or every step at INFO or DEBUG; httpx prints the URL, and with it a bot's token."""

SILENT_LOGGERS = ("uvicorn.access",)
"""An access log prints paths, and a path may hold a token."""


def configure_logging(level: str = "INFO", *, json: bool = False, stream: TextIO | None = None) -> None:
    """Send every log line of this process, redacted, to `stream` (standard error unless given).

    `level` is a name such as `INFO`; an unknown one raises `ValueError`. `json` gives one object a line. May be called
    again; the last call counts.
    """
    number = logging.getLevelNamesMapping().get(level.upper())
    if number is None:
        raise ValueError(f"log level: {level!r} is none of DEBUG, INFO, WARNING, ERROR, CRITICAL")
    target = stream if stream is not None else sys.stderr
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    structlog.configure(
        processors=[
            *shared,
            structlog.stdlib.PositionalArgumentsFormatter(),
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        wrapper_class=structlog.stdlib.BoundLogger,
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=False,
    )
    handler = _OneLineErrors(target)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.StackInfoRenderer(),
                structlog.processors.format_exc_info,
                redact_event,
                _renderer(json=json, colors=target.isatty()),
            ],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(number)
    for name in NOISY_LOGGERS:
        logging.getLogger(name).setLevel(max(number, logging.WARNING))
    for name in SILENT_LOGGERS:
        logging.getLogger(name).disabled = True


def redact_event(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Return the event with every secret masked: in texts at any depth, and whole where the key names a secret."""
    return {str(key): _clean(str(key), value) for key, value in event.items()}


def _clean(key: str, value: object) -> object:
    if value is None or isinstance(value, bool | int | float):
        return value
    if MASK in redact(f"{key}=x"):
        return MASK
    if isinstance(value, Mapping):
        return {str(name): _clean(str(name), item) for name, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_clean(key, item) for item in value]
    return redact(value if isinstance(value, str) else repr(value))


def _renderer(*, json: bool, colors: bool) -> structlog.typing.Processor:
    if json:
        return structlog.processors.JSONRenderer(ensure_ascii=False)
    # The plain formatter: the rich one prints local variables, secrets among them.
    return structlog.dev.ConsoleRenderer(colors=colors, exception_formatter=structlog.dev.plain_traceback)


class _OneLineErrors(logging.StreamHandler[TextIO]):
    """Says in one line that a record could not be written; the inherited way prints its arguments, unredacted."""

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 (the name is the standard library's)
        kind = sys.exc_info()[0]
        name = kind.__name__ if kind is not None else "an error"
        sys.stderr.write(f"log line lost: {name} at {record.pathname}:{record.lineno}\n")
