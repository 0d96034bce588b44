"""Who may do what in the operators' bot: numeric user ids, never names, which anybody may take."""

from collections import deque
from collections.abc import Callable
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from aiogram.types import Message, User

REQUESTS_A_MINUTE = 20
"""Of one person; what is beyond gets no answer."""

CHAT_REQUESTS_A_MINUTE = 40
"""Of all people in one chat."""

STRANGER_EVERY = timedelta(hours=1)

PEOPLE_REMEMBERED = 1000
"""Beyond so many, those who asked longest ago are forgotten: anybody can write to a bot."""


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
        self._answered: dict[tuple[int, bool], datetime] = {}

    def rights_of(self, user_id: int) -> frozenset[Right]:
        """Return what this person may do; nothing for a stranger."""
        if user_id in self._operators:
            return frozenset(Right)
        return frozenset({Right.VIEW}) if user_id in self._viewers else frozenset()

    def is_too_fast(self, user_id: int, chat_id: int | None = None) -> bool:
        """Count one request of a person in a chat, and say whether it is one too many in a minute."""
        is_person_too_fast = self._is_one_too_many(user_id, REQUESTS_A_MINUTE)
        if is_person_too_fast or chat_id is None or chat_id == user_id:
            return is_person_too_fast
        return self._is_one_too_many(chat_id, CHAT_REQUESTS_A_MINUTE)

    def _is_one_too_many(self, who: int, most: int) -> bool:
        now = self._now()
        requests = self._requests.pop(who, None) or deque(maxlen=most)
        self._requests[who] = requests  # the newest last
        while len(self._requests) > PEOPLE_REMEMBERED:
            del self._requests[next(iter(self._requests))]
        oldest = requests[0] if len(requests) == most else None
        requests.append(now)
        return oldest is not None and oldest <= now < oldest + timedelta(minutes=1)

    def may_answer_stranger(self, user_id: int, *, is_start: bool = False) -> bool:
        """Say whether a stranger gets an answer: one an hour to /start and one to all else.

        So nobody can make the bot talk.
        """
        now = self._now()
        # Strangers come and go: only those answered within the hour are remembered.
        self._answered = {one: at for one, at in self._answered.items() if at <= now < at + STRANGER_EVERY}
        asked = (user_id, is_start)
        if asked in self._answered:
            return False
        self._answered[asked] = now
        return True


def author_of(user: "User") -> str:
    """Return how a person is written in the timeline: a name to read, and the id that is the truth."""
    name = f"@{user.username}" if user.username else user.full_name
    return f"{name} ({user.id})"


def person_of(message: "Message") -> "User | None":
    """Return who wrote a command, if it is a person who says so now.

    Not: another bot, an anonymous admin or a channel (anyone could stand behind it), a forwarded command, one that
    came through another bot, and one of a guest: written where this bot is no member.
    """
    sender = message.from_user
    if sender is None or sender.is_bot or message.sender_chat is not None:
        return None
    if message.forward_origin is not None or message.via_bot is not None:
        return None
    if message.guest_query_id is not None or message.business_connection_id is not None:
        return None
    return sender


def is_anonymous(message: "Message") -> bool:
    """Say whether a person of the group hides behind its name: an anonymous admin."""
    return message.sender_chat is not None and message.sender_chat.id == message.chat.id
