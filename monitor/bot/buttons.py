"""What the buttons of an incident do. Pressing one twice does no more than pressing it once."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import assert_never

from monitor.delivery.neighbours import Line
from monitor.delivery.wording import Verb, read_callback_data, tag
from monitor.engine.model import Acked, Incident, IncidentStatus, Silence, Silenced

HOUR = timedelta(hours=1)
RECHECK_EVERY = timedelta(seconds=10)
REASON = "button in Telegram"

ProbeNow = Callable[[str], object]
"""Have one check looked at now."""


class Buttons:
    """Turns a press into an event of the line, and says in one line what came of it."""

    def __init__(self, line: Line, now: Callable[[], datetime], probe_now: ProbeNow) -> None:
        self._line = line
        self._now = now
        self._probe_now = probe_now
        self._rechecked_at: dict[int, datetime] = {}

    async def press(self, data: str, author: str) -> str:
        """Do what the button says; return at most 200 characters for the person.

        An old card is no reason to refuse: what is done is judged by the incident as it is now.
        """
        press = read_callback_data(data)
        if press is None:
            return "This button is not one of mine."
        incident = self._line.state.incidents.get(press.incident_id)
        if incident is None or not incident.is_live:
            return f"#INC-{press.incident_id} is over already."[:200]
        answer = await self._do(press.verb, incident, author)
        if press.revision < incident.revision and not _shows(incident, incident.revision):
            answer += " The card was out of date; it is being refreshed."
        return answer[:200]

    async def _do(self, verb: Verb, incident: Incident, author: str) -> str:
        match verb:
            case Verb.ACK:
                return await self._ack(incident, author)
            case Verb.RECHECK:
                return self._recheck(incident)
            case Verb.SILENCE_HOUR:
                return await self._silence(incident, author, self._now() + HOUR)
            case Verb.SILENCE_UNTIL_RESOLVED:
                return await self._silence(incident, author, None)
            case _:
                assert_never(verb)

    async def _ack(self, incident: Incident, author: str) -> str:
        if incident.status is IncidentStatus.ACKED:
            return f"{tag(incident)} was taken already, by {incident.acked_by}."
        await self._line.apply(Acked(incident.id, author))
        return f"{tag(incident)} is yours now."

    def _recheck(self, incident: Incident) -> str:
        now = self._now()
        last = self._rechecked_at.get(incident.id)
        if last is not None and last <= now < last + RECHECK_EVERY:
            return "Already looking."
        live = self._line.state.incidents
        self._rechecked_at = {number: at for number, at in self._rechecked_at.items() if number in live}
        self._rechecked_at[incident.id] = now
        members = (member.check_id for member in incident.members if member.left_at is None)
        check_ids = tuple(dict.fromkeys((incident.root, *members)))
        for check_id in check_ids:
            self._probe_now(check_id)
        return f"Looking again at {len(check_ids)} check{'s' if len(check_ids) > 1 else ''}."

    async def _silence(self, incident: Incident, author: str, ends_at: datetime | None) -> str:
        selector = f"incident:{incident.id}"
        running = self._running(selector)
        if running is None or _ends_sooner(running, ends_at):
            await self._line.apply(Silenced(selector, ends_at, author, REASON))
            running = self._running(selector)
        if running is None:
            return f"{tag(incident)} was not silenced."
        until = "until it is resolved" if running.ends_at is None else f"until {running.ends_at:%H:%M} UTC"
        return f"{tag(incident)} is silenced {until}. You will hear when it is over."

    def _running(self, selector: str) -> Silence | None:
        """Return the silence of this incident that lasts longest."""
        running = [
            silence
            for silence in self._line.state.silences.values()
            if silence.selector == selector and silence.ended_at is None
        ]
        return max(running, key=lambda silence: (silence.ends_at is None, silence.ends_at or self._now()), default=None)


def _ends_sooner(running: Silence, ends_at: datetime | None) -> bool:
    """Say whether a silence that runs ends noticeably sooner than asked for now."""
    if running.ends_at is None:
        return False
    return ends_at is None or running.ends_at < ends_at - timedelta(minutes=1)


def _shows(incident: Incident, revision: int) -> bool:
    """Say whether every chat's card shows this revision."""
    return all(told.revision >= revision for told in incident.told.values())
