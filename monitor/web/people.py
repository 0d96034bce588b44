"""Who comes as a Telegram Mini App: its init data, signed by Telegram with the alert bot's token, and the lists of ids.

https://core.telegram.org/bots/webapps#validating-data-received-via-the-mini-app
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import parse_qsl

from pydantic import SecretStr

AGE_SECONDS = 3600.0
"""Older init data is refused: a link that was copied once opens nothing later."""
AHEAD_SECONDS = 60.0
"""Clocks differ by so much."""
_FIELDS_MAX = 32
_ID = re.compile(r"\((\d+)\)$")


class InitDataError(ValueError):
    """The init data is not accepted; the message says why, for the person."""


@dataclass(frozen=True, slots=True)
class Rights:
    """What somebody on the lists may do."""

    may_act: bool


@dataclass(frozen=True, slots=True)
class People:
    """The people of `alerts.operators` and `alerts.viewers`, and what their logins are signed with."""

    bot_token: SecretStr
    operators: frozenset[int]
    viewers: frozenset[int]

    def user_of(self, init_data: str, now: datetime) -> str:
        """Return the person as written in the timeline: a name to read, and the id that is the truth.

        Raises InitDataError where the data is not signed by our bot's Telegram, too old, or of a stranger.
        """
        fields = self._signed_fields(init_data)
        try:
            signed_at = int(fields["auth_date"])
            user = json.loads(fields["user"])
            user_id, is_bot = user["id"], user.get("is_bot", False)
        except (KeyError, ValueError, TypeError, AttributeError):
            raise InitDataError("Telegram's login names no user.") from None
        if not -AHEAD_SECONDS <= now.timestamp() - signed_at <= AGE_SECONDS:
            raise InitDataError("This login is too old: close the app and open it again.")
        if type(user_id) is not int or is_bot or user_id not in self.operators | self.viewers:
            raise InitDataError(f"You are not on the list of operators. Your user id is {user_id}.")
        name = f"@{user['username']}" if user.get("username") else str(user.get("first_name", "somebody"))
        return f"{' '.join(name.split())[:64]} ({user_id})"

    def rights_of(self, user: str) -> Rights | None:
        """Return what a person whose name we signed may do now; None who is on no list any more."""
        found = _ID.search(user)
        if found is None:
            return None
        user_id = int(found[1])
        if user_id in self.operators:
            return Rights(may_act=True)
        return Rights(may_act=False) if user_id in self.viewers else None

    def _signed_fields(self, init_data: str) -> dict[str, str]:
        refused = InitDataError("This login was not signed by Telegram for the monitor's bot.")
        try:
            pairs = parse_qsl(init_data, keep_blank_values=True, strict_parsing=True, max_num_fields=_FIELDS_MAX)
        except ValueError:
            raise refused from None
        fields = dict(pairs)
        given = fields.pop("hash", "")
        if len(pairs) != len(fields) + 1:
            raise refused  # a field twice could be read in two ways
        key = hmac.digest(b"WebAppData", self.bot_token.get_secret_value().encode(), hashlib.sha256)
        signed = "\n".join(f"{name}={value}" for name, value in sorted(fields.items()))
        expected = hmac.new(key, signed.encode(), hashlib.sha256).hexdigest()
        if not hmac.compare_digest(given.encode(), expected.encode()):
            raise refused
        return fields
