"""Opens a Mini App as a Telegram client does: its address with signed initData in the fragment."""

import hashlib
import hmac
import json
import secrets
from datetime import datetime
from urllib.parse import quote, urlencode

from demo.botapi.people import Bot, Json, Person
from demo.botapi.rendering import unix

VERSION = "10.3"
_LIGHT: Json = {
    "bg_color": "#ffffff",
    "text_color": "#0f1419",
    "hint_color": "#707579",
    "link_color": "#3390ec",
    "button_color": "#3390ec",
    "button_text_color": "#ffffff",
    "secondary_bg_color": "#f4f4f5",
}
_DARK: Json = {
    "bg_color": "#17212b",
    "text_color": "#f5f5f5",
    "hint_color": "#708499",
    "link_color": "#6ab3f3",
    "button_color": "#5288c1",
    "button_text_color": "#ffffff",
    "secondary_bg_color": "#232e3c",
}


def signed_init_data(token: str, fields: dict[str, str]) -> str:
    """Return the fields with their hash as a query string.

    Source: core.telegram.org/bots/webapps#validating-data-received-via-the-mini-app.
    """
    key = hmac.new(b"WebAppData", token.encode(), hashlib.sha256).digest()
    lines = "\n".join(f"{name}={fields[name]}" for name in sorted(fields))
    signature = hmac.new(key, lines.encode(), hashlib.sha256).hexdigest()
    return urlencode(fields | {"hash": signature}, quote_via=quote)


def launch_url(url: str, bot: Bot, person: Person, now: datetime, *, is_dark: bool = False) -> str:
    """Return the address a client opens when a person taps a Mini App button of a bot."""
    user: Json = {"id": person.id, "first_name": person.first_name, "last_name": person.last_name}
    if person.username:
        user["username"] = person.username
    user |= {"language_code": person.language_code, "allows_write_to_pm": True}
    fields = {
        "query_id": "AAE" + secrets.token_urlsafe(15),
        "user": json.dumps(user, ensure_ascii=False, separators=(",", ":")),
        "auth_date": str(unix(now)),
        # Telegram signs this with its own key; only Telegram can, so nobody can verify what stands here.
        "signature": secrets.token_urlsafe(64),
    }
    fragment = urlencode(
        {
            "tgWebAppData": signed_init_data(bot.token, fields),
            "tgWebAppVersion": VERSION,
            "tgWebAppPlatform": "web",
            "tgWebAppThemeParams": json.dumps(_DARK if is_dark else _LIGHT, separators=(",", ":")),
        },
        quote_via=quote,
    )
    return f"{url.split('#')[0]}#{fragment}"
