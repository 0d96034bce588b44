"""How the monitor speaks with the reply probe of docs/helper/nexus_helper.py: signed updates, and its report."""

import hashlib
import hmac
import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from checks.base import Secret
from checks.bot.ingress import SECRET_HEADER
from checks.http import Exchange

PROBE_HEADER = "X-Nexus-Probe"
PROBE_ID = 999000001
"""The chat and the person of a probe; Telegram knows neither."""


@dataclass(frozen=True, slots=True)
class Reply:
    """One call that the bot would have made."""

    method: str
    text: str
    to_probe: bool
    """Into the chat that the command came from."""


@dataclass(frozen=True, slots=True)
class Report:
    """What the bot did with a command."""

    is_done: bool
    """Its handlers ended in time."""
    is_handled: bool
    """Some handler took it."""
    error: str
    """The class of the exception it raised; empty without one."""
    is_lost: bool
    """A handler returned a reply, and nobody sends it."""
    calls: tuple[Reply, ...]

    @property
    def replies(self) -> tuple[Reply, ...]:
        """Return what a person would have read."""
        return tuple(call for call in self.calls if call.to_probe and call.text)


def signed_headers(secret: Secret, body: bytes, at: datetime, wait_seconds: float) -> dict[str, str]:
    """Return the headers of a probe: the webhook's own, and our signature with the same secret."""
    said = f"v1 {int(at.timestamp())} {wait_seconds:.3f}"
    key = secret.get_secret_value()
    signature = hmac.new(key.encode(), said.encode() + b"\n" + body, hashlib.sha256).hexdigest()
    return {"content-type": "application/json", SECRET_HEADER: key, PROBE_HEADER: f"{said} {signature}"}


def command_update(text: str, at: datetime) -> bytes:
    """Return the update that Telegram would deliver for a command of our reserved person in a private chat."""
    person = {"id": PROBE_ID, "is_bot": False, "first_name": "Nexus probe", "language_code": "en"}
    message = {
        "message_id": 1,
        "date": int(at.timestamp()),
        "chat": {"id": PROBE_ID, "type": "private", "first_name": "Nexus probe"},
        "from": person,
        "text": text,
        "entities": [{"type": "bot_command", "offset": 0, "length": len(text.split()[0])}],
    }
    return json.dumps({"update_id": 1, "message": message}).encode()


def readiness(answer: Exchange) -> str | None:
    """Return why the probe will not work (`signature`, `clock`), empty where it will; None where there is none."""
    body = _said(answer)
    return str(body.get("why", "")) if "ready" in body else None


def report_of(answer: Exchange) -> Report | None:
    """Return what the probe reports; None where it says nothing."""
    body = _said(answer)
    if "calls" not in body:
        return None
    calls = tuple(Reply(str(call["method"]), str(call["text"]), bool(call["to_probe"])) for call in body["calls"])
    return Report(
        bool(body.get("done")), bool(body.get("handled")), str(body.get("error") or ""), bool(body.get("lost")), calls
    )


def _said(answer: Exchange) -> dict[str, Any]:
    try:
        body = json.loads(answer.body)
    except ValueError:
        return {}
    return body if isinstance(body, dict) and body.get("nexus_probe") == 1 else {}
