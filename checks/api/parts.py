"""Reads a health endpoint's JSON: the service's own condition, and that of each part it names."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from checks.wording import shortened


class Condition(StrEnum):
    """What a word in a health body means."""

    UP = "up"
    DEGRADED = "degraded"
    DOWN = "down"


@dataclass(frozen=True, slots=True)
class Part:
    """One part that the body names."""

    name: str
    condition: Condition
    said: str
    """The body's own word."""


@dataclass(frozen=True, slots=True)
class Health:
    """What a body says; empty when it is not JSON or says nothing about health."""

    own: Condition | None = None
    parts: tuple[Part, ...] = ()

    def parts_in(self, condition: Condition) -> tuple[str, ...]:
        """Return the names of the parts in this condition, in the body's order."""
        return tuple(part.name for part in self.parts if part.condition is condition)


def _all(words: str, condition: Condition) -> dict[str, Condition]:
    return dict.fromkeys(words.split(), condition)


_WORDS: Mapping[str, Condition] = {
    **_all("ok okay up healthy pass passed passing true alive ready connected available online", Condition.UP),
    **_all("operational running success serving green", Condition.UP),
    **_all(
        "degraded warn warning slow partial impaired unstable yellow starting initializing loading", Condition.DEGRADED
    ),
    **_all("down fail failed failing failure error errored unhealthy false dead disconnected", Condition.DOWN),
    **_all("unavailable offline critical unreachable outage timeout not not_ready ko red", Condition.DOWN),
}
"""The first word of a value → its meaning (`error: connection refused` is down)."""

_OWN_KEYS = ("status", "state", "health", "healthy", "ok", "success", "alive", "up")
"""Where an object says its own condition, most telling first."""

_CONTAINERS = re.compile(
    r"(?i)(health_?)?checks|components|dependencies|services|subsystems|details|parts|entries|results|info|error"
)
"""Keys whose values are parts, not a part themselves."""

_PARTS = re.compile(r"(?i)^(db|database|postgres|postgresql|sql|redis|valkey|cache|broker|queue|celery|worker|beat|bot"
                    r"|telegram|webhook|storage|s3|disk|api|migrations|scheduler)(_.*)?$")  # fmt: skip
"""Names of parts for which a bare true or false is a condition; elsewhere it may be any flag."""

_DEPTH = 4


def health_of(body: str) -> Health:
    """Return what `body` says about health."""
    try:
        content = json.loads(body)
    except ValueError:
        return Health()
    if not isinstance(content, dict):
        return Health()
    parts: dict[str, Part] = {}
    for part in _parts(content, is_container=False, depth=_DEPTH):
        known = parts.get(part.name)
        if known is None or _worse(part.condition, known.condition):
            parts[part.name] = part
    own = _own(content)
    return Health(own[0] if own else None, tuple(parts.values()))


def _parts(content: dict[str, Any], *, is_container: bool, depth: int) -> Iterator[Part]:
    if depth == 0:
        return
    for key, value in content.items():
        if _CONTAINERS.fullmatch(key) and isinstance(value, dict):
            yield from _parts(value, is_container=True, depth=depth - 1)
        elif _CONTAINERS.fullmatch(key) and isinstance(value, list):
            yield from _named_items(value)
        elif is_container or key.lower() not in _OWN_KEYS:
            yield from _part(key, value, is_sure=is_container or _PARTS.match(key) is not None, depth=depth)


def _named_items(items: list[Any]) -> Iterator[Part]:
    """Yield the parts of a list of objects that carry their name."""
    for item in items:
        name = item.get("name") or item.get("component") if isinstance(item, dict) else None
        own = _own(item) if name else None
        if own is not None:
            yield Part(shortened(str(name), 40), *own)


def _part(key: str, value: Any, *, is_sure: bool, depth: int) -> Iterator[Part]:
    name = shortened(key, 40)
    if isinstance(value, list):
        # The health+json draft: one list of observations for each part.
        owns = [own for item in value if isinstance(item, dict) and (own := _own(item)) is not None]
        if owns:
            worst = max(owns, key=lambda own: list(Condition).index(own[0]))
            yield Part(name, *worst)
    elif isinstance(value, dict):
        own = _own(value)
        if own is not None:
            yield Part(name, *own)
        else:
            yield from _parts(value, is_container=is_sure, depth=depth - 1)
    elif isinstance(value, str) or (isinstance(value, bool) and is_sure):
        said = _word(value)
        if said is not None:
            yield Part(name, *said)


def _own(content: dict[str, Any]) -> tuple[Condition, str] | None:
    for key in _OWN_KEYS:
        said = _word(content.get(key))
        if said is not None:
            return said
    return None


def _word(value: Any) -> tuple[Condition, str] | None:
    if not isinstance(value, str | bool):
        return None
    text = str(value).lower()
    first = re.match(r"[a-z_]+", text)
    condition = _WORDS.get(first.group()) if first else None
    return None if condition is None else (condition, shortened(text, 60))


def _worse(one: Condition, other: Condition) -> bool:
    order = list(Condition)
    return order.index(one) > order.index(other)
