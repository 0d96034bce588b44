"""What people do: write, press a button, add or remove a bot. Each becomes updates for the bots that may see it."""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta

from demo.botapi.chats import World
from demo.botapi.entities import formatted
from demo.botapi.errors import bad_request
from demo.botapi.keyboards import callback_data
from demo.botapi.people import Bot, Json, Message, Person, Room
from demo.botapi.rendering import member_json, unix

ANSWER_WITHIN = timedelta(seconds=60)
"""How long a pressed button waits for answerCallbackQuery."""


class NotThereError(LookupError):
    """A person meant something that is not in the chat; the text says what."""


@dataclass(frozen=True, slots=True)
class Press:
    """One pressed button that no bot has answered yet."""

    id: str
    bot_id: int
    room_key: str
    message_id: int
    person_id: int
    pressed_at: datetime


class Talking:
    """The hands of the people of a world."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._presses: dict[str, Press] = {}
        self._next_press = 4_382_000_000_000_000_001

    def say(
        self, room: Room, person: Person, text: str, *, reply_to: int | None = None, topic_id: int | None = None
    ) -> Message:
        """Write a message as a person. Raises ApiError 400 where Telegram would refuse the text."""
        if reply_to is not None and self._world.message(room, reply_to) is None:
            raise NotThereError(f"no message {reply_to} in chat {room.id}")
        if topic_id is not None and room.topic(topic_id) is None:
            raise NotThereError(f"no topic {topic_id} in chat {room.id}")
        plain, entities = formatted(text, ())
        message = self._world.post(room, person, text=plain, entities=entities, reply_to=reply_to, topic_id=topic_id)
        self.tell_bots(message)
        return message

    def tell_bots(self, message: Message) -> None:
        """Queue a message for each bot in the room that may see it."""
        room = self._world.rooms[message.room_key]
        for bot_id in sorted(room.bots):
            bot = self._world.bots[bot_id]
            if bot != message.sender and self._may_see(bot, room, message):
                self._world.inboxes[bot_id].put("message", self._world.shown(message), room.key)

    def _may_see(self, bot: Bot, room: Room, message: Message) -> bool:
        """Return whether Telegram would give a bot this message.

        Source: core.telegram.org/bots/features#privacy-mode and core.telegram.org/api/bots/bot-to-bot.
        """
        replied = self._world.message(room, message.reply_to) if message.reply_to is not None else None
        is_reply = replied is not None and replied.sender == bot
        names = re.findall(r"/\w+@(\w+)", message.text)
        is_addressed = is_reply or bot.username.lower() in (name.lower() for name in names)
        if isinstance(message.sender, Bot):
            if is_addressed:
                return bot.talks_to_bots or message.sender.talks_to_bots
            return bot.talks_to_bots and bot.id in room.administrators and bot.reads_all_messages
        if room.kind == "private" or bot.reads_all_messages or bot.id in room.administrators:
            return True
        return is_addressed or (message.text.startswith("/") and not names)

    def press(self, room: Room, person: Person, message_id: int, data: str, *, is_forged: bool = False) -> Press:
        """Press the button with that data under a message of a bot.

        `is_forged` sends data no button carries, as a modified client can. Raises NotThereError.
        """
        message = self._world.message(room, message_id)
        if message is None or not isinstance(message.sender, Bot):
            raise NotThereError(f"no message {message_id} of a bot in chat {room.id}")
        if not is_forged and data not in callback_data(message.markup):
            raise NotThereError(f"no button with data {data!r} under message {message_id} in chat {room.id}")
        press = Press(str(self._next_press), message.sender.id, room.key, message_id, person.id, self._world.now())
        self._next_press += 7
        self._presses[press.id] = press
        query: Json = {
            "id": press.id,
            "from": person.to_api(),
            "message": self._world.shown(message),
            "chat_instance": str(abs(hash_of(room.key))),
            "data": data,
        }
        self._world.inboxes[message.sender.id].put("callback_query", query, room.key)
        return press

    def answered(self, bot: Bot, query_id: str) -> Press:
        """Return the press a bot answers. Raises ApiError 400 when it is unknown, answered or too old."""
        press = self._presses.get(query_id)
        if press is None or press.bot_id != bot.id or self._world.now() - press.pressed_at > ANSWER_WITHIN:
            raise bad_request("query is too old and response timeout expired or query ID is invalid")
        return self._presses.pop(query_id)

    def membership(self, room: Room, bot: Bot, *, was: str, became: str) -> None:
        """Tell a bot that its place in a room changed."""
        author = self._world.operator()
        if author is None or was == became:
            return
        change = {
            "chat": self._world.chat(room),
            "from": author.to_api(),
            "date": unix(self._world.now()),
            "old_chat_member": member_json(room, bot, status=was),
            "new_chat_member": member_json(room, bot, status=became),
        }
        self._world.inboxes[bot.id].put("my_chat_member", change, room.key)


def hash_of(key: str) -> int:
    """Return a number that is the same for a room in every process."""
    return int.from_bytes(key.encode()[-8:], "big")
