"""SQLite is one instance: a lock of the operating system on a file beside the database, gone when the process is."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from checks.redaction import redact_url
from monitor.store.errors import NoPermissionError, StoreError


class InUseError(StoreError):
    """Another monitor uses this file."""


@contextmanager
def only_instance(url: str) -> Iterator[None]:
    """Be the only monitor on this SQLite file for as long as the block lasts; no rule for PostgreSQL.

    Raises `InUseError`, one line, when another one is. A killed process leaves no lock behind.
    """
    if not url.startswith("sqlite:///"):
        yield
        return
    path = Path(url.removeprefix("sqlite:///").split("?", 1)[0] + ".lock").absolute()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    except OSError as error:
        raise NoPermissionError(f"database: {redact_url(url)} cannot be locked: {error.strerror}") from None
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            other = os.read(descriptor, 32).decode(errors="replace").strip()
            raise InUseError(
                f"database: {redact_url(url)} is in use by another monitor (process {other or 'unknown'}); "
                "SQLite is for one instance, PostgreSQL for two"
            ) from None
        os.ftruncate(descriptor, 0)
        os.write(descriptor, f"{os.getpid()}\n".encode())
        yield
    finally:
        os.close(descriptor)
