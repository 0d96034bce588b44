"""Who and what exists: people, bots, rooms, topics, messages. Frozen values; the world replaces them."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Person:
    """A human being."""

    id: int
    first_name: str
    last_name: str
    username: str
    language_code: str
    is_operator: bool

    def to_api(self) -> Json:
        """Return the User object."""
        body: Json = {"id": self.id, "is_bot": False, "first_name": self.first_name}
        if self.last_name:
            body["last_name"] = self.last_name
        if self.username:
            body["username"] = self.username
        return body | {"language_code": self.language_code}


@dataclass(frozen=True, slots=True)
class Bot:
    """A bot; the token never shows in its repr."""

    id: int
    token: str = field(repr=False)
    username: str
    name: str
    reads_all_messages: bool
    talks_to_bots: bool

    def to_api(self) -> Json:
        """Return the User object as other parties see it."""
        return {"id": self.id, "is_bot": True, "first_name": self.name, "username": self.username}

    def to_get_me(self) -> Json:
        """Return the User object as getMe shows it to the bot itself."""
        return self.to_api() | {
            "can_join_groups": True,
            "can_read_all_group_messages": self.reads_all_messages,
            "supports_inline_queries": False,
            "can_connect_to_business": False,
            "has_main_web_app": False,
        }


@dataclass(frozen=True, slots=True)
class Topic:
    """A topic of a forum."""

    id: int
    name: str
    color: int
    is_closed: bool = False


@dataclass(frozen=True, slots=True)
class Room:
    """A chat with its own messages. A private chat is a room for each pair of person and bot."""

    key: str
    """Unique here; Telegram's chat id is not, since a person has one id in the chats with all bots."""
    id: int
    kind: str
    """`private`, `group` or `supergroup`."""
    title: str
    people: frozenset[int]
    bots: frozenset[int]
    administrators: frozenset[int] = frozenset()
    """Ids of the bots that are administrators."""
    is_forum: bool = False
    topics: tuple[Topic, ...] = ()
    migrated_to: int | None = None
    pinned: tuple[int, ...] = ()
    """Ids of pinned messages, the latest last."""

    @property
    def noun(self) -> str:
        """Return the word Telegram's descriptions use."""
        return {"private": "private", "group": "group", "supergroup": "supergroup"}[self.kind] + " chat"

    def topic(self, topic_id: int) -> Topic | None:
        """Return the topic, or None."""
        return next((topic for topic in self.topics if topic.id == topic_id), None)


@dataclass(frozen=True, slots=True)
class Message:
    """One message as it is now, with its earlier texts."""

    id: int
    room_key: str
    sender: Person | Bot
    sent_at: datetime
    text: str = ""
    entities: tuple[Json, ...] = ()
    markup: Json | None = None
    reply_to: int | None = None
    quote: str = ""
    topic_id: int | None = None
    is_silent: bool = False
    is_protected: bool = False
    edited_at: datetime | None = None
    earlier_texts: tuple[str, ...] = ()
    edits: int = 0
    """How often it was edited, keyboards included."""
    service: Json = field(default_factory=dict)
    """What happened, when this is no text but a notice such as `pinned_message`."""
