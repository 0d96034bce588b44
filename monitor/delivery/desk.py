"""What messages and cards have in common: where a chat is, what a text is made from, telling the line."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog

from checks.redaction import redact
from monitor.delivery.channel import Channel, Sent
from monitor.delivery.entities import Rendered
from monitor.delivery.messages import render_card, render_message
from monitor.delivery.neighbours import Line, Outbox
from monitor.delivery.pace import backoff_seconds
from monitor.engine.model import Chat, DeliveryOutcome, Event, Incident, MessageKind, Plan, State, Told

RETRY_AFTER_MARGIN_SECONDS = 1.0
"""Added to what a channel asked for: its clock and ours differ."""

log = structlog.get_logger(__name__)

OnAttempt = Callable[[str, str, DeliveryOutcome], None]
"""Called after every attempt with channel, kind of message (`edit` for a card) and outcome."""


async def guarded(event: str, call: Callable[[], Awaitable[object]], **keys: object) -> bool:
    """Call, and say whether it went through. This is the guard of the loop: what goes wrong is logged, never fatal."""
    try:
        await call()
    except Exception as error:  # noqa: BLE001  # the guard of a loop
        log.warning(event, error=type(error).__name__, detail=redact(str(error))[:300], **keys)
        return False
    return True


@dataclass(frozen=True, slots=True)
class Place:
    """Where a chat is told: the channel, its name, the chat's target in it."""

    channel: Channel
    channel_name: str
    target: str


class Desk:
    """The common ground of delivery."""

    def __init__(
        self,
        line: Line,
        rows: Outbox,
        channels: Mapping[str, Channel],
        plan: Plan,
        now: Callable[[], datetime],
        sleep: Callable[[float], Awaitable[object]],
        *,
        dashboard_url: str | None = None,
        on_attempt: OnAttempt | None = None,
    ) -> None:
        self.rows = rows
        self.now = now
        self._line = line
        self._channels = channels
        self._chats: Mapping[str, Chat] = {chat.id: chat for chat in plan.chats}
        self._plan = plan
        self._sleep = sleep
        self._dashboard_url = dashboard_url
        self._on_attempt = on_attempt
        self._paused_until: dict[str, datetime] = {}
        self._left_behind: set[tuple[int, str]] = set()
        """Incident and chat whose root message stayed in the chat's old place: its number is a stranger's here."""

    @property
    def state(self) -> State:
        return self._line.state

    async def place(self, chat_id: str) -> Place | str:
        """Return where the chat is, or in a few words why it cannot be reached."""
        chat = self._chats.get(chat_id)
        if chat is None:
            return f"chat {chat_id} is not in the configuration"
        channel = self._channels.get(chat.channel)
        if channel is None:
            return f"channel {chat.channel} is not set up"
        try:
            return Place(channel, chat.channel, await self.rows.chat_target(chat_id))
        except KeyError:
            return f"chat {chat_id} has no target"

    def card(self, incident: Incident) -> Rendered:
        """Return the incident's card as it is now."""
        deploy = None if incident.deploy_id is None else self.state.deploys.get(incident.deploy_id)
        return render_card(
            incident, self.state.checks, self._plan, self.now(), dashboard_url=self._dashboard_url, deploy=deploy
        )

    def message(self, kind: MessageKind, incident: Incident, *, has_root: bool) -> Rendered:
        """Return a new message about the incident as it is now."""
        deploy = None if incident.deploy_id is None else self.state.deploys.get(incident.deploy_id)
        return render_message(
            kind,
            incident,
            self.state.checks,
            self._plan,
            self.now(),
            dashboard_url=self._dashboard_url,
            deploy=deploy,
            has_root=has_root,
        )

    async def tell(self, event: Event) -> None:
        """Apply to the line until it is committed: what was sent must not be forgotten."""
        failures = 0
        while not await guarded(
            "delivery.commit_failed", lambda: self._line.apply(event), event_type=type(event).__name__
        ):
            failures += 1
            await self._sleep(backoff_seconds(failures, repr(type(event)), most_seconds=10.0))

    def attempted(self, place: Place, kind: str, sent: Sent, **keys: object) -> None:
        """Count and log one attempt."""
        if self._on_attempt is not None:
            self._on_attempt(place.channel_name, kind, sent.outcome)
        write = log.info if sent.outcome is DeliveryOutcome.DELIVERED else log.warning
        write(
            "delivery.attempted",
            channel=place.channel_name,
            kind=kind,
            outcome=sent.outcome.value,
            detail=sent.detail,
            **keys,
        )

    async def pause(self, chat_id: str, retry_after_seconds: float) -> datetime:
        """Leave the chat alone for as long as the channel asked, and return until when."""
        until = self.now() + timedelta(seconds=retry_after_seconds + RETRY_AFTER_MARGIN_SECONDS)
        self._paused_until[chat_id] = until
        await self.rows.pause_chat(chat_id, until)
        return until

    def may_reach(self, chat_id: str) -> bool:
        """Say whether the chat may be written to now: neither paused nor known to be broken."""
        return not self.is_paused(chat_id) and not self.is_broken(chat_id)

    def is_paused(self, chat_id: str) -> bool:
        """Say whether the channel asked to leave the chat alone for now."""
        until = self._paused_until.get(chat_id)
        return until is not None and until > self.now()

    def is_broken(self, chat_id: str) -> bool:
        """Say whether the chat is known to refuse messages."""
        chat = self.state.chats.get(chat_id)
        return chat is not None and chat.broken_since is not None

    async def move(self, chat_id: str, target: str) -> None:
        """Remember that the chat has a new target, where no message of ours is yet."""
        log.warning("delivery.chat_migrated", chat=chat_id)
        for incident in self.state.incidents.values():
            told = incident.told.get(chat_id)
            if told is not None and told.root_message_id is not None:
                self._left_behind.add((incident.id, chat_id))
        await self.rows.set_chat_target(chat_id, target)

    def root_of(self, incident_id: int, told: Told) -> int | None:
        """Return the incident's root message in this chat, if it is where the chat is now."""
        return None if (incident_id, told.chat_id) in self._left_behind else told.root_message_id

    def has_new_root(self, incident_id: int, chat_id: str) -> None:
        """Note that the incident has a root message where the chat is now."""
        self._left_behind.discard((incident_id, chat_id))
