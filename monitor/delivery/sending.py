"""Delivers one message of the outbox: send it, and do what its outcome calls for."""

from dataclasses import dataclass
from datetime import timedelta
from typing import assert_never

from monitor.delivery.channel import Sent
from monitor.delivery.desk import Desk, Place
from monitor.delivery.neighbours import OutboxMessage
from monitor.delivery.notes import note_of
from monitor.delivery.pace import backoff_seconds
from monitor.engine.model import Delivered, DeliveryOutcome, Incident, MessageKind, Told

SENT_AGAIN = frozenset(MessageKind) - {MessageKind.REMIND, MessageKind.RESOLVE}
"""Kinds that are sent again when nobody knows whether they arrived: twice is better than never. What is left out is
said by the next reminder, or by the card: a recovery in a chat that has no card of ours is sent again as well."""

UNWANTED_SECONDS = 60.0
"""How long a row that the engine does not wait for is left alone, if the store has not dropped it by then."""


@dataclass(frozen=True, slots=True)
class Settlement:
    """What the outcome of a message means for its incident."""

    revision: int = 0
    """The revision of the card that the chat shows if it arrives."""
    is_sent_again: bool = True
    """Send it again when nobody knows whether it arrived."""


NOTE = Settlement()


class Sending:
    """Sends messages, one at a time for each chat (whoever calls sees to that)."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def deliver(self, row: OutboxMessage) -> None:
        """Send one claimed message and settle it."""
        if row.body is not None:
            await self._deliver_note(row, row.body)
            return
        incident = self._desk.state.incidents.get(row.incident_id)
        told = None if incident is None else incident.told.get(row.chat_id)
        if incident is None or told is None or not _is_wanted(row, incident, told):
            await self._release(row, UNWANTED_SECONDS, "no longer wanted", is_counted=False)
            return
        settlement = self._settlement(row, incident, told)
        if row.was_sending and not settlement.is_sent_again:
            await self._settle(row, settlement, Sent(DeliveryOutcome.AMBIGUOUS, detail="cut off while sending"))
            return
        place = await self._desk.place(row.chat_id)
        if isinstance(place, str):
            await self._settle(row, settlement, Sent(DeliveryOutcome.PERMANENT, detail=place))
            return
        await self._settle(row, settlement, await self._send(row, incident, told, place))

    async def admit(self, row: OutboxMessage) -> None:
        """Tell the line of a message that was dropped, and may have arrived all the same."""
        detail = "dropped when it may have left"
        ambiguous = DeliveryOutcome.AMBIGUOUS
        await self._desk.tell(Delivered(row.incident_id, row.chat_id, row.kind, row.key, ambiguous, detail=detail))

    async def _deliver_note(self, row: OutboxMessage, body: str) -> None:
        """Send a message of no incident: it says what it was made with."""
        place = await self._desk.place(row.chat_id)
        if isinstance(place, str):
            await self._settle(row, NOTE, Sent(DeliveryOutcome.PERMANENT, detail=place))
            return
        sent = await place.channel.send(place.target, note_of(body), reply_to=None, is_silent=row.is_silent)
        self._desk.attempted(place, row.kind.value, sent, key=row.key)
        await self._settle(row, NOTE, sent)

    async def _send(self, row: OutboxMessage, incident: Incident, told: Told, place: Place) -> Sent:
        root = self._desk.root_of(incident.id, told)
        rendered = self._desk.message(row.kind, incident, has_root=root is not None)
        reply_to = None if row.kind is MessageKind.OPEN else root
        sent = await place.channel.send(place.target, rendered, reply_to=reply_to, is_silent=row.is_silent)
        self._desk.attempted(place, row.kind.value, sent, key=row.key)
        return sent

    def _settlement(self, row: OutboxMessage, incident: Incident, told: Told) -> Settlement:
        # A reply under a card shows no card: the card in the chat is still the one it was.
        has_card = row.kind is MessageKind.OPEN or told.root_message_id is None
        has_root = self._desk.root_of(row.incident_id, told) is not None
        return Settlement(
            revision=incident.revision if has_card else told.revision,
            is_sent_again=row.kind in SENT_AGAIN or (row.kind is MessageKind.RESOLVE and not has_root),
        )

    async def _settle(self, row: OutboxMessage, settlement: Settlement, sent: Sent) -> None:
        match sent.outcome:
            case DeliveryOutcome.DELIVERED | DeliveryOutcome.PERMANENT:
                await self._finish(row, settlement, sent)
            case DeliveryOutcome.AMBIGUOUS:
                if settlement.is_sent_again:
                    await self._retry(row, sent)
                else:
                    await self._finish(row, settlement, sent)
            case DeliveryOutcome.RETRY:
                await self._retry(row, sent)
            case DeliveryOutcome.MIGRATED:
                if sent.migrated_to is not None:
                    await self._desk.move(row.chat_id, sent.migrated_to)
                await self._release(row, 0.0, sent.detail, is_counted=False)
            case _:
                assert_never(sent.outcome)

    async def _finish(self, row: OutboxMessage, settlement: Settlement, sent: Sent) -> None:
        await self._desk.tell(
            Delivered(
                row.incident_id,
                row.chat_id,
                row.kind,
                row.key,
                sent.outcome,
                message_id=sent.message_id,
                revision=settlement.revision,
                detail=sent.detail,
            )
        )

    async def _retry(self, row: OutboxMessage, sent: Sent) -> None:
        if sent.retry_after_seconds is None:
            seconds = backoff_seconds(max(1, row.attempts), row.key)
            is_doubtful = sent.outcome is DeliveryOutcome.AMBIGUOUS
            await self._release(row, seconds, sent.detail, may_have_left=is_doubtful)
            return
        until = await self._desk.pause(row.chat_id, sent.retry_after_seconds)
        await self._desk.rows.release_message(row.key, row.lease_token, until, sent.detail, is_counted=False)

    async def _release(
        self,
        row: OutboxMessage,
        seconds: float,
        error: str,
        *,
        is_counted: bool = True,
        may_have_left: bool = False,
    ) -> None:
        due_at = self._desk.now() + timedelta(seconds=seconds)
        await self._desk.rows.release_message(
            row.key, row.lease_token, due_at, error, is_counted=is_counted, may_have_left=may_have_left
        )


def _is_wanted(row: OutboxMessage, incident: Incident, told: Told) -> bool:
    """Say whether the engine still waits for this message: it may have changed its mind since the row was claimed."""
    if told.queued_key != row.key:
        return False
    return incident.is_live or row.kind in (MessageKind.RESOLVE, MessageKind.SUMMARY)
