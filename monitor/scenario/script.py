"""A scenario file: a configuration, a timeline of faults and people, and what is expected to be said. Strict."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from monitor.config.stack import mistakes, read_mapping
from monitor.errors import UsageError

Kind = Literal["open", "rise", "reopen", "escalate", "remind", "resolve", "summary"]
"""What the engine says; the verdict of a deploy is said by others."""
AFTER_SECONDS = 1200.0
"""A scenario goes on so long after its last event, unless it says `lasts`."""

_DURATION = re.compile(r"(?=\d)(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?")


def seconds_of(value: object) -> object:
    """Return the seconds of `1h30m`, `90s` or a plain number of seconds."""
    if isinstance(value, str):
        found = _DURATION.fullmatch(value.strip())
        if found is None:
            raise ValueError("must be a duration like 90s, 5m or 1h30m")
        hours, minutes, seconds = (int(part or 0) for part in found.groups())
        return 3600.0 * hours + 60.0 * minutes + seconds
    return value


def _several(value: object) -> object:
    return [value] if isinstance(value, str) else value


Duration = Annotated[float, BeforeValidator(seconds_of), Field(ge=0, le=7 * 86_400)]
Ids = Annotated[tuple[str, ...], BeforeValidator(_several), Field(min_length=1)]


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Moment(_Strict):
    """One line of the timeline: an instant and exactly one thing that happens."""

    at: Duration
    down: Ids | None = None
    """These checks fail, and so does what depends on them."""
    up: Ids | None = None
    degraded: Ids | None = None
    slow: Ids | None = None
    unknown: Ids | None = None
    """Looks at these come back undecided."""
    ack: str | None = None
    """Somebody takes the incident of this check."""
    silence: str | None = None
    """`check:<id>`, `service:<name>` or `subtree:<id>`."""
    deploy: str | None = None
    """A deploy of this service starts."""
    restart: Duration | None = None
    """The monitor is away for so long."""
    only: bool = False
    """With `down`: what depends on it goes on working."""
    lasts: Duration | None = None
    """With `silence`: for how long. Default 1h."""
    live_after: Duration | None = None
    """With `deploy`: when it is live. Default 1m."""
    failed_after: Duration | None = None
    """With `deploy`: when it fails."""

    @model_validator(mode="after")
    def _is_one_thing(self) -> Self:
        said = [name for name in VERBS if getattr(self, name) is not None]
        if len(said) != 1:
            found = " and ".join(said) if said else "nothing"
            raise ValueError(f"must say exactly one of {', '.join(VERBS)}; it says {found}")
        for name, verb in _BELONGS.items():
            if name in self.model_fields_set and verb != said[0]:
                raise ValueError(f"{name}: belongs to {verb}, not to {said[0]}")
        if self.live_after is not None and self.failed_after is not None:
            raise ValueError("failed_after: a deploy goes live or fails, not both")
        return self


VERBS = ("down", "up", "degraded", "slow", "unknown", "ack", "silence", "deploy", "restart")
_BELONGS = {"only": "down", "lasts": "silence", "live_after": "deploy", "failed_after": "deploy"}


class Expected(_Strict):
    """One message that must be said."""

    at: Duration
    kind: Kind
    check: str
    """The root that the message names."""
    chat: str | None = None
    """The chat's name; any chat when absent."""
    within: Duration = 60.0
    """How far from `at` it may be, both ways."""


class Scenario(_Strict):
    """The whole of a scenario file."""

    config: str = "monitor.yaml"
    """The configuration, relative to the scenario's folder."""
    environment: tuple[str, ...] | Mapping[str, str] | None = None
    """The variables that count as given, with or without values; all that describe the stack when absent."""
    timeline: tuple[Moment, ...] = ()
    lasts: Duration | None = None
    expect: tuple[Expected, ...] | None = None
    """All that must be said, and nothing else; an empty list is silence."""

    @property
    def seconds(self) -> float:
        """How long it is played."""
        if self.lasts is not None:
            return self.lasts
        return max((moment.at + (moment.restart or 0.0) for moment in self.timeline), default=0.0) + AFTER_SECONDS


def scenario_from(path: Path) -> Scenario:
    """Read a scenario. Raises UsageError, one line for each mistake."""
    data = read_mapping(path)
    try:
        return Scenario.model_validate(data)
    except ValidationError as error:
        raise UsageError(*(f"{path.name}: {line}" for line in mistakes(error, Scenario))) from None


def values_of(environment: "tuple[str, ...] | Mapping[str, str] | None") -> dict[str, str]:
    """Return the variables that count as given; a name alone gets a value that reaches nothing."""
    if isinstance(environment, Mapping):
        return dict(environment)
    names: tuple[str, ...] = tuple(STANDINS) if environment is None else environment
    unknown = [name for name in names if name not in STANDINS]
    if unknown:
        raise UsageError(*(f"environment: {name} needs a value: write it as {name}: …" for name in unknown))
    return {name: STANDINS[name] for name in names}


STANDINS: dict[str, Any] = {
    "API_URL": "https://api.example",
    "DATABASE_URL": "postgresql://user@db.example/nexus",
    "REDIS_URL": "redis://redis.example:6379/0",
    "BOT_TOKEN": f"111111111:{'A' * 35}",
    "WEBHOOK_URL": "https://bot.example/webhook",
    "MINIAPP_URL": "https://app.example",
    "ALERT_BOT_TOKEN": f"222222222:{'A' * 35}",
    "ALERT_CHAT_ID": "1",
}
"""Values that are good by form and lead nowhere: a scenario opens no connection."""
