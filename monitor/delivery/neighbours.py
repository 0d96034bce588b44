"""What delivery asks of its neighbours: the outbox rows of the store, and the line that holds the state."""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Protocol

from monitor.engine.model import Event, Incident, MessageKind, Severity, State


class OutboxMessage(Protocol):
    """A message on its way, as the store hands it out."""

    @property
    def key(self) -> str:
        """The dedupe key `incident:chat:kind:n`."""
        ...

    @property
    def incident_id(self) -> int: ...

    @property
    def chat_id(self) -> str: ...

    @property
    def kind(self) -> MessageKind: ...

    @property
    def severity(self) -> Severity: ...

    @property
    def is_silent(self) -> bool: ...

    @property
    def created_at(self) -> datetime: ...

    @property
    def attempts(self) -> int:
        """How often it was tried, this time included."""
        ...

    @property
    def lease_token(self) -> str: ...

    @property
    def was_sending(self) -> bool:
        """An earlier attempt ended without an outcome: the message may have left already."""
        ...

    @property
    def body(self) -> str | None:
        """What it says, where it belongs to no incident: see `notes`."""
        ...


class Outbox(Protocol):
    """The rows of messages that were committed and not yet delivered."""

    async def claim_message(self, now: datetime, *, lease_seconds: float = 45.0) -> OutboxMessage | None:
        """Lease and return the next message that is due; None when there is none.

        Never one of a chat that is paused, or that has another message under a running lease.
        """
        ...

    async def release_message(
        self,
        key: str,
        lease_token: str,
        due_at: datetime,
        error: str,
        *,
        is_counted: bool = True,
        may_have_left: bool = False,
    ) -> None:
        """Give a message back to the queue, not before `due_at`; nothing happens when the lease is another's.

        `is_counted` False takes the attempt back: it was no failure. `may_have_left`: perhaps it arrived.
        """
        ...

    async def doubtful_messages(self, now: datetime) -> Sequence[OutboxMessage]:
        """Return what was dropped when it may have left already, and nobody is sending any more."""
        ...

    async def pause_chat(self, chat_id: str, until: datetime) -> None:
        """Hand out nothing for this chat before `until`."""
        ...

    async def chat_target(self, chat_id: str) -> str:
        """Return where the channel finds this chat; raises `KeyError` when nobody said."""
        ...

    async def set_chat_target(self, chat_id: str, target: str) -> None:
        """Remember that the chat has moved."""
        ...

    async def oldest_page_age_seconds(self, now: datetime) -> float:
        """Return the age of the oldest page that waits; 0 when none does."""
        ...


class Board(Protocol):
    """The message that is a chat's board."""

    @property
    def message_id(self) -> int: ...

    @property
    def is_pinned(self) -> bool: ...


class Boards(Protocol):
    """Which message is the board of each chat."""

    async def board(self, chat_id: str) -> Board | None:
        """Return the chat's board; None when it has none."""
        ...

    async def set_board(self, chat_id: str, message_id: int | None, *, is_pinned: bool = False) -> None:
        """Remember the chat's board; None forgets it."""
        ...


class Digests(Protocol):
    """What the daily digest is made from, and of which morning each chat was told."""

    async def incidents(self, limit: int = 50) -> Sequence[Incident]:
        """Return up to `limit` incidents: open and acked ones first, then the newest."""
        ...

    async def digest_at(self, chat_id: str) -> datetime | None:
        """Return the newest morning of which the chat was told."""
        ...

    async def set_digest(self, chat_id: str, at: datetime | None) -> None:
        """Remember the newest morning of which the chat was told."""
        ...


class Changes(Protocol):
    """One listener's view of a state that moves."""

    async def wait(self) -> None:
        """Return as soon as something changed since the last return."""
        ...


class Line(Protocol):
    """The one place where state changes: an event is applied and committed, or raises and changed nothing."""

    @property
    def state(self) -> State: ...

    async def apply(self, *events: Event) -> object:
        """Apply and commit; what it returns is of no concern here."""
        ...

    def subscribe(self) -> AbstractContextManager[Changes]:
        """Listen to changes of the state."""
        ...
