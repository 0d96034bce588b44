"""Reads log lines from Render: of one build, or of the running services."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from checks.base import RenderReader
from checks.platform.asking import FRESH_SECONDS, stamp
from checks.platform.client import RenderLimitedError
from checks.platform.shapes import LogLine, Service, lines_of

PAGES = 5
LINES = 100
SETTLED = timedelta(seconds=60)
"""So long after its end the log of a build changes no more."""
LATE = timedelta(seconds=5)
"""The last lines of a build come a little after its end."""


async def build_lines(
    api: RenderReader,
    service: Service,
    since: datetime,
    until: datetime,
    now: datetime,
    *,
    is_newest_first: bool = False,
) -> tuple[LogLine, ...] | None:
    """Return the lines of a build that is over, oldest first; only the last 100 with `is_newest_first`.

    There is no log per build: it is what the service's builds wrote between these instants. None where our budget of
    log calls is used up for now.
    """
    asked = [
        ("ownerId", service.owner_id), ("resource", service.id), ("type", "build"), ("limit", str(LINES)),
        ("direction", "backward" if is_newest_first else "forward"), ("endTime", stamp(until + LATE)),
    ]  # fmt: skip
    try:
        pages = 1 if is_newest_first else PAGES
        # What was read once it had settled is read once.
        max_age_seconds = max(FRESH_SECONDS, (now - until - SETTLED).total_seconds())
        return await _pages(api, asked, stamp(since), pages, max_age_seconds=max_age_seconds)
    except RenderLimitedError:
        return None


async def app_lines(
    api: RenderReader, services: Sequence[Service], since: datetime, until: datetime, texts: Sequence[str]
) -> tuple[LogLine, ...]:
    """Return what running services wrote with one of `texts` in it (`/RE2/`), oldest first.

    All must belong to one owner and region. At most the newest 100 lines are read.
    """
    asked = [
        ("ownerId", services[0].owner_id), *(("resource", service.id) for service in services), ("type", "app"),
        *(("text", text) for text in texts), ("limit", str(LINES)), ("direction", "backward"),
        ("startTime", stamp(since, 5)), ("endTime", stamp(until, 5)),
    ]  # fmt: skip
    first = await api.get("/logs", asked, max_age_seconds=FRESH_SECONDS)
    return lines_of(first)


async def _pages(
    api: RenderReader, asked: list[tuple[str, str]], since: str, pages: int, *, max_age_seconds: float
) -> tuple[LogLine, ...]:
    lines: list[LogLine] = []
    for _ in range(pages):
        answer = await api.get("/logs", [*asked, ("startTime", since)], max_age_seconds=max_age_seconds)
        lines += lines_of(answer)
        following = answer.get("nextStartTime") if isinstance(answer, dict) and answer.get("hasMore") else None
        if not isinstance(following, str) or following == since:
            break
        since = following
    return tuple(lines)
