"""What delivery needs of its neighbours: the outbox rows of the store, and the line that holds the state."""

from contextlib import AbstractAsyncContextManager
from datetime import datetime
from typing import Protocol

from monitor.engine.model import Event, MessageKind, Severity, State


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
    def attempts(self) -> int: ...
    @property
    def lease_token(self) -> str: ...
    @property
    def was_sending(self) -> bool:
        """An earlier lease ended without an outcome: it may have left already."""
        ...
