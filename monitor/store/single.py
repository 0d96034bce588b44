"""SQLite is one instance: a lock of the operating system on a file beside the database, gone when the process is."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from checks.redaction import redact_url
from monitor.store.errors import StoreError


class InUseError(StoreError):
    """Another monitor uses this file."""


@contextmanager
def only_instance(url: str) -> Iterator[None]:
    """Be the only monitor on this SQLite file for as long as the block lasts; no rule for PostgreSQL.

    Raises `InUseError`, one line, when another one is. A killed process leaves no lock behind.
    """
    path = url.removeprefix("sqlite:///").split("?", 1)[0]
    descriptor = _lock_file(path) if url.startswith("sqlite:///") and path else None
    if descriptor is None:
        yield
        return
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


def _lock_file(path: str) -> int | None:
    """Open the lock beside the database. Where that is not possible the database is not either, and says why."""
    lock = Path(f"{path}.lock").absolute()
    try:
        lock.parent.mkdir(parents=True, exist_ok=True)
        return os.open(lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    except OSError:
        return None
