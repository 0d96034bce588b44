"""The JSON that says which bots, people and groups exist; the default serves the demo as it is."""

import json
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

TOKEN_PATTERN = r"^\d{6,12}:[A-Za-z0-9_-]{30,}$"

NEXUS_TOKEN = "710000001:AAFdemoNexusBotTokenIsPublic000000001"
ALERT_TOKEN = "710000002:AAFdemoAlertBotTokenIsPublic000000002"
OPERATOR_ID = 100000001
GROUP_ID = -1002000000001


class ConfigError(ValueError):
    """The configuration cannot be used; the text is one line for the person who wrote it."""


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class BotConfig(_Strict):
    """One bot. Its id is the number before the colon of its token."""

    token: Annotated[str, Field(pattern=TOKEN_PATTERN, repr=False)]
    username: Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_]{3,30}[Bb][Oo][Tt]$")]
    name: str
    reads_all_messages: bool = False
    """Group Privacy is off."""
    talks_to_bots: bool = False
    """Bot-to-Bot Communication Mode is on."""


class PersonConfig(_Strict):
    """One human being; each has a private chat with each bot, already started."""

    id: Annotated[int, Field(gt=0)]
    first_name: str
    last_name: str = ""
    username: str = ""
    language_code: str = "en"
    is_operator: bool = False
    """The chat page speaks as the first operator."""


class TopicConfig(_Strict):
    """One topic of a forum."""

    id: Annotated[int, Field(gt=1)]
    name: str
    color: int = 0x6FB9F0


class GroupConfig(_Strict):
    """One group that all people and bots share unless members are named."""

    id: Annotated[int, Field(lt=0)]
    title: str
    type: Literal["group", "supergroup"] = "supergroup"
    is_forum: bool = False
    topics: tuple[TopicConfig, ...] = ()
    people: tuple[int, ...] | None = None
    """Ids of the human members; all people when absent."""
    bots: tuple[str, ...] | None = None
    """Usernames of the member bots; all bots when absent."""
    administrators: tuple[str, ...] | None = None
    """Usernames of the bots that are administrators; all member bots when absent."""


class WorldConfig(_Strict):
    """Everything that exists when the server starts."""

    bots: tuple[BotConfig, ...] = (
        BotConfig(token=ALERT_TOKEN, username="nexus_alerts_bot", name="Nexus Monitor"),
        BotConfig(token=NEXUS_TOKEN, username="nexus_demo_bot", name="Nexus"),
    )
    people: tuple[PersonConfig, ...] = (
        PersonConfig(id=OPERATOR_ID, first_name="Olivia", last_name="Operator", username="olivia", is_operator=True),
        PersonConfig(id=OPERATOR_ID + 1, first_name="Sam", last_name="Stranger", username="sam"),
    )
    groups: tuple[GroupConfig, ...] = (
        GroupConfig(
            id=GROUP_ID,
            title="Nexus operations",
            is_forum=True,
            topics=(TopicConfig(id=2, name="Alerts", color=0xFB6F5F), TopicConfig(id=3, name="Deploys")),
        ),
    )
    group_messages_per_minute: Annotated[int, Field(ge=0)] = 20
    """How many messages one bot may send to one group in a minute before 429; 0 lifts the limit."""

    @model_validator(mode="after")
    def _is_one_world(self) -> Self:
        usernames = [bot.username for bot in self.bots]
        bot_ids = [int(bot.token.split(":")[0]) for bot in self.bots]
        person_ids = [person.id for person in self.people]
        named: tuple[tuple[str, list[str] | list[int]], ...] = (
            ("username", usernames),
            ("person or bot id", [*bot_ids, *person_ids]),
            ("group id", [group.id for group in self.groups]),
        )
        for what, values in named:
            for place, value in enumerate(values):
                if value in values[:place]:
                    raise ValueError(f"{what} {value} is given twice")
        for group in self.groups:
            for username in (*(group.bots or ()), *(group.administrators or ())):
                if username not in usernames:
                    raise ValueError(f"group {group.title!r} names the unknown bot {username!r}")
            for person_id in group.people or ():
                if person_id not in person_ids:
                    raise ValueError(f"group {group.title!r} names the unknown person {person_id}")
        return self


def read_config(source: str) -> WorldConfig:
    """Return the world described by `source`: a path to a JSON file, or the JSON itself.

    Raises ConfigError with one line that names the key and the value.
    """
    text = source
    if not source.lstrip().startswith("{"):
        try:
            text = Path(source).read_text(encoding="utf-8")
        except OSError as error:
            raise ConfigError(f"--state {source}: {error.strerror}") from None
    try:
        return WorldConfig.model_validate(json.loads(text))
    except json.JSONDecodeError as error:
        raise ConfigError(f"--state: not JSON at line {error.lineno} column {error.colno}: {error.msg}") from None
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        place = ".".join(str(part) for part in first["loc"]) or "world"
        raise ConfigError(f"--state: {place}: {first['msg']}") from None
