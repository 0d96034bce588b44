"""Reply markups: what Telegram accepts as an inline keyboard and what it refuses."""

from typing import Any
from urllib.parse import urlsplit

from demo.botapi.errors import bad_request
from demo.botapi.people import Json

MAX_CALLBACK_BYTES = 64
_ACTIONS = ("url", "callback_data", "web_app", "login_url", "switch_inline_query", "copy_text", "pay")
_STYLES = ("danger", "success", "primary")
_OTHER_MARKUPS = ("keyboard", "remove_keyboard", "force_reply")


def inline_keyboard(markup: Json | None, *, room_kind: str) -> Json | None:
    """Return the markup as a message keeps it: an inline keyboard, or None for all else.

    Raises ApiError 400 for a button without text or action, data of 0 or more than 64 bytes, a bad address, or a
    Mini App button outside a private chat.
    """
    if not markup:
        return None
    if "inline_keyboard" not in markup:
        if any(name in markup for name in _OTHER_MARKUPS):
            return None
        raise bad_request("object expected as reply markup")
    rows = markup["inline_keyboard"]
    if not isinstance(rows, list) or not all(isinstance(row, list) for row in rows):
        raise bad_request(
            'can\'t parse reply keyboard markup JSON object: field "inline_keyboard" must be of type Array'
        )
    buttons = [[_button(button, room_kind) for button in row] for row in rows if row]
    return {"inline_keyboard": buttons} if buttons else None


def _button(button: Any, room_kind: str) -> Json:
    if not isinstance(button, dict):
        raise bad_request("can't parse inline keyboard button: expected an Object")
    if not isinstance(button.get("text"), str):
        raise bad_request("can't parse inline keyboard button: Can't find field \"text\"")
    if not button["text"].strip():
        raise bad_request("inline keyboard button text must be non-empty")
    kept = {name: value for name, value in button.items() if value is not None}
    actions = [name for name in _ACTIONS if name in kept]
    if not actions:
        raise bad_request("can't parse inline keyboard button: Text buttons are unallowed in the inline keyboard")
    if "callback_data" in kept:
        data = kept["callback_data"]
        if not isinstance(data, str) or not 1 <= len(data.encode()) <= MAX_CALLBACK_BYTES:
            raise bad_request("BUTTON_DATA_INVALID")
    if "url" in kept:
        _check_url(kept["url"], "inline keyboard button URL", schemes=("http", "https", "tg"))
    if "web_app" in kept:
        if room_kind != "private":
            raise bad_request("BUTTON_TYPE_INVALID")
        target = kept["web_app"].get("url") if isinstance(kept["web_app"], dict) else None
        check_web_app_url(target, "inline keyboard button Web App URL")
    if kept.get("style", "primary") not in _STYLES:
        raise bad_request("can't parse inline keyboard button: invalid button style specified")
    return kept


def check_web_app_url(url: Any, what: str) -> None:
    """Raise ApiError 400 unless the address is HTTPS, or plain HTTP to this machine as in a local server."""
    _check_url(url, what, schemes=("http", "https"))
    parts = urlsplit(url)
    if parts.scheme != "https" and parts.hostname not in ("127.0.0.1", "localhost", "::1"):
        raise bad_request(f"{what} '{url}' is invalid: Only HTTPS links are allowed")


def _check_url(url: Any, what: str, *, schemes: tuple[str, ...]) -> None:
    try:
        parts = urlsplit(url if isinstance(url, str) else "")
        host = parts.hostname
    except ValueError:
        raise bad_request(f"{what} '{url}' is invalid: Wrong HTTP URL") from None
    if not host:
        raise bad_request(f"{what} '{url}' is invalid: Wrong HTTP URL")
    if parts.scheme not in schemes:
        raise bad_request(f"{what} '{url}' is invalid: Unsupported URL protocol")


def callback_data(markup: Json | None) -> set[str]:
    """Return the data of every button a person can press."""
    return {
        button["callback_data"]
        for row in (markup or {}).get("inline_keyboard", ())
        for button in row
        if "callback_data" in button
    }


def web_app_urls(markup: Json | None) -> set[str]:
    """Return the address of every Mini App the keyboard opens."""
    return {
        button["web_app"]["url"]
        for row in (markup or {}).get("inline_keyboard", ())
        for button in row
        if "web_app" in button
    }
