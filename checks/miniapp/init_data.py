"""Mints what Telegram gives a Mini App at its launch, from the bot's hashed key: genuine, or wrong in one chosen way.

https://core.telegram.org/bots/webapps#validating-data-received-via-the-mini-app
"""

import hashlib
import hmac
import json
from datetime import datetime, timedelta
from enum import StrEnum
from urllib.parse import quote, urlencode

PROBE_USER_ID = 999_000_001
"""A user id for looks; no message is ever sent to it."""
PROBE_NAME = "Nexus probe"


class Forgery(StrEnum):
    """What is wrong with a login that must be refused."""

    TAMPERED = "tampered"
    """Another user than the one who was signed."""
    OLD = "3 days old"
    FUTURE = "signed in the future"
    UNSIGNED = "unsigned"
    MISSING = "missing"
    """No login at all."""


OLD = timedelta(days=3)
AHEAD = timedelta(days=1)
"""Far enough that no difference between clocks explains it."""


def hashed_key(bot_token: str) -> str:
    """Return HMAC-SHA256("WebAppData", token) in hex: it signs logins and cannot call the Bot API."""
    return hmac.digest(b"WebAppData", bot_token.encode(), hashlib.sha256).hex()


def init_data(key: str, now: datetime, *, user_id: int = PROBE_USER_ID, forgery: Forgery | None = None) -> str:
    """Return init data signed with the hashed `key` (hex), or the forgery asked for; empty for a missing one."""
    if forgery is Forgery.MISSING:
        return ""
    shifts = {Forgery.OLD: -OLD, Forgery.FUTURE: AHEAD}
    at = now + shifts[forgery] if forgery in shifts else now
    fields = {
        "auth_date": str(int(at.timestamp())),
        "chat_instance": str(user_id),
        "chat_type": "private",
        "user": _user(user_id),
    }
    if forgery is not Forgery.UNSIGNED:
        signed = "\n".join(f"{name}={value}" for name, value in sorted(fields.items()))
        fields["hash"] = hmac.new(bytes.fromhex(key), signed.encode(), hashlib.sha256).hexdigest()
    if forgery is Forgery.TAMPERED:
        fields["user"] = _user(user_id + 1)
    return urlencode(fields, quote_via=quote)


def _user(user_id: int) -> str:
    fields = {"id": user_id, "first_name": PROBE_NAME, "last_name": "", "language_code": "en"}
    return json.dumps(fields, separators=(",", ":"))
