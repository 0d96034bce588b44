"""Decides whether a Mini App login is genuine: Telegram's signature over initData, and its age.

https://core.telegram.org/bots/webapps#validating-data-received-via-the-mini-app
"""

import hashlib
import hmac
import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl

from demo.nexus.flaws import Flaw, has

MAX_AGE = timedelta(days=1)
MAX_AHEAD = timedelta(seconds=30)
"""Clocks differ a little; a login from further in the future is forged."""
_MAX_LENGTH = 8192


class LoginRefusedError(Exception):
    """A login that is not accepted; the message says why and holds nothing of it."""


@dataclass(frozen=True, slots=True)
class Login:
    """Who opened the Mini App, and when."""

    telegram_id: int
    first_name: str
    signed_at: datetime


def check_login(init_data: str, bot_token: str, now: datetime) -> Login:
    """Return who signed in. Raises `LoginRefusedError` for anything that Telegram did not sign in the last day."""
    fields = _fields(init_data)
    given = fields.pop("hash", "")
    if not given:
        raise LoginRefusedError("not signed")
    # `signature` (the other, public-key way) is part of the signed text.
    signed = "\n".join(f"{key}={value}" for key, value in sorted(fields.items()))
    secret = hmac.digest(b"WebAppData", bot_token.encode(), hashlib.sha256)
    expected = hmac.new(secret, signed.encode(), hashlib.sha256).hexdigest()
    if not hmac.compare_digest(expected.encode(), given.encode()) and not has(Flaw.LOGIN_UNSIGNED):
        raise LoginRefusedError("signature does not match")
    signed_at = _signed_at(fields.get("auth_date", ""))
    if signed_at > now + MAX_AHEAD:
        raise LoginRefusedError("signed in the future")
    if signed_at < now - MAX_AGE and not has(Flaw.LOGIN_AGELESS):
        raise LoginRefusedError("signed more than a day ago")
    user = _user(fields.get("user", ""))
    return Login(user["id"], str(user.get("first_name") or "Friend")[:64], signed_at)


def _fields(init_data: str) -> dict[str, str]:
    if len(init_data) > _MAX_LENGTH:
        raise LoginRefusedError("too long")
    try:
        # Blank values are signed too, so they are kept.
        pairs = parse_qsl(init_data, keep_blank_values=True, strict_parsing=True, errors="strict", max_num_fields=32)
    except ValueError:
        raise LoginRefusedError("not readable") from None
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise LoginRefusedError("a field is given twice")
    return fields


def _signed_at(value: str) -> datetime:
    if not (value.isascii() and value.isdecimal() and len(value) <= 11):
        raise LoginRefusedError("no date")
    return datetime.fromtimestamp(int(value), UTC)


def _user(value: str) -> dict[str, Any]:
    try:
        user = json.loads(value)
    except ValueError:
        raise LoginRefusedError("no user") from None
    if not isinstance(user, dict) or type(user.get("id")) is not int:
        raise LoginRefusedError("no user")
    return user
