"""Small stand-ins that tests give to the code instead of patching it."""

import time
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from checks.base import IO, FeedView
from checks.http import Exchange, Phases
from monitor.probing.io import real_io

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


class NoFeeds:
    """Feeds that never hear anything."""

    async def celery(self, broker_url: str, *, wait_seconds: float = 0.0) -> FeedView:
        return FeedView(None, (), "not connected")


async def _stored() -> None:
    return None


def io_for(timeout_seconds: float = 5.0, **overrides: Any) -> IO:
    """Return a real IO over loopback sockets, with the fields named in `overrides` replaced."""
    io = real_io(
        timeout_seconds=timeout_seconds,
        now=lambda: datetime.now(UTC),
        monotonic=time.monotonic,
        feeds=NoFeeds(),
        own_store=_stored,
        loop_lag_seconds=lambda: 0.0,
    )
    return replace(io, **overrides)


def answered(
    status: int = 200,
    body: str | bytes = b"",
    *,
    url: str = "http://127.0.0.1:8000/health",
    seconds: float = 0.041,
    content_type: str = "application/json",
    **headers: str,
) -> Exchange:
    """Return an exchange as if it had happened; header names are written with underscores."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    content = body.encode() if isinstance(body, str) else body
    phases = Phases(None, 0.001, None, seconds, seconds)
    return Exchange(url, status, {"content-type": content_type, **named}, content, False, phases)
