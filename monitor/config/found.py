"""What was found about the watched stack without being told: each thing, how it was found, or why not."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any

from checks.redaction import redact
from monitor.config.settings import Settings


class Sight(StrEnum):
    """How the newest look for a thing ended."""

    UNASKED = "unasked"
    """The setting that would let us look is not given."""
    UNREACHED = "unreached"
    """Nobody could look: what was known before still holds."""
    ABSENT = "absent"
    """We looked, and it is not there."""
    FOUND = "found"


class Keep(StrEnum):
    """What becomes of a thing that was there once."""

    EACH = "each"
    """A set that only grows: a member that vanished stays expected until its removal is accepted."""
    FIRST = "first"
    """One value that stays expected when another is seen in its place, until that is accepted."""
    NUMBER = "number"
    """A set of which only the size is expected: names change with each deploy."""
    LAST = "last"
    """The newest value counts."""


@dataclass(frozen=True, slots=True)
class Thing:
    """One thing about the stack."""

    sight: Sight = Sight.UNASKED
    values: tuple[str, ...] = ()
    """What is expected. Never a secret when it is stored, see `Found.storable`."""
    how: str = ""
    """Where it was found, e.g. `GET /openapi.json`."""
    why: str = ""
    """Why it was not found by the newest look."""
    setting: str = ""
    """The one setting that would add it, where it was not found."""
    gone: tuple[str, ...] = ()
    """Those of `values` that were not there when we last could look."""
    instead: tuple[str, ...] = ()
    """What was seen in the place of one expected value."""
    notes: tuple[str, ...] = ()
    """Words for people about each of the values, in their order; or none."""

    @property
    def value(self) -> str | None:
        """Return the only value, or None."""
        return self.values[0] if self.values else None


Add = Callable[[Mapping[str, Thing]], None]
"""How a look hands on what it has found so far."""


@dataclass(frozen=True, slots=True)
class About:
    """What a thing is."""

    title: str
    source: str
    """The setting whose target tells it."""
    keep: Keep
    is_one: bool = False
    """One value, not a set."""


NOTHING = Thing()


@dataclass(frozen=True, slots=True)
class Found:
    """Everything that was found. An empty one is what nobody has looked for yet."""

    health_url: Thing = NOTHING
    ready_url: Thing = NOTHING
    version_url: Thing = NOTHING
    openapi_path: Thing = NOTHING
    routers: Thing = NOTHING
    login_url: Thing = NOTHING
    login_method: Thing = NOTHING
    login_form: Thing = NOTHING
    migrations: Thing = NOTHING
    bot_id: Thing = NOTHING
    bot_username: Thing = NOTHING
    webhook_url: Thing = NOTHING
    commands: Thing = NOTHING
    miniapp_url: Thing = NOTHING
    bot_health_url: Thing = NOTHING
    modules: Thing = NOTHING
    nodes: Thing = NOTHING
    queues: Thing = NOTHING
    tasks: Thing = NOTHING
    result_backend: Thing = NOTHING
    schedule: Thing = NOTHING
    timezone: Thing = NOTHING
    heartbeat: Thing = NOTHING
    targets: Mapping[str, str] = field(default_factory=dict)
    """Setting → what it led to, without secrets: things found at another target are forgotten."""

    def thing(self, name: str) -> Thing:
        """Return one of them by its name. Raises AttributeError for a name that is none."""
        thing = getattr(self, name)
        assert isinstance(thing, Thing)
        return thing

    def things(self) -> dict[str, Thing]:
        """Return all of them by name."""
        return {name: self.thing(name) for name in ABOUT}

    def with_things(self, things: Mapping[str, Thing]) -> "Found":
        """Return it with these things in the place of those of the same names."""
        changes: dict[str, Any] = dict(things)
        return replace(self, **changes)

    @property
    def is_settled(self) -> bool:
        """Say whether every target that is configured could be looked at."""
        return all(thing.sight is not Sight.UNREACHED for thing in self.things().values())

    @property
    def vanished(self) -> dict[str, tuple[str, ...]]:
        """Return by name what is expected and was not there when we last could look."""
        return {name: thing.gone for name, thing in self.things().items() if thing.gone}

    @property
    def storable(self) -> "Found":
        """Return it without what holds a secret, such as a webhook whose path is the token."""
        clean = {
            name: Thing(Sight.UNREACHED, how=thing.how, why="not kept: it holds a secret")
            for name, thing in self.things().items()
            if any(redact(text) != text for text in (*thing.values, *thing.instead, *thing.notes))
        }
        return self.with_things(clean)


ABOUT: Mapping[str, About] = {
    "health_url": About("health endpoint", "API_URL", Keep.FIRST, is_one=True),
    "ready_url": About("readiness endpoint", "API_URL", Keep.FIRST, is_one=True),
    "version_url": About("version endpoint", "API_URL", Keep.FIRST, is_one=True),
    "openapi_path": About("OpenAPI document", "API_URL", Keep.FIRST, is_one=True),
    "routers": About("routers", "API_URL", Keep.EACH),
    "login_url": About("Mini App login", "API_URL", Keep.FIRST, is_one=True),
    "login_method": About("that login's method", "API_URL", Keep.FIRST, is_one=True),
    "login_form": About("how it takes init data", "API_URL", Keep.FIRST, is_one=True),
    "migrations": About("migration head", "DATABASE_URL", Keep.LAST),
    "bot_id": About("bot id", "BOT_TOKEN", Keep.FIRST, is_one=True),
    "bot_username": About("bot name", "BOT_TOKEN", Keep.FIRST, is_one=True),
    "webhook_url": About("webhook", "BOT_TOKEN", Keep.FIRST, is_one=True),
    "commands": About("commands", "BOT_TOKEN", Keep.EACH),
    "miniapp_url": About("Mini App page", "BOT_TOKEN", Keep.FIRST, is_one=True),
    "bot_health_url": About("the bot's health endpoint", "BOT_TOKEN", Keep.FIRST, is_one=True),
    "modules": About("bot modules", "BOT_TOKEN", Keep.EACH),
    "nodes": About("workers", "REDIS_URL", Keep.NUMBER),
    "queues": About("consumed queues", "REDIS_URL", Keep.EACH),
    "tasks": About("registered tasks", "REDIS_URL", Keep.EACH),
    "result_backend": About("result backend", "REDIS_URL", Keep.LAST, is_one=True),
    "schedule": About("beat schedule", "REDIS_URL", Keep.EACH),
    "timezone": About("beat's time zone", "REDIS_URL", Keep.LAST, is_one=True),
    "heartbeat": About("beat's heartbeat entry", "REDIS_URL", Keep.FIRST, is_one=True),
}
"""Every thing there is, in the order in which it is shown."""


def joined(before: Found, look: Found) -> Found:
    """Return what is known after a look: what vanished stays expected, what is new is added."""
    things: dict[str, Thing] = {}
    for name, new in look.things().items():
        about = ABOUT[name]
        old = before.thing(name)
        is_other_target = before.targets.get(about.source) != look.targets.get(about.source)
        is_forgotten = new.sight is Sight.UNASKED or is_other_target
        things[name] = new if is_forgotten else _joined(old, new, about.keep)
    return look.with_things(things)


def _joined(old: Thing, new: Thing, keep: Keep) -> Thing:
    if new.sight is Sight.UNREACHED:
        if old.values:
            return replace(old, sight=Sight.UNREACHED, why=new.why, setting=new.setting)
        return old if old.sight is Sight.ABSENT else new
    if new.sight is Sight.ABSENT:
        if keep is Keep.LAST or not old.values:
            return new
        return replace(new, values=old.values, how=old.how, notes=old.notes, gone=old.values)
    if keep is Keep.LAST or not old.values or old.values == new.values:
        return new
    if keep is Keep.FIRST:
        return replace(old, sight=Sight.FOUND, why="", gone=old.values, instead=new.values)
    missing = tuple(value for value in old.values if value not in new.values)
    if keep is Keep.NUMBER:
        missing = missing[: max(0, len(old.values) - len(new.values))]
    notes = dict(zip(old.values, old.notes, strict=False)) | dict(zip(new.values, new.notes, strict=False))
    values = tuple(sorted({*missing, *new.values}))
    return replace(new, values=values, gone=missing, notes=tuple(notes[value] for value in values if value in notes))


def accepted(found: Found) -> Found:
    """Return it with every change as the new expectation: what vanished is no longer missed."""
    return found.with_things({name: _accepted(thing) for name, thing in found.things().items()})


def _accepted(thing: Thing) -> Thing:
    if not thing.gone:
        return thing
    kept = [index for index, value in enumerate(thing.values) if value not in thing.gone]
    values = tuple(thing.values[index] for index in kept) or thing.instead
    notes = tuple(thing.notes[index] for index in kept) if len(thing.notes) == len(thing.values) else ()
    return replace(thing, values=values, gone=(), instead=(), notes=notes)


def completed(settings: Settings, found: Found) -> Settings:
    """Return the settings with found values where none is given, for each setting that is named as the thing is."""
    given = {
        name: thing.value
        for name, thing in found.things().items()
        if name in Settings.model_fields and thing.value and getattr(settings, name) is None
    }
    return settings.model_copy(update=given) if given else settings
