"""The straight line: nothing is published before it is committed, and nothing is lost while the database is away."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

import pytest

from monitor import line as line_module
from monitor.arrivals import LOOKS_KEPT
from monitor.engine.model import (
    Acked,
    Event,
    Looked,
    Plan,
    ProbeNow,
    State,
    Tick,
)
from monitor.engine.step import Step
from monitor.line import Line
from monitor.store.errors import LeadershipLostError, StoreUnavailableError
from tests.stores import PLAN, T0, at, good, running, until


def count(_plan: Plan, state: State, event: Event, _now: datetime) -> Step:
    """A small engine: it counts, and asks for a look after each look; it refuses acknowledgements."""
    if isinstance(event, Acked):
        raise LookupError(f"incident {event.incident_id}: there is none")  # noqa: TRY004 (the number, not the type)
    after = replace(state, revision=state.revision + 1)
    return Step(after, (ProbeNow(event.result.check_id),) if isinstance(event, Looked) else ())


@dataclass
class FakeStore:
    """Remembers commits; away while `is_away`, and loses its next answer where told to."""

    commits: list[tuple[str, tuple[Event, ...], int]] = field(default_factory=list)
    is_away: bool = False
    error: Exception = field(default_factory=lambda: StoreUnavailableError("database: x does not answer"))
    attempts: int = 0
    gate: asyncio.Event | None = None

    async def commit(
        self,
        events: Sequence[tuple[Event, datetime]],
        before: State,
        after: State,
        effects: Any,
        now: datetime,
        *,
        batch: str,
        **_: Any,
    ) -> None:
        self.attempts += 1
        if self.gate is not None:
            await self.gate.wait()
        if self.is_away:
            raise self.error
        self.commits.append((batch, tuple(event for event, _ in events), after.revision))


@pytest.fixture(autouse=True)
def _quick_retries(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(line_module, "FIRST_RETRY_SECONDS", 0.001)
    monkeypatch.setattr(line_module, "LONGEST_RETRY_SECONDS", 0.001)


async def test_an_event_is_committed_then_published() -> None:
    store, probes = FakeStore(), []
    async with running(store, count, on_probe=probes.append) as line:
        await line.apply(Looked(good()))
        assert line.state.revision == 1
        assert [events for _, events, _ in store.commits] == [(Looked(good()),)]
        assert probes == [ProbeNow("api.health")]
        assert line.events_waiting == 0


async def test_what_waits_together_is_one_commit() -> None:
    store = FakeStore()
    async with running(store, count) as line:
        await asyncio.gather(*(line.apply(Looked(good(seconds=number))) for number in range(50)))
        assert [len(events) for _, events, _ in store.commits] == [50]
        assert line.state.revision == 50


async def test_nothing_is_published_while_the_database_is_away() -> None:
    store, probes = FakeStore(is_away=True), []
    async with running(store, count, on_probe=probes.append) as line:
        waiting = asyncio.create_task(line.apply(Looked(good())))
        await until(lambda: store.attempts >= 3)
        assert (line.state, probes, line.store_failed_since) == (State(), [], T0)
        store.is_away = False
        await waiting
        assert (line.state.revision, probes, line.store_failed_since) == (1, [ProbeNow("api.health")], None)


async def test_a_retried_batch_keeps_its_name_and_content() -> None:
    store = FakeStore(is_away=True)
    names = set()
    original = store.commit

    async def listening(*args: Any, **named: Any) -> None:
        names.add(named["batch"])
        await original(*args, **named)

    store.commit = listening  # type: ignore[method-assign]
    async with running(store, count) as line:
        first = asyncio.create_task(line.apply(Looked(good())))
        await until(lambda: store.attempts >= 3)
        await line.apply(Looked(good(seconds=1)), wait=False)
        assert len(names) == 1
        store.is_away = False
        await first
        await until(lambda: line.events_waiting == 0)
    assert [(events, revision) for _, events, revision in store.commits] == [
        ((Looked(good()),), 1),
        ((Looked(good(seconds=1)),), 2),
    ]


async def test_only_the_newest_looks_and_one_tick_wait() -> None:
    store = FakeStore(is_away=True)
    async with running(store, count) as line:
        await line.apply(Tick(), wait=False)
        await until(lambda: store.attempts >= 1)
        old = asyncio.create_task(line.apply(Looked(good(seconds=0))))
        await asyncio.sleep(0)
        for number in range(1, LOOKS_KEPT + 1):
            await line.apply(Looked(good(seconds=number)), Tick(), wait=False)
        await old
        store.is_away = False
        await until(lambda: line.events_waiting == 0)
    events = [event for _, batch, _ in store.commits[1:] for event in batch]
    assert [event for event in events if isinstance(event, Tick)] == [Tick()]
    assert [event.result.started_at for event in events if isinstance(event, Looked)] == [
        at(number) for number in range(1, LOOKS_KEPT + 1)
    ]


async def test_a_cancelled_caller_leaves_its_event() -> None:
    store = FakeStore(gate=asyncio.Event())
    async with running(store, count) as line:
        caller = asyncio.create_task(line.apply(Looked(good()), Tick()))
        await until(lambda: store.attempts == 1)
        caller.cancel()
        await asyncio.wait([caller])
        assert store.gate is not None
        store.gate.set()
        await until(lambda: line.state.revision == 2)


async def test_an_event_the_engine_refuses_stops_no_other() -> None:
    store = FakeStore()
    async with running(store, count) as line:
        with pytest.raises(LookupError, match="incident 9: there is none"):
            await line.apply(Looked(good()), Acked(9, "ann"), Looked(good(seconds=1)))
        await until(lambda: line.state.revision == 2)
        await line.apply(Acked(9, "ann"), wait=False)
        await line.apply(Tick())
        assert line.state.revision == 3


async def test_listeners_are_woken_after_the_commit() -> None:
    async with running(FakeStore(), count) as line:
        with line.subscribe() as listener:
            await line.apply(Tick(), wait=False)
            await asyncio.wait_for(listener.wait(), 5)
            assert line.state.revision == 1
        await line.apply(Tick())
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(listener.wait(), 0)


async def test_applying_nothing_is_done_at_once() -> None:
    await Line(PLAN, State(), FakeStore(), count, lambda: T0).apply()  # type: ignore[arg-type]


async def test_a_stopping_line_commits_what_waits() -> None:
    store = FakeStore(gate=asyncio.Event())
    async with running(store, count) as line:
        await line.apply(Looked(good()), wait=False)
        await until(lambda: store.attempts == 1)
        await line.apply(Looked(good(seconds=1)), wait=False)
        assert store.gate is not None
        store.gate.set()
    assert [revision for _, _, revision in store.commits] == [1, 2]


async def test_a_line_that_cannot_commit_its_last_events_lets_their_callers_go() -> None:
    store = FakeStore(is_away=True)
    async with running(store, count) as line:
        caller = asyncio.create_task(line.apply(Tick()))
        await until(lambda: store.attempts >= 1)
    await asyncio.wait([caller], timeout=5)
    assert caller.cancelled()


async def test_another_leader_ends_the_line() -> None:
    store = FakeStore(is_away=True, error=LeadershipLostError("database: epoch 1 has ended"))
    line = Line(PLAN, State(), store, count, lambda: T0, epoch=1)  # type: ignore[arg-type]
    await line.apply(Tick(), wait=False)
    with pytest.raises(LeadershipLostError):
        await asyncio.wait_for(line.run(), 5)
    assert line.state == State()


async def test_when_patience_ends_the_line_goes_on_in_memory_and_writes_all_of_it_later() -> None:
    store, probes = FakeStore(is_away=True), []
    async with running(store, count, on_probe=probes.append, patience_seconds=0.0) as line:
        await line.apply(Looked(good()))
        assert (line.is_in_memory, line.state.revision, probes) == (True, 1, [ProbeNow("api.health")])
        assert (line.store_failed_since, store.commits) == (T0, [])
        for number in range(1, 5):
            await line.apply(Looked(good(seconds=number)), Tick())
        assert line.state.revision == 9
        assert line.unwritten is not None
        assert line.unwritten.after == line.state
        with line.subscribe() as listener:
            store.is_away = False
            async with asyncio.timeout(5):
                await listener.wait()
        assert (line.is_in_memory, line.store_failed_since, line.unwritten) == (False, None, None)
    assert [revision for _, _, revision in store.commits] == [1, 9]
    assert [events for _, events, _ in store.commits] == [
        (Looked(good()),),
        tuple(Looked(good(seconds=number)) for number in range(1, 5)),
    ]


async def test_a_database_that_hangs_is_left_behind_too() -> None:
    store = FakeStore(gate=asyncio.Event())
    async with running(store, count, patience_seconds=0.0) as line:
        await line.apply(Looked(good()))
        assert (line.is_in_memory, line.store_failed_since) == (True, T0)
        assert store.gate is not None
        store.gate.set()
        await until(lambda: not line.is_in_memory)


async def test_another_leader_ends_a_line_in_memory() -> None:
    store = FakeStore(is_away=True)
    line = Line(PLAN, State(), store, count, lambda: T0, epoch=1, patience_seconds=0.0)  # type: ignore[arg-type]
    worker = asyncio.create_task(line.run())
    await line.apply(Looked(good()))
    store.error = LeadershipLostError("database: epoch 1 has ended")
    with pytest.raises(LeadershipLostError):
        await asyncio.wait_for(worker, 5)


async def test_a_line_taken_anew_has_forgotten_the_last_reign() -> None:
    store = FakeStore(is_away=True)
    line = Line(PLAN, State(), store, count, lambda: T0, patience_seconds=0.0)  # type: ignore[arg-type]
    waiting = asyncio.create_task(line.apply(Looked(good())))
    await asyncio.sleep(0)
    with line.subscribe() as listener:
        line.take(State(revision=7), epoch=3)
        await asyncio.wait_for(listener.wait(), 5)
    await asyncio.wait([waiting])
    assert waiting.cancelled()
    assert (line.state.revision, line.epoch, line.events_waiting, line.unwritten) == (7, 3, 0, None)
