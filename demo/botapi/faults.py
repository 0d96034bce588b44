"""Faults on demand: which calls they hit and what they answer."""

import random
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from demo.botapi.errors import ApiError, bad_request, forbidden, too_many_requests
from demo.botapi.people import Bot, Json, Room


class FaultKind(StrEnum):
    """What goes wrong."""

    RATE_LIMIT = "rate_limit"
    """429 with `retry_after`."""
    SERVER_ERROR = "server_error"
    """`status` 500 as JSON; 502, 503 and 504 as the proxy's HTML page."""
    REFUSE = "refuse"
    """The connection is closed without an answer; nothing is stored."""
    TIMEOUT_BEFORE = "timeout_before"
    """Nothing is stored, and no answer comes."""
    TIMEOUT_AFTER = "timeout_after"
    """The call is carried out, but no answer comes."""
    SLOW = "slow"
    """The call is carried out after `delay_seconds`."""
    UNAUTHORIZED = "unauthorized"
    """401, as after the token was revoked."""
    KICKED = "kicked"
    """403 in groups."""
    NOT_MEMBER = "not_member"
    """403 in groups."""
    NO_RIGHTS = "no_rights"
    """400 in groups."""
    BLOCKED = "blocked"
    """403 in private chats."""
    DEACTIVATED = "deactivated"
    """403 in private chats."""
    CHAT_NOT_FOUND = "chat_not_found"
    """400."""
    THREAD_NOT_FOUND = "thread_not_found"
    """400 for calls that name a topic."""
    MIGRATED = "migrated"
    """The group `chat` gets a new id at once and for good; the old one answers 400 with the new one."""


NETWORK = frozenset({FaultKind.REFUSE, FaultKind.TIMEOUT_BEFORE, FaultKind.TIMEOUT_AFTER, FaultKind.SLOW})
LOSES_MEMBERSHIP = {FaultKind.KICKED: "kicked", FaultKind.NOT_MEMBER: "left", FaultKind.BLOCKED: "kicked"}

_GROUP_ONLY = frozenset({FaultKind.KICKED, FaultKind.NOT_MEMBER, FaultKind.NO_RIGHTS})
_PRIVATE_ONLY = frozenset({FaultKind.BLOCKED, FaultKind.DEACTIVATED})
_IN_A_CHAT = _GROUP_ONLY | _PRIVATE_ONLY | {FaultKind.CHAT_NOT_FOUND, FaultKind.THREAD_NOT_FOUND}


class Fault(BaseModel):
    """One fault and the calls it hits; a filter that is absent matches everything."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: FaultKind
    bot: str | None = None
    """A bot's username."""
    method: str | None = None
    chat: int | str | None = None
    """A chat id as the bot writes it."""
    times: Annotated[int | None, Field(ge=1)] = None
    """How many calls it hits before it is gone; for ever when absent."""
    probability: Annotated[float, Field(gt=0, le=1)] = 1.0
    seed: int = 0
    retry_after: Annotated[int, Field(ge=1)] = 5
    """Seconds, for `rate_limit`."""
    status: Annotated[int, Field(ge=500, le=599)] = 500
    """For `server_error`."""
    delay_seconds: Annotated[float, Field(gt=0, le=600)] = 3.0
    """For `slow`."""


@dataclass(slots=True)
class _Live:
    fault: Fault
    left: int | None
    chance: random.Random
    hits: int = 0


class Faults:
    """The faults in force, in the order they were set; the first that matches a call hits it."""

    def __init__(self) -> None:
        self._live: list[_Live] = []

    def add(self, fault: Fault) -> None:
        """Put a fault in force."""
        self._live.append(_Live(fault, fault.times, random.Random(fault.seed)))

    def remove(self, kind: FaultKind | None = None) -> list[Fault]:
        """Lift the faults of a kind, or all, and return them."""
        gone = [live.fault for live in self._live if kind in (None, live.fault.kind)]
        self._live = [live for live in self._live if kind not in (None, live.fault.kind)]
        return gone

    def listed(self) -> list[Json]:
        """Return the faults in force, with how often each hit and how many hits are left."""
        return [
            live.fault.model_dump(mode="json", exclude_none=True) | {"hits": live.hits, "left": live.left}
            for live in self._live
        ]

    def hit(self, bot: Bot | None, method: str, parameters: Json, room: Room | None) -> Fault | None:
        """Return the fault that hits a call, counting it, or None."""
        for live in self._live:
            if _matches(live.fault, bot, method, parameters, room) and live.chance.random() < live.fault.probability:
                live.hits += 1
                if live.left is not None:
                    live.left -= 1
                    if not live.left:
                        self._live.remove(live)
                return live.fault
        return None


def _matches(fault: Fault, bot: Bot | None, method: str, parameters: Json, room: Room | None) -> bool:
    if fault.kind is FaultKind.MIGRATED:
        return False
    if fault.bot is not None and (bot is None or bot.username.lower() != fault.bot.removeprefix("@").lower()):
        return False
    if fault.method is not None and fault.method.lower() != method.lower():
        return False
    if fault.chat is not None and str(parameters.get("chat_id", "")) != str(fault.chat):
        return False
    if fault.kind in _IN_A_CHAT and room is None:
        return False
    if room is not None and fault.kind in (_PRIVATE_ONLY if room.kind != "private" else _GROUP_ONLY):
        return False
    return fault.kind is not FaultKind.THREAD_NOT_FOUND or bool(parameters.get("message_thread_id"))


def refusal(fault: Fault, room: Room | None) -> ApiError:
    """Return what the Bot API answers to a call that a fault hits."""
    noun = room.noun if room is not None else "chat"
    match fault.kind:
        case FaultKind.RATE_LIMIT:
            return too_many_requests(fault.retry_after)
        case FaultKind.SERVER_ERROR:
            return ApiError(fault.status, _SERVER_ERRORS.get(fault.status, "Internal Server Error"))
        case FaultKind.UNAUTHORIZED:
            return ApiError(401, "Unauthorized")
        case FaultKind.KICKED:
            return forbidden(f"bot was kicked from the {noun}")
        case FaultKind.NOT_MEMBER:
            return forbidden(f"bot is not a member of the {noun}")
        case FaultKind.NO_RIGHTS:
            return bad_request("not enough rights to send text messages to the chat")
        case FaultKind.BLOCKED:
            return forbidden("bot was blocked by the user")
        case FaultKind.DEACTIVATED:
            return forbidden("user is deactivated")
        case FaultKind.CHAT_NOT_FOUND:
            return bad_request("chat not found")
        case FaultKind.THREAD_NOT_FOUND:
            return bad_request("message thread not found")
    raise AssertionError(f"{fault.kind} answers nothing")


_SERVER_ERRORS = {502: "Bad Gateway", 503: "Service Unavailable", 504: "Gateway Timeout"}


def error_page(status: int) -> bytes | None:
    """Return the HTML page that the proxy before the Bot API answers with, or None where the answer is JSON."""
    if status not in _SERVER_ERRORS:
        return None
    title = f"{status} {_SERVER_ERRORS[status]}"
    return (
        f"<html>\r\n<head><title>{title}</title></head>\r\n<body>\r\n<center><h1>{title}</h1></center>\r\n"
        "<hr><center>nginx/1.18.0</center>\r\n</body>\r\n</html>\r\n"
    ).encode()
