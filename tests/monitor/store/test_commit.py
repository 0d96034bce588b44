"""One batch, one transaction: what was committed is found again, and a repeated batch changes nothing."""

from dataclasses import replace
from typing import Any

import pytest
import sqlalchemy as sa

from monitor.engine.model import (
    AppendTimeline,
    ChatState,
    CheckState,
    CheckStatus,
    Delivered,
    DeliveryOutcome,
    DeployWindow,
    DropMessage,
    Effect,
    Event,
    Incident,
    IncidentStatus,
    Looked,
    Member,
    MessageKind,
    Role,
    Severity,
    Silence,
    State,
    Told,
)
from monitor.engine.spans import Span, SpanChange, SpanKind
from monitor.store.errors import LeadershipLostError
from monitor.store.models import metadata
from monitor.store.store import Store
from tests.stores import at, bad, good, insert

INCIDENT = Incident(
    1,
    "api.health",
    Severity.PAGE,
    IncidentStatus.OPEN,
    at(0),
    at(20),
    (Member("api.health", Role.ROOT, at(20)),),
    told={"telegram:ops": Told("telegram:ops", queued_kind=MessageKind.OPEN, sent_counts={"open": 1})},
)
FULL = State(
    checks={
        "api.health": CheckState("api.health", CheckStatus.DOWN, down_since=at(0), last_failure=bad(), window=(True,)),
        "redis.ping": CheckState("redis.ping", CheckStatus.SUSPECT, held_since=at(3), last_result=good("redis.ping")),
    },
    incidents={1: INCIDENT},
    silences={4: Silence(4, "check:redis.ping", at(0), at(60), "ann", "upgrade")},
    deploys={"d1": DeployWindow("d1", "nexus-api", "abc", at(0))},
    chats={"telegram:ops": ChatState("telegram:ops", at(1), "kicked", at(3601))},
    next_incident_id=2,
    next_silence_id=5,
    revision=17,
    held=frozenset({"redis.ping"}),
)
EVENTS: list[tuple[Event, Any]] = [(Looked(bad(seconds=10)), at(20)), (Looked(good("redis.ping", 11)), at(21))]
EFFECTS: list[Effect] = [
    insert("1:telegram:ops:open:1"),
    AppendTimeline(1, at(20), "monitor", "opened", "api.health is down"),
]
SPANS = [SpanChange("api.health", SpanKind.DOWN, at(0), at(10))]


async def everything(store: Store) -> dict[str, list[tuple[Any, ...]]]:
    """Return all rows of all tables."""
    async with store._database.read() as connection:
        return {
            table.name: [tuple(row) for row in await connection.execute(sa.select(table).order_by(*table.primary_key))]
            for table in metadata.sorted_tables
        }


async def test_a_new_database_holds_the_empty_state(store: Store) -> None:
    assert await store.load() == State()


async def test_what_was_committed_is_loaded(store: Store, database_url: str) -> None:
    await store.commit(EVENTS, State(), FULL, EFFECTS, at(21), spans=SPANS)
    again = await Store.open(database_url, now=store._now)
    try:
        assert await again.load() == FULL
        assert await again.results("api.health") == [bad(seconds=10)]
        assert await again.timeline(1) == [EFFECTS[1]]
        assert await again.spans(at(-1)) == {"api.health": [Span(at(0), None, SpanKind.DOWN)]}
    finally:
        await again.close()


@pytest.mark.parametrize("batch", ["b1", ""], ids=["same batch", "its parts alone"])
async def test_a_repeated_batch_changes_nothing(store: Store, batch: str) -> None:
    async def commit() -> None:
        await store.commit(EVENTS, State(), FULL, EFFECTS, at(21), spans=SPANS, batch=batch)

    await commit()
    once = await everything(store)
    await commit()
    twice = await everything(store)
    del once["counter"], twice["counter"]  # the last batch's name differs where none was given
    assert twice == once


async def test_a_repeated_batch_gives_no_second_lease_away(store: Store) -> None:
    delivered = Delivered(1, "telegram:ops", MessageKind.OPEN, "k1", DeliveryOutcome.DELIVERED, message_id=7)
    await store.commit([], State(), State(), [insert("k1"), insert("k2")], at(0))
    for expected in ("k2", None):
        await store.commit([(delivered, at(1))], State(), State(), [], at(1))
        claimed = await store.claim_message(at(2))
        assert (claimed and claimed.key) == expected


async def test_what_left_the_state_is_history(store: Store) -> None:
    await store.commit([], State(), FULL, [], at(0))
    empty = State(next_incident_id=2, next_silence_id=5, revision=18)
    await store.commit([], FULL, empty, [], at(1))
    assert await store.load() == empty
    assert await store.incident(1) == INCIDENT
    assert await store.silences() == list(FULL.silences.values())
    assert await store.deploys() == list(FULL.deploys.values())


async def test_only_what_changed_is_written(store: Store) -> None:
    await store.commit([], State(), FULL, [], at(0))
    changed = replace(FULL.checks["redis.ping"], status=CheckStatus.UP, held_since=None)
    after = replace(FULL, checks={**FULL.checks, "redis.ping": changed}, held=frozenset())
    statements: list[str] = []
    sa.event.listen(
        store._database._readers.sync_engine, "before_cursor_execute", lambda *heard: statements.append(heard[2])
    )
    await store.commit([], FULL, after, [], at(1))
    assert [words.split()[0] for words in statements if not words.startswith("BEGIN")] == ["UPDATE", "INSERT"]
    assert await store.load() == after


async def test_two_hundred_looks_are_a_few_statements(store: Store) -> None:
    statements: list[str] = []
    sa.event.listen(
        store._database._readers.sync_engine, "before_cursor_execute", lambda *heard: statements.append(heard[2])
    )
    names = [f"check.n{number}" for number in range(200)]
    after = State(checks={name: CheckState(name, CheckStatus.UP, last_result=good(name)) for name in names})
    spans = [SpanChange(name, SpanKind.UP, at(0), at(0)) for name in names]
    await store.commit([(Looked(good(name)), at(1)) for name in names], State(), after, [], at(1), spans=spans)
    assert len(statements) <= 8
    assert await store.load() == after


async def test_a_batch_is_written_whole_or_not_at_all(store: Store) -> None:
    before = await everything(store)
    with pytest.raises(sa.exc.StatementError, match="has no time zone"):
        await store.commit(EVENTS, State(), FULL, [*EFFECTS, replace(EFFECTS[1], at=at(0).replace(tzinfo=None))], at(1))  # type: ignore[type-var]
    assert await everything(store) == before


async def test_an_old_epoch_commits_nothing(store: Store) -> None:
    old = await store.acquire_leadership("one", 60.0)
    await store.release_leadership("one", old or 0)
    new = await store.acquire_leadership("two", 60.0)
    before = await everything(store)
    with pytest.raises(LeadershipLostError, match=f"epoch {old} has ended"):
        await store.commit(EVENTS, State(), FULL, EFFECTS, at(21), epoch=old)
    assert await everything(store) == before
    await store.commit(EVENTS, State(), FULL, EFFECTS, at(21), epoch=new)
    assert await store.load() == FULL


async def test_a_dropped_message_is_not_handed_out(store: Store) -> None:
    await store.commit([], State(), State(), [insert("k1"), DropMessage("k1")], at(0))
    assert await store.claim_message(at(1)) is None


async def test_text_no_database_takes_does_not_stop_a_commit(store: Store) -> None:
    row = AppendTimeline(1, at(0), "a\0nn", "noted", "half \udc80 a character")
    await store.commit([], State(), State(), [row], at(0))
    assert await store.timeline(1) == [AppendTimeline(1, at(0), "ann", "noted", "half ? a character")]
