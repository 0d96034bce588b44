"""What delivery needs of a way to reach people: one `Channel`, and what became of one attempt."""

from dataclasses import dataclass
from typing import Protocol

from monitor.delivery.entities import Rendered
from monitor.engine.model import DeliveryOutcome


@dataclass(frozen=True, slots=True)
class Sent:
    """The outcome of one attempt to send or to edit."""

    outcome: DeliveryOutcome
    message_id: int | None = None
    retry_after_seconds: float | None = None
    """How long the chat must be left alone: the channel asked for it."""
    migrated_to: str | None = None
    """The chat's new target."""
    detail: str = ""
    """Why it was not delivered, or what had to be left out; safe to show."""
    is_message_gone: bool = False
    """The message to edit is no longer there, or cannot be edited any more."""


class Channel(Protocol):
    """One way to reach people. It never raises for what the other side did: it returns what that means."""

    async def send(self, target: str, rendered: Rendered, *, reply_to: int | None, is_silent: bool) -> Sent:
        """Send a new message; `reply_to` is the message it belongs under, which may be gone."""
        ...

    async def edit(self, target: str, message_id: int, rendered: Rendered) -> Sent:
        """Replace the text and buttons of a message sent earlier. Idempotent."""
        ...


class PinningChannel(Channel, Protocol):
    """A channel whose chats keep a message on top."""

    async def pin(self, target: str, message_id: int) -> Sent:
        """Pin a message without a sound. Idempotent."""
        ...
