"""Server-sent events: whenever the state moved, the elements that changed, for the page to swap in."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable

from fastapi import HTTPException

from monitor.web.context import WebContext
from monitor.web.pages.fragments import Fragments

PING_SECONDS = 15.0
"""A comment goes out when nothing else did, so that proxies keep the connection."""

GATHER_SECONDS = 0.25
"""Changes that come together are sent together."""

LISTENERS_MAX = 256

_AGE = re.compile(r"(<time data-age [^>]*>)[^<]*")


class EventStreams:
    """Serves the streams and counts them: there is a limit, so that open pages cannot use up the monitor."""

    def __init__(self, context: WebContext) -> None:
        self._context = context
        self._listeners = 0

    def check_room(self) -> None:
        """Raise 503 when too many pages listen already."""
        if self._listeners >= LISTENERS_MAX:
            raise HTTPException(503, f"events: {LISTENERS_MAX} pages listen already")

    async def stream(
        self, fragments: Callable[[], Awaitable[Fragments]], moved: Callable[[], object]
    ) -> AsyncIterator[str]:
        """Yield events for ever: all elements first, then those whose content differs from what was sent last.

        `moved` returns the same object as long as nothing on the page can have changed.
        """
        self._listeners += 1
        try:
            with self._context.subscribe() as changes:
                yield "retry: 1000\n\n"
                sent: dict[str, str] = {}
                seen: object = None
                while True:
                    now_seen = moved()
                    if now_seen is not seen or not sent:
                        seen = now_seen
                        event, sent = _difference(sent, await _fresh(fragments, sent))
                        yield event
                    try:
                        async with asyncio.timeout(PING_SECONDS):
                            await changes.wait()
                        await asyncio.sleep(GATHER_SECONDS)
                    except TimeoutError:
                        yield ": still here\n\n"
        finally:
            self._listeners -= 1


async def _fresh(fragments: Callable[[], Awaitable[Fragments]], sent: Fragments) -> Fragments:
    """Return the page's elements; while the store does not answer, those sent last."""
    try:
        return await fragments()
    except HTTPException:
        return sent


def _difference(sent: Fragments, fresh: Fragments) -> tuple[str, Fragments]:
    """Return the event that brings a page from `sent` to `fresh` (empty when nothing differs), and what is sent now."""
    changed = [html for name, html in fresh.items() if _without_ages(html) != _without_ages(sent.get(name, ""))]
    if not changed:
        return ": no change\n\n", fresh
    lines = "\n".join(changed).splitlines()
    return "event: change\n" + "".join(f"data: {line}\n" for line in lines) + "\n", fresh


def _without_ages(html: str) -> str:
    # An age differs at every look of the clock; the page's script keeps it right by itself.
    return _AGE.sub(r"\1", html)
