"""Chats: what they are, who is in them, their pins and topics."""

from dataclasses import replace

from demo.botapi.errors import bad_request
from demo.botapi.methods.call import Call
from demo.botapi.people import Bot, Json, Person, Room, Topic
from demo.botapi.rendering import chat_full_json, member_json, topic_json

_COLORS = (0x6FB9F0, 0xFFD67E, 0xCB86DB, 0x8EEE98, 0xFF93B2, 0xFB6F5F)


def get_chat(call: Call) -> Json:
    """Return all about a chat, its latest pin included."""
    room = call.room()
    pinned = call.world.message(room, room.pinned[-1]) if room.pinned else None
    return chat_full_json(room, call.world.people.__getitem__, None if pinned is None else call.world.shown(pinned))


def get_chat_member(call: Call) -> Json:
    """Return somebody's place in a chat."""
    room = call.room()
    user = call.world.user(call.parameters.integer("user_id"))
    if user is None:
        raise bad_request("PARTICIPANT_ID_INVALID" if room.kind != "private" else "user not found")
    return member_json(room, user)


def get_chat_member_count(call: Call) -> int:
    """Return how many people and bots are in a chat."""
    room = call.room()
    return len(room.people) + len(room.bots)


def get_chat_administrators(call: Call) -> list[Json]:
    """Return the owners and the administrators that are no other bots, as Telegram does."""
    room = call.room()
    if room.kind == "private":
        raise bad_request("there are no administrators in the private chat")
    users: list[Person | Bot] = [person for person in call.world.people.values() if person.is_operator]
    users += [call.bot] if call.bot.id in room.administrators else []
    return [member_json(room, user) for user in users if user.id in room.people | room.bots]


def _check_may_pin(call: Call, room: Room) -> None:
    if room.kind != "private" and call.bot.id not in room.administrators:
        raise bad_request("not enough rights to manage pinned messages in the chat")


def pin_chat_message(call: Call) -> bool:
    """Pin a message; a notice appears in the chat."""
    room = call.room()
    _check_may_pin(call, room)
    message = call.message(room, "message to pin not found")
    if message.id in room.pinned[-1:]:
        return True
    others = tuple(pin for pin in room.pinned if pin != message.id)
    call.world.change(replace(room, pinned=(*others, message.id)))
    call.world.post(
        call.world.rooms[room.key],
        call.bot,
        topic_id=message.topic_id,
        service={"pinned_message": call.world.shown(message)},
        is_silent=call.parameters.boolean("disable_notification"),
    )
    return True


def unpin_chat_message(call: Call) -> bool:
    """Unpin a message, or the latest pin when none is named."""
    room = call.room()
    _check_may_pin(call, room)
    wanted = call.parameters.integer("message_id") or (room.pinned[-1] if room.pinned else 0)
    if wanted not in room.pinned:
        raise bad_request("message to unpin not found")
    call.world.change(replace(room, pinned=tuple(pin for pin in room.pinned if pin != wanted)))
    return True


def unpin_all_chat_messages(call: Call) -> bool:
    """Unpin everything."""
    room = call.room()
    _check_may_pin(call, room)
    call.world.change(replace(room, pinned=()))
    return True


def _forum(call: Call) -> Room:
    room = call.room()
    if not room.is_forum:
        raise bad_request("the chat is not a forum")
    if call.bot.id not in room.administrators:
        raise bad_request("not enough rights to create a topic")
    return room


def _topic_name(call: Call) -> str:
    name = call.parameters.text("name").strip()
    if not 1 <= len(name) <= 128:
        raise bad_request("TOPIC_TITLE_EMPTY" if not name else "topic name is too long")
    return name


def create_forum_topic(call: Call) -> Json:
    """Create a topic; its id is the id of the notice that tells of it."""
    room = _forum(call)
    name = _topic_name(call)
    color = call.parameters.integer("icon_color", _COLORS[0])
    if color not in _COLORS:
        raise bad_request("invalid forum topic icon color specified")
    notice = call.world.post(room, call.bot, service={"forum_topic_created": {"name": name, "icon_color": color}})
    topic = Topic(notice.id, name, color)
    call.world.change(replace(room, topics=(*room.topics, topic)))
    call.world.put(replace(notice, topic_id=topic.id))
    return topic_json(topic)


def _change_topic(call: Call, became: Topic | None) -> bool:
    room = _forum(call)
    topic_id = call.parameters.integer("message_thread_id")
    kept = tuple(topic for topic in room.topics if topic.id != topic_id)
    call.world.change(replace(room, topics=kept if became is None else (*kept, became)))
    return True


def _topic(call: Call) -> Topic:
    topic = _forum(call).topic(call.parameters.integer("message_thread_id"))
    if topic is None:
        raise bad_request("message thread not found")
    return topic


def edit_forum_topic(call: Call) -> bool:
    """Rename a topic."""
    topic = _topic(call)
    return _change_topic(call, replace(topic, name=_topic_name(call)))


def close_forum_topic(call: Call) -> bool:
    """Close a topic: only administrators write in it."""
    topic = _topic(call)
    if topic.is_closed:
        raise bad_request("TOPIC_NOT_MODIFIED")
    return _change_topic(call, replace(topic, is_closed=True))


def reopen_forum_topic(call: Call) -> bool:
    """Open a closed topic."""
    topic = _topic(call)
    if not topic.is_closed:
        raise bad_request("TOPIC_NOT_MODIFIED")
    return _change_topic(call, replace(topic, is_closed=False))


def delete_forum_topic(call: Call) -> bool:
    """Delete a topic with all its messages."""
    topic = _topic(call)
    for message in call.world.messages(call.room()):
        if message.topic_id == topic.id:
            call.world.remove(message)
    return _change_topic(call, None)
