"""The world: people, bots, rooms and their messages, and the only place where they change."""

from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import datetime, timedelta

from demo.botapi.broadcast import Broadcast
from demo.botapi.config import GroupConfig, WorldConfig
from demo.botapi.errors import ApiError, bad_request, forbidden, too_many_requests
from demo.botapi.inboxes import Inbox
from demo.botapi.people import Bot, Json, Message, Person, Room, Topic
from demo.botapi.profiles import Profile
from demo.botapi.rendering import chat_json, message_json

KEPT_MESSAGES = 2_000
"""Messages a room keeps; older ones are forgotten."""


class World:
    """Everything a Telegram would know, in memory."""

    def __init__(self, config: WorldConfig, events: Broadcast, now: Callable[[], datetime]) -> None:
        self.events = events
        self.now = now
        self.people = {
            person.id: Person(**person.model_dump(include=set(Person.__slots__))) for person in config.people
        }
        self.bots: dict[int, Bot] = {}
        for bot in config.bots:
            bot_id = int(bot.token.split(":")[0])
            self.bots[bot_id] = Bot(id=bot_id, **bot.model_dump())
        self.inboxes = {bot_id: Inbox(bot_id, now) for bot_id in self.bots}
        self.profiles = {bot_id: Profile() for bot_id in self.bots}
        self.rooms: dict[str, Room] = {}
        self._messages: dict[str, dict[int, Message]] = {}
        self._next_ids: dict[str, int] = {}
        self._sent: dict[tuple[int, str], deque[datetime]] = {}
        self._group_limit = config.group_messages_per_minute
        for one in self.bots.values():
            for person in self.people.values():
                self._open(
                    Room(
                        key=private_key(one.id, person.id),
                        id=person.id,
                        kind="private",
                        title=one.name,
                        people=frozenset({person.id}),
                        bots=frozenset({one.id}),
                    )
                )
        for group in config.groups:
            self._open(self._group(group))

    def _group(self, group: GroupConfig) -> Room:
        ids = {bot.username: bot.id for bot in self.bots.values()}
        bots = frozenset(ids[name] for name in (ids if group.bots is None else group.bots))
        administrators = bots if group.administrators is None else {ids[name] for name in group.administrators}
        return Room(
            key=str(group.id),
            id=group.id,
            kind=group.type,
            title=group.title,
            people=frozenset(self.people if group.people is None else group.people),
            bots=bots,
            administrators=frozenset(administrators) & bots,
            is_forum=group.is_forum,
            topics=tuple(Topic(topic.id, topic.name, topic.color) for topic in group.topics),
        )

    def _open(self, room: Room) -> None:
        self.rooms[room.key] = room
        self._messages[room.key] = {}
        self._next_ids[room.key] = max((topic.id for topic in room.topics), default=0) + 1

    def bot_of_token(self, token: str) -> Bot | None:
        """Return the bot whose token this is, or None."""
        return next((bot for bot in self.bots.values() if bot.token == token), None)

    def bot_named(self, username: str) -> Bot | None:
        """Return the bot of that username, with or without @, or None."""
        wanted = username.removeprefix("@").lower()
        return next((bot for bot in self.bots.values() if bot.username.lower() == wanted), None)

    def user(self, user_id: int) -> Person | Bot | None:
        """Return the person or bot of that id, or None."""
        return self.people.get(user_id) or self.bots.get(user_id)

    def operator(self) -> Person | None:
        """Return the first operator, or the first person, or None in an empty world."""
        people = list(self.people.values())
        return next((person for person in people if person.is_operator), people[0] if people else None)

    def room_for(self, bot: Bot, chat_id: str) -> Room:
        """Return the room that a bot means by a chat id.

        Raises ApiError 400 when there is none or it moved, 403 when the bot is not in it.
        """
        if not chat_id:
            raise bad_request("chat_id is empty")
        room = self.rooms.get(private_key(bot.id, int(chat_id)) if chat_id.isdigit() else chat_id)
        if room is None:
            if chat_id.isdigit() and int(chat_id) in self.bots:
                raise forbidden("bots can't send messages to bots")
            raise bad_request("chat not found")
        if room.migrated_to is not None:
            raise ApiError(
                400,
                "Bad Request: group chat was upgraded to a supergroup chat",
                migrate_to_chat_id=room.migrated_to,
            )
        if bot.id not in room.bots:
            raise forbidden(f"bot is not a member of the {room.noun}")
        return room

    def message(self, room: Room, message_id: int) -> Message | None:
        """Return a message, or None."""
        return self._messages[room.key].get(message_id)

    def messages(self, room: Room) -> list[Message]:
        """Return the messages of a room, oldest first."""
        return list(self._messages[room.key].values())

    def count_send(self, bot: Bot, room: Room) -> None:
        """Count a message from a bot. Raises ApiError 429 when it sent too many to this group in a minute."""
        if room.kind == "private" or not self._group_limit:
            return
        sent = self._sent.setdefault((bot.id, room.key), deque())
        now = self.now()
        while sent and sent[0] <= now - timedelta(minutes=1):
            sent.popleft()
        if len(sent) >= self._group_limit:
            raise too_many_requests(int((sent[0] + timedelta(minutes=1) - now).total_seconds()) + 1)
        sent.append(now)

    def post(self, room: Room, sender: Person | Bot, **content: object) -> Message:
        """Add a message to a room and show it."""
        message = Message(
            id=self._next_ids[room.key],
            room_key=room.key,
            sender=sender,
            sent_at=self.now(),
            **content,  # type: ignore[arg-type]
        )
        self._next_ids[room.key] += 1
        kept = self._messages[room.key]
        kept[message.id] = message
        if len(kept) > KEPT_MESSAGES:
            del kept[next(iter(kept))]
        self.show(message, "message")
        return message

    def put(self, message: Message, *, happened: str = "edited") -> None:
        """Replace a message by what it became and show it."""
        self._messages[message.room_key][message.id] = message
        self.show(message, happened)

    def remove(self, message: Message) -> None:
        """Delete a message for everybody."""
        del self._messages[message.room_key][message.id]
        room = self.rooms[message.room_key]
        if message.id in room.pinned:
            self.change(replace(room, pinned=tuple(pin for pin in room.pinned if pin != message.id)))
        self.events.publish("deleted", room=message.room_key, message_id=message.id)

    def change(self, room: Room) -> None:
        """Replace a room by what it became and show it."""
        self.rooms[room.key] = room
        self.events.publish("room", room=room.key)

    def migrate(self, room: Room) -> Room:
        """Upgrade a group: it gets a new id and an empty history for bots; the old id only says where it went."""
        new_id = -1_000_000_000_000 - (abs(room.id) % 1_000_000_000_000) - 1
        while str(new_id) in self.rooms:
            new_id -= 1
        # The topics move along, so that a chat that changed its id is the only thing that changed.
        moved = replace(room, key=str(new_id), id=new_id, kind="supergroup", pinned=())
        self._open(moved)
        self.change(replace(room, migrated_to=new_id))
        author = self.operator()
        assert author is not None
        self.post(moved, author, service={"migrate_from_chat_id": room.id})
        for bot_id in room.bots:
            body = {
                "message_id": 0,
                "from": author.to_api(),
                "chat": self.chat(room),
                "date": int(self.now().timestamp()),
                "migrate_to_chat_id": new_id,
            }
            self.inboxes[bot_id].put("message", body, room.key)
        return moved

    def chat(self, room: Room) -> Json:
        """Return the Chat object of a room."""
        return chat_json(room, self.people.__getitem__)

    def shown(self, message: Message) -> Json:
        """Return the Message object."""
        room = self.rooms[message.room_key]
        chat = self.chat(room)
        replied = self.message(room, message.reply_to) if message.reply_to is not None else None
        return message_json(message, chat, None if replied is None else message_json(replied, chat, None))

    def show(self, message: Message, happened: str) -> None:
        """Tell the chat pages what became of a message."""
        self.events.publish(happened, room=message.room_key, message=self.as_seen(message))

    def as_seen(self, message: Message) -> Json:
        """Return a message as a person sees it: the Message object and what the page needs beside it."""
        return self.shown(message) | {
            "silent": message.is_silent,
            "edit_count": message.edits,
            "earlier_texts": list(message.earlier_texts),
        }

    def room_of(self, chat: str, bot: str | None) -> Room | None:
        """Return the room a tester means: a room's key, a group's id, or a person's id with a bot's username."""
        if chat in self.rooms:
            return self.rooms[chat]
        named = self.bot_named(bot) if bot else None
        keys: Iterable[str] = [private_key(named.id, int(chat))] if named and chat.isdigit() else []
        return next((self.rooms[key] for key in keys if key in self.rooms), None)


def private_key(bot_id: int, person_id: int) -> str:
    """Return the key of the private chat of a person with a bot."""
    return f"{bot_id}:{person_id}"
