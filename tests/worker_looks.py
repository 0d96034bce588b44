"""What the tests of the worker checks share: a configuration, and feeds with a given picture."""

from datetime import UTC, datetime
from typing import Any

from checks.base import FeedView

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


def settings(kind: str, **more: Any) -> dict[str, Any]:
    """Return the settings of a check of this kind."""
    base = {"kind": kind, "id": kind, "service": "nexus-worker", "broker_url": "redis://127.0.0.1:6379/0"}
    return {**base, **more}


class GivenFeeds:
    """Feeds that always show the same picture."""

    def __init__(self, view: FeedView) -> None:
        self.view = view

    async def celery(self, broker_url: str, *, wait_seconds: float = 0.0) -> FeedView:
        return self.view
