"""Keeps the cards true: each root message is edited until it shows its incident as it is."""

from collections.abc import Container
from datetime import datetime, timedelta
from typing import assert_never

from monitor.delivery.channel import Sent
from monitor.delivery.desk import Desk, Place
from monitor.delivery.pace import EditPace, backoff_seconds
from monitor.engine.model import CardEdited, DeliveryOutcome, Incident, IncidentStatus

EDIT_KIND = "edit"
REFUSED_SECONDS = 3600.0
"""How long a card is left alone in a chat that refuses edits for good."""

Key = tuple[int, str]
"""Incident and chat."""


class Cards:
    """Edits cards. What it remembers are waits only: what is told stands in the state."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._pace = EditPace()
        self._failures: dict[Key, int] = {}
        self._not_before: dict[Key, datetime] = {}

    def due(self, busy: Container[str]) -> list[Key]:
        """Return the cards to be edited now, at most one for each chat, none of a chat in `busy`. Oldest first."""
        now = self._desk.now()
        incidents = self._desk.state.incidents
        self._forget(set(incidents))
        chosen: dict[str, Key] = {}
        for incident_id in sorted(incidents):
            for chat_id, told in incidents[incident_id].told.items():
                key = (incident_id, chat_id)
                if told.root_message_id is None or told.revision >= incidents[incident_id].revision:
                    continue
                if chat_id in busy or chat_id in chosen or not self._desk.may_reach(chat_id):
                    continue
                not_before = self._not_before.get(key)
                if (not_before is None or not_before <= now) and self._pace.may_edit(incident_id, chat_id, now):
                    chosen[chat_id] = key
        return list(chosen.values())

    async def edit(self, key: Key) -> None:
        """Edit one card and settle the outcome."""
        incident_id, chat_id = key
        incident = self._desk.state.incidents.get(incident_id)
        told = None if incident is None else incident.told.get(chat_id)
        if incident is None or told is None or told.root_message_id is None:
            return
        place = await self._desk.place(chat_id)
        if isinstance(place, str):
            await self._refused(key, incident)
            return
        self._pace.edited(incident_id, chat_id, self._desk.now())
        if self._desk.root_of(incident_id, told) is None:
            await self._replace(key, incident, place)
            return
        sent = await place.channel.edit(place.target, told.root_message_id, self._desk.card(incident))
        self._desk.attempted(place, EDIT_KIND, sent, incident=incident_id, chat=chat_id)
        if sent.is_message_gone:
            await self._replace(key, incident, place)
        elif sent.outcome is DeliveryOutcome.DELIVERED:
            self._succeeded(key)
            await self._desk.tell(CardEdited(incident_id, chat_id, incident.revision))
        else:
            await self._not_edited(key, incident, sent)

    async def _replace(self, key: Key, incident: Incident, place: Place) -> None:
        """Send the card anew, without a sound: the old one was deleted, or stayed behind in a migrated chat."""
        incident_id, chat_id = key
        sent = await place.channel.send(place.target, self._desk.card(incident), reply_to=None, is_silent=True)
        self._desk.attempted(place, EDIT_KIND, sent, incident=incident_id, chat=chat_id)
        if sent.outcome is not DeliveryOutcome.DELIVERED:
            await self._not_edited(key, incident, sent)
            return
        self._succeeded(key)
        self._desk.has_new_root(incident_id, chat_id)
        await self._desk.tell(CardEdited(incident_id, chat_id, incident.revision, message_id=sent.message_id))

    async def _not_edited(self, key: Key, incident: Incident, sent: Sent) -> None:
        match sent.outcome:
            case DeliveryOutcome.RETRY | DeliveryOutcome.AMBIGUOUS | DeliveryOutcome.DELIVERED:
                if sent.retry_after_seconds is not None:
                    await self._desk.pause(key[1], sent.retry_after_seconds)
                else:
                    failures = self._failures.get(key, 0) + 1
                    self._failures[key] = failures
                    self._wait(key, backoff_seconds(failures, f"{key[0]}:{key[1]}:edit"))
            case DeliveryOutcome.MIGRATED:
                if sent.migrated_to is not None:
                    await self._desk.move(key[1], sent.migrated_to)
            case DeliveryOutcome.PERMANENT:
                await self._refused(key, incident)
            case _:
                assert_never(sent.outcome)

    async def _refused(self, key: Key, incident: Incident) -> None:
        """Try again in an hour; once the incident is closed give up, or it would never be forgotten."""
        self._wait(key, REFUSED_SECONDS)
        if incident.status is IncidentStatus.CLOSED:
            await self._desk.tell(CardEdited(incident.id, key[1], incident.revision))

    def _wait(self, key: Key, seconds: float) -> None:
        self._not_before[key] = self._desk.now() + timedelta(seconds=seconds)

    def _succeeded(self, key: Key) -> None:
        self._failures.pop(key, None)
        self._not_before.pop(key, None)

    def _forget(self, live: set[int]) -> None:
        self._pace.forget(live)
        self._failures = {key: count for key, count in self._failures.items() if key[0] in live}
        self._not_before = {key: at for key, at in self._not_before.items() if key[0] in live}
