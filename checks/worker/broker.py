"""What the worker checks ask of a broker, whichever it is: canaries, remote control, and the state of queues."""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal, Protocol

from checks.celery_wire import REPLY_SECONDS, Replies

EXPIRES_SECONDS = 30.0
"""A canary that nobody took back is dropped by the worker after this time; longer than clocks usually differ."""


@dataclass(frozen=True, slots=True)
class Canary:
    """One task of ours on its way through one queue."""

    queue: str
    task_id: str
    """Also the argument that has to come back."""
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Flight:
    """What became of one canary."""

    queue: str
    task_id: str
    seconds: float
    """Until the answer, or how long it was waited for."""
    proof: Literal["result", "event", ""] = ""
    """Where the answer was seen; empty when there was none."""
    status: str = ""
    """Celery's word: SUCCESS, FAILURE, REVOKED, …"""
    is_right: bool = False
    """It succeeded, and what came back is what was sent."""
    was_waiting: bool = False
    """Unanswered and still in the queue: taken back."""
    waiting_messages: int = 0
    """How many other messages waited in the queue of an unanswered canary."""
    wants_result: bool = True
    """Its result was asked for. Where it was not, its event is all the proof there can be."""
    alive: int = 0
    """From how many nodes a heartbeat event came while an unanswered canary was waited for."""


@dataclass(frozen=True, slots=True)
class Head:
    """The next message out of one queue, of one priority."""

    priority: int
    task_id: str
    task: str


@dataclass(frozen=True, slots=True)
class Waiting:
    """What waits in one queue. A queue that is not there has nothing that waits."""

    queue: str
    messages: int = 0
    by_priority: tuple[tuple[int, int], ...] = ()
    """(priority, messages) of the priorities with messages."""
    heads: tuple[Head, ...] = ()
    """Of each priority with messages; empty where the broker does not show messages."""
    consumers: int | None = None
    """How many connections read it; None where the broker does not tell."""


@dataclass(frozen=True, slots=True)
class Delivered:
    """A message that was given to a worker and is not acknowledged."""

    task_id: str
    task: str
    queue: str
    age_seconds: float
    """Since it was given to a worker."""


class Broker(Protocol):
    """One look's conversation with a broker. Each call ends with the look's time and leaves nothing behind."""

    async def ask(self, *methods: str, seconds: float = REPLY_SECONDS) -> dict[str, Replies]:
        """Send read-only remote control commands to all nodes at once, and return each one's answers.

        Ends when every node that listens has answered everything, or after `seconds`.
        """
        ...

    async def tell(self, method: str, arguments: Mapping[str, Any] | None = None, nodes: Sequence[str] = ()) -> int:
        """Send a command that nobody answers to `nodes` (empty: all); return how many nodes heard it."""
        ...

    async def fly(self, canaries: Sequence[Canary], wait_seconds: float, results_url: str = "") -> tuple[Flight, ...]:
        """Send the canaries at once, and return what became of each after at most `wait_seconds`.

        `results_url` is where the app stores results; empty: with the broker. Unanswered canaries are taken back,
        and stored answers deleted.
        """
        ...

    async def settle(self, canaries: Sequence[Canary], results_url: str = "") -> list[Canary]:
        """Remove what canaries of earlier looks left. Return those of which nothing was found."""
        ...

    async def waiting(self, queues: Sequence[str], priorities: Sequence[int]) -> tuple[Waiting, ...]:
        """Return what waits in each of the queues, over all priorities."""
        ...

    async def search(self, cursor: int) -> tuple[int, frozenset[str]]:
        """Return some queues with messages and where to go on searching; 0 begins anew.

        A broker that cannot list its queues returns none.
        """
        ...

    async def delivered(self, most: int) -> tuple[Delivered, ...]:
        """Return the messages given to workers and not acknowledged, the oldest first, at most `most`."""
        ...

    async def forget(self, queue: str) -> None:
        """Remove a queue of ours, with all that the broker keeps for it."""
        ...

    async def clock_seconds(self) -> float | None:
        """Return the server's clock in epoch seconds; None where it shows none."""
        ...


def canaries_for(queues: Sequence[str], now: datetime) -> tuple[Canary, ...]:
    """Return a canary for each queue. The ids of one call share all but their last four digits."""
    stem = str(uuid.uuid4())[:-4]
    expires_at = now + timedelta(seconds=EXPIRES_SECONDS)
    return tuple(Canary(queue, f"{stem}{number:04x}", expires_at) for number, queue in enumerate(queues))
