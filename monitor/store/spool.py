"""A file beside the database: what was decided while that was away, so that not even a crash makes it be told twice."""

import os
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import structlog

from monitor.engine.model import AppendTimeline, Delivered, DropMessage, InsertMessage, State
from monitor.engine.spans import SpanChange
from monitor.store.errors import StoreError
from monitor.store.values import Stored

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Unwritten:
    """Everything the database does not have yet, but for the looks themselves."""

    follows: tuple[int, ...]
    """The revisions of the stored state that it can be written upon."""
    at: datetime
    after: State
    delivered: tuple[tuple[Delivered, datetime], ...] = ()
    messages: tuple[InsertMessage, ...] = ()
    drops: tuple[DropMessage, ...] = ()
    timeline: tuple[AppendTimeline, ...] = ()
    spans: tuple[SpanChange, ...] = ()


UNWRITTEN = Stored(Unwritten)


class Spool:
    """One file that is there only while the database is not. Blocking: call it in a thread."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def write(self, unwritten: Unwritten) -> None:
        """Replace the content, down to the disk. Raises `OSError`."""
        text = UNWRITTEN.text(unwritten)
        fresh = self.path.with_name(f"{self.path.name}.{os.getpid()}.new")
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(self.path)
        folder = os.open(self.path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    def read(self) -> Unwritten | None:
        """Return the content; None when there is none that can be read."""
        try:
            return UNWRITTEN.value(self.path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return None
        except (OSError, UnicodeDecodeError, StoreError) as error:
            log.warning("spool.unreadable", path=str(self.path), error=type(error).__name__)
            return None

    def clear(self) -> None:
        """Remove the file."""
        with suppress(OSError):
            self.path.unlink(missing_ok=True)
