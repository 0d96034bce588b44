"""The chats that are the monitor's own: where it may answer for all to read."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence

from monitor.delivery.neighbours import Line
from monitor.delivery.telegram import read_target
from monitor.engine.model import Chat, ChatMended


class Places:
    """Knows the chats of the plan by where they are now."""

    def __init__(self, line: Line, chats: Sequence[Chat], target_of: Callable[[str], Awaitable[str]]) -> None:
        """`target_of` returns where a chat is told, or raises KeyError."""
        self._line = line
        self._chats = tuple(chat for chat in chats if chat.channel == "telegram")
        self._target_of = target_of

    async def knows(self, chat_id: int, username: str | None) -> bool:
        """Say whether a chat of Telegram is one of ours."""
        return any([True async for _ in self._ours(chat_id, username)])

    async def mend(self, chat_id: int, username: str | None = None) -> None:
        """Note that a chat takes messages again."""
        async for name in self._ours(chat_id, username):
            state = self._line.state.chats.get(name)
            if state is not None and state.broken_since is not None:
                await self._line.apply(ChatMended(name))

    async def _ours(self, chat_id: int, username: str | None) -> AsyncIterator[str]:
        for chat in self._chats:
            try:
                place = read_target(await self._target_of(chat.id))
            except KeyError:
                continue
            is_named = (
                username is not None and place is not None and str(place[0]).casefold() == f"@{username}".casefold()
            )
            if place is not None and (place[0] == chat_id or is_named):
                yield chat.id
