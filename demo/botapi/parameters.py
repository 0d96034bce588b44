"""The parameters of one call, however they came: query, JSON, form or multipart."""

import json
from collections.abc import Mapping
from email.parser import BytesParser
from email.policy import HTTP
from typing import Any
from urllib.parse import parse_qsl

from demo.botapi.errors import bad_request


def parse_body(content_type: str, body: bytes) -> dict[str, Any]:
    """Return the parameters in a body.

    Raises ApiError 400 when a JSON body is not an object.
    """
    kind = content_type.split(";")[0].strip().lower()
    if not body:
        return {}
    if kind == "application/json":
        try:
            values = json.loads(body)
        except ValueError:
            raise bad_request("can't parse JSON object") from None
        if not isinstance(values, dict):
            raise bad_request("expected an Object")
        return values
    if kind == "multipart/form-data":
        message = BytesParser(policy=HTTP).parsebytes(b"Content-Type: " + content_type.encode() + b"\r\n\r\n" + body)
        found: dict[str, Any] = {}
        for part in message.iter_parts():
            name = part.get_param("name", header="content-disposition")
            content = part.get_payload(decode=True)
            if isinstance(name, str) and isinstance(content, bytes):
                found[name] = content.decode("utf-8", "replace")
        return found
    if kind == "application/x-www-form-urlencoded":
        return dict(parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True))
    return {}


def parse_query(query: bytes) -> dict[str, Any]:
    """Return the parameters in a URL's query."""
    return dict(parse_qsl(query.decode("utf-8", "replace"), keep_blank_values=True))


class Parameters:
    """Reads values by type; words its complaints as Telegram does."""

    def __init__(self, values: Mapping[str, Any]) -> None:
        self.values = {name: value for name, value in values.items() if value is not None}

    def __contains__(self, name: str) -> bool:
        return name in self.values

    def text(self, name: str, default: str = "") -> str:
        """Return the value as text; a JSON value is written out."""
        value = self.values.get(name, default)
        return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)

    def integer(self, name: str, default: int = 0) -> int:
        """Return the value as an integer; like the Bot API, anything else counts as the default."""
        value = self.values.get(name, default)
        if isinstance(value, bool):
            return int(value)
        try:
            return int(value)
        except (TypeError, ValueError):
            return default

    def boolean(self, name: str, *, default: bool = False) -> bool:
        """Return the value as truth: `true`, `yes` and `1` are true."""
        if name not in self.values:
            return default
        return self.text(name).strip().lower() in ("true", "yes", "1")

    def structure(self, name: str) -> Any:
        """Return the value decoded from JSON, or None when absent or empty.

        Raises ApiError 400 when it is not JSON.
        """
        value = self.values.get(name)
        if not isinstance(value, str):
            return value
        if not value:
            return None
        try:
            return json.loads(value)
        except ValueError:
            raise bad_request(f"can't parse {name.replace('_', ' ')} JSON object") from None

    def mapping(self, name: str) -> dict[str, Any] | None:
        """Return the value as a JSON object, or None. Raises ApiError 400 for another type."""
        value = self.structure(name)
        if value is not None and not isinstance(value, dict):
            raise bad_request(f"object expected as {name.replace('_', ' ')}")
        return value

    def sequence(self, name: str) -> list[Any] | None:
        """Return the value as a JSON array, or None. Raises ApiError 400 for another type."""
        value = self.structure(name)
        if value is not None and not isinstance(value, list):
            raise bad_request(f"expected an Array of {name.replace('_', ' ')}")
        return value

    def decoded(self) -> dict[str, Any]:
        """Return all values, those that hold a JSON object, array, number or truth decoded, for the call log."""
        return {name: _decoded(name, value) for name, value in self.values.items()}


def _decoded(name: str, value: Any) -> Any:
    if not isinstance(value, str) or name in ("text", "callback_data", "callback_query_id", "url", "secret_token"):
        return value
    if value[:1] in "[{" or value in ("true", "false") or value.lstrip("-").isdigit():
        try:
            return json.loads(value)
        except ValueError:
            return value
    return value
