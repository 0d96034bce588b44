"""Keeps a listener per Celery broker: what workers and results say, as one immutable picture for the checks."""

import asyncio
import json
import time
from collections import OrderedDict, deque
from collections.abc import Callable, Iterable
from contextlib import suppress
from datetime import datetime
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import urlsplit

import structlog

from checks.amqp import SCHEMES as AMQP_SCHEMES
from checks.base import FeedView, Heard
from checks.celery_broker import broker_error
from checks.celery_wire import (
    BEAT_MARKER,
    CLEAN_UP_SECONDS,
    RESULT_CHANNEL,
    control_channel,
    control_message,
    decode,
    event_channel,
    text,
)
from checks.redaction import redact
from checks.redis_url import database_of
from checks.wording import address
from monitor.probing import amqp_feed
from monitor.probing.tallies import Tallies

if TYPE_CHECKING:
    from redis.asyncio import Redis
    from redis.asyncio.client import PubSub

ANSWER_SECONDS = 2.0
"""How long the broker may take to connect, to subscribe, and to answer a PING."""
PING_SECONDS = 2.0
"""After so long without a word from the broker it is sent a PING: a paused one is noticed within 4 s."""
ENABLE_EVENTS_SECONDS = 60.0
"""How often the workers are told to send task events: a restarted one has forgotten it."""
BACKOFF_SECONDS = (1.0, 2.0, 5.0, 10.0)
KEPT_SUBJECTS = 1000
KEPT_OF_A_SUBJECT = 5
"""So many of each subject (type, and task name, node or marker) are kept; the rest is counted by nobody."""

_KEPT_FIELDS = ("type", "hostname", "timestamp", "uuid", "name", "queue", "pid", "utcoffset")

log = structlog.get_logger()


class CeleryFeeds:
    """The feeds of one prober: `async with CeleryFeeds(now) as feeds`. Listeners end with the block."""

    def __init__(
        self,
        now: Callable[[], datetime],
        *,
        markers: Iterable[str] = (BEAT_MARKER,),
        enable_events: bool = True,
    ) -> None:
        """`markers` are the only arguments and results that are kept: all others may hold user data.

        `enable_events` tells the workers to send task events, which changes their run-time state.
        """
        self._now = now
        self._markers = frozenset(markers)
        self._enable_events = enable_events
        self._group = asyncio.TaskGroup()
        self._listeners: dict[str, Listener] = {}
        self._tasks: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> Self:
        await self._group.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        while waiting := [task for task in self._tasks if not task.done()]:
            for task in waiting:
                task.cancel()
            # Again, if need be: redis-py takes a cancellation that comes with the end of a read's time for that end.
            await asyncio.wait(waiting, timeout=CLEAN_UP_SECONDS)
        await self._group.__aexit__(kind, error, trace)

    async def celery(self, broker_url: str, *, wait_seconds: float = 0.0) -> FeedView:
        """Return what was heard on this broker, at most `wait_seconds` after waiting for something new.

        The first call starts the listener.
        """
        listener = self._listeners.get(broker_url)
        if listener is None:
            listener = Listener(broker_url, self._now, self._markers, enable_events=self._enable_events)
            self._listeners[broker_url] = listener
            name = f"celery-feed-{len(self._tasks)}"
            self._tasks.append(self._group.create_task(listener.run(), name=name))
        if wait_seconds > 0:
            await listener.news(wait_seconds)
        return listener.view()


class Listener:
    """Listens to one broker for ever, reconnects, and tells since when there was no gap."""

    def __init__(self, url: str, now: Callable[[], datetime], markers: frozenset[str], *, enable_events: bool) -> None:
        self._url = url
        self._now = now
        self._markers = markers
        self._enable_events = enable_events
        self._since: datetime | None = None
        self._error = ""
        self._heard: OrderedDict[tuple[str, str], deque[Heard]] = OrderedDict()
        self._tallies = Tallies()
        self._news = asyncio.Event()
        self._prefixes = {""}
        """Key prefixes of the apps on this broker, learned from their events."""

    def view(self) -> FeedView:
        """Return what was heard since the last gap, oldest first."""
        heard = sorted((one for kept in self._heard.values() for one in kept), key=lambda one: one.at)
        tallies = self._tallies
        return FeedView(
            self._since, tuple(heard), self._error, tallies.view(self._now()), tallies.successes, tallies.runtimes
        )

    async def news(self, wait_seconds: float) -> None:
        """Return when something was heard or the connection changed, at the latest after `wait_seconds`."""
        with suppress(TimeoutError):
            async with asyncio.timeout(wait_seconds):
                await self._news.wait()

    async def run(self) -> None:
        """Listen until cancelled."""
        failures = 0
        while True:
            was_listening = False
            try:
                await self._listen()
            except Exception as error:  # noqa: BLE001  the guard of this loop: a feed outlives whatever it meets
                was_listening = self._since is not None
                self._lost(error, is_first=was_listening or failures == 0)
            failures = 1 if was_listening else failures + 1
            await asyncio.sleep(BACKOFF_SECONDS[min(failures, len(BACKOFF_SECONDS)) - 1])

    async def _listen(self) -> None:
        """Subscribe and keep what arrives. Raises when the broker is lost or does not answer in time."""
        if urlsplit(self._url).scheme in AMQP_SCHEMES:
            await amqp_feed.listen(
                self._url,
                self._connected,
                lambda events: self._keep_events(self._now(), "", events),
                enable_events=self._enable_events,
            )
            return
        import redis.asyncio
        from redis.asyncio.retry import Retry
        from redis.backoff import NoBackoff

        client = redis.asyncio.Redis.from_url(
            self._url,
            socket_timeout=ANSWER_SECONDS,
            socket_connect_timeout=ANSWER_SECONDS,
            retry=Retry(NoBackoff(), 0),
            health_check_interval=0,
            protocol=2,
        )
        pubsub = client.pubsub()
        try:
            database = database_of(self._url)
            patterns = (event_channel("*", database), f"*{RESULT_CHANNEL}*")
            async with asyncio.timeout(2 * ANSWER_SECONDS):
                await pubsub.psubscribe(*patterns)
                for _ in patterns:
                    await pubsub.get_message(timeout=ANSWER_SECONDS)
                await self._tell(client, database)
            self._connected()
            await self._read(client, pubsub, database)
        finally:
            with suppress(TimeoutError, OSError):
                async with asyncio.timeout(CLEAN_UP_SECONDS):
                    await pubsub.aclose()  # type: ignore[no-untyped-call]
                    await client.aclose()

    async def _read(self, client: "Redis", pubsub: "PubSub", database: int) -> None:
        told = last_word = time.monotonic()
        is_asked = False
        while True:
            message = await pubsub.get_message(timeout=PING_SECONDS)
            moment = time.monotonic()
            if message is not None:
                last_word, is_asked = moment, False
                if message["type"] == "pmessage" and self._keep(text(message["channel"]), message["data"], database):
                    told = moment - ENABLE_EVENTS_SECONDS
            elif is_asked:
                raise TimeoutError(f"no answer to PING in {moment - last_word:.0f} s")
            else:
                async with asyncio.timeout(ANSWER_SECONDS):
                    await pubsub.ping()
                is_asked = True
            if moment - told >= ENABLE_EVENTS_SECONDS:
                async with asyncio.timeout(ANSWER_SECONDS):
                    await self._tell(client, database)
                told = moment

    async def _tell(self, client: "Redis", database: int) -> None:
        """Tell the workers to send task events. Nobody answers, so nothing is left behind."""
        if self._enable_events:
            for prefix in sorted(self._prefixes):
                await client.publish(control_channel(prefix, database), control_message("enable_events", {}))

    def _keep(self, channel: str, data: str | bytes, database: int) -> bool:
        """Keep what is of use; return whether a worker came online, which has to be told to send events."""
        at = self._now()
        if RESULT_CHANNEL in channel:
            stored = text(data)
            if any(marker in stored for marker in self._markers):
                self._keep_result(at, stored)
            return False
        prefix = channel.partition(f"/{database}.celeryev/")[0]
        return self._keep_events(at, prefix, _events(data))

    def _keep_events(self, at: datetime, prefix: str, events: list[dict[str, Any]]) -> bool:
        is_new = prefix not in self._prefixes and len(self._prefixes) < KEPT_OF_A_SUBJECT
        if is_new:
            self._prefixes.add(prefix)
        for event in events:
            kept: dict[str, Any] = {field: event[field] for field in _KEPT_FIELDS if field in event}
            kept["prefix"] = prefix
            name = self._tallies.note(at, event, prefix)  # most events bear only the task's id
            if name:
                kept["name"] = name
            marker = next((marker for marker in self._markers if marker in str(event.get("args", ""))), "")
            if marker:
                kept["args"] = marker
            kind = str(event["type"])
            self._add(Heard(at, kind, kept), marker or name or str(event.get("hostname")))
            is_new = is_new or kind == "worker-online"
        return is_new

    def _keep_result(self, at: datetime, stored: str) -> None:
        with suppress(ValueError):  # a result of another serializer than JSON
            meta = json.loads(stored)
            result = meta.get("result") if isinstance(meta, dict) else None
            if isinstance(result, str) and result in self._markers:
                kept = {"type": "result", "uuid": meta.get("task_id"), "result": result}
                self._add(Heard(at, "result", kept), result)

    def _add(self, heard: Heard, subject: str) -> None:
        key = (heard.type, subject)
        self._heard.setdefault(key, deque(maxlen=KEPT_OF_A_SUBJECT)).append(heard)
        self._heard.move_to_end(key)
        if len(self._heard) > KEPT_SUBJECTS:
            self._heard.popitem(last=False)
        self._wake()

    def _connected(self) -> None:
        self._since, self._error = self._now(), ""
        log.info("feed.listening", broker=_name_of(self._url))
        self._wake()

    def _lost(self, error: Exception, *, is_first: bool) -> None:
        # Other errors may quote the URL, e.g. a port that is no number.
        known = (*broker_error(), amqp_feed.NoExchangeError)
        said = f": {redact(str(error))}" if isinstance(error, known) else ""
        self._since, self._error = None, f"{type(error).__name__}{said}"
        self._heard.clear()
        if is_first:
            log.warning("feed.lost", broker=_name_of(self._url), error=self._error)
        self._wake()

    def _wake(self) -> None:
        self._news.set()
        self._news = asyncio.Event()


def _events(data: str | bytes) -> list[dict[str, Any]]:
    """Return the events of one message: one, or many of a `task.multi`; none when it is not Celery's."""
    try:
        body = decode(data)
    except (ValueError, KeyError, TypeError, AttributeError):
        return []
    return [
        event for event in (body if isinstance(body, list) else [body]) if isinstance(event, dict) and "type" in event
    ]


def _name_of(url: str) -> str:
    """Return host and port of a URL for the log; `?` where it is no URL, as any part of it may be its password."""
    try:
        return address(url)
    except ValueError:
        return "?"
