"""What people do, from a page or in a chat: take an incident, silence it, look again. Twice does no more than once."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from monitor.engine.model import (
    Acked,
    Event,
    Incident,
    IncidentStatus,
    Plan,
    Silence,
    Silenced,
    SilenceEnded,
    State,
)

WAIT_SECONDS = 5.0
RECHECK_EVERY = timedelta(seconds=5)
REASON = "a button of its card"


class NotDoneError(Exception):
    """It was not done, and may be tried again; the message says why, for the person."""


@dataclass(frozen=True, slots=True)
class Hands:
    """How people reach the line."""

    apply: Callable[[Event], Awaitable[None]]
    """Returns when the event is committed."""
    probe_now: Callable[[str], object]
    """Have one check looked at now."""
    is_leading: Callable[[], bool]
    """A standby can do nothing."""


@dataclass(slots=True)
class Verbs:
    """Turns what a person asks for into an event of the line, and says in one line what came of it.

    Raises NotDoneError where this instance cannot do it now.
    """

    hands: Hands
    state: Callable[[], State]
    now: Callable[[], datetime]
    _probed_at: dict[str, datetime] = field(default_factory=dict)

    async def ack(self, incident: Incident, author: str) -> str:
        """Take an incident."""
        if not incident.is_live:
            return f"Incident #{incident.id} is over already."
        if incident.status is IncidentStatus.ACKED:
            return f"Incident #{incident.id} was taken already, by {incident.acked_by}."
        await self._apply(Acked(incident.id, author))
        return f"Incident #{incident.id} is yours now."

    async def silence_incident(self, incident: Incident, minutes: int | None, author: str) -> str:
        """Tell nothing of an incident for `minutes`, or until it is resolved."""
        if not incident.is_live:
            return f"Incident #{incident.id} is over already."
        ends_at = None if minutes is None else self.now() + timedelta(minutes=minutes)
        selector = f"incident:{incident.id}"
        running = [one for one in self.state().silences.values() if one.selector == selector and one.ended_at is None]
        if any(_lasts_until(one, ends_at) for one in running):
            return f"Incident #{incident.id} is silenced already, {until_words(running[-1])}."
        return await self.silence(Silenced(selector, ends_at, author, REASON))

    def recheck(self, check_ids: Iterable[str]) -> str:
        """Have these checks looked at now."""
        self._must_lead()
        now = self.now()
        self._probed_at = {name: at for name, at in self._probed_at.items() if at <= now < at + RECHECK_EVERY}
        wanted = [name for name in dict.fromkeys(check_ids) if name not in self._probed_at]
        for name in wanted:
            self._probed_at[name] = now
            self.hands.probe_now(name)
        if not wanted:
            return "Already looking."
        return f"Looking again at {wanted[0] if len(wanted) == 1 else f'{len(wanted)} checks'}."

    async def silence(self, event: Silenced) -> str:
        """Begin a silence or a maintenance."""
        before = self.state().silences.keys()
        await self._apply(event)
        new = [one for number, one in self.state().silences.items() if number not in before]
        if not new:
            return f"{event.selector} was not silenced: its end must lie ahead."
        word = "in maintenance" if event.is_maintenance else "silenced"
        return f"{event.selector} is {word} {until_words(new[-1])}."

    async def end_silence(self, silence_id: int, author: str) -> str:
        """End a silence early."""
        silence = self.state().silences.get(silence_id)
        if silence is None or silence.ended_at is not None:
            return "This silence is over already."
        await self._apply(SilenceEnded(silence_id, author))
        return f"The silence of {silence.selector} is over."

    async def _apply(self, event: Event) -> None:
        self._must_lead()
        try:
            async with asyncio.timeout(WAIT_SECONDS):
                await self.hands.apply(event)
        except TimeoutError:
            raise NotDoneError(f"not done yet: it was not committed within {WAIT_SECONDS:.0f} s") from None

    def _must_lead(self) -> None:
        if not self.hands.is_leading():
            raise NotDoneError("standby: this instance only shows what the leading one does")


def is_known(plan: Plan, selector: str) -> bool:
    """Return whether a silence of this selector would cover anything of the plan."""
    kind, _, name = selector.partition(":")
    if kind == "service":
        return any(policy.service == name for policy in plan.checks.values())
    return kind in ("check", "subtree") and name in plan.checks


def until_words(silence: Silence) -> str:
    """Return how long a silence lasts."""
    return "until it is resolved" if silence.ends_at is None else f"until {silence.ends_at:%Y-%m-%d %H:%M} UTC"


def _lasts_until(silence: Silence, ends_at: datetime | None) -> bool:
    if silence.ends_at is None:
        return True
    return ends_at is not None and silence.ends_at >= ends_at - timedelta(minutes=1)
