"""Text and its entities: offsets in UTF-16 code units, bounds, nesting, and what Telegram finds by itself."""

import re
from collections.abc import Iterable
from typing import Any

from demo.botapi.errors import bad_request
from demo.botapi.people import Json

MAX_TEXT_UNITS = 4096
"""Most UTF-16 code units of a message, counted after entities were parsed."""

_EXTRA_FIELD = {
    "text_link": "url",
    "text_mention": "user",
    "custom_emoji": "custom_emoji_id",
    "date_time": "unix_time",
}
_KINDS = frozenset(
    {
        "mention",
        "hashtag",
        "cashtag",
        "bot_command",
        "url",
        "email",
        "phone_number",
        "bold",
        "italic",
        "underline",
        "strikethrough",
        "spoiler",
        "blockquote",
        "expandable_blockquote",
        "code",
        "pre",
        "text_link",
        "text_mention",
        "custom_emoji",
        "date_time",
    }
)
_AUTOMATIC = frozenset(
    {
        "mention",
        "hashtag",
        "cashtag",
        "bot_command",
        "url",
        "email",
        "phone_number",
    }
)
_QUOTES = frozenset({"blockquote", "expandable_blockquote"})
_SOLID = frozenset({"code", "pre"})
_MAX_ENTITIES = 100

_FOUND = (
    ("url", re.compile(r"(?<![\w@./])(?:https?://|www\.)[^\s<>\"']*[^\s<>\"'.,;:!?)\]]")),
    ("email", re.compile(r"(?<![\w.])[\w.+-]+@[\w-]+(?:\.[\w-]+)*\.[a-z]{2,}\b", re.IGNORECASE)),
    ("bot_command", re.compile(r"(?<![\w/<>])/[A-Za-z0-9_]{1,64}(?:@[A-Za-z0-9_]{3,32})?(?![\w/])")),
    ("mention", re.compile(r"(?<![\w@])@[A-Za-z][A-Za-z0-9_]{3,31}\b")),
    ("hashtag", re.compile(r"(?<![\w#])#(?=\w*[^\W\d_])\w+")),
)


def units(text: str) -> int:
    """Return how many UTF-16 code units the text takes, the measure of Telegram's offsets."""
    return len(text) + sum(ord(character) > 0xFFFF for character in text)


def boundaries(text: str) -> set[int]:
    """Return every UTF-16 offset at which a character begins or the text ends."""
    found, offset = {0}, 0
    for character in text:
        offset += 2 if ord(character) > 0xFFFF else 1
        found.add(offset)
    return found


def formatted(text: str, given: Iterable[Any]) -> tuple[str, tuple[Json, ...]]:
    """Return the text and entities that Telegram would store for a message.

    Trailing white space goes, entities are clipped to the text, intersecting ones are split, what lies inside code is
    dropped, and links, commands, mentions and hashtags are found.
    Raises ApiError 400 for an empty or too long text and for entities that cannot be.
    """
    checked = [_checked(entity, text) for entity in given]
    if not text:
        raise bad_request("message text is empty")
    text = text.rstrip()
    if not text:
        raise bad_request("text must be non-empty")
    if units(text) > MAX_TEXT_UNITS:
        raise bad_request("message is too long")
    end = units(text)
    clipped = [
        entity | {"length": min(entity["length"], end - entity["offset"])}
        for entity in checked
        if entity["length"] > 0 and entity["offset"] < end and entity["type"] not in _AUTOMATIC
    ]
    nested = _nested(clipped)[:_MAX_ENTITIES]
    return text, tuple(sorted(nested + _found(text, nested), key=_order))


def _checked(entity: Any, text: str) -> Json:
    if not isinstance(entity, dict):
        raise bad_request("can't parse entities: expected an Object as entity")
    kind = entity.get("type")
    if kind not in _KINDS:
        raise bad_request("can't parse MessageEntity: Unsupported type specified")
    offset, length = entity.get("offset"), entity.get("length")
    for name, value in (("offset", offset), ("length", length)):
        if not isinstance(value, int) or isinstance(value, bool):
            raise bad_request(f'can\'t parse MessageEntity: Field "{name}" must be of type Number')
        if not 0 <= value <= 1_000_000:
            raise bad_request(f"receive an entity with incorrect {name} {value}")
    assert isinstance(offset, int)
    assert isinstance(length, int)
    end = units(text)
    if offset + length > end:
        raise bad_request(
            f"entity beginning at UTF-16 offset {offset} ends after the end of the text at UTF-16 offset {end}"
        )
    cuts = boundaries(text)
    if offset not in cuts:
        raise bad_request(f"entity begins in a middle of a UTF-16 symbol at UTF-16 offset {offset}")
    if offset + length not in cuts:
        raise bad_request(f"entity ends in a middle of a UTF-16 symbol at UTF-16 offset {offset + length}")
    extra = _EXTRA_FIELD.get(kind)
    if extra is not None and extra not in entity:
        raise bad_request(f"can't parse MessageEntity: Can't find field \"{extra}\"")
    kept = ("type", "offset", "length", "url", "user", "language", "custom_emoji_id", "unix_time", "date_time_format")
    return {name: entity[name] for name in kept if entity.get(name) is not None}


def _order(entity: Json) -> tuple[int, int, str]:
    return entity["offset"], -entity["length"], entity["type"]


def _nested(entities: list[Json]) -> list[Json]:
    """Return the entities with intersections split, so that any two are apart or one within the other."""
    kept: list[Json] = []
    waiting = sorted(entities, key=_order)
    while waiting:
        entity = waiting.pop(0)
        start, end = entity["offset"], entity["offset"] + entity["length"]
        over = [other for other in kept if other["offset"] <= start < other["offset"] + other["length"]]
        cut = min((other["offset"] + other["length"] for other in over), default=end)
        if cut < end:
            waiting = sorted(
                [entity | {"length": cut - start}, entity | {"offset": cut, "length": end - cut}, *waiting], key=_order
            )
            continue
        kinds = {other["type"] for other in over}
        if kinds & _SOLID or entity["type"] in kinds or (entity["type"] in _QUOTES and kinds & _QUOTES):
            continue
        kept.append(entity)
    return kept


def _found(text: str, explicit: list[Json]) -> list[Json]:
    """Return the entities Telegram finds in plain text, where code, links and earlier finds leave room."""
    taken = [
        (entity["offset"], entity["offset"] + entity["length"])
        for entity in explicit
        if entity["type"] in _SOLID or entity["type"] in _EXTRA_FIELD
    ]
    found: list[Json] = []
    for kind, pattern in _FOUND:
        for match in pattern.finditer(text):
            start = units(text[: match.start()])
            end = start + units(match.group())
            if all(end <= left or right <= start for left, right in taken):
                taken.append((start, end))
                found.append({"type": kind, "offset": start, "length": end - start})
    return found
