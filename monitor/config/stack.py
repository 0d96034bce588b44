"""`monitor.yaml`: what the user says about the stack, checked strictly."""

import difflib
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Self, get_args

import yaml
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator
from pydantic.fields import FieldInfo

from checks.base import Confirm, Recover, Seconds, Severity
from checks.redaction import redact
from monitor.config.clock import ClockTime, Zone
from monitor.engine.morning import NINE, UTC, Morning
from monitor.errors import UsageError


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=False)


class Defaults(_Strict):
    """Settings for every check that does not have its own."""

    interval_seconds: Seconds | None = None
    timeout_seconds: Seconds | None = None
    retry_seconds: Seconds | None = None
    confirm: Confirm | None = None
    recover: Recover | None = None
    severity: Severity | None = None


class Services(_Strict):
    """The names of the watched services, as people know them."""

    api: str = "nexus-api"
    bot: str = "nexus-bot"
    worker: str = "nexus-worker"
    beat: str = "nexus-beat"
    miniapp: str = "nexus-miniapp"
    database: str = "nexus-postgres"
    redis: str = "nexus-redis"


def _target(value: str) -> str:
    host, _, port = value.rpartition(":")
    if not host or not port.isdigit() or not 0 < int(port) <= 65535:
        raise ValueError("must be host:port")
    return value


def _some(values: tuple[str, ...]) -> tuple[str, ...]:
    if not values:
        raise ValueError("must name at least one")
    return values


HostName = Annotated[str, Field(pattern=r"^[A-Za-z0-9_.-]+$", max_length=253)]
Target = Annotated[str, AfterValidator(_target)]


class Vantage(_Strict):
    """How the monitor knows that it can see at all."""

    dns_names: Annotated[tuple[HostName, ...], AfterValidator(_some)] = ("api.telegram.org", "render.com")
    egress_targets: Annotated[tuple[Target, ...], AfterValidator(_some)] = ("1.1.1.1:443", "8.8.8.8:53")
    """host:port of independent hosts that are nearly always there."""


class Incidents(_Strict):
    """The numbers of the incident rules a user may change. Durations in seconds."""

    gate_settle_seconds: float = Field(default=60.0, ge=0, le=600)
    reopen_window_seconds: float = Field(default=900.0, ge=0, le=86_400)
    flap_drops: int = Field(default=3, ge=2, le=1000)
    """So many outages of one check within an hour are one unstable incident."""
    escalate_after_seconds: float = Field(default=600.0, ge=30, le=86_400)
    ack_page_seconds: float = Field(default=3600.0, ge=60, le=86_400)
    ack_warning_seconds: float = Field(default=28_800.0, ge=60, le=7 * 86_400)
    degraded_min_seconds: float = Field(default=300.0, ge=0, le=86_400)
    fallback_after_seconds: float = Field(default=120.0, ge=10, le=3600)
    """A page that waits so long is told by the fallback."""


class TelegramChat(_Strict):
    """One chat that is told."""

    name: str = Field(pattern=r"^[a-z][a-z0-9_-]{0,30}$")
    chat_id: str = Field(pattern=r"^(-?\d+(/\d+)?|@\w+)$", coerce_numbers_to_str=True)
    escalation: bool = False
    """Told only when nobody acknowledged in time."""


class Alerts(_Strict):
    """Who is told, and who may act."""

    chats: tuple[TelegramChat, ...] = ()
    operators: frozenset[int] = frozenset()
    """Numeric Telegram user ids that may acknowledge, silence and look again."""
    viewers: frozenset[int] = frozenset()
    """Numeric Telegram user ids that may ask."""
    board: bool = True
    """Keep one pinned message in each chat that says every minute how things stand."""
    time_zone: Zone = UTC
    """Where the operators live: what `morning` and times given to the bot mean."""
    morning: ClockTime = NINE
    """When their day begins: a silence may end then, and the daily digest comes."""
    digest: bool = True
    """Tell each morning, without a sound, of the warnings of the day before; nothing on a day without any."""

    @property
    def day_begins(self) -> Morning:
        """Return when the operators' day begins."""
        return Morning(self.morning, self.time_zone)

    @model_validator(mode="after")
    def _names_stand_once(self) -> "Alerts":
        names = [chat.name for chat in self.chats]
        for name in names:
            if names.count(name) > 1:
                raise ValueError(f"chats: the name {name!r} stands twice")
        return self


def _word(value: object) -> object:
    return "off" if value is False else value  # YAML reads a bare `off` so


class Deploys(_Strict):
    """How a deploy is followed, and whether it may be rolled back. Durations in seconds."""

    settle_seconds: float = Field(default=75.0, ge=0, le=600)
    """After a deploy is live, before all checks of its service run at once: the old instance still ends."""
    observe_seconds: float = Field(default=120.0, ge=0, le=900)
    """How long they are watched then, before the verdict."""
    rollback: Annotated[Literal["off", "suggest", "auto"], BeforeValidator(_word)] = "off"


class Slo(_Strict):
    """One objective: so much of the time, checks are to be up."""

    name: str = Field(pattern=r"^[a-z][a-z0-9_-]{0,30}$")
    checks: tuple[str, ...] = ()
    """All of them must be up."""
    service: str | None = None
    """Instead of `checks`: all checks of this service."""
    target: float = Field(gt=0, lt=100)
    """In percent."""
    window_days: int = Field(default=30, ge=1, le=90)

    @model_validator(mode="after")
    def _is_about_one_thing(self) -> Self:
        if bool(self.checks) == (self.service is not None):
            raise ValueError("checks: give either checks or a service")
        return self


class StatusPage(_Strict):
    """The public status page: what everybody may see. Without it there is none."""

    title: str = Field(default="", max_length=60)
    """Empty: the stack's name."""
    services: Annotated[tuple[str, ...], AfterValidator(_some)]
    """Services as the checks name them, in the order in which they are shown."""
    names: Mapping[str, str] = {}
    """By service: what people call it."""


class Stack(_Strict):
    """The whole of `monitor.yaml`. Every key has a default; an empty file is a good one."""

    name: str = Field(default="nexus", max_length=40)
    services: Services = Services()
    defaults: Defaults = Defaults()
    checks: Mapping[str, Mapping[str, Any]] = {}
    """By check id: settings of a known check, or a whole check of yours with its `kind`."""
    vantage: Vantage = Vantage()
    incidents: Incidents = Incidents()
    alerts: Alerts = Alerts()
    slo: tuple[Slo, ...] = ()
    status_page: StatusPage | None = None
    deploys: Deploys = Deploys()

    @property
    def rules(self) -> Mapping[str, Any]:
        """The numbers of the engine's rules that are given here."""
        followed = {f"deploy_{name}": getattr(self.deploys, name) for name in ("settle_seconds", "observe_seconds")}
        return {**self.incidents.model_dump(), **followed}


class _OneKeyEach(yaml.SafeLoader):
    """YAML's own rule, which the library does not hold: a key stands once in a mapping."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen: set[str] = set()
        for key, _ in node.value:
            if not isinstance(key, yaml.ScalarNode):
                continue
            if key.value in seen:
                raise yaml.constructor.ConstructorError(None, None, f"{key.value} stands twice", key.start_mark)
            seen.add(key.value)
        return super().construct_mapping(node, deep)


def stack_from(path: Path | None) -> Stack:
    """Read `monitor.yaml`; no path gives the defaults. Raises UsageError, one line for each mistake."""
    return Stack() if path is None else stack_of(_text_of(path), path.name)


def stack_of(text: str, name: str) -> Stack:
    """Parse the text of `monitor.yaml`; `name` opens every line of a UsageError."""
    try:
        return Stack.model_validate(_mapping_of(text, name))
    except ValidationError as error:
        raise UsageError(*(f"{name}: {line}" for line in mistakes(error, Stack))) from None


def read_mapping(path: Path) -> dict[Any, Any]:
    """Read a YAML file that holds a mapping, under YAML's strict rules. Raises UsageError of one line."""
    return _mapping_of(_text_of(path), path.name)


def _text_of(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise UsageError(f"{path}: cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise UsageError(f"{path}: is not a text file in UTF-8") from None


def _mapping_of(text: str, name: str) -> dict[Any, Any]:
    try:
        data = yaml.load(text, _OneKeyEach)  # noqa: S506  a SafeLoader that also refuses repeated keys
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f" line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        raise UsageError(f"{name}:{where} {getattr(error, 'problem', None) or 'is not YAML'}") from None
    except (
        ValueError,
        TypeError,
        RecursionError,
    ) as error:  # a date that is none, a list as a key, a tower of brackets
        raise UsageError(f"{name}: cannot be read as settings: {redact(str(error))}") from None
    if data is None:
        return {}
    if not isinstance(data, dict):
        raise UsageError(f"{name}: must be a mapping of settings, not {_kind_of(data)}")
    return data


def mistakes(error: ValidationError, model: type[BaseModel], prefix: str = "") -> list[str]:
    """Return one line for each mistake: `path: value what is wrong`, with the nearest known name for an unknown key."""
    return [_line(item, model, prefix) for item in error.errors(include_url=False, include_context=False)]


def nearest(word: str, words: "list[str] | tuple[str, ...] | set[str]") -> str:
    """Return `, did you mean X?` for the nearest of `words`, or nothing."""
    near = difflib.get_close_matches(word, sorted(words), n=1)
    return f", did you mean {near[0]}?" if near else ""


def _line(item: Any, model: type[BaseModel], prefix: str) -> str:
    where = [str(part) for part in item["loc"]]
    path = ".".join([prefix, *where] if prefix else where)
    if item["type"] == "extra_forbidden":
        return f"{path}: unknown setting{nearest(where[-1], _fields_at(model, where[:-1]))}"
    message = str(item["msg"]).removeprefix("Value error, ")
    if item["type"] == "value_error" and re.match(r"[a-z_]+: ", message):  # a rule over several fields names its own
        return f"{path}.{message}" if path else message
    value = item.get("input")
    is_shown = isinstance(value, str | int | float | bool) and not _is_secret(model, item["loc"])
    shown = f"{redact(repr(value))} " if is_shown else ""
    return f"{path}: {shown}{plain(message)}"


def plain(message: str) -> str:
    """Return a validator's message as the end of a sentence about a value."""
    for stiff in ("Input should be", "String should be", "Value should be"):
        message = message.replace(stiff, "must be")
    message = message.replace("must be a valid tuple", "must be a list").replace("a valid dictionary", "a mapping")
    message = message.replace("String should", "must").replace("Field required", "is required")
    return message[0].lower() + message[1:]


def _is_secret(model: type[BaseModel], where: tuple[int | str, ...]) -> bool:
    field = model.model_fields.get(str(where[0])) if where else None
    return field is not None and "SecretStr" in repr(field.annotation)


def _fields_at(model: type[BaseModel], path: list[str]) -> list[str]:
    current: type[BaseModel] | None = model
    for part in path:
        field = current.model_fields.get(part) if current else None
        current = _model_in(field) if field else current
    return list(current.model_fields) if current else []


def _model_in(field: FieldInfo) -> type[BaseModel] | None:
    for candidate in (field.annotation, *get_args(field.annotation)):
        if isinstance(candidate, type) and issubclass(candidate, BaseModel):
            return candidate
    return None


def _kind_of(data: object) -> str:
    return {list: "a list", str: "a text", int: "a number", float: "a number"}.get(type(data), type(data).__name__)
