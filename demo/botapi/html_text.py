"""`parse_mode=HTML`: Telegram's small HTML to text and entities."""

import re
from html import unescape
from typing import Any

from demo.botapi.entities import units
from demo.botapi.errors import bad_request
from demo.botapi.people import Json

_TAGS = {
    "b": "bold",
    "strong": "bold",
    "i": "italic",
    "em": "italic",
    "u": "underline",
    "ins": "underline",
    "s": "strikethrough",
    "strike": "strikethrough",
    "del": "strikethrough",
    "tg-spoiler": "spoiler",
    "code": "code",
    "pre": "pre",
    "blockquote": "blockquote",
    "a": "text_link",
    "span": "spoiler",
    "tg-emoji": "custom_emoji",
    "tg-time": "date_time",
}
_TAG = re.compile(r"<(/?)([A-Za-z0-9-]*)((?:\s+[^<>]*)?)>")
_ATTRIBUTE = re.compile(r"([a-zA-Z0-9_-]+)(?:\s*=\s*(?:\"([^\"]*)\"|'([^']*)'|([^\s\"'>]+)))?")


def parse_html(source: str) -> tuple[str, list[Json]]:
    """Return the plain text and the entities of Telegram's HTML.

    Raises ApiError 400 in Telegram's words: unsupported tag, unmatched or missing end tag.
    """
    text, entities = "", []
    open_tags: list[tuple[str, Json]] = []
    position = 0
    while position < len(source):
        if source[position] != "<":
            end = source.find("<", position)
            end = len(source) if end < 0 else end
            text += unescape(source[position:end])
            position = end
            continue
        match = _TAG.match(source, position)
        at = len(source[:position].encode())
        if match is None:
            word = re.match(r"</?([A-Za-z0-9-]*)", source[position:])
            name = word.group(1).lower() if word else ""
            if name in _TAGS:
                raise bad_request(f"can't parse entities: Unclosed start tag at byte offset {at}")
            raise bad_request(f'can\'t parse entities: Unsupported start tag "{name}" at byte offset {at}')
        name = match.group(2).lower()
        if match.group(1):
            if not open_tags:
                raise bad_request(f"can't parse entities: Unexpected end tag at byte offset {at}")
            expected, entity = open_tags.pop()
            if name != expected:
                raise bad_request(
                    f"can't parse entities: Unmatched end tag at byte offset {at},"
                    f' expected "</{expected}>", found "</{name}>"'
                )
            entity["length"] = units(text) - entity["offset"]
            if entity["length"] and entity["type"]:
                entities.append(entity)
        else:
            if name not in _TAGS:
                raise bad_request(f'can\'t parse entities: Unsupported start tag "{name}" at byte offset {at}')
            open_tags.append((name, _opened(name, match.group(3), units(text), at, open_tags)))
        position = match.end()
    if open_tags:
        raise bad_request(f"can't parse entities: Can't find end tag corresponding to start tag \"{open_tags[-1][0]}\"")
    return text, entities


def _opened(name: str, attributes: str, offset: int, at: int, outer: list[tuple[str, Json]]) -> Json:
    values: dict[str, str] = {
        match.group(1).lower(): unescape(next((part for part in match.groups()[1:] if part is not None), ""))
        for match in _ATTRIBUTE.finditer(attributes)
    }
    entity: dict[str, Any] = {"type": _TAGS[name], "offset": offset}
    if name == "a":
        # An <a> whose address is no address is plain text to Telegram.
        entity |= (
            {"url": values["href"]} if re.match(r"(https?|tg|mailto|tel):", values.get("href", "")) else {"type": ""}
        )
    elif name == "span" and values.get("class") != "tg-spoiler":
        raise bad_request(f'can\'t parse entities: Tag "span" must have class "tg-spoiler" at byte offset {at}')
    elif name == "blockquote" and "expandable" in values:
        entity["type"] = "expandable_blockquote"
    elif name == "tg-emoji":
        entity["custom_emoji_id"] = values.get("emoji-id", "")
    elif name == "tg-time":
        entity |= {"unix_time": int(values.get("unix", "0") or 0)}
        if values.get("format"):
            entity["date_time_format"] = values["format"]
    elif name == "code" and outer and outer[-1][0] == "pre" and values.get("class", "").startswith("language-"):
        # <pre><code class="language-x"> is one block with a language.
        outer[-1][1]["language"] = values["class"].removeprefix("language-")
        entity["type"] = ""
    return entity
