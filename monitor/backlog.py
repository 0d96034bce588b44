"""What the line has decided and not written yet: one batch while all is well, more while the database is away."""

import uuid
from collections import deque
from dataclasses import dataclass, field, replace
from datetime import datetime

from monitor.engine.model import (
    AppendTimeline,
    Delivered,
    DropMessage,
    Effect,
    Event,
    InsertMessage,
    Looked,
    State,
    Tick,
)
from monitor.engine.spans import Moment, SpanChange
from monitor.store.spool import Unwritten

LOOKS_REMEMBERED = 20_000
"""So many looks are kept for the history while the database is away; the oldest go first, the state loses nothing."""


@dataclass(frozen=True, slots=True)
class Batch:
    """What one transaction writes."""

    before: State
    after: State
    seen: Moment
    events: tuple[tuple[Event, datetime], ...] = ()
    effects: tuple[Effect, ...] = ()
    spans: tuple[SpanChange, ...] = ()
    name: str = field(default_factory=lambda: uuid.uuid4().hex)
    """Written twice under one name, it changes nothing the second time."""


def merged(first: Batch, second: Batch) -> Batch:
    """Return one batch that does what the two do one after the other."""
    events = [entry for entry in (*first.events, *second.events) if not isinstance(entry[0], Tick)]
    too_many = sum(isinstance(event, Looked) for event, _ in events) - LOOKS_REMEMBERED
    if too_many > 0:
        oldest = {id(event) for event, _ in [entry for entry in events if isinstance(entry[0], Looked)][:too_many]}
        events = [entry for entry in events if id(entry[0]) not in oldest]
    return replace(
        first,
        after=second.after,
        seen=second.seen,
        events=tuple(events),
        effects=(*first.effects, *second.effects),
        spans=(*first.spans, *second.spans),
    )


class Backlog:
    """Batches in order. One that was tried stays as it is: its answer may be all that was lost."""

    def __init__(self) -> None:
        self._batches: deque[Batch] = deque()
        self._is_head_tried = False

    def __len__(self) -> int:
        return len(self._batches)

    @property
    def events(self) -> int:
        """How many events it holds."""
        return sum(len(batch.events) for batch in self._batches)

    def add(self, batch: Batch) -> None:
        """Append a batch, to the last one where that has not been tried."""
        if len(self._batches) > 1 or (self._batches and not self._is_head_tried):
            self._batches[-1] = merged(self._batches[-1], batch)
        else:
            self._batches.append(batch)

    def try_head(self) -> Batch | None:
        """Return the batch to write next; from now on nothing is added to it."""
        if not self._batches:
            return None
        self._is_head_tried = True
        return self._batches[0]

    def drop_head(self) -> None:
        """Forget the first batch: it is written."""
        self._batches.popleft()
        self._is_head_tried = False

    def unwritten(self) -> Unwritten | None:
        """Return all of it as one value to be kept elsewhere; None when there is nothing."""
        if not self._batches:
            return None
        first, last = self._batches[0], self._batches[-1]
        effects = [effect for batch in self._batches for effect in batch.effects]
        return Unwritten(
            # The first may have been written, with only the answer lost.
            follows=(first.before.revision, first.after.revision) if self._is_head_tried else (first.before.revision,),
            at=last.seen.at,
            after=last.after,
            delivered=tuple(
                (event, at) for batch in self._batches for event, at in batch.events if isinstance(event, Delivered)
            ),
            messages=tuple(effect for effect in effects if isinstance(effect, InsertMessage)),
            drops=tuple(effect for effect in effects if isinstance(effect, DropMessage)),
            timeline=tuple(effect for effect in effects if isinstance(effect, AppendTimeline)),
            spans=tuple(span for batch in self._batches for span in batch.spans),
        )
