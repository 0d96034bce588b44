"""Who a bot is and what it offers: getMe, commands, menu button, descriptions."""

from demo.botapi.errors import bad_request
from demo.botapi.keyboards import check_web_app_url
from demo.botapi.methods.call import Call
from demo.botapi.people import Json
from demo.botapi.profiles import checked_commands, scope_key

_LONGEST = {"name": 64, "description": 512, "short_description": 120}


def get_me(call: Call) -> Json:
    """Return the bot itself."""
    return call.bot.to_get_me()


def _commands_key(call: Call) -> tuple[str, str]:
    language = call.parameters.text("language_code")
    if language and len(language) != 2:
        raise bad_request("invalid language code specified")
    return scope_key(call.parameters.mapping("scope")), language


def set_my_commands(call: Call) -> bool:
    """Set the commands of a scope and language; an empty list deletes them."""
    key = _commands_key(call)
    commands = checked_commands(call.parameters.sequence("commands"))
    if commands:
        call.profile.commands[key] = commands
    else:
        call.profile.commands.pop(key, None)
    call.world.events.publish("profile", bot=call.bot.username)
    return True


def get_my_commands(call: Call) -> list[Json]:
    """Return the commands of exactly that scope and language."""
    return call.profile.commands.get(_commands_key(call), [])


def delete_my_commands(call: Call) -> bool:
    """Delete the commands of a scope and language."""
    call.profile.commands.pop(_commands_key(call), None)
    call.world.events.publish("profile", bot=call.bot.username)
    return True


def set_chat_menu_button(call: Call) -> bool:
    """Set the button beside the text field, for one private chat or for all."""
    button = call.parameters.mapping("menu_button") or {"type": "default"}
    kind = button.get("type")
    if kind not in ("default", "commands", "web_app"):
        raise bad_request("can't parse menu button: Unsupported type specified")
    if kind == "web_app":
        if not str(button.get("text", "")).strip():
            raise bad_request("menu button text must be non-empty")
        url = button["web_app"].get("url") if isinstance(button.get("web_app"), dict) else None
        check_web_app_url(url, "menu button Web App URL")
        button = {"type": "web_app", "text": button["text"], "web_app": {"url": url}}
    chat_id = _private_chat(call)
    if kind == "default":
        call.profile.menu_buttons.pop(chat_id, None)
    else:
        call.profile.menu_buttons[chat_id] = button
    call.world.events.publish("profile", bot=call.bot.username)
    return True


def get_chat_menu_button(call: Call) -> Json:
    """Return the button of one private chat, or the default one."""
    return call.profile.menu_button(_private_chat(call))


def _private_chat(call: Call) -> int:
    if not call.parameters.text("chat_id"):
        return 0
    room = call.room()
    if room.kind != "private":
        raise bad_request("chat_id must be the identifier of a private chat")
    return room.id


def _set_text(call: Call, what: str) -> bool:
    text = call.parameters.text(what)
    if len(text) > _LONGEST[what]:
        raise bad_request(f"bot {what.replace('_', ' ')} is too long")
    key = (what, call.parameters.text("language_code"))
    if text:
        call.profile.texts[key] = text
    else:
        call.profile.texts.pop(key, None)
    return True


def set_my_name(call: Call) -> bool:
    """Set the bot's name."""
    return _set_text(call, "name")


def get_my_name(call: Call) -> Json:
    """Return the bot's name."""
    return {"name": call.profile.text("name", call.parameters.text("language_code"), call.bot.name)}


def set_my_description(call: Call) -> bool:
    """Set the text of the empty chat."""
    return _set_text(call, "description")


def get_my_description(call: Call) -> Json:
    """Return the text of the empty chat."""
    return {"description": call.profile.text("description", call.parameters.text("language_code"))}


def set_my_short_description(call: Call) -> bool:
    """Set the text of the profile page."""
    return _set_text(call, "short_description")


def get_my_short_description(call: Call) -> Json:
    """Return the text of the profile page."""
    return {"short_description": call.profile.text("short_description", call.parameters.text("language_code"))}
