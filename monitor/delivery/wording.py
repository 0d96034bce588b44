"""The words that every message about an incident shares: its tag, its condition, its times, its buttons. Pure."""

import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from urllib.parse import urlsplit

from monitor.delivery.entities import Button, Span, clean, clip
from monitor.engine.model import Cause, CheckState, CheckStatus, Incident, IncidentStatus, Role
from monitor.engine.morning import Morning

NAME_UNITS = 80
"""As long as the id of a check may be."""

LINE_UNITS = 400

DATA_VERSION = "v2"
"""Of the data of buttons."""

FAILING = (CheckStatus.DOWN, CheckStatus.RECOVERING)


class Condition(Enum):
    """How an incident stands, as people say it: sign, word, and the verb of a sentence."""

    DOWN = ("🔴", "DOWN", "is down")
    DEGRADED = ("🟡", "DEGRADED", "is degraded")
    UNSTABLE = ("🟠", "UNSTABLE", "is unstable")
    UNSEEN = ("⚪", "NOT SEEN", "is out of sight")
    RECOVERING = ("🟠", "RECOVERING", "is up again, not all behind it is")
    RECOVERED = ("🟢", "RECOVERED", "is up again")

    def __init__(self, sign: str, word: str, verb: str) -> None:
        self.sign = sign
        self.word = word
        self.verb = verb


class Verb(Enum):
    """What a button of an incident asks for; the value stands in its callback data."""

    ACK = "ack"
    RECHECK = "recheck"
    SILENCE_HALF_HOUR = "hush30m"
    SILENCE_HOUR = "hush1h"
    SILENCE_UNTIL_MORNING = "hushday"
    SILENCE_UNTIL_RESOLVED = "hush"


@dataclass(frozen=True, slots=True)
class Press:
    """A button pressed: what for, on which incident, and what of it the person saw."""

    verb: Verb
    incident_id: int
    revision: int
    """Of the card."""
    face: str


def callback_data(verb: Verb, incident: Incident) -> str:
    """Return the data of a button: it names the incident, never a check, so it is short whatever checks are called."""
    return f"{DATA_VERSION}:{verb.value}:{incident.id}:{incident.revision}:{face_of(incident)}"


def face_of(incident: Incident) -> str:
    """Return a short word for what an incident is about: what a person agreed to when pressing a button.

    It changes with the root, the severity, the cause and each reopening; not with the symptoms, acks and silences that
    raise the revision.
    """
    what = (incident.root, incident.severity.value, incident.cause.value, str(incident.reopen_count))
    return f"{zlib.crc32(repr((*what, incident.is_storm)).encode('utf-8', 'replace')):08x}"


def read_callback_data(data: str) -> Press | None:
    """Return what a button asked for; None for anything that is not ours (any client can send any data)."""
    parts = data.split(":")
    if len(parts) != 5 or parts[0] != DATA_VERSION:
        return None
    _, word, incident_id, revision, face = parts
    verb = next((verb for verb in Verb if verb.value == word), None)
    if verb is None or not all(number.isascii() and number.isdigit() for number in (incident_id, revision)):
        return None
    return Press(verb, int(incident_id), int(revision), face)


def condition_of(incident: Incident, checks: Mapping[str, CheckState]) -> Condition:
    """Return how the incident stands, from its own status and its root's."""
    if not incident.is_live:
        return Condition.RECOVERED
    if incident.is_unstable:
        return Condition.UNSTABLE
    if incident.cause is Cause.STALE:
        return Condition.UNSEEN
    if incident.cause is Cause.DEGRADED:
        return Condition.DEGRADED
    root = checks.get(incident.root)
    if root is None or incident.is_storm or root.status is not CheckStatus.UP:
        return Condition.DOWN
    return Condition.DEGRADED if root.is_degraded else Condition.RECOVERING


def tag(incident: Incident) -> str:
    """Return the incident's name in messages."""
    return f"#INC-{incident.id}"


def name(check_id: str) -> Span:
    """Return a check's name, to be copied with one tap."""
    return Span(clip(clean(check_id) or "?", NAME_UNITS), "code")


def subject(incident: Incident) -> Span:
    """Return who the sentence is about: the root, or how many failed at once."""
    if incident.is_storm:
        return Span(f"{len(storm_roots(incident))} independent failures")
    return name(incident.root)


def storm_roots(incident: Incident) -> tuple[str, ...]:
    """Return the checks that failed at once, the root of the card among them."""
    roots = (member.check_id for member in incident.members if member.role is Role.ROOT)
    return tuple(dict.fromkeys((incident.root, *roots)))


def names(spans: Sequence[Span], most: int) -> list[Span]:
    """Return up to `most` names with commas between them, then how many more there are."""
    listed: list[Span] = []
    for span in spans[:most]:
        listed += [Span(", "), span] if listed else [span]
    if len(spans) > most:
        listed.append(Span(f", +{len(spans) - most}"))
    return listed


def moment(at: datetime, now: datetime) -> Span:
    """Return an instant: its reader sees local time, old clients and other channels see UTC."""
    is_near = abs(now - at) < timedelta(hours=20)
    text = at.strftime("%H:%M UTC" if is_near else "%d %b %H:%M UTC")
    return Span(text, "date_time", unix_time=int(at.timestamp()), date_time_format="t" if is_near else "dt")


def spell(lasted: timedelta) -> str:
    """Return a duration as people say it, e.g. `4 min`, `3 h 12 min`; below zero counts as nothing."""
    seconds = max(0, int(lasted.total_seconds()))
    if seconds < 60:
        return f"{seconds} s"
    minutes = seconds // 60
    if minutes < 60:
        return f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    if hours < 48:
        return f"{hours} h {minutes} min" if minutes else f"{hours} h"
    days, hours = divmod(hours, 24)
    return f"{days} d {hours} h" if hours else f"{days} d"


def sentence(text: str, most_units: int = LINE_UNITS) -> str:
    """Return one line of somebody else's text, fit to be shown."""
    return clip(clean(text), most_units)


ROWS = (
    (Verb.ACK, Verb.RECHECK),
    (Verb.SILENCE_HALF_HOUR, Verb.SILENCE_HOUR, Verb.SILENCE_UNTIL_MORNING),
    (Verb.SILENCE_UNTIL_RESOLVED,),
)
"""The buttons as they lie under a card; the link to its page ends the last row."""


def buttons(
    incident: Incident, morning: Morning, dashboard_url: str | None, *, verbs: Iterable[Verb] = tuple(Verb)
) -> tuple[tuple[Button, ...], ...]:
    """Return the rows of buttons that make sense as the incident stands; over, it can only be opened."""
    wanted = set(verbs) if incident.is_live else set()
    if incident.status is IncidentStatus.ACKED:
        wanted.discard(Verb.ACK)
    rows = [tuple(_button(verb, incident, morning) for verb in row if verb in wanted) for row in ROWS]
    url = incident_url(incident, dashboard_url)
    if url is not None:
        rows[-1] += (Button("🔗 Open", url=url, app_url=app_url(incident, dashboard_url)),)
    return tuple(row for row in rows if row)


def _button(verb: Verb, incident: Incident, morning: Morning) -> Button:
    texts = {
        Verb.ACK: "✅ Ack",
        Verb.RECHECK: "🔁 Re-check",
        Verb.SILENCE_HALF_HOUR: "🔕 30 min",
        Verb.SILENCE_HOUR: "🔕 1 h",
        Verb.SILENCE_UNTIL_MORNING: f"🔕 → {morning.label}",
        Verb.SILENCE_UNTIL_RESOLVED: "🔕 Until resolved",
    }
    data = callback_data(verb, incident)
    return Button(texts[verb], callback_data=data, style="primary" if verb is Verb.ACK else None)


def incident_url(incident: Incident, dashboard_url: str | None) -> str | None:
    """Return the incident's page; None without a dashboard, or with an address that Telegram refuses in a button."""
    if dashboard_url is None or not can_be_link(dashboard_url):
        return None
    return f"{dashboard_url.rstrip('/')}/incidents/{incident.id}"


def app_url(incident: Incident, dashboard_url: str | None) -> str | None:
    """Return the incident's page as a Mini App, which logs the person in; None where Telegram opens no app."""
    if dashboard_url is None or not dashboard_url.startswith("https://") or not can_be_link(dashboard_url):
        return None
    return f"{dashboard_url.rstrip('/')}/miniapp?next=/incidents/{incident.id}"


def can_be_link(url: str) -> bool:
    """Say whether Telegram takes the address: one host without a dot (`localhost`) fails the whole message."""
    if len(url) > 1000 or clean(url) != url or " " in url:
        return False
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and "." in host.strip(".")
