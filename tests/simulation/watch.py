"""What must always hold, checked from outside after every step: INCIDENTS, section 8, by its own numbers."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from typing import TYPE_CHECKING

from checks.result import Outcome
from monitor.engine import step as engine
from monitor.engine.model import (
    AppendTimeline,
    Cause,
    CheckState,
    CheckStatus,
    DropMessage,
    Effect,
    Event,
    Incident,
    IncidentStatus,
    InsertMessage,
    Looked,
    MessageKind,
    Role,
    Severity,
    State,
    Tick,
    ToldState,
)
from monitor.engine.spans import Moment, Span, retile, span_changes
from tests.simulation.evidence import DOWNISH, check_opening, has_evidence
from tests.simulation.letters import Letters
from tests.simulation.rings import Rings
from tests.simulation.voices import Voices

if TYPE_CHECKING:
    from tests.simulation.monitor import Simulation
    from tests.simulation.outbox import Row
    from tests.simulation.process import Process

OPENING = (MessageKind.OPEN, MessageKind.ESCALATE, MessageKind.REOPEN)


@dataclass(frozen=True, slots=True)
class Seen:
    """A look that said something, as the truth had it."""

    at: datetime
    has_failed: bool
    is_certain: bool


class Watch:
    """Collects what is broken, as one line each that begins with the name of the invariant."""

    def __init__(self, sim: "Simulation") -> None:
        self.sim = sim
        self.broken: list[str] = []
        self.history: dict[str, list[Seen]] = {name: [] for name in sim.world.plan.checks}
        self.spans: dict[str, Sequence[Span]] = {}
        self.inserted: dict[str, tuple[float, InsertMessage]] = {}
        self.owed_summary: dict[tuple[int, str], float] = {}
        self.joined: list[tuple[float, str, str, int]] = []
        """(when, what, check, incident): each way into an incident."""
        self.arrived: Counter[str] = Counter()
        self.silent_s: Counter[tuple[int, str]] = Counter()
        self.letters = Letters(sim.world.plan, lambda: sim.now, self.fail)
        self.voices = Voices(sim, self.fail)
        self.rings = Rings(sim, self.fail)

    def fail(self, name: str, text: str) -> None:
        line = f"{name}: {text}"
        self.sim.tell(f"BROKEN {line}")
        self.broken.append(f"at {self.sim.t:.1f}: {line}")

    # --- what happens ------------------------------------------------------------------------------------

    def look(self, name: str, outcome: Outcome, at: datetime, is_certain: bool) -> None:
        if outcome is not Outcome.UNKNOWN:
            self.history[name].append(Seen(at, outcome is Outcome.FAILED, is_certain))

    def repeat(self, event: Looked) -> None:
        """S4: the same look again, and an older one, change nothing."""
        sim = self.sim
        if sim.is_alive and not sim.world.jumps and not sim.world.aborts:
            made = engine.step(sim.world.plan, sim.state, event, sim.now)
            if made.state is not sim.state or made.effects:
                self.fail("S4", f"a look of {event.result.check_id} applied twice changed something")

    def commit(self, process: "Process") -> None:
        self.voices.commit(process)

    def claim(self, process: "Process", row: "Row") -> None:
        self.voices.claim(process, row)
        self.letters.message(row.message, self.sim.stored)

    def beat(self) -> None:
        self.voices.beat()

    def insert(self, message: InsertMessage) -> None:
        if message.dedupe_key in self.inserted:
            self.fail("S11", f"key {message.dedupe_key} was used twice")
        self.inserted[message.dedupe_key] = (self.sim.t, message)

    def arrive(self, message: InsertMessage) -> None:
        sim = self.sim
        key = message.dedupe_key
        self.arrived[key] += 1
        most = 1 + sim.ambiguous[key] + sim.crash_count + sim.counts["commit aborted"] + sim.counts["takeover"]
        if self.arrived[key] > most:
            self.fail("S11", f"{key} was delivered {self.arrived[key]} times")

    # --- after every step --------------------------------------------------------------------------------

    def after(self, before: State, event: Event, state: State, effects: tuple[Effect, ...]) -> None:
        if isinstance(event, Looked):
            self._look(before, event, state, effects)
        if state.incidents is not before.incidents:
            self._incidents(before, state)
        for effect in effects:
            match effect:
                case AppendTimeline():
                    self._note(effect, state)
                case InsertMessage():
                    self._message(effect, state)
                case DropMessage():
                    self._drop(effect, state)
        if isinstance(event, Tick):
            self._tick(state)

    def _look(self, before: State, event: Looked, state: State, effects: tuple[Effect, ...]) -> None:
        name = event.result.check_id
        old, new = before.checks.get(name) or CheckState(name), state.checks[name]
        if event.result.verdict.outcome is Outcome.UNKNOWN:
            counters = [
                (one.status, one.failures_in_row, one.successes_in_row, one.window, one.gated_failures, one.held_since)
                for one in (old, new)
            ]
            if counters[0] != counters[1] or any(not _is_probe(effect) for effect in effects):
                self.fail("S3", f"an unknown look of {name} moved something")
        if not self.sim.world.jumps:
            now = self.sim.now
            for change in span_changes(self.sim.world.plan, Moment(before, now), Moment(state, now)):
                self._mark_spans(change.check_id, retile(self.spans.get(change.check_id, ()), [change]))

    def _mark_spans(self, name: str, spans: Sequence[Span]) -> None:
        self.spans[name] = spans
        for left, right in pairwise(spans):
            if left.ended_at != right.started_at or left.started_at >= right.started_at:
                self.fail("S14", f"the spans of {name} do not tile time")
        if spans[-1].ended_at is not None:
            self.fail("S14", f"the newest span of {name} has an end")

    def _incidents(self, before: State, state: State) -> None:
        member_of: dict[str, int] = {}
        for number, incident in state.incidents.items():
            old = before.incidents.get(number)
            if old is not incident and old is not None and old.is_live and incident.is_live:
                if old.severity is Severity.PAGE and incident.severity is not Severity.PAGE:
                    self.fail("S17", f"the severity of #{number} fell")
                if old.cause is Cause.DOWN and incident.cause is not Cause.DOWN:
                    self.fail("S17", f"the cause of #{number} fell")
            if old is not None and old.suppressed_since is not None and incident.suppressed_since is None:
                for told in old.told.values():
                    began_at = max(old.suppressed_since, told.first_at or self.sim.now)
                    self.silent_s[number, told.chat_id] += int((self.sim.now - began_at).total_seconds())
            if not incident.is_live:
                if old is not None and old.is_live:
                    self._resolved(incident, state)
                continue
            present = [member for member in incident.members if member.left_at is None]
            for member in present:
                other = member_of.setdefault(member.check_id, number)
                if other != number:
                    self.fail("S5", f"{member.check_id} is in #{other} and in #{number}")
                if state.checks[member.check_id].incident_id != number:
                    self.fail("S5", f"{member.check_id} does not know that it is in #{number}")
            if all(_is_well(state, incident, member.check_id, member.role) for member in present):
                self.fail("S8", f"#{number} is open and all its members are well")
        roots = Counter(one.root for one in state.incidents.values() if one.is_live)
        for root, count in roots.items():
            if count > 1:
                self.fail("S5", f"{root} has {count} live incidents")

    def _resolved(self, incident: Incident, state: State) -> None:
        """Nothing is called over while part of it is not, or before S good looks with their span."""
        for member in incident.members:
            if member.left_at is None and not _is_well(state, incident, member.check_id, member.role):
                self.fail("S8", f"#{incident.id} is over and {member.check_id} is not well")
        if incident.cause is not Cause.DOWN or self.sim.world.jumps or incident.root not in state.checks:
            return
        streak: list[datetime] = []
        for one in self.history[incident.root]:
            if one.at >= incident.started_at:
                streak = [] if one.has_failed else [*streak, one.at]
            if len(streak) >= 3 and (streak[-1] - streak[0]).total_seconds() >= 20:
                return
        self.fail("S8", f"#{incident.id} is over without three good looks of {incident.root}")

    def _note(self, effect: AppendTimeline, state: State) -> None:
        sim = self.sim
        if effect.kind in ("opened", "reopened", "rerooted", "root_joined", "symptom_joined", "worsened"):
            name = effect.actor if effect.actor != "monitor" else state.incidents[effect.incident_id].root
            self.joined.append((sim.t, effect.kind, name, effect.incident_id))
            if effect.kind == "symptom_joined":
                self.rings.joined(effect, state)
        incident = state.incidents.get(effect.incident_id)
        if incident is None or effect.kind not in ("opened", "reopened", "root_joined"):
            return
        name = effect.actor
        check = state.checks[name]
        if incident.cause is not Cause.DOWN or check.status is not CheckStatus.DOWN:
            return
        check_opening(self, incident, name, effect.kind, state)
        if not has_evidence(self, check):
            self.fail("S1", f"#{incident.id} opened for {name} without N in a row or M of K")
        for above in sim.world.plan.graph.ancestors[name]:
            ancestor = state.checks.get(above)
            if ancestor is None:
                continue
            told = state.incidents.get(ancestor.incident_id or 0)
            is_told = told is not None and told.is_live
            if ancestor.status in DOWNISH and (is_told or not ancestor.is_stale):
                self.fail("S6", f"#{incident.id} opened for {name} while {above} is {ancestor.status}")
            if ancestor.recovered_at is not None and not sim.world.jumps:
                age = (sim.now - ancestor.recovered_at).total_seconds()
                if 0 <= age < sim.world.plan.rules.gate_settle_seconds:
                    self.fail("S6", f"#{incident.id} opened for {name} {age:.0f} s after {above} recovered")

    def _message(self, message: InsertMessage, state: State) -> None:
        incident = state.incidents[message.incident_id]
        is_end = message.kind in (MessageKind.RESOLVE, MessageKind.SUMMARY)
        self.voices.fallback(message, state)
        if incident.suppressed_since is not None and not is_end:
            self.fail("S15", f"{message.dedupe_key} although silenced")
        told = incident.told[message.chat_id]
        if message.kind is MessageKind.REMIND and incident.reopen_count == 0 and told.reminders == 0 and told.first_at:
            waited = (self.sim.now - told.first_at).total_seconds() - self.silent_s[incident.id, message.chat_id]
            if waited < 895 and not self.sim.world.jumps:
                self.fail("S15", f"{message.dedupe_key} after {waited:.0f} s, silences not counted")
        if incident.is_live is is_end:
            self.fail("S9", f"{message.dedupe_key} while the incident is {incident.status}")
        if message.kind is MessageKind.RESOLVE and told.state is not ToldState.OPEN:
            self.fail("S9", f"{message.dedupe_key} although {told.state} was told")
        if incident.severity is Severity.PAGE and message.is_silent and not is_end:
            self.fail("S17", f"{message.dedupe_key} is a silent page")

    def _drop(self, effect: DropMessage, state: State) -> None:
        queued_s, message = self.inserted[effect.dedupe_key]
        incident = state.incidents[message.incident_id]
        is_over = not incident.is_live and incident.told[message.chat_id].state is ToldState.NOTHING
        # A clock set back meanwhile makes the wait look short: that it was long, nobody can know.
        by_clock = self.sim.t - queued_s + sum(by for at, by in self.sim.world.jumps if queued_s < at <= self.sim.t)
        is_late = self.sim.t - queued_s > 121 and not 0 <= by_clock <= 121
        if message.kind in OPENING[:2] and is_over and is_late and incident.reopen_count == 0:
            self.owed_summary[incident.id, message.chat_id] = self.sim.t

    def _tick(self, state: State) -> None:
        sim = self.sim
        now, plan = sim.now, sim.world.plan
        self.voices.pages(state)
        self.rings.held(state)
        for name in state.held:
            check = state.checks[name]
            if check.held_since is None or check.status not in DOWNISH:
                self.fail("L7", f"{name} is held and {check.status}")
                continue
            is_free = check.hold_until is not None and (now - check.hold_until).total_seconds() > 5
            above = [state.checks[one].status for one in plan.graph.ancestors[name] if one in state.checks]
            is_explained = any(status in DOWNISH for status in above)
            service = plan.checks[name].service
            is_deploying = any(one.service == service and one.ended_at is None for one in state.deploys.values())
            is_waiting = is_explained or is_deploying or check.gate_until is not None
            if is_free and not is_waiting and check.status is CheckStatus.DOWN and not sim.world.jumps:
                failure = check.last_failure
                if failure is not None and state.fresh_since is not None and failure.started_at >= state.fresh_since:
                    self.fail("L7", f"{name} is held for ever")
        for incident in state.incidents.values():
            if not incident.is_live or incident.suppressed_since is not None or sim.world.jumps:
                continue
            began_at = max(filter(None, (incident.live_since, incident.unsuppressed_at)))
            if (now - began_at).total_seconds() < 90:
                continue
            for chat in plan.chats:
                if chat.is_fallback:
                    continue
                told = incident.told.get(chat.id)
                is_broken = chat.id in state.chats and state.chats[chat.id].broken_since is not None
                is_acked = incident.status is IncidentStatus.ACKED
                longest = 3600 if incident.severity is Severity.PAGE else 8 * 3600
                if is_acked and (now - (incident.acked_at or now)).total_seconds() > longest + 20:
                    self.fail("L7", f"the ack of #{incident.id} does not lapse")
                if is_broken:
                    continue
                if chat.is_escalation:
                    since = (now - (incident.unacked_since or now)).total_seconds()
                    if since < 690 or incident.severity is not Severity.PAGE or is_acked:
                        continue
                if told is None or (told.state is not ToldState.OPEN and told.queued_kind is None):
                    self.fail("L1", f"#{incident.id} is open and nobody is being told in {chat.id}")
                elif told.severity is not incident.severity and told.queued_kind is None:
                    self.fail("S17", f"#{incident.id} is a {incident.severity} and {told.severity} was told")
            due_at = engine.incident_due_at(plan, state, incident)
            if due_at is None:
                self.fail("L7", f"#{incident.id} is open and has no timer")


def _is_probe(effect: Effect) -> bool:
    return type(effect).__name__ == "ProbeNow"


def _is_well(state: State, incident: Incident, name: str, role: Role) -> bool:
    check = state.checks[name]
    if check.status is not CheckStatus.UP:
        return False
    if incident.cause is Cause.DEGRADED and check.is_degraded:
        return False
    if role is not Role.ROOT:
        return True
    return not check.is_flapping and not (incident.cause is Cause.STALE and check.is_stale)
