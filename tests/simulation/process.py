"""One running monitor in virtual time: its looks, line, clock and sender. It leads, waits, stands still or is dead."""

from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING, Any

from checks.result import Outcome, Result
from monitor.engine import step as engine
from monitor.engine.model import CardEdited, Event, Looked, ProbeNow, State, Tick
from monitor.store.errors import LeadershipLostError
from tests.simulation.dice import between, chance
from tests.simulation.leadership import Candidate
from tests.simulation.outbox import Sender
from tests.simulation.outside import Pulse
from tests.simulation.sight import see, verdict_of

if TYPE_CHECKING:
    from tests.simulation.monitor import Simulation


class Process:
    """One instance."""

    def __init__(self, sim: "Simulation", name: str) -> None:
        self.sim = sim
        self.name = name
        self.state = State()
        self.epoch: int | None = None
        self.is_alive = False
        self.is_leading = False
        self.paused_until = 0.0
        """It is stopped until then; whatever is due meanwhile comes late."""
        self.generation = 0
        self.booted_at = sim.start
        self.sender = Sender(self)
        self.pulse = Pulse(self)
        self._candidate: Candidate | None = None
        self._due: dict[str, float] = {}
        self._flying: set[str] = set()

    @property
    def is_paused(self) -> bool:
        return self.paused_until > self.sim.t

    @property
    def is_proven(self) -> bool:
        """Whether nobody else can lead now: asked before a message is taken."""
        return self._candidate is None or self._candidate.leader.is_proven

    # --- life --------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Begin to live: as the only one it leads at once, beside another it stands for election."""
        self.is_alive = True
        if not self.sim.world.has_standby:
            self._begin(None)
            return
        self._candidate = Candidate(
            self.sim.row,
            f"{self.name}:{self.generation}",
            lambda: self.sim.t,
            lambda when, turn: self.sim.at(when, self, 0, turn),
            begin=self._begin,
            end=self.lose,
        )

    def die(self) -> None:
        self.is_alive = self.is_leading = False
        self.paused_until = 0.0
        self.generation += 1
        if self._candidate is not None:
            self._candidate.die()
            self._candidate = None

    def lose(self) -> None:
        """Stop leading: another instance does."""
        if self.is_leading:
            self.sim.tell(f"{self.name} does not lead any more")
            self.sim.counts["lost the lead"] += 1
            self.is_leading = False
            self.generation += 1

    def _begin(self, epoch: int | None) -> None:
        sim = self.sim
        self.generation += 1
        self.epoch, self.is_leading = epoch, True
        self.booted_at = sim.now
        if epoch is not None:
            sim.tell(f"{self.name} leads: epoch {epoch}")
            sim.counts["takeover"] += epoch > 1
        sim.leader = self
        self.state = engine.fresh_start(sim.stored, sim.now)
        self._flying.clear()
        for name, policy in sim.world.plan.checks.items():
            wait = between(0, min(10.0, policy.interval_seconds), sim.world.seed, "stagger", name, sim.reigns)
            self._due[name] = sim.t + wait
            self.mine(self._due[name], self._look_if_due, name)
        sim.reigns += 1
        self.mine(sim.t + 1.0, self._tick)
        self.pulse.begin()
        self.sender.begin()

    # --- the line ----------------------------------------------------------------------------------------

    def apply(self, event: Event, *, may_fail: bool = True) -> None:
        """Step, commit, hand the effects on."""
        if not self.is_leading:
            return
        sim = self.sim
        made = engine.step(sim.world.plan, self.state, event, sim.now)
        if made.state is self.state and not made.effects:
            self._commit(event, made)
            return
        sim.commits += 1
        draw = chance(sim.world.seed, "commit", sim.commits)
        if may_fail and draw < sim.world.aborts:
            if draw < sim.world.aborts / 2:
                sim.counts["commit aborted"] += 1
                self.mine(sim.t + 0.5, self.apply, event)
                return
            sim.counts["commit answer lost"] += 1
            if self._commit(event, made):
                self.apply(event, may_fail=False)
            return
        if self._commit(event, made):
            for effect in made.effects:
                if isinstance(effect, ProbeNow):
                    self._wish(effect.check_id, sim.t + effect.after_seconds)

    def _commit(self, event: Event, made: engine.Step) -> bool:
        before = self.state
        try:
            self.sim.commit(self, event, before, made)
        except LeadershipLostError:
            self.sim.counts["commit refused"] += 1
            self.lose()
            return False
        return True

    def _tick(self) -> None:
        self.apply(Tick())
        sim = self.sim
        if not sim.world.in_span(sim.world.telegram, sim.t):
            for incident in tuple(self.state.incidents.values()):
                for told in incident.told.values():
                    if told.root_message_id is not None and told.revision < incident.revision:
                        sim.watch.letters.card(self.state, incident.id)
                        self.apply(CardEdited(incident.id, told.chat_id, incident.revision))
        if sim.world.has_standby:
            self.sender.pump()
        is_busy = any(one.is_live for one in self.state.incidents.values())
        pace = 2.0 if self.state.held else 5.0 if is_busy else 15.0
        self.mine(sim.t + pace, self._tick)

    # --- looks -------------------------------------------------------------------------------------------

    def _wish(self, name: str, at_s: float) -> None:
        if at_s < self._due[name]:
            self._due[name] = at_s
            if name not in self._flying:
                self.mine(at_s, self._look_if_due, name)

    def _look_if_due(self, name: str) -> None:
        sim = self.sim
        if name in self._flying or self._due[name] > sim.t + 1e-6:
            return
        self._flying.add(name)
        self._due[name] = float("inf")
        self.pulse.looks_due += 1
        stuck_until = sim.world.end_of(sim.world.stuck, sim.t)
        if stuck_until is not None:
            sim.counts["stuck"] += 1
            self.mine(stuck_until, self._unstick, name)
            return
        sim.looks[name] += 1
        outcome, seconds = see(sim.world, name, sim.looks[name], sim.t)
        self.mine(sim.t + seconds, self._looked, name, outcome, sim.t, sim.now, seconds)

    def _unstick(self, name: str) -> None:
        self.pulse.looks_run += 1
        self._flying.discard(name)
        self._due[name] = self.sim.t
        self._look_if_due(name)

    def _looked(self, name: str, outcome: Outcome, started_s: float, started_at: datetime, seconds: float) -> None:
        sim = self.sim
        self._flying.discard(name)
        self.pulse.looks_run += 1
        interval = sim.world.plan.checks[name].interval_seconds
        self._due[name] = min(self._due[name], max(sim.t, started_s + interval))
        sim.counts[f"look {outcome}"] += 1
        if outcome is not Outcome.OK:
            sim.tell(f"{name} {outcome}")
        event = Looked(Result(name, verdict_of(sim.world, name, outcome), started_at, seconds))
        if sim.leader is self:
            sim.watch.look(name, outcome, started_at, is_certain=False)
        self.apply(event)
        if sim.looks[name] % 16 == 0 and sim.leader is self and self.is_leading:
            sim.watch.repeat(event)
        self.mine(self._due[name], self._look_if_due, name)

    # --- time --------------------------------------------------------------------------------------------

    def mine(self, when: float, call: Callable[..., None], *args: Any) -> None:
        """Do something later, unless this process dies or stops leading before."""
        self.sim.at(when, self, self.generation, call, *args)

    def end(self) -> None:
        """The simulation is over: close what is open, change nothing."""
        if self._candidate is not None:
            self._candidate.die()
