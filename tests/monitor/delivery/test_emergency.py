"""The outbox without its database: opening pages go out of the state, after they are on disk; the rest waits."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from monitor.delivery.emergency import EmergencyOutbox
from monitor.engine.model import Incident, IncidentStatus, MessageKind, Severity, State, Told, ToldState
from monitor.store.errors import StoreUnavailableError
from monitor.store.spool import Spool, Unwritten
from tests.stores import T0, at

OPS, LEAD = "telegram:ops", "telegram:lead"
QUEUED = Told(OPS, queued_kind=MessageKind.OPEN, queued_key="1:ops:open:1", queued_at=T0, queued_severity=Severity.PAGE)


def incident(number: int, *told: Told) -> Incident:
    return Incident(
        number, "api.health", Severity.PAGE, IncidentStatus.OPEN, T0, T0, told={one.chat_id: one for one in told}
    )


@dataclass
class FakeLine:
    """A line in or out of memory mode."""

    state: State
    is_in_memory: bool = True

    @property
    def unwritten(self) -> Unwritten | None:
        return Unwritten((0,), T0, self.state) if self.is_in_memory else None


@dataclass
class FakeRows:
    """The store's rows; away while told so."""

    calls: list[str] = field(default_factory=list)
    is_away: bool = False

    def __getattr__(self, name: str) -> Callable[..., Awaitable[Any]]:
        async def call(*_: object, **__: object) -> Any:
            self.calls.append(name)
            if self.is_away:
                raise StoreUnavailableError("database: x does not answer")
            return {"chat_target": "moved", "oldest_page_age_seconds": 3.0}.get(name)

        return call


@dataclass
class World:
    line: FakeLine
    rows: FakeRows
    spool: Spool
    outbox: EmergencyOutbox
    proofs: list[None]


@pytest.fixture
def world(tmp_path: Path) -> World:
    line, rows, spool = FakeLine(State(incidents={1: incident(1, QUEUED)})), FakeRows(), Spool(tmp_path / "spool")
    proofs: list[None] = []

    async def proof() -> None:
        proofs.append(None)

    outbox = EmergencyOutbox(rows, line, spool, {OPS: "17", LEAD: "18"}, proof)  # type: ignore[arg-type]
    return World(line, rows, spool, outbox, proofs)


async def test_an_opening_page_is_handed_out_once_and_is_on_disk_before(world: World) -> None:
    row = await world.outbox.claim_message(at(0))
    assert row is not None
    assert (row.key, row.incident_id, row.chat_id, row.kind, row.attempts) == (
        "1:ops:open:1",
        1,
        OPS,
        MessageKind.OPEN,
        1,
    )
    left = world.spool.read()
    assert left is not None
    assert left.after == world.line.state
    assert await world.outbox.claim_message(at(1)) is None
    assert world.rows.calls == []
    assert world.proofs == []


@pytest.mark.parametrize(
    "told",
    [
        replace(QUEUED, queued_kind=MessageKind.REMIND),
        replace(QUEUED, queued_kind=MessageKind.RESOLVE),
        replace(QUEUED, queued_severity=Severity.WARNING),
        replace(QUEUED, queued_kind=None, queued_key=None),
    ],
    ids=["reminder", "end", "warning", "nothing"],
)
async def test_all_else_waits_for_the_database(world: World, told: Told) -> None:
    world.line.state = State(incidents={1: incident(1, told)})
    assert await world.outbox.claim_message(at(0)) is None


async def test_a_message_given_back_comes_again_when_it_is_due(world: World) -> None:
    row = await world.outbox.claim_message(at(0))
    assert row is not None
    await world.outbox.release_message(row.key, row.lease_token, at(4), "refused")
    assert await world.outbox.claim_message(at(3)) is None
    again = await world.outbox.claim_message(at(4))
    assert again is not None
    assert again.attempts == 2
    await world.outbox.release_message(row.key, row.lease_token, at(5), "wait", is_counted=False)
    await world.outbox.pause_chat(OPS, at(9))
    assert await world.outbox.claim_message(at(8)) is None
    last = await world.outbox.claim_message(at(9))
    assert last is not None
    assert last.attempts == 2


@pytest.mark.parametrize("kind", ["reopen", "rise", "escalate"])
async def test_other_news_of_a_page_goes_out_too(world: World, kind: str) -> None:
    world.line.state = State(incidents={1: incident(1, replace(QUEUED, queued_kind=MessageKind(kind)))})
    row = await world.outbox.claim_message(at(0))
    assert row is not None
    assert row.kind is MessageKind(kind)


@pytest.mark.parametrize(
    ("may_have_left", "told", "doubtful"),
    [(True, ToldState.NOTHING, 1), (False, ToldState.NOTHING, 0), (True, ToldState.OPEN, 0)],
    ids=["perhaps read", "surely not sent", "told"],
)
async def test_what_may_have_left_before_it_was_taken_back_is_named_once(
    world: World, may_have_left: bool, told: ToldState, doubtful: int
) -> None:
    row = await world.outbox.claim_message(at(0))
    assert row is not None
    await world.outbox.release_message(row.key, row.lease_token, at(1), "no answer", may_have_left=may_have_left)
    assert list(await world.outbox.doubtful_messages(at(1))) == []
    again = await world.outbox.claim_message(at(1))
    assert again is not None
    assert again.was_sending is may_have_left
    world.line.state = State(incidents={1: incident(1, Told(OPS, told))})
    assert await world.outbox.claim_message(at(2)) is None
    assert [one.key for one in await world.outbox.doubtful_messages(at(2))] == [row.key] * doubtful
    assert list(await world.outbox.doubtful_messages(at(3))) == []


async def test_one_message_at_a_time_for_each_chat(world: World) -> None:
    other = replace(QUEUED, chat_id=LEAD, queued_key="1:lead:open:1")
    second = replace(QUEUED, queued_key="2:ops:open:1")
    world.line.state = State(incidents={1: incident(1, QUEUED, other), 2: incident(2, second)})
    rows = [await world.outbox.claim_message(at(0)) for _ in range(3)]
    assert [row and row.key for row in rows] == ["1:ops:open:1", "1:lead:open:1", None]


async def test_the_outcome_is_on_disk_too(world: World) -> None:
    await world.outbox.claim_message(at(0))
    world.line.state = State(incidents={1: incident(1, Told(OPS, ToldState.OPEN, root_message_id=5))}, revision=2)
    assert await world.outbox.claim_message(at(1)) is None
    left = world.spool.read()
    assert left is not None
    assert left.after == world.line.state


async def test_a_disk_that_is_full_silences_nobody(world: World) -> None:
    world.spool.path = world.spool.path / "no folder"
    assert await world.outbox.claim_message(at(0)) is not None


async def test_with_the_database_back_the_store_is_asked_and_the_spool_is_gone(world: World) -> None:
    await world.outbox.claim_message(at(0))
    world.line.is_in_memory = False
    assert await world.outbox.claim_message(at(1)) is None
    assert not world.spool.path.exists()
    assert world.rows.calls == ["claim_message"]
    assert world.proofs == [None]
    await world.outbox.release_message("k", "t", at(2), "")
    await world.outbox.doubtful_messages(at(2))
    await world.outbox.pause_chat(OPS, at(2))
    await world.outbox.set_chat_target(OPS, "19")
    assert await world.outbox.oldest_page_age_seconds(at(3)) == 3.0
    assert world.rows.calls[1:] == [
        "release_message",
        "doubtful_messages",
        "pause_chat",
        "set_chat_target",
        "oldest_page_age_seconds",
    ]


async def test_a_chat_is_found_without_the_database(world: World) -> None:
    assert await world.outbox.chat_target(OPS) == "17"
    world.line.is_in_memory = False
    assert await world.outbox.chat_target(OPS) == "moved"
    world.rows.is_away = True
    assert await world.outbox.chat_target(OPS) == "moved"
    world.line.is_in_memory = True
    await world.outbox.set_chat_target(LEAD, "20")
    assert await world.outbox.chat_target(LEAD) == "20"
    with pytest.raises(KeyError):
        await world.outbox.chat_target("telegram:nobody")
