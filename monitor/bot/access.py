"""Who may do what in the operators' bot: numeric user ids, never names, which anybody may take."""

from collections import deque
from collections.abc import Callable
from datetime import datetime, timedelta
from enum import StrEnum

REQUESTS_A_MINUTE = 20
"""Of one person; what is beyond gets no answer."""

STRANGER_EVERY = timedelta(hours=1)


class Right(StrEnum):
    """What a person may do."""

    VIEW = "view"
    OPERATE = "operate"


class Access:
    """Knows the people, and how often each asked lately."""

    def __init__(self, operators: frozenset[int], viewers: frozenset[int], now: Callable[[], datetime]) -> None:
        self._operators = operators
        self._viewers = viewers
        self._now = now
        self._requests: dict[int, deque[datetime]] = {}
        self._answered: dict[int, datetime] = {}

    def rights_of(self, user_id: int) -> frozenset[Right]:
        """Return what this person may do; nothing for a stranger."""
        if user_id in self._operators:
            return frozenset(Right)
        return frozenset({Right.VIEW}) if user_id in self._viewers else frozenset()

    def is_too_fast(self, user_id: int) -> bool:
        """Count one request, and say whether it is one too many in a minute."""
        now = self._now()
        requests = self._requests.setdefault(user_id, deque(maxlen=REQUESTS_A_MINUTE))
        oldest = requests[0] if len(requests) == REQUESTS_A_MINUTE else None
        requests.append(now)
        return oldest is not None and oldest <= now < oldest + timedelta(minutes=1)

    def may_answer_stranger(self, user_id: int) -> bool:
        """Say whether a stranger gets an answer: one an hour, so that nobody can make the bot talk."""
        now = self._now()
        # Strangers come and go: only those answered within the hour are remembered.
        self._answered = {user: at for user, at in self._answered.items() if at <= now < at + STRANGER_EVERY}
        if user_id in self._answered:
            return False
        self._answered[user_id] = now
        return True
