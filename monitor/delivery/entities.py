"""Text for Telegram as values: a text, its entities in UTF-16 units, its buttons. Pure; no markup is ever parsed."""

import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

TEXT_UNITS = 3500
"""The longest text ever sent, in UTF-16 units. Telegram takes 4,096 characters."""

CALLBACK_BYTES = 64
"""What Telegram takes as the data of a button."""

EntityType = Literal["bold", "code", "expandable_blockquote", "text_link", "date_time"]

_JOINERS = "\u200d\ufe0f"
"""Zero-width joiner and emoji presentation: taken out, an emoji falls apart."""


@dataclass(frozen=True, slots=True)
class Entity:
    """One piece of formatting. `offset` and `length` count UTF-16 code units."""

    type: EntityType
    offset: int
    length: int
    url: str | None = None
    """Of a `text_link`."""
    unix_time: int | None = None
    """Of a `date_time`: every reader sees it in their own zone."""
    date_time_format: str | None = None
    """Of a `date_time`: `t` a time, `dt` date and time."""


@dataclass(frozen=True, slots=True)
class Button:
    """One inline button: it either calls back or opens a page."""

    text: str
    callback_data: str | None = None
    url: str | None = None
    app_url: str | None = None
    """The same page as a Mini App, for a private chat: Telegram opens no app from a group."""
    style: Literal["primary", "success", "danger"] | None = None


@dataclass(frozen=True, slots=True)
class Rendered:
    """A message, ready for any channel."""

    text: str
    entities: tuple[Entity, ...] = ()
    buttons: tuple[tuple[Button, ...], ...] = ()


@dataclass(frozen=True, slots=True)
class Span:
    """A piece of text with at most one kind of formatting."""

    text: str
    type: EntityType | None = None
    url: str | None = None
    unix_time: int | None = None
    date_time_format: str | None = None


def units(text: str) -> int:
    """Return the length of `text` in UTF-16 code units."""
    return len(text) + sum(character > "\uffff" for character in text)


def clean(text: str, *, keep_lines: bool = False) -> str:
    """Return `text` without what Telegram refuses or drops (it would move every offset behind it).

    Lone surrogates and control, format and separator characters go; runs of white space become one space. With
    `keep_lines` line breaks stay.
    """
    if keep_lines:
        lines = (clean(line) for line in text.splitlines())
        return "\n".join(line for line in lines if line)
    kept = "".join(_kept(character) for character in text)
    return " ".join(kept.split())


def _kept(character: str) -> str:
    if character.isspace():
        return " "
    if character in _JOINERS:
        return character
    return "" if unicodedata.category(character) in ("Cc", "Cf", "Cs", "Zl", "Zp") else character


def clip(text: str, most_units: int) -> str:
    """Return `text`, or as much of it as fits into `most_units` UTF-16 units with an ellipsis at its end."""
    if units(text) <= most_units:
        return text
    room = most_units - 1
    used = 0
    for index, character in enumerate(text):
        used += units(character)
        if used > room:
            return text[:index].rstrip() + "…"
    return text


def compose(spans: Iterable[Span]) -> tuple[str, tuple[Entity, ...]]:
    """Join spans to one text and its entities."""
    text = ""
    offset = 0
    entities: list[Entity] = []
    for span in spans:
        length = units(span.text)
        if span.type is not None and length:
            entities.append(Entity(span.type, offset, length, span.url, span.unix_time, span.date_time_format))
        text += span.text
        offset += length
    return text, tuple(entities)


def spans_units(spans: Iterable[Span]) -> int:
    """Return the length of all spans in UTF-16 units."""
    return sum(units(span.text) for span in spans)
