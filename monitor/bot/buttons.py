"""What the buttons of an incident do. Pressing one twice does no more than pressing it once."""

from datetime import timedelta
from typing import assert_never

from monitor.bot.asking import House
from monitor.delivery.wording import Press, Verb, face_of, read_callback_data, sentence, tag
from monitor.engine.model import Incident

TOAST_CHARACTERS = 200
"""Telegram shows no more of an answer to a press."""

HALF_HOUR = timedelta(minutes=30)
HOUR = timedelta(hours=1)


class Buttons:
    """Turns a press into an event of the line, and says in one line what came of it."""

    def __init__(self, house: House) -> None:
        self._house = house

    async def press(self, data: str, author: str) -> str:
        """Do what the button says; return at most 200 characters for the person. Raises NotDoneError.

        What is done is judged by the incident as it is now. A card that is merely behind is served; one that showed
        another fault, or the same before it got worse, is not: the person agreed to something else.
        """
        press = read_callback_data(data)
        if press is None:
            return "This button is not one of mine, or older than my last update. Please use the newest card."
        incident = self._house.state().incidents.get(press.incident_id)
        if incident is None or not incident.is_live:
            return f"#INC-{press.incident_id} is over already."[:TOAST_CHARACTERS]
        if press.face != face_of(incident):
            return _changed(incident)
        return (await self._do(press, incident, author))[:TOAST_CHARACTERS]

    async def _do(self, press: Press, incident: Incident, author: str) -> str:
        house = self._house
        match press.verb:
            case Verb.ACK:
                return await house.verbs.ack(incident, author)
            case Verb.RECHECK:
                return await house.verbs.recheck_incident(incident, house.plan, author)
            case Verb.SILENCE_HALF_HOUR:
                until = house.now() + HALF_HOUR
            case Verb.SILENCE_HOUR:
                until = house.now() + HOUR
            case Verb.SILENCE_UNTIL_MORNING:
                until = house.plan.morning.after(house.now())
            case Verb.SILENCE_UNTIL_RESOLVED:
                return await house.verbs.silence_incident_until(incident, None, author)
            case _:
                assert_never(press.verb)
        return await house.verbs.silence_incident_until(incident, until, author)


def _changed(incident: Incident) -> str:
    what = "many failures at once" if incident.is_storm else sentence(incident.root, 80)
    now = f"now it is a {incident.severity.value} about {what}"
    return f"{tag(incident)} is not what this message showed: {now}. Nothing was done; use its card."[:TOAST_CHARACTERS]
