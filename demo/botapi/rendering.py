"""From the world's values to the objects of the Bot API."""

from collections.abc import Callable
from datetime import datetime

from demo.botapi.people import Bot, Json, Message, Person, Room, Topic

ADMINISTRATOR_RIGHTS: Json = {
    "can_be_edited": False,
    "is_anonymous": False,
    "can_manage_chat": True,
    "can_delete_messages": True,
    "can_manage_video_chats": True,
    "can_restrict_members": True,
    "can_promote_members": False,
    "can_change_info": True,
    "can_invite_users": True,
    "can_post_stories": False,
    "can_edit_stories": False,
    "can_delete_stories": False,
    "can_send_welcome_messages": True,
    "can_pin_messages": True,
}

_MEMBER_RIGHTS = (
    "can_send_messages",
    "can_send_audios",
    "can_send_documents",
    "can_send_photos",
    "can_send_videos",
    "can_send_video_notes",
    "can_send_voice_notes",
    "can_send_polls",
    "can_send_other_messages",
    "can_add_web_page_previews",
    "can_change_info",
    "can_invite_users",
    "can_pin_messages",
    "can_manage_topics",
)


def unix(instant: datetime) -> int:
    """Return whole seconds since the epoch."""
    return int(instant.timestamp())


def chat_json(room: Room, people: Callable[[int], Person]) -> Json:
    """Return the Chat object."""
    if room.kind == "private":
        person = people(room.id)
        body: Json = {"id": room.id, "type": "private", "first_name": person.first_name}
        if person.last_name:
            body["last_name"] = person.last_name
        if person.username:
            body["username"] = person.username
        return body
    body = {"id": room.id, "type": room.kind, "title": room.title}
    if room.is_forum:
        body["is_forum"] = True
    return body


def chat_full_json(room: Room, people: Callable[[int], Person], pinned: Json | None) -> Json:
    """Return the ChatFullInfo object of getChat."""
    body = chat_json(room, people) | {
        "accent_color_id": abs(room.id) % 7,
        "max_reaction_count": 11,
        "accepted_gift_types": {
            "unlimited_gifts": False,
            "limited_gifts": False,
            "unique_gifts": False,
            "premium_subscription": False,
            "gifts_from_channels": False,
        },
    }
    if room.kind != "private":
        body["permissions"] = dict.fromkeys(_MEMBER_RIGHTS, True)
    if pinned is not None:
        body["pinned_message"] = pinned
    return body


def member_json(room: Room, user: Person | Bot, *, status: str | None = None) -> Json:
    """Return the ChatMember object; `status` overrules what the room says."""
    if status is None:
        if isinstance(user, Bot):
            inside = user.id in room.bots
            status = "administrator" if user.id in room.administrators else "member" if inside else "left"
        else:
            owner = isinstance(user, Person) and user.is_operator
            status = "left" if user.id not in room.people else "creator" if owner else "member"
        if room.kind == "private" and status in ("creator", "administrator"):
            status = "member"
    body: Json = {"status": status, "user": user.to_api()}
    if status == "administrator":
        body |= ADMINISTRATOR_RIGHTS | ({"can_manage_topics": room.is_forum} if room.kind == "supergroup" else {})
    elif status == "creator":
        body["is_anonymous"] = False
    elif status == "kicked":
        body["until_date"] = 0
    return body


def topic_json(topic: Topic) -> Json:
    """Return the ForumTopic object."""
    return {"message_thread_id": topic.id, "name": topic.name, "icon_color": topic.color}


def message_json(message: Message, chat: Json, replied: Json | None) -> Json:
    """Return the Message object; `replied` is the message answered to, without its own reply."""
    body: Json = {
        "message_id": message.id,
        "from": message.sender.to_api(),
        "chat": chat,
        "date": unix(message.sent_at),
    }
    if message.topic_id is not None:
        body |= {"message_thread_id": message.topic_id, "is_topic_message": True}
    if message.edited_at is not None:
        body["edit_date"] = unix(message.edited_at)
    if replied is not None:
        body["reply_to_message"] = replied
    if message.quote:
        body["quote"] = {"text": message.quote, "position": 0, "is_manual": True}
    if message.is_protected:
        body["has_protected_content"] = True
    if message.service:
        return body | message.service
    body["text"] = message.text
    if message.entities:
        body["entities"] = list(message.entities)
    if message.markup is not None:
        body["reply_markup"] = message.markup
    return body
