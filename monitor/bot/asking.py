"""A command as somebody gave it, what answers it, and what all answers are made from."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from monitor.bot.access import Right
from monitor.bot.status import Headings
from monitor.delivery.entities import Rendered
from monitor.delivery.neighbours import Changes
from monitor.engine.model import AppendTimeline, DeployWindow, Incident, Plan, State
from monitor.engine.spans import Span
from monitor.verbs import Verbs


@dataclass(frozen=True, slots=True)
class Ask:
    """One command of one person."""

    words: tuple[str, ...]
    """What stood behind the command."""
    author: str
    """As the timeline names the person."""
    may_act: bool
    at: datetime
    """When it was written."""


@dataclass(frozen=True, slots=True)
class Pending:
    """An answer that takes a while: `first` is said at once, and becomes what `rest` returns."""

    first: Rendered
    rest: Callable[[], Awaitable[Rendered]]


Answer = Callable[[Ask], Awaitable[Rendered | Pending]]


@dataclass(frozen=True, slots=True)
class Command:
    """What one command is for and how it is answered."""

    what: str
    """In a few words, for the list of commands."""
    answer: Answer
    right: Right = Right.VIEW
    usage: str = ""
    """What may stand behind it."""


Commands = Mapping[str, Command]


class History(Protocol):
    """What the bot asks the store."""

    async def incident(self, incident_id: int) -> Incident | None:
        """Return one incident; None where there never was one with this number."""
        ...

    async def timeline(self, incident_id: int) -> Sequence[AppendTimeline]:
        """Return what happened in one incident, oldest first."""
        ...

    async def deploys(self, limit: int = 50) -> Sequence[DeployWindow]:
        """Return up to `limit` deploys, newest first."""
        ...

    async def spans(self, since_at: datetime, check_ids: Sequence[str] | None = None) -> Mapping[str, Sequence[Span]]:
        """Return the tiles of each check that reach beyond `since_at`, oldest first."""
        ...


@dataclass(frozen=True, slots=True)
class House:
    """What all answers are made from."""

    plan: Plan
    state: Callable[[], State]
    now: Callable[[], datetime]
    verbs: Verbs
    history: History
    heading: Headings
    subscribe: Callable[[], AbstractContextManager[Changes]]
    """Listen to changes of the state."""
    proof: Callable[[], Awaitable[None]]
    """Returns once it is certain that this instance leads: one that was paused may not, and would answer twice."""
    dashboard_url: str | None = None


def usage_of(name: str, command: Command) -> str:
    """Return how a command is written."""
    return f"/{name} {command.usage}".rstrip()
