"""The straight line: events come in, `step` decides, the store commits, and only then the world hears of it."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime

import structlog

from monitor.arrivals import Arrivals, Arrived, Call
from monitor.backlog import Backlog, Batch
from monitor.engine.model import Effect, Event, Plan, ProbeNow, State
from monitor.engine.spans import Moment, SpanChange, span_changes
from monitor.engine.step import Step
from monitor.store.errors import LeadershipLostError, StoreError
from monitor.store.spool import Unwritten
from monitor.store.store import Store
from monitor.transitions import log_transitions

BATCH_EVENTS = 200
FIRST_RETRY_SECONDS = 0.5
LONGEST_RETRY_SECONDS = 10.0
PATIENCE_SECONDS = 3.0
"""When the database has been silent for so long, the line goes on in memory and writes later."""
LAST_COMMIT_SECONDS = 5.0
"""How long a stopping line tries to commit what still waits."""

log = structlog.get_logger()


StepFunction = Callable[[Plan, State, Event, datetime], Step]


class Listener:
    """One who wants to know when the state has moved."""

    def __init__(self) -> None:
        self._moved = asyncio.Event()

    async def wait(self) -> None:
        """Return as soon as the state has moved since the last return. The caller sets the time-out."""
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
        patience_seconds: float = PATIENCE_SECONDS,
    ) -> None:
        """`state` is the store's; `epoch` the leadership under which commits are made; `on_probe` must not block."""
        self.on_probe = on_probe
        self.epoch = epoch
        self._plan = plan
        self._state = state
        self._store = store
        self._step = step
        self._now = now
        self._patience_seconds = patience_seconds
        self._arrivals = Arrivals()
        self._publishing: tuple[Batch, tuple[Arrived, ...]] | None = None
        """The batch that is to be published next."""
        self._backlog = Backlog()
        self._to_write = asyncio.Event()
        self._wrote = asyncio.Event()
        self._silent_since: float | None = None
        """Since when the database has not said that something is written, by the loop's clock."""
        self._is_in_memory = False
        self._seen: Moment | None = None
        self._listeners: set[Listener] = set()
        self._store_failed_since: datetime | None = None

    @property
    def state(self) -> State:
        """The state of the last commit; in memory mode, the one that will be committed."""
        return self._state

    @property
    def is_in_memory(self) -> bool:
        """Say whether the line goes on without the database: what it publishes is written later."""
        return self._is_in_memory

    @property
    def unwritten(self) -> Unwritten | None:
        """What the database does not have yet; None while it has all."""
        return self._backlog.unwritten()

    @property
    def store_failed_since(self) -> datetime | None:
        """Since when nothing could be committed; None while all is well."""
        return self._store_failed_since

    @property
    def events_waiting(self) -> int:
        """How many events are not committed yet."""
        return len(self._arrivals) + self._backlog.events

    def take(self, state: State, epoch: int | None = None, plan: Plan | None = None) -> None:
        """Start anew from the store's state, under `epoch`, by `plan` if given. Only while `run` does not run."""
        self._plan = plan or self._plan
        self._arrivals.cancel_all()
        self._publishing, self._backlog = None, Backlog()
        self._to_write.clear()
        self._is_in_memory, self._silent_since, self._store_failed_since = False, None, None
        self._state, self._seen, self.epoch = state, None, epoch
        self._wake_listeners()

    async def apply(self, *events: Event, wait: bool = True) -> None:
        """Hand events in, in order; return when they are committed (or remembered, in memory mode).

        With `wait=False` return at once.

        What `step` raises for one of them is raised here. Who is cancelled meanwhile stops waiting; his events stay.
        """
        if not events:
            return
        call = Call(len(events)) if wait else None
        self._arrivals.add(*(Arrived(event, self._now(), call) for event in events))
        if call is not None:
            await call.done

    @contextmanager
    def subscribe(self) -> "Iterator[Listener]":
        """Give a listener that is woken whenever the state has moved."""
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
            async with asyncio.TaskGroup() as group:
                group.create_task(self._write_all(), name="line writer")
                while True:
                    await self._arrivals.wait()
                    await self._advance(*self._next_batch())
        except ExceptionGroup as errors:
            raise errors.exceptions[0] from None
        finally:
            await self._commit_rest()

    def _next_batch(self) -> tuple[Batch, tuple[Arrived, ...]]:
        """Step through what waits, without touching the world: the result counts once it is committed."""
        state, seen = self._state, self._seen
        events: list[tuple[Event, datetime]] = []
        effects: list[Effect] = []
        spans: list[SpanChange] = []
        stepped: list[Arrived] = []
        for entry in self._arrivals.take(BATCH_EVENTS):
            try:
                step = self._step(self._plan, state, entry.event, entry.at)
            except Exception as error:  # the guard of the loop: one bad event must not stop the others
                log.exception("step.failed", event_kind=type(entry.event).__name__)
                entry.done(error)
                continue
            moment = Moment(step.state, entry.at)
            spans += span_changes(self._plan, seen, moment)
            state, seen = step.state, moment
            effects += step.effects
            events.append((entry.event, entry.at))
            stepped.append(entry)
        moment = seen or Moment(state, self._now())
        batch = Batch(self._state, state, moment, tuple(events), tuple(effects), tuple(spans))
        return batch, tuple(stepped)

    async def _advance(self, batch: Batch, stepped: tuple[Arrived, ...]) -> None:
        """Have the batch written, and publish it: when that is done, or when it takes too long."""
        self._publishing = batch, stepped
        if batch.events:
            self._backlog.add(batch)
            self._to_write.set()
        while self._backlog and not self._is_in_memory:
            self._wrote.clear()
            try:
                async with asyncio.timeout_at(self._patience_ends_at()):
                    await self._wrote.wait()
            except TimeoutError:
                self._go_on_in_memory()
        self._publish()

    def _patience_ends_at(self) -> float:
        if self._silent_since is None:
            self._silent_since = asyncio.get_running_loop().time()
        return self._silent_since + self._patience_seconds

    def _go_on_in_memory(self) -> None:
        self._is_in_memory = True
        self._store_failed_since = self._store_failed_since or self._now()
        log.warning("line.goes_on_in_memory", failed_since=self._store_failed_since.isoformat())

    async def _write_all(self) -> None:
        """Write the backlog, however long the database is away."""
        while True:
            await self._to_write.wait()
            while (batch := self._backlog.try_head()) is not None:
                await self._write_at_last(batch)
            self._to_write.clear()

    async def _write_at_last(self, batch: Batch) -> None:
        pause_seconds = FIRST_RETRY_SECONDS
        while True:
            try:
                await self._write(batch)
            except LeadershipLostError:
                raise
            except StoreError as error:
                if self._store_failed_since is None:
                    self._store_failed_since = self._now()
                log.warning("commit.failed", error=str(error), events=self.events_waiting)
            else:
                return
            await asyncio.sleep(pause_seconds)
            pause_seconds = min(2 * pause_seconds, LONGEST_RETRY_SECONDS)

    async def _write(self, batch: Batch) -> None:
        await self._store.commit(
            batch.events,
            batch.before,
            batch.after,
            batch.effects,
            batch.seen.at,
            spans=batch.spans,
            epoch=self.epoch,
            batch=batch.name,
        )
        self._backlog.drop_head()
        self._silent_since = None
        if self._store_failed_since is not None:
            log.info("commit.recovered", failed_since=self._store_failed_since.isoformat())
            self._store_failed_since = None
        if not self._backlog and self._is_in_memory:
            self._is_in_memory = False
            self._wake_listeners()
        self._wrote.set()

    def _publish(self) -> None:
        if self._publishing is None:
            return
        (batch, stepped), self._publishing = self._publishing, None
        log_transitions(self._state, batch.after, batch.effects)
        self._state, self._seen = batch.after, batch.seen
        for entry in stepped:
            entry.done()
        if self.on_probe is not None:
            for effect in batch.effects:
                if isinstance(effect, ProbeNow):
                    self.on_probe(effect)
        self._wake_listeners()

    def _wake_listeners(self) -> None:
        for listener in self._listeners:
            listener._wake()

    async def _commit_rest(self) -> None:
        """Commit what waits, the batch that was cut off first: writing it twice changes nothing."""
        lost = self.events_waiting
        try:
            async with asyncio.timeout(LAST_COMMIT_SECONDS):
                while True:
                    while (batch := self._backlog.try_head()) is not None:
                        await self._write(batch)
                    self._publish()
                    if not self._arrivals:
                        return
                    self._publishing = self._next_batch()
                    if self._publishing[0].events:
                        self._backlog.add(self._publishing[0])
        except (StoreError, TimeoutError) as error:
            log.warning("line.stopped_early", error=str(error), events_lost=lost)
        finally:
            for entry in () if self._publishing is None else self._publishing[1]:
                entry.cancel()
            self._arrivals.cancel_all()
