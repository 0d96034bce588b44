"""A line and a store in memory, which do what people ask as the real ones do."""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime

from monitor.engine.model import (
    Acked,
    AppendTimeline,
    ChatMended,
    ChatState,
    CheckState,
    DeployWindow,
    Event,
    Incident,
    IncidentStatus,
    Silence,
    Silenced,
    SilenceEnded,
    State,
)
from monitor.engine.spans import Span
from monitor.store.errors import StoreError

NOW = datetime(2026, 3, 14, 14, 32, tzinfo=UTC)


class Line:
    """Applies what people do as the engine does, and remembers it."""

    def __init__(self, state: State) -> None:
        self.state = state
        self.applied: list[Event] = []
        self.failure: Exception | None = None
        self.changed = asyncio.Event()

    async def apply(self, *events: Event) -> None:
        if self.failure is not None:
            raise self.failure
        for event in events:
            self.applied.append(event)
            self._follow(event)
        self.changed.set()

    def put(self, check: CheckState) -> None:
        self.state = replace(self.state, checks={**self.state.checks, check.id: check})
        self.changed.set()

    @contextmanager
    def subscribe(self) -> Iterator["Line"]:
        yield self

    async def wait(self) -> None:
        await self.changed.wait()
        self.changed.clear()

    def _follow(self, event: Event) -> None:
        state = self.state
        if isinstance(event, Acked):
            taken = replace(
                state.incidents[event.incident_id],
                status=IncidentStatus.ACKED,
                acked_by=event.author,
                acked_at=NOW,
                revision=state.incidents[event.incident_id].revision + 1,
            )
            self.state = replace(state, incidents={**state.incidents, taken.id: taken})
        elif isinstance(event, Silenced):
            number = len(state.silences) + 1
            made = Silence(number, event.selector, NOW, event.ends_at, event.author, event.reason, event.is_maintenance)
            self.state = replace(state, silences={**state.silences, number: made})
        elif isinstance(event, SilenceEnded):
            ended = replace(state.silences[event.silence_id], ended_at=NOW)
            self.state = replace(state, silences={**state.silences, ended.id: ended})
        elif isinstance(event, ChatMended):
            self.state = replace(state, chats={event.chat_id: ChatState(event.chat_id)})


class Past:
    """A store with a little history."""

    def __init__(self) -> None:
        self.closed: dict[int, Incident] = {}
        self.rows: list[AppendTimeline] = []
        self.windows: list[DeployWindow] = []
        self.tiles: dict[str, list[Span]] = {}
        self.failure: StoreError | None = None

    def _check(self) -> None:
        if self.failure is not None:
            raise self.failure

    async def incident(self, incident_id: int) -> Incident | None:
        self._check()
        return self.closed.get(incident_id)

    async def timeline(self, incident_id: int) -> Sequence[AppendTimeline]:
        self._check()
        return [row for row in self.rows if row.incident_id == incident_id]

    async def deploys(self, limit: int = 50) -> Sequence[DeployWindow]:
        return self.windows[:limit]

    async def spans(self, since_at: datetime, check_ids: Sequence[str] | None = None) -> Mapping[str, Sequence[Span]]:
        self._check()
        return {name: tiles for name, tiles in self.tiles.items() if check_ids is None or name in check_ids}
