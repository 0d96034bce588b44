"""Messages: send, edit, delete, answer a pressed button, show an action."""

from dataclasses import replace

from demo.botapi.errors import bad_request
from demo.botapi.keyboards import inline_keyboard
from demo.botapi.methods.call import Call
from demo.botapi.people import Json, Message, Room

_NOT_MODIFIED = (
    "message is not modified: specified new message content and reply markup are exactly the same as a current"
    " content and reply markup of the message"
)
_ACTIONS = frozenset(
    {
        "typing",
        "upload_photo",
        "record_video",
        "upload_video",
        "record_voice",
        "upload_voice",
        "upload_document",
        "choose_sticker",
        "find_location",
        "record_video_note",
        "upload_video_note",
        "cancel",
    }
)
MAX_TOAST_LETTERS = 200


def send_message(call: Call) -> Json:
    """Send a text."""
    room = call.room()
    text, entities = call.text()
    markup = inline_keyboard(call.parameters.mapping("reply_markup"), room_kind=room.kind)
    topic_id = _topic(call, room)
    reply_to, quote = _reply(call, room)
    call.world.count_send(call.bot, room)
    message = call.world.post(
        room,
        call.bot,
        text=text,
        entities=entities,
        markup=markup,
        reply_to=reply_to,
        quote=quote,
        topic_id=topic_id,
        is_silent=call.parameters.boolean("disable_notification"),
        is_protected=call.parameters.boolean("protect_content"),
    )
    if room.kind != "private":
        call.talking.tell_bots(message)
    return call.world.shown(message)


def _topic(call: Call, room: Room) -> int | None:
    """Return the topic of the call, or None for the general one. Raises ApiError 400 for a lost or closed one."""
    topic_id = call.parameters.integer("message_thread_id")
    if not topic_id:
        return None
    topic = room.topic(topic_id) if room.is_forum else None
    if topic is None:
        raise bad_request("message thread not found")
    if topic.is_closed and call.bot.id not in room.administrators:
        raise bad_request("TOPIC_CLOSED")
    return topic_id


def _reply(call: Call, room: Room) -> tuple[int | None, str]:
    """Return the message answered to and the quoted words. Raises ApiError 400 unless sending without is allowed."""
    given = call.parameters.mapping("reply_parameters") or {}
    message_id = given.get("message_id") or call.parameters.integer("reply_to_message_id")
    if not message_id:
        return None, ""
    may_miss = bool(given.get("allow_sending_without_reply")) or call.parameters.boolean("allow_sending_without_reply")
    replied = call.world.message(room, int(message_id))
    if replied is None:
        if may_miss:
            return None, ""
        raise bad_request("message to be replied not found")
    quote = str(given.get("quote", ""))
    if quote not in replied.text:
        raise bad_request("QUOTE_TEXT_INVALID")
    return replied.id, quote


def _own(call: Call, missing: str) -> Message:
    room = call.room()
    message = call.message(room, missing)
    if message.sender != call.bot or message.service:
        raise bad_request("message can't be edited")
    return message


def edit_message_text(call: Call) -> Json:
    """Change the text of an own message; a keyboard that is not given again goes."""
    message = _own(call, "message to edit not found")
    text, entities = call.text()
    room = call.world.rooms[message.room_key]
    markup = inline_keyboard(call.parameters.mapping("reply_markup"), room_kind=room.kind)
    if (text, entities, markup) == (message.text, message.entities, message.markup):
        raise bad_request(_NOT_MODIFIED)
    edited = replace(
        message,
        text=text,
        entities=entities,
        markup=markup,
        edited_at=call.world.now(),
        edits=message.edits + 1,
        earlier_texts=(*message.earlier_texts, message.text)[-50:],
    )
    call.world.put(edited)
    return call.world.shown(edited)


def edit_message_reply_markup(call: Call) -> Json:
    """Change the keyboard of an own message; none given takes it away."""
    message = _own(call, "message to edit not found")
    room = call.world.rooms[message.room_key]
    markup = inline_keyboard(call.parameters.mapping("reply_markup"), room_kind=room.kind)
    if markup == message.markup:
        raise bad_request(_NOT_MODIFIED)
    # A new keyboard shows no "edited" mark in Telegram, though edit_date moves.
    edited = replace(message, markup=markup, edited_at=call.world.now(), edits=message.edits + 1)
    call.world.put(edited)
    return call.world.shown(edited)


def _deletable(call: Call, room: Room, message: Message) -> bool:
    return message.sender == call.bot or room.kind == "private" or call.bot.id in room.administrators


def delete_message(call: Call) -> bool:
    """Delete an own message, or any in a private chat or as administrator."""
    room = call.room()
    message = call.message(room, "message to delete not found")
    if not _deletable(call, room, message):
        raise bad_request("message can't be deleted")
    call.world.remove(message)
    return True


def delete_messages(call: Call) -> bool:
    """Delete up to 100 messages; those that are not there are skipped."""
    room = call.room()
    ids = call.parameters.sequence("message_ids") or []
    if not 1 <= len(ids) <= 100:
        raise bad_request(
            "message identifiers are not specified" if not ids else "too many message identifiers specified"
        )
    for message_id in ids:
        message = call.world.message(room, int(message_id))
        if message is not None and _deletable(call, room, message):
            call.world.remove(message)
    return True


def answer_callback_query(call: Call) -> bool:
    """Answer a pressed button, once and in time, with a toast or an alert of at most 200 letters, or nothing."""
    text = call.parameters.text("text")
    if len(text) > MAX_TOAST_LETTERS:
        raise bad_request("MESSAGE_TOO_LONG")
    press = call.talking.answered(call.bot, call.parameters.text("callback_query_id"))
    call.world.events.publish(
        "answer",
        room=press.room_key,
        message_id=press.message_id,
        person_id=press.person_id,
        callback_query_id=press.id,
        text=text,
        show_alert=call.parameters.boolean("show_alert"),
        url=call.parameters.text("url"),
    )
    return True


def send_chat_action(call: Call) -> bool:
    """Show that the bot is busy."""
    room = call.room()
    action = call.parameters.text("action")
    if action not in _ACTIONS:
        raise bad_request("wrong parameter action in request")
    _topic(call, room)
    call.world.events.publish("action", room=room.key, bot=call.bot.username, action=action)
    return True
