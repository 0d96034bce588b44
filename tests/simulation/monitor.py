"""A whole monitor in virtual time: scheduler, line, store, outbox and cards around the real engine."""

import heapq
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from checks.result import Outcome, Reason, Result, Verdict
from monitor.engine import step as engine
from monitor.engine.model import (
    Acked,
    AppendTimeline,
    CardEdited,
    Delivered,
    DeliveryOutcome,
    DeployEnded,
    DeployStarted,
    DropMessage,
    Effect,
    Event,
    InsertMessage,
    Looked,
    ProbeNow,
    Silenced,
    SilenceEnded,
    State,
    Tick,
)
from tests.simulation.dice import between, chance
from tests.simulation.ending import Ending
from tests.simulation.outbox import Outbox, Read, Row
from tests.simulation.watch import Watch
from tests.simulation.world import EGRESS, World

START = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


class Simulation:
    """One seed, from its first look to its last message."""

    def __init__(self, world: World, *, start: datetime = START, is_verbose: bool = False) -> None:
        self.world = world
        self.start = start
        self.t = 0.0
        self.jumped = 0.0
        self.is_verbose = is_verbose
        self.story: list[str] = []
        self.counts: Counter[str] = Counter()
        self.stored = State()
        self.state = State()
        self.read: list[Read] = []
        self.ambiguous: Counter[str] = Counter()
        self.crash_count = 0
        self.is_alive = False
        self.booted_at = start
        self._generation = 0
        self._heap: list[tuple[float, int, int, Callable[..., None], tuple[Any, ...]]] = []
        self._number = 0
        self._due: dict[str, float] = {}
        self._flying: set[str] = set()
        self._looks: Counter[str] = Counter()
        self._commits = 0
        self.outbox = Outbox(self)
        self.watch = Watch(self)

    @property
    def now(self) -> datetime:
        return self.start + timedelta(seconds=self.t + self.jumped)

    def run(self) -> "Simulation":
        """Play the seed to its end; the watch collects what is broken on the way."""
        world = self.world
        self._boot()
        for span in world.crashes:
            self.at(span.from_s, 0, self._crash, span.to_s)
        for when, seconds in world.jumps:
            self.at(when, 0, self._jump, seconds)
        for when, what, about, lasts in world.people:
            self.at(when, 0, self._person, what, about, lasts)
        while self._heap and self._heap[0][0] <= world.end_s:
            when, _, generation, call, args = heapq.heappop(self._heap)
            if generation in (0, self._generation):
                self.t = max(self.t, when)
                call(*args)
        Ending(self).check()
        return self

    def tell(self, text: str) -> None:
        if self.is_verbose:
            self.story.append(f"{self.t:8.1f}  {text}")

    # --- the process -------------------------------------------------------------------------------------

    def _boot(self) -> None:
        self._generation += 1
        self.is_alive = True
        self.booted_at = self.now
        self.state = engine.fresh_start(self.stored, self.now)
        self._flying.clear()
        for name, policy in self.world.plan.checks.items():
            wait = between(0, min(10.0, policy.interval_seconds), self.world.seed, "stagger", name, self._generation)
            self._due[name] = self.t + wait
            self.mine(self._due[name], self._look_if_due, name)
        self.mine(self.t + 1.0, self._tick)
        self.outbox.boot()

    def _crash(self, until_s: float) -> None:
        if not self.is_alive:
            return
        self.tell(f"the monitor dies until {until_s:.0f}")
        self.counts["crash"] += 1
        self.crash_count += 1
        self.is_alive = False
        self._generation += 1
        self.at(until_s, 0, self._restart)

    def _restart(self) -> None:
        self.tell("the monitor starts again")
        self._boot()

    def _jump(self, seconds: float) -> None:
        self.tell(f"the clock jumps by {seconds:.0f} s")
        self.counts["jump"] += 1
        self.jumped += seconds

    def apply(self, event: Event, *, may_fail: bool = True) -> None:
        """The line: step, commit, hand the effects on."""
        if not self.is_alive:
            return
        made = engine.step(self.world.plan, self.state, event, self.now)
        if made.state is self.state and not made.effects:
            self._mark_done(event)
            return
        self._commits += 1
        draw = chance(self.world.seed, "commit", self._commits)
        if may_fail and draw < self.world.aborts:
            if draw < self.world.aborts / 2:
                self.counts["commit aborted"] += 1
                self.mine(self.t + 0.5, self.apply, event)
                return
            self.counts["commit answer lost"] += 1
            self._commit(event, made.state, made.effects)
            self.apply(event, may_fail=False)
            return
        self._commit(event, made.state, made.effects)
        for effect in made.effects:
            if isinstance(effect, ProbeNow):
                self._wish(effect.check_id, self.t + effect.after_seconds)

    def _commit(self, event: Event, state: State, effects: tuple[Effect, ...]) -> None:
        before = self.state
        self.stored = self.state = state
        self._mark_done(event)
        perhaps: list[Row] = []
        for effect in effects:
            match effect:
                case InsertMessage():
                    self.watch.insert(effect)
                    self.counts[f"queued {effect.kind}"] += 1
                    self.outbox.insert(effect)
                    self.tell(f"queue {effect.dedupe_key} ({state.incidents[effect.incident_id].root})")
                case DropMessage():
                    self.counts["dropped"] += 1
                    self.tell(f"drop {effect.dedupe_key}")
                    row = self.outbox.drop(effect.dedupe_key)
                    if row is not None:
                        perhaps.append(row)
                case AppendTimeline():
                    self.counts[effect.kind] += 1
                    if effect.kind in ("opened", "worsened"):
                        self.counts[f"{effect.kind} {effect.text.split()[-1]}"] += 1
                    self.tell(f"#{effect.incident_id} {effect.kind}: {effect.text}")
        self.watch.after(before, event, state, effects)
        for row in perhaps:
            self.outbox.report(row, DeliveryOutcome.AMBIGUOUS)

    def _mark_done(self, event: Event) -> None:
        """The outcome and the row are one transaction."""
        if isinstance(event, Delivered):
            self.outbox.rows[event.dedupe_key].status = "done"

    def _tick(self) -> None:
        self.apply(Tick())
        if not self.world.in_span(self.world.telegram, self.t):
            for incident in tuple(self.state.incidents.values()):
                for told in incident.told.values():
                    if told.root_message_id is not None and told.revision < incident.revision:
                        self.apply(CardEdited(incident.id, told.chat_id, incident.revision))
        is_busy = any(one.is_live for one in self.state.incidents.values())
        pace = 2.0 if self.state.held else 5.0 if is_busy else 15.0
        self.mine(self.t + pace, self._tick)

    # --- looks -------------------------------------------------------------------------------------------

    def _wish(self, name: str, at_s: float) -> None:
        if at_s < self._due[name]:
            self._due[name] = at_s
            if name not in self._flying:
                self.mine(at_s, self._look_if_due, name)

    def _look_if_due(self, name: str) -> None:
        if name in self._flying or self._due[name] > self.t + 1e-6:
            return
        self._flying.add(name)
        self._due[name] = float("inf")
        self._looks[name] += 1
        outcome, seconds, certain = self._see(name, self._looks[name])
        self.mine(self.t + seconds, self._looked, name, outcome, self.t, self.now, seconds, certain)

    def _looked(
        self, name: str, outcome: Outcome, started_s: float, started_at: datetime, seconds: float, certain: bool
    ) -> None:
        self._flying.discard(name)
        interval = self.world.plan.checks[name].interval_seconds
        self._due[name] = min(self._due[name], max(self.t, started_s + interval))
        self.counts[f"look {outcome}"] += 1
        if outcome is not Outcome.OK:
            self.tell(f"{name} {outcome}")
        reason = None if outcome is Outcome.OK else Reason.TIMEOUT
        result = Result(name, Verdict(outcome, outcome.value, reason, certain=certain), started_at, seconds)
        self.watch.look(name, outcome, started_at, certain)
        self.apply(Looked(result))
        if self._looks[name] % 16 == 0:
            self.watch.repeat(Looked(result))
        self.mine(self._due[name], self._look_if_due, name)

    def _see(self, name: str, number: int) -> tuple[Outcome, float, bool]:
        seed, world = self.world.seed, self.world
        policy = world.plan.checks[name]
        seconds = between(0.05, 0.5, seed, "takes", name, number)
        if world.in_span(world.blind, self.t):
            if name == EGRESS:
                return Outcome.FAILED, policy.timeout_seconds, False
            is_caught = chance(seed, "caught", name, number) < 0.7
            return (Outcome.UNKNOWN if is_caught else Outcome.FAILED), policy.timeout_seconds, False
        if world.is_down(name, self.t):
            fails_after = between(0.1, policy.timeout_seconds, seed, "fails", name, number)
            return Outcome.FAILED, fails_after, False
        mode, share = world.mode_of(name, self.t)
        if mode == "flaky" and chance(seed, "flaky", name, number) < share:
            return Outcome.FAILED, seconds, False
        if mode == "mute":
            return Outcome.UNKNOWN, seconds, False
        if mode == "degraded":
            return Outcome.DEGRADED, seconds, False
        if world.kind == "chaos" and chance(seed, "late", name, number) < 0.003:
            return Outcome.UNKNOWN, seconds, False
        return Outcome.OK, seconds, False

    # --- people ------------------------------------------------------------------------------------------

    def _person(self, what: str, about: str, lasts: float) -> None:
        live = [one.id for one in self.state.incidents.values() if one.is_live]
        self.counts[f"person {what}"] += 1
        self.tell(f"somebody: {what} {about} for {lasts:.0f} s")
        ends_at = self.now + timedelta(seconds=lasts)
        service = about.split(".")[0]
        if what == "ack" and live:
            self.apply(Acked(live[0], "ada"))
        elif what == "silence":
            kind = ("check", "service", "subtree")[int(lasts) % 3]
            self.apply(Silenced(f"{kind}:{service if kind == 'service' else about}", ends_at, "ada", "known"))
        elif what == "maintenance":
            self.apply(Silenced(f"check:{about}", ends_at, "ada", "moving", is_maintenance=True))
        elif what == "until" and live:
            self.apply(Silenced(f"incident:{live[-1]}", None, "ada", "known"))
        elif what == "end" and self.state.silences:
            self.apply(SilenceEnded(min(self.state.silences), "ada"))
        elif what in ("deploy", "failed_deploy"):
            name = f"d{int(lasts * 1000)}"
            self.apply(DeployStarted(name, service, "abc123"))
            self.at(self.t + lasts / 4, 0, self.apply, DeployEnded(name, what == "deploy"))

    # --- time --------------------------------------------------------------------------------------------

    def at(self, when: float, generation: int, call: Callable[..., None], *args: Any) -> None:
        self._number += 1
        heapq.heappush(self._heap, (when, self._number, generation, call, args))

    def mine(self, when: float, call: Callable[..., None], *args: Any) -> None:
        """Something that this process will do, unless it dies before."""
        self.at(when, self._generation, call, *args)
