"""The straight line: events come in, `step` decides, the store commits, and only then the world hears of it."""

import asyncio
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

import structlog

from monitor.engine.model import Effect, Event, Looked, Plan, ProbeNow, State, Tick
from monitor.engine.step import Step
from monitor.store.errors import LeadershipLostError, StoreError
from monitor.store.spans import Moment, SpanChange, span_changes
from monitor.store.store import Store

BATCH_EVENTS = 200
LOOKS_KEPT = 64
"""So many looks of one check may wait while the database is away: more than any window of the engine needs."""
FIRST_RETRY_SECONDS = 0.5
LONGEST_RETRY_SECONDS = 10.0
LAST_COMMIT_SECONDS = 5.0
"""How long a stopping line tries to commit what still waits."""

log = structlog.get_logger()


StepFunction = Callable[[Plan, State, Event, datetime], Step]


@dataclass(frozen=True, slots=True)
class _Waiting:
    event: Event
    at: datetime
    """When it came: the engine's `now`, however long the database is away."""
    call: "_Call | None"


class _Call:
    """One call of `apply` that waits: done when all its events are."""

    def __init__(self, events: int) -> None:
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._left = events

    def event_done(self, error: Exception | None = None) -> None:
        self._left -= 1
        if self.done.done():  # the caller was cancelled, or was told of an error
            return
        if error is not None:
            self.done.set_exception(error)
        elif self._left == 0:
            self.done.set_result(None)


@dataclass(frozen=True, slots=True)
class _Batch:
    name: str
    events: tuple[tuple[Event, datetime], ...]
    waiting: tuple[_Waiting, ...]
    after: State
    effects: tuple[Effect, ...]
    spans: tuple[SpanChange, ...]
    seen: Moment


class Listener:
    """One who wants to know when the state has moved."""

    def __init__(self) -> None:
        self._moved = asyncio.Event()

    async def wait(self) -> None:
        """Return as soon as something was committed since the last return. The caller sets the time-out."""
        await self._moved.wait()
        self._moved.clear()

    def _wake(self) -> None:
        self._moved.set()


class Line:
    """Holds the engine's state. All changes go through `apply`; one worker, `run`, makes them."""

    def __init__(
        self,
        plan: Plan,
        state: State,
        store: Store,
        step: StepFunction,
        now: Callable[[], datetime],
        *,
        epoch: int | None = None,
        on_probe: Callable[[ProbeNow], None] | None = None,
    ) -> None:
        """`state` is the store's; `epoch` the leadership under which commits are made; `on_probe` must not block."""
        self.on_probe = on_probe
        self.epoch = epoch
        self._plan = plan
        self._state = state
        self._store = store
        self._step = step
        self._now = now
        self._waiting: list[_Waiting] = []
        self._counts: Counter[str] = Counter()
        self._arrived = asyncio.Event()
        self._batch: _Batch | None = None
        self._seen: Moment | None = None
        self._listeners: set[Listener] = set()
        self._store_failed_since: datetime | None = None

    @property
    def state(self) -> State:
        """The state of the last commit."""
        return self._state

    @property
    def store_failed_since(self) -> datetime | None:
        """Since when nothing could be committed; None while all is well."""
        return self._store_failed_since

    @property
    def events_waiting(self) -> int:
        """How many events are not committed yet."""
        return len(self._waiting) + (len(self._batch.waiting) if self._batch is not None else 0)

    async def apply(self, *events: Event, wait: bool = True) -> None:
        """Hand events in, in order; return when they are committed, or at once with `wait=False`.

        What `step` raises for one of them is raised here. Who is cancelled meanwhile stops waiting; his events stay.
        """
        if not events:
            return
        call = _Call(len(events)) if wait else None
        for event in events:
            self._make_room(event)
            self._waiting.append(_Waiting(event, self._now(), call))
        self._arrived.set()
        if call is not None:
            await call.done

    @contextmanager
    def subscribe(self) -> "Iterator[Listener]":
        """Give a listener that is woken after each commit."""
        listener = Listener()
        self._listeners.add(listener)
        try:
            yield listener
        finally:
            self._listeners.discard(listener)

    async def run(self) -> None:
        """Commit batch after batch until cancelled; then once more what still waits.

        Raises `LeadershipLostError` when another instance has taken over.
        """
        try:
            while True:
                await self._arrived.wait()
                await self._commit(self._next_batch())
        finally:
            await self._commit_rest()

    def _next_batch(self) -> _Batch:
        """Step through what waits, without touching the world: the result counts once it is committed."""
        waiting, self._waiting = tuple(self._waiting[:BATCH_EVENTS]), self._waiting[BATCH_EVENTS:]
        self._counts.subtract(key for entry in waiting if (key := _kept(entry.event)[0]) is not None)
        if not self._waiting:
            self._arrived.clear()
            self._counts.clear()
        state, seen = self._state, self._seen
        events: list[tuple[Event, datetime]] = []
        effects: list[Effect] = []
        spans: list[SpanChange] = []
        stepped: list[_Waiting] = []
        for entry in waiting:
            try:
                step = self._step(self._plan, state, entry.event, entry.at)
            except Exception as error:  # the guard of the loop: one bad event must not stop the others
                log.exception("step.failed", event_kind=type(entry.event).__name__)
                if entry.call is not None:
                    entry.call.event_done(error)
                continue
            moment = Moment(step.state, entry.at)
            spans += span_changes(self._plan, seen, moment)
            state, seen = step.state, moment
            effects += step.effects
            events.append((entry.event, entry.at))
            stepped.append(entry)
        return _Batch(
            uuid.uuid4().hex,
            tuple(events),
            tuple(stepped),
            state,
            tuple(effects),
            tuple(spans),
            seen or Moment(state, self._now()),
        )

    async def _commit(self, batch: _Batch) -> None:
        """Write the batch, however long the database is away; then publish it."""
        self._batch = batch
        pause_seconds = FIRST_RETRY_SECONDS
        while batch.events:
            try:
                await self._write(batch)
                break
            except LeadershipLostError:
                raise
            except StoreError as error:
                if self._store_failed_since is None:
                    self._store_failed_since = self._now()
                log.warning("commit.failed", error=str(error), events=self.events_waiting)
            await asyncio.sleep(pause_seconds)
            pause_seconds = min(2 * pause_seconds, LONGEST_RETRY_SECONDS)
        self._publish(batch)

    async def _write(self, batch: _Batch) -> None:
        await self._store.commit(
            batch.events,
            self._state,
            batch.after,
            batch.effects,
            batch.seen.at,
            spans=batch.spans,
            epoch=self.epoch,
            batch=batch.name,
        )

    def _publish(self, batch: _Batch) -> None:
        if self._store_failed_since is not None and batch.events:
            log.info("commit.recovered", failed_since=self._store_failed_since.isoformat())
            self._store_failed_since = None
        self._state, self._seen, self._batch = batch.after, batch.seen, None
        for entry in batch.waiting:
            if entry.call is not None:
                entry.call.event_done()
        if self.on_probe is not None:
            for effect in batch.effects:
                if isinstance(effect, ProbeNow):
                    self.on_probe(effect)
        for listener in self._listeners:
            listener._wake()

    async def _commit_rest(self) -> None:
        """Commit what waits, the batch that was cut off first: writing it twice changes nothing."""
        lost = self.events_waiting
        try:
            async with asyncio.timeout(LAST_COMMIT_SECONDS):
                while self._batch is not None or self._waiting:
                    batch = self._batch or self._next_batch()
                    self._batch = batch
                    if batch.events:
                        await self._write(batch)
                    self._publish(batch)
        except (StoreError, TimeoutError) as error:
            log.warning("line.stopped_early", error=str(error), events_lost=lost)
        finally:
            for entry in (*(self._batch.waiting if self._batch is not None else ()), *self._waiting):
                if entry.call is not None:
                    entry.call.done.cancel()

    def _make_room(self, event: Event) -> None:
        """Let go of what a newer event of the same kind makes needless while the database is away."""
        key, kept = _kept(event)
        if key is None:
            return
        self._counts[key] += 1
        if self._counts[key] > kept:
            self._counts[key] -= 1
            oldest = next(entry for entry in self._waiting if _kept(entry.event)[0] == key)
            self._waiting.remove(oldest)
            if oldest.call is not None:
                oldest.call.event_done()


def _kept(event: Event) -> tuple[str | None, int]:
    """Return under which key an event is counted while it waits, and how many of that key are kept."""
    if isinstance(event, Looked):
        return f"look {event.result.check_id}", LOOKS_KEPT
    return ("tick", 1) if isinstance(event, Tick) else (None, 0)
