"""How fast delivery may go: the wait after a failed attempt, and the pace of edits. Time is an argument."""

import zlib
from collections import deque
from datetime import datetime, timedelta

BACKOFF_MOST_SECONDS = 60.0
BACKOFF_JITTER = 0.2

EDIT_EVERY = timedelta(seconds=5)
"""Between two edits of one card."""

EDITS_A_MINUTE = 10
"""Of all cards in one chat. Telegram's own limit is unpublished, and shared with new messages."""


def backoff_seconds(failures: int, key: str, most_seconds: float = BACKOFF_MOST_SECONDS) -> float:
    """Return how long to wait after this many failures (at least one): 1, 2, 4 … `most_seconds`, ± 20 %.

    The jitter is computed from `key`: messages that failed together do not return together, and a replay agrees.
    """
    base = min(most_seconds, 2.0 ** min(failures - 1, 30))
    share = zlib.crc32(f"{key}:{failures}".encode()) / 2**32
    return base * (1.0 - BACKOFF_JITTER + 2 * BACKOFF_JITTER * share)


class EditPace:
    """Remembers when cards were edited, and says when the next edit may be."""

    def __init__(self) -> None:
        self._by_card: dict[tuple[int, str], datetime] = {}
        self._by_chat: dict[str, deque[datetime]] = {}

    def may_edit(self, incident_id: int, chat_id: str, now: datetime) -> bool:
        """Say whether this card may be edited now."""
        last = self._by_card.get((incident_id, chat_id))
        if last is not None and last <= now < last + EDIT_EVERY:
            return False
        return len(self._recent(chat_id, now)) < EDITS_A_MINUTE

    def edited(self, incident_id: int, chat_id: str, now: datetime) -> None:
        """Note an attempt to edit, whatever became of it: Telegram counts it too."""
        self._by_card[incident_id, chat_id] = now
        self._recent(chat_id, now).append(now)

    def forget(self, live: set[int]) -> None:
        """Forget the cards of all incidents but these."""
        self._by_card = {card: at for card, at in self._by_card.items() if card[0] in live}

    def _recent(self, chat_id: str, now: datetime) -> deque[datetime]:
        recent = self._by_chat.setdefault(chat_id, deque())
        # An instant ahead of us is left from before the clock was set back; it must not hold up anything.
        while recent and not recent[0] <= now < recent[0] + timedelta(minutes=1):
            recent.popleft()
        return recent
