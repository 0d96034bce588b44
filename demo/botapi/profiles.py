"""What a bot says of itself: command lists, menu button, descriptions."""

from typing import Any

from demo.botapi.errors import bad_request
from demo.botapi.people import Json

_SCOPES = (
    "default",
    "all_private_chats",
    "all_group_chats",
    "all_chat_administrators",
    "chat",
    "chat_administrators",
    "chat_member",
)


def scope_key(scope: Json | None) -> str:
    """Return a scope as a key. Raises ApiError 400 for a scope Telegram does not know."""
    kind = (scope or {}).get("type", "default")
    if kind not in _SCOPES:
        raise bad_request("can't parse BotCommandScope: Unsupported type specified")
    chat = (scope or {}).get("chat_id", "")
    user = (scope or {}).get("user_id", "")
    if kind.startswith("chat") and not chat:
        raise bad_request("chat_id is empty")
    return f"{kind}:{chat}:{user}" if chat else kind


class Profile:
    """The public face of one bot."""

    def __init__(self) -> None:
        self.commands: dict[tuple[str, str], list[Json]] = {}
        """(scope, language) → commands."""
        self.menu_buttons: dict[int, Json] = {}
        """Private chat id → button; 0 holds the default."""
        self.texts: dict[tuple[str, str], str] = {}
        """(what, language) → text, for `name`, `description` and `short_description`."""

    def menu_button(self, chat_id: int) -> Json:
        """Return the menu button a chat shows."""
        return self.menu_buttons.get(chat_id) or self.menu_buttons.get(0) or {"type": "commands"}

    def text(self, what: str, language: str, default: str = "") -> str:
        """Return a text in a language, or that of all languages."""
        return self.texts.get((what, language)) or self.texts.get((what, "")) or default

    def shown_commands(self, *, room_kind: str, chat_id: int, language: str) -> list[Json]:
        """Return the commands a person sees in a chat: the narrowest scope that has any, own language first.

        Source: core.telegram.org/bots/api#determining-list-of-commands.
        """
        wide = "all_private_chats" if room_kind == "private" else "all_group_chats"
        for scope in (f"chat:{chat_id}:", wide, "default"):
            for spoken in (language, ""):
                if (scope, spoken) in self.commands:
                    return self.commands[scope, spoken]
        return []


def checked_commands(values: list[Any] | None) -> list[Json]:
    """Return the commands of setMyCommands.

    Raises ApiError 400 for more than 100, a bad name (1–32 of a–z, 0–9, _) or a description of 0 or over 256 letters.
    """
    if values is None:
        raise bad_request('parameter "commands" is required')
    if len(values) > 100:
        raise bad_request("BOT_COMMANDS_TOO_MUCH")
    commands = []
    for value in values:
        if not isinstance(value, dict):
            raise bad_request("can't parse BotCommand: expected an Object")
        name = str(value.get("command", "")).strip().removeprefix("/").lower()
        text = str(value.get("description", "")).strip()
        if not name or len(name) > 32 or not name.replace("_", "a").isalnum() or not name.isascii():
            raise bad_request("BOT_COMMAND_INVALID")
        if not text or len(text) > 256:
            raise bad_request("BOT_COMMAND_DESCRIPTION_INVALID")
        kept: Json = {"command": name, "description": text}
        if value.get("is_ephemeral"):
            kept["is_ephemeral"] = True
        commands.append(kept)
    return commands
