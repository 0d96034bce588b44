"""Plays a scenario: the real plan, engine and wording in virtual time, with every message delivered at once. Pure."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from monitor.config.checklist import Checklist
from monitor.config.stack import nearest
from monitor.delivery.messages import render_message
from monitor.engine.model import (
    Acked,
    CardEdited,
    Delivered,
    DeliveryOutcome,
    DeployEnded,
    DeployStarted,
    Event,
    Incident,
    InsertMessage,
    MessageKind,
    Plan,
    ProbeNow,
    Silenced,
    State,
)
from monitor.engine.step import fresh_start, step
from monitor.errors import UsageError
from monitor.scenario.script import Moment, Scenario
from monitor.scenario.timetable import Timetable
from monitor.scenario.truth import Condition, Fault, Truth

START = datetime(2026, 1, 1, tzinfo=UTC)
"""Midnight, so that the times in the messages are the times of the scenario."""
PERSON = "somebody"
SILENCE_SECONDS = 3600.0
LIVE_AFTER_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Said:
    """One message that people would have read."""

    at_seconds: float
    chat: str
    kind: MessageKind
    check: str
    """The root it names."""
    text: str
    is_silent: bool


def play(checklist: Checklist, scenario: Scenario) -> tuple[Said, ...]:
    """Return everything that would be said, in order. Raises UsageError for names that do not exist."""
    _refuse_unknown_names(checklist, scenario)
    stage = _Stage(checklist.plan)
    for number, moment in sorted(enumerate(scenario.timeline), key=lambda numbered: numbered[1].at):
        stage.run_to(min(moment.at, scenario.seconds))
        if moment.at < scenario.seconds:
            stage.happen(moment, f"timeline.{number}")
    stage.run_to(scenario.seconds)
    return tuple(stage.said)


class _Stage:
    """The engine's state, the clock, the truth, and what was said so far."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.said: list[Said] = []
        self._state = fresh_start(State(), START)
        self._now = START
        self._seconds = 0.0
        self._truth = Truth(plan)
        self._timetable = Timetable(
            plan, START, lambda name, at: self._truth.look(name, at, self._state), lambda: self._state
        )
        self._messages = 0

    def run_to(self, seconds: float) -> None:
        """Let time pass: looks, ticks and what is due."""
        for at, event in self._timetable.events(self._seconds, seconds):
            self._now = at
            self._apply(event)
        self._seconds = max(self._seconds, seconds)
        self._now = START + timedelta(seconds=self._seconds)

    def happen(self, moment: Moment, where: str) -> None:
        """Do what one line of the timeline says."""
        for name in moment.up or ():
            self._truth.repair(name)
        for condition in Condition:
            for name in getattr(moment, condition.value) or ():
                self._truth.inject(name, Fault(condition, moment.only))
        if moment.ack is not None:
            self._apply(Acked(self._incident_of(moment.ack, where).id, PERSON))
        if moment.silence is not None:
            seconds = SILENCE_SECONDS if moment.lasts is None else moment.lasts
            self._apply(Silenced(moment.silence, self._now + timedelta(seconds=seconds), PERSON, "scenario"))
        if moment.deploy is not None:
            self._deploy(moment.deploy, moment)
        if moment.restart is not None:
            self._seconds += moment.restart
            self._now = START + timedelta(seconds=self._seconds)
            self._state = fresh_start(self._state, self._now)
            self._timetable.start_looking(self._seconds)

    def _deploy(self, service: str, moment: Moment) -> None:
        name = f"{service}@{moment.at:g}"
        self._apply(DeployStarted(name, service, "0000000"))
        if moment.failed_after is not None:
            self._timetable.tell(moment.at + moment.failed_after, DeployEnded(name, is_live=False))
        else:
            live_after = LIVE_AFTER_SECONDS if moment.live_after is None else moment.live_after
            self._timetable.tell(moment.at + live_after, DeployEnded(name, is_live=True))

    def _incident_of(self, check_id: str, where: str) -> Incident:
        check = self._state.checks.get(check_id)
        incident = None if check is None or check.incident_id is None else self._state.incidents.get(check.incident_id)
        if incident is None or not incident.is_live:
            raise UsageError(f"{where}.ack: {check_id} has no open incident at {spell(self._seconds)}")
        return incident

    def _apply(self, event: Event) -> None:
        waiting = [event]
        while waiting:
            made = step(self.plan, self._state, waiting.pop(0), self._now)
            is_moved = made.state is not self._state
            self._state = made.state
            for effect in made.effects:
                if isinstance(effect, ProbeNow):
                    self._timetable.probe_now(effect, self._now)
                elif isinstance(effect, InsertMessage):
                    waiting.append(self._deliver(effect))
            if is_moved and not waiting:
                waiting += self._edits()

    def _deliver(self, message: InsertMessage) -> Delivered:
        incident = self._state.incidents[message.incident_id]
        told = incident.told[message.chat_id]
        rendered = render_message(
            message.kind,
            incident,
            self._state.checks,
            self.plan,
            self._now,
            dashboard_url=None,
            deploy=None if incident.deploy_id is None else self._state.deploys.get(incident.deploy_id),
            has_root=told.root_message_id is not None,
        )
        chat = message.chat_id.partition(":")[2]
        seconds = (self._now - START).total_seconds()
        self.said.append(Said(seconds, chat, message.kind, incident.root, rendered.text, message.is_silent))
        self._messages += 1
        return Delivered(
            incident.id,
            message.chat_id,
            message.kind,
            message.dedupe_key,
            DeliveryOutcome.DELIVERED,
            self._messages,
            incident.revision,
        )

    def _edits(self) -> list[CardEdited]:
        return [
            CardEdited(incident.id, chat_id, incident.revision)
            for incident in self._state.incidents.values()
            for chat_id, told in incident.told.items()
            if told.root_message_id is not None and told.revision < incident.revision
        ]


def spell(seconds: float) -> str:
    """Return a duration as a scenario writes it: `1h05m`, `2m07s`, `40s`."""
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours}h{minutes:02}m" + (f"{rest:02}s" if rest else "")
    return f"{minutes}m{rest:02}s" if minutes else f"{rest}s"


def _refuse_unknown_names(checklist: Checklist, scenario: Scenario) -> None:
    plan = checklist.plan
    if not plan.chats:
        raise UsageError("nobody is told: add ALERT_CHAT_ID to environment, or alerts.chats to the configuration")
    checks, skipped = set(plan.checks), {item.id: item.setting for item in checklist.skipped}
    services = {policy.service for policy in plan.checks.values()}
    chats = {chat.id.partition(":")[2] for chat in plan.chats}
    lines: list[str] = []

    def refuse(where: str, name: str, noun: str, known: set[str]) -> None:
        if name in known:
            return
        if noun == "check" and skipped.get(name):
            lines.append(f"{where}: {name} needs {skipped[name]} in environment")
        else:
            lines.append(f"{where}: {name!r} is no {noun}{nearest(name, known)}")

    for number, moment in enumerate(scenario.timeline):
        where = f"timeline.{number}"
        for verb in ("up", *(condition.value for condition in Condition)):
            for name in getattr(moment, verb) or ():
                refuse(f"{where}.{verb}", name, "check", checks)
        if moment.ack is not None:
            refuse(f"{where}.ack", moment.ack, "check", checks)
        if moment.deploy is not None:
            refuse(f"{where}.deploy", moment.deploy, "service", services)
        if moment.silence is not None:
            sort, _, name = moment.silence.partition(":")
            if sort not in ("check", "service", "subtree"):
                lines.append(f"{where}.silence: {moment.silence!r} must be check:<id>, subtree:<id> or service:<name>")
            elif sort == "service":
                refuse(f"{where}.silence", name, "service", services)
            else:
                refuse(f"{where}.silence", name, "check", checks)
    for number, expected in enumerate(scenario.expect or ()):
        refuse(f"expect.{number}.check", expected.check, "check", checks)
        if expected.chat is not None:
            refuse(f"expect.{number}.chat", expected.chat, "chat", chats)
    if lines:
        raise UsageError(*lines)
