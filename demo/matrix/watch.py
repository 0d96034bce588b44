"""What the operator of a demo gets to see: the messages in Telegram, and the monitor's own API."""

import json
import re
import time
import urllib.parse
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

from demo.stack import DemoStack

ALERT_BOT = "nexus_alerts_bot"
ASK_SECONDS = 5.0
POLL_SECONDS = 0.25

Kind = Literal["open", "again", "louder", "resolved", "deploy", "other"]

_TITLE = re.compile(r"^\S+ [A-Z ]+ · .* · (?P<root>\S+)$")
_REPLY = re.compile(r"^\S+ #INC-\d+ (?P<root>\S+) (?P<rest>.*)$")
_DEPLOY = re.compile(r"^\S+ ([0-9a-f]{7}|dep-\S+) (is not live|live|on) ")
"""The verdict of a deploy: true whenever a fault deploys something."""
_BOARD = "📋"


@dataclass(frozen=True, slots=True)
class Message:
    """One new message of the alert bot, as it was sent."""

    at: datetime
    kind: Kind
    root: str
    """The check that it names, or its whole first line."""
    is_silent: bool
    title: str


@dataclass(frozen=True, slots=True)
class Seen:
    """The monitor's status at one moment."""

    checks: Mapping[str, str]
    """Check id → its status."""
    incidents: tuple[Mapping[str, Any], ...]
    """Open and acknowledged ones."""

    @property
    def is_calm(self) -> bool:
        """Everything is up, and no incident is open."""
        return bool(self.checks) and not self.troubled

    @property
    def troubled(self) -> str:
        """What keeps it from being calm, in a few words."""
        words = [f"{name} is {status}" for name, status in self.checks.items() if status != "up"]
        return ", ".join([*words, *(f"incident of {one['root']}" for one in self.incidents)])


def message_of(call: Mapping[str, Any]) -> Message | None:
    """Return what one call of sendMessage told; None for the board and for what Telegram did not take."""
    parameters = call["parameters"]
    text = str(parameters.get("text", ""))
    if not call["ok"] or text.startswith(_BOARD):
        return None
    title = text.splitlines()[0] if text else ""
    kind: Kind = "other"
    root = title
    if found := _TITLE.match(title):
        kind, root = "open", found["root"]
    elif _DEPLOY.match(title):
        kind = "deploy"
    elif found := _REPLY.match(title):
        root, rest = found["root"], found["rest"]
        if re.search(r"(is|are) (up again|well again|seen again|over) after", rest):
            kind = "resolved"
        elif rest.endswith(" again"):
            kind = "again"
        elif "urgent" in rest:
            kind = "louder"
    at = datetime.fromisoformat(call["time"])
    return Message(at, kind, root, bool(parameters.get("disable_notification")), title)


class Watch:
    """Reads a running demo's Telegram and its monitor."""

    def __init__(self, stack: DemoStack) -> None:
        self._stack = stack

    def messages(self, since: datetime) -> list[Message]:
        """Return what the alert bot told since then, oldest first."""
        query = urllib.parse.urlencode({"bot": ALERT_BOT, "method": "sendMessage", "since": since.isoformat()})
        calls = self._get(f"{self._stack.chat_url}/_/calls?{query}")
        return [message for call in calls if (message := message_of(call)) is not None]

    def status(self) -> Seen:
        """Return how the monitor sees everything. Raises OSError or ValueError when it does not answer."""
        body = self._get(f"{self._stack.dashboard_url}/api/v1/status")
        return Seen({one["id"]: one["status"] for one in body["checks"]}, tuple(body["incidents"]))

    def incidents(self, since: datetime) -> list[Mapping[str, Any]]:
        """Return the incidents opened since then, oldest first."""
        body = self._get(f"{self._stack.dashboard_url}/api/v1/incidents?limit=50")
        found = [one for one in body if datetime.fromisoformat(one["opened_at"]) >= since]
        return sorted(found, key=lambda one: int(one["id"]))

    def calm(self, seconds: float) -> str:
        """Wait until everything is up and nothing is open; return what is not, or nothing."""
        last = "the monitor does not answer"

        def look() -> bool:
            nonlocal last
            seen = self.status()
            last = seen.troubled or last
            return seen.is_calm

        return "" if until(look, seconds) else last

    @staticmethod
    def _get(url: str) -> Any:
        with urllib.request.urlopen(url, timeout=ASK_SECONDS) as response:  # noqa: S310  our own loopback addresses
            return json.load(response)


def until(look: Callable[[], bool], seconds: float) -> bool:
    """Wait until `look` says yes; say whether it did in time. Who does not answer says no."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            if look():
                return True
        except (OSError, ValueError):
            pass  # asked again
        if time.monotonic() > deadline:
            return False
        time.sleep(POLL_SECONDS)


def now() -> datetime:
    """Return this instant."""
    return datetime.now(UTC)
