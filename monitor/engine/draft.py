"""The working copy of one step: a mapping is copied when first written, everything else stays the same object."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from monitor.engine.events import AppendTimeline, Effect
from monitor.engine.plan import Plan
from monitor.engine.state import ChatState, CheckState, DeployWindow, Incident, Role, Silence, State


class Draft:
    """What one step is about to change. Private to the engine; lives no longer than the step."""

    __slots__ = ("_old", "_writes", "effects", "fields", "now", "plan", "touched")

    def __init__(self, plan: Plan, state: State, now: datetime) -> None:
        self.plan = plan
        self.now = now
        self.effects: list[Effect] = []
        self.touched: dict[int, None] = {}
        """Incidents whose telling is to be looked at again, in order."""
        self.fields: dict[str, Any] = {}
        """Plain fields of the state that change."""
        self._old = state
        self._writes: dict[str, Any] = {}

    @property
    def checks(self) -> Mapping[str, CheckState]:
        checks: Mapping[str, CheckState] = self._writes.get("checks", self._old.checks)
        return checks

    @property
    def incidents(self) -> Mapping[int, Incident]:
        incidents: Mapping[int, Incident] = self._writes.get("incidents", self._old.incidents)
        return incidents

    @property
    def silences(self) -> Mapping[int, Silence]:
        silences: Mapping[int, Silence] = self._writes.get("silences", self._old.silences)
        return silences

    @property
    def deploys(self) -> Mapping[str, DeployWindow]:
        deploys: Mapping[str, DeployWindow] = self._writes.get("deploys", self._old.deploys)
        return deploys

    @property
    def chats(self) -> Mapping[str, ChatState]:
        chats: Mapping[str, ChatState] = self._writes.get("chats", self._old.chats)
        return chats

    @property
    def held(self) -> frozenset[str]:
        held: frozenset[str] = self.fields.get("held", self._old.held)
        return held

    @property
    def fresh_since(self) -> datetime | None:
        return self._old.fresh_since

    def take_number(self, name: str) -> int:
        """Return the next incident or silence number, and move it on."""
        number: int = self.fields.get(name, getattr(self._old, name))
        self.fields[name] = number + 1
        return number

    def check(self, check_id: str) -> CheckState:
        """Return the check; one never looked at is pending."""
        return self.checks.get(check_id) or CheckState(check_id)

    def put_check(self, check: CheckState) -> None:
        """Store the check, and keep the index of held ones true."""
        self._write("checks")[check.id] = check
        if (check.held_since is not None) != (check.id in self.held):
            self.fields["held"] = self.held ^ {check.id}

    def put_incident(self, incident: Incident) -> None:
        """Store the incident, and have its telling looked at."""
        self.touched[incident.id] = None
        self._write("incidents")[incident.id] = incident

    def put_silence(self, silence: Silence) -> None:
        self._write("silences")[silence.id] = silence

    def put_deploy(self, window: DeployWindow) -> None:
        self._write("deploys")[window.id] = window

    def put_chat(self, chat: ChatState) -> None:
        self._write("chats")[chat.id] = chat

    def remove(self, mapping: str, key: object) -> None:
        """Forget one entry of `checks`, `incidents`, `silences` or `deploys`."""
        if mapping == "checks" and key in self.held:
            self.fields["held"] = self.held - {key}
        del self._write(mapping)[key]

    def live_incident_of(self, check: CheckState) -> Incident | None:
        """Return the live incident it is a member of."""
        incident = None if check.incident_id is None else self.incidents.get(check.incident_id)
        return incident if incident is not None and incident.is_live else None

    def note(self, incident_id: int, kind: str, text: str, actor: str = "monitor") -> None:
        """Add one line to the incident's history."""
        self.effects.append(AppendTimeline(incident_id, self.now, actor, kind, text))

    def finish(self) -> State:
        """Return the new state: the very same object when nothing changed."""
        if not self._writes and not self.fields:
            return self._old
        return replace(self._old, revision=self._old.revision + 1, **self._writes, **self.fields)

    def _write(self, name: str) -> dict[Any, Any]:
        if name not in self._writes:
            self._writes[name] = dict(getattr(self._old, name))
        written: dict[Any, Any] = self._writes[name]
        return written


def is_root_of(incident: Incident, check_id: str) -> bool:
    """Return whether the check is a root of the incident; an incident that stands for many has several."""
    return any(
        member.check_id == check_id and member.role is Role.ROOT and member.left_at is None
        for member in incident.members
    )
