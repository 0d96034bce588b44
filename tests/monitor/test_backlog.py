"""What waits to be written: in order, under fixed names, and as one value that can be kept elsewhere."""

from dataclasses import replace
from pathlib import Path

import pytest

from monitor import backlog as backlog_module
from monitor.backlog import Backlog, Batch
from monitor.engine.model import (
    AppendTimeline,
    CheckState,
    CheckStatus,
    Delivered,
    DeliveryOutcome,
    DropMessage,
    Incident,
    IncidentStatus,
    Looked,
    MessageKind,
    Severity,
    State,
    Tick,
    Told,
)
from monitor.engine.spans import Moment, SpanChange, SpanKind
from monitor.store.spool import Spool, Unwritten
from tests.stores import T0, at, bad, good, insert

DELIVERED = Delivered(1, "telegram:ops", MessageKind.OPEN, "k1", DeliveryOutcome.DELIVERED, message_id=7)
ROW = AppendTimeline(1, at(1), "monitor", "opened", "api.health is down")
SPAN = SpanChange("api.health", SpanKind.DOWN, at(0), at(1))


def batch(number: int, **more: object) -> Batch:
    """Return the batch that makes revision `number` of the one before."""
    before, after = State(revision=number - 1), State(revision=number)
    return replace(Batch(before, after, Moment(after, at(number)), name=f"b{number}"), **more)  # type: ignore[arg-type]


def test_nothing_is_added_to_a_batch_that_was_tried() -> None:
    backlog = Backlog()
    backlog.add(batch(1))
    assert backlog.try_head() == batch(1)
    backlog.add(batch(2))
    backlog.add(batch(3))
    assert (len(backlog), backlog.try_head()) == (2, batch(1))
    backlog.drop_head()
    second = backlog.try_head()
    assert second is not None
    assert (second.name, second.before.revision, second.after.revision) == ("b2", 1, 3)
    backlog.add(batch(4))
    backlog.drop_head()
    assert backlog.try_head() == batch(4)
    backlog.drop_head()
    assert (backlog.try_head(), backlog.unwritten(), len(backlog)) == (None, None, 0)


def test_merged_batches_do_what_they_did_one_by_one() -> None:
    backlog = Backlog()
    first = ((Looked(bad()), at(1)), (Tick(), at(1)))
    backlog.add(batch(1, events=first, effects=(insert("k1"), ROW), spans=(SPAN,)))
    backlog.add(batch(2, events=((DELIVERED, at(2)),), effects=(DropMessage("k0"),)))
    head = backlog.try_head()
    assert head is not None
    assert head.events == ((Looked(bad()), at(1)), (DELIVERED, at(2)))
    assert head.effects == (insert("k1"), ROW, DropMessage("k0"))
    assert (head.spans, head.seen) == ((SPAN,), Moment(State(revision=2), at(2)))
    assert backlog.events == 2


def test_only_so_many_looks_are_remembered_the_oldest_go(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backlog_module, "LOOKS_REMEMBERED", 3)
    backlog = Backlog()
    for number in range(1, 6):
        backlog.add(batch(number, events=((Looked(good(seconds=number)), at(number)), (DELIVERED, at(number)))))
    head = backlog.try_head()
    assert head is not None
    assert [event.result.started_at for event, _ in head.events if isinstance(event, Looked)] == [at(3), at(4), at(5)]
    assert sum(event is DELIVERED for event, _ in head.events) == 5


@pytest.mark.parametrize(("is_tried", "follows"), [(False, (0,)), (True, (0, 1))], ids=["untried", "tried"])
def test_what_is_unwritten_says_upon_which_state_it_follows(is_tried: bool, follows: tuple[int, ...]) -> None:
    backlog = Backlog()
    backlog.add(batch(1, events=((Looked(bad()), at(1)),), effects=(insert("k1"), ROW), spans=(SPAN,)))
    if is_tried:
        backlog.try_head()
    backlog.add(batch(2, events=((DELIVERED, at(2)),), effects=(DropMessage("k0"),)))
    assert backlog.unwritten() == Unwritten(
        follows=follows,
        at=at(2),
        after=State(revision=2),
        delivered=((DELIVERED, at(2)),),
        messages=(insert("k1"),),
        drops=(DropMessage("k0"),),
        timeline=(ROW,),
        spans=(SPAN,),
    )


def test_the_spool_gives_back_what_was_written(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "monitor.spool")
    told = Told("telegram:ops", queued_kind=MessageKind.OPEN, queued_key="k1", sent_counts={"open": 1})
    incident = Incident(1, "api.health", Severity.PAGE, IncidentStatus.OPEN, T0, at(1), told={"telegram:ops": told})
    check = CheckState("api.health", CheckStatus.DOWN, last_failure=bad(), incident_id=1)
    after = State(checks={"api.health": check}, incidents={1: incident}, next_incident_id=2, revision=9)
    whole = Unwritten(
        (7, 8), at(3), after, ((DELIVERED, at(2)),), (insert("k1"),), (DropMessage("k0"),), (ROW,), (SPAN,)
    )
    assert spool.read() is None
    spool.write(whole)
    spool.write(whole)
    assert spool.read() == whole
    assert [path.name for path in tmp_path.iterdir()] == ["monitor.spool"]
    assert spool.path.stat().st_mode & 0o777 == 0o600
    spool.clear()
    spool.clear()
    assert spool.read() is None


@pytest.mark.parametrize("content", [b"", b"{}", b"\xff\xfe"], ids=["empty", "other", "no text"])
def test_a_spool_that_cannot_be_read_is_none(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "monitor.spool"
    path.write_bytes(content)
    assert Spool(path).read() is None
