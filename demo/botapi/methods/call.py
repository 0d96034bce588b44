"""What a method is given, and what it may say beside its result."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from demo.botapi.chats import World
from demo.botapi.entities import formatted
from demo.botapi.errors import bad_request
from demo.botapi.html_text import parse_html
from demo.botapi.inboxes import Inbox
from demo.botapi.parameters import Parameters
from demo.botapi.people import Bot, Json, Message, Room
from demo.botapi.profiles import Profile
from demo.botapi.talking import Talking


@dataclass(frozen=True, slots=True)
class Said:
    """A result with a description, as setWebhook gives."""

    result: Any
    description: str


@dataclass(frozen=True, slots=True)
class Call:
    """One call of one bot."""

    world: World
    talking: Talking
    bot: Bot
    parameters: Parameters

    @property
    def profile(self) -> Profile:
        """The calling bot's profile."""
        return self.world.profiles[self.bot.id]

    @property
    def inbox(self) -> Inbox:
        """The calling bot's updates."""
        return self.world.inboxes[self.bot.id]

    def room(self) -> Room:
        """Return the room of `chat_id`. Raises ApiError as Telegram does."""
        return self.world.room_for(self.bot, self.parameters.text("chat_id").strip())

    def message(self, room: Room, missing: str) -> Message:
        """Return the message of `message_id`. Raises ApiError 400 that says `missing`."""
        if "message_id" not in self.parameters:
            raise bad_request("message identifier is not specified")
        message = self.world.message(room, self.parameters.integer("message_id"))
        if message is None:
            raise bad_request(missing)
        return message

    def text(self) -> tuple[str, tuple[Json, ...]]:
        """Return the text and entities of the call, parsed by `parse_mode` or as given."""
        source = self.parameters.text("text")
        mode = self.parameters.text("parse_mode").lower()
        if not mode or mode == "none":
            return formatted(source, self.parameters.sequence("entities") or ())
        if mode != "html":
            raise bad_request("unsupported parse_mode")
        plain, entities = parse_html(source)
        return formatted(plain, entities)


Method = Callable[[Call], Any]
