"""One look at everything: each target at the same time, each within its time, and no failure ends another's look."""

import asyncio
import hashlib
import time
from collections.abc import Awaitable, Iterator
from datetime import UTC, datetime

from checks.base import IO, FeedView
from checks.failures import verdict_of
from checks.wording import address, shortened
from monitor.config.found import ABOUT, Add, Found, Sight, Thing
from monitor.config.settings import Settings
from monitor.discovery.api import UnreachedError, look_at_api
from monitor.discovery.bot import look_at_bot
from monitor.discovery.celery import look_at_celery
from monitor.discovery.database import look_at_database
from monitor.probing.io import real_io

LOOK_SECONDS = 4.5
"""How long all of it may take; closing connections comes on top."""
ANSWER_SECONDS = 3.0
"""How long one answer may take: a slow one leaves time for what depends on it."""


async def discover(settings: Settings, io: IO | None = None) -> Found:
    """Look at every target that the settings name. Never raises for what a target does.

    A thing that nobody could look at is `unreached`, one whose setting is missing `unasked`.
    """
    io = io or _io()
    things: dict[str, Thing] = {}
    async with asyncio.TaskGroup() as group:
        for source, look in _looks(settings, io, things.update):
            group.create_task(_framed(source, look, things), name=f"discover {source}")
    asked = targets(settings)
    return Found(targets=asked).with_things({name: things.get(name) or _unasked(name) for name in ABOUT})


def targets(settings: Settings) -> dict[str, str]:
    """Return where each setting leads: enough to tell two targets apart, and no secret."""
    found: dict[str, str] = {}
    if settings.api_url:
        found["API_URL"] = _place(settings.api_url)
    if settings.database_url:
        found["DATABASE_URL"] = _place(settings.database_url.get_secret_value())
    if settings.celery_broker_url:
        found["REDIS_URL"] = _place(settings.celery_broker_url.get_secret_value())
    if settings.bot_token:
        found["BOT_TOKEN"] = settings.bot_token.get_secret_value().split(":")[0]
    return found


def _place(url: str) -> str:
    # The path may hold what the user believes to be a secret: its digest tells it apart just as well.
    rest = url.rpartition("@")[2].partition("/")[2]
    return f"{address(url)}/{hashlib.sha256(rest.encode()).hexdigest()[:8]}"


def _looks(settings: Settings, io: IO, add: Add) -> Iterator[tuple[str, Awaitable[None]]]:
    if settings.api_url:
        yield "API_URL", look_at_api(io, settings.api_url, add)
    if settings.database_url:
        yield "DATABASE_URL", look_at_database(io, settings.database_url, add)
    if settings.celery_broker_url:
        yield "REDIS_URL", look_at_celery(io, settings.celery_broker_url, add)
    if settings.bot_token:
        yield "BOT_TOKEN", look_at_bot(io, settings.bot_token, settings.telegram_api_url, settings.webhook_url, add)


async def _framed(source: str, look: Awaitable[None], things: dict[str, Thing]) -> None:
    """Run one target's look within its time. What it did not get to is unreached, with the reason."""
    why = "the look ended without an answer"
    try:
        async with asyncio.timeout(LOOK_SECONDS):
            await look
    except UnreachedError as error:
        why = str(error)
    except Exception as error:  # noqa: BLE001  the frame of the looks: no answer of a target may end the start
        verdict = verdict_of(error, LOOK_SECONDS)
        why = verdict.summary if verdict else f"its answer was not understood ({type(error).__name__})"
    for name, about in ABOUT.items():
        if about.source == source and name not in things:
            things[name] = Thing(Sight.UNREACHED, why=shortened(why))


def _unasked(name: str) -> Thing:
    source = ABOUT[name].source
    return Thing(why=f"{source} is not set", setting=source)


class _NoFeeds:
    """A look around listens to no stream."""

    async def celery(self, broker_url: str, *, wait_seconds: float = 0.0) -> FeedView:
        return FeedView(None, ())


async def _no_store() -> None:
    """Prove nothing: a look around does not touch our own database."""


def _io() -> IO:
    return real_io(
        timeout_seconds=ANSWER_SECONDS,
        now=lambda: datetime.now(UTC),
        monotonic=time.monotonic,
        feeds=_NoFeeds(),
        own_store=_no_store,
        loop_lag_seconds=lambda: 0.0,
    )
