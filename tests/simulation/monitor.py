"""A whole monitor in virtual time, or two of them: the world, the store and the people around the processes."""

import heapq
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from structlog.testing import capture_logs

from monitor.engine.model import (
    Acked,
    AppendTimeline,
    Delivered,
    DeliveryOutcome,
    DeployEnded,
    DeployStarted,
    DropMessage,
    Event,
    InsertMessage,
    Silenced,
    SilenceEnded,
    State,
)
from monitor.engine.step import Step
from tests.simulation.ending import Ending
from tests.simulation.leadership import LeaderRow
from tests.simulation.outbox import Outbox, Read, Row
from tests.simulation.process import Process
from tests.simulation.watch import Watch
from tests.simulation.world import Span, World

START = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)

Due = tuple[float, int, Process | None, int, Callable[..., None], tuple[Any, ...]]


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
        self.row = LeaderRow(lambda: self.t)
        self.read: list[Read] = []
        self.ambiguous: Counter[str] = Counter()
        self.crash_count = 0
        self.dead: list[Span] = []
        """When the leading process was dead."""
        self.looks: Counter[str] = Counter()
        self.reigns = 1
        self.commits = 0
        self._heap: list[Due] = []
        self._number = 0
        self.outbox = Outbox(self)
        self.watch = Watch(self)
        self.processes = [Process(self, name) for name in ("one", "two")[: 2 if world.has_standby else 1]]
        self.leader = self.processes[0]
        """Who began to lead last."""

    @property
    def now(self) -> datetime:
        return self.start + timedelta(seconds=self.t + self.jumped)

    @property
    def is_alive(self) -> bool:
        """Whether somebody leads."""
        return self.leader.is_leading

    @property
    def state(self) -> State:
        return self.leader.state

    @property
    def booted_at(self) -> datetime:
        return self.leader.booted_at

    def run(self) -> "Simulation":
        """Play the seed to its end; the watch collects what is broken on the way."""
        if self.world.has_standby:
            with capture_logs():
                self._run()
        else:
            self._run()
        Ending(self).check()
        return self

    def _run(self) -> None:
        world = self.world
        for process in self.processes:
            process.start()
        for span in world.crashes:
            self.at(span.from_s, None, 0, self._crash, span.to_s)
        for span in world.pauses:
            self.at(span.from_s, None, 0, self._pause, span.to_s)
        for when, seconds in world.jumps:
            self.at(when, None, 0, self._jump, seconds)
        for when, what, about, lasts in world.people:
            self.at(when, None, 0, self._person, what, about, lasts)
        while self._heap and self._heap[0][0] <= world.end_s:
            when, number, process, generation, call, args = heapq.heappop(self._heap)
            if process is not None:
                if generation not in (0, process.generation):
                    continue
                if process.paused_until > when:
                    heapq.heappush(self._heap, (process.paused_until, number, process, generation, call, args))
                    continue
            self.t = max(self.t, when)
            call(*args)
        for process in self.processes:
            process.end()

    def tell(self, text: str) -> None:
        if self.is_verbose:
            self.story.append(f"{self.t:8.1f}  {text}")

    # --- what happens to processes and clocks ------------------------------------------------------------

    def _crash(self, until_s: float) -> None:
        process = self.leader
        if not process.is_alive:
            return
        self.tell(f"monitor {process.name} dies until {until_s:.0f}")
        self.counts["crash"] += 1
        self.crash_count += 1
        self.dead.append(Span(self.t, until_s))
        process.die()
        self.at(until_s, None, 0, self._restart, process)

    def _restart(self, process: Process) -> None:
        self.tell(f"monitor {process.name} starts again")
        process.start()

    def _pause(self, until_s: float) -> None:
        process = self.leader
        if process.is_alive and not process.is_paused:
            self.tell(f"monitor {process.name} is stopped until {until_s:.0f}")
            self.counts["pause"] += 1
            process.paused_until = until_s

    def _jump(self, seconds: float) -> None:
        self.tell(f"the clock jumps by {seconds:.0f} s")
        self.counts["jump"] += 1
        self.jumped += seconds

    # --- the store ---------------------------------------------------------------------------------------

    def commit(self, process: Process, event: Event, before: State, made: Step) -> None:
        """One transaction. Raises `LeadershipLostError` when the process's epoch has ended."""
        if process.epoch is not None:
            self.row.check_epoch(process.epoch)
        self.watch.commit(process)
        if isinstance(event, Delivered):
            self.outbox.rows[event.dedupe_key].status = "done"
        if made.state is before and not made.effects:
            return
        state = made.state
        self.stored = process.state = state
        perhaps: list[Row] = []
        for effect in made.effects:
            match effect:
                case InsertMessage():
                    self.watch.insert(effect)
                    self.counts[f"queued {effect.kind}"] += 1
                    self.outbox.insert(effect)
                    process.mine(self.t, process.sender.pump)
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
        self.watch.after(before, event, state, made.effects)
        for row in perhaps:
            process.sender.report(row, DeliveryOutcome.AMBIGUOUS)

    # --- people ------------------------------------------------------------------------------------------

    def _person(self, what: str, about: str, lasts: float) -> None:
        live = [one.id for one in self.state.incidents.values() if one.is_live]
        self.counts[f"person {what}"] += 1
        self.tell(f"somebody: {what} {about} for {lasts:.0f} s")
        ends_at = self.now + timedelta(seconds=lasts)
        service, author = self.world.plan.checks[about].service, self.world.author
        if what == "ack" and live:
            self._apply(Acked(live[0], author))
        elif what == "silence":
            kind = ("check", "service", "subtree")[int(lasts) % 3]
            self._apply(Silenced(f"{kind}:{service if kind == 'service' else about}", ends_at, author, "known"))
        elif what == "maintenance":
            self._apply(Silenced(f"check:{about}", ends_at, author, "moving", is_maintenance=True))
        elif what == "until" and live:
            self._apply(Silenced(f"incident:{live[-1]}", None, author, "known"))
        elif what == "end" and self.state.silences:
            self._apply(SilenceEnded(min(self.state.silences), author))
        elif what in ("deploy", "failed_deploy"):
            name = f"d{int(lasts * 1000)}"
            self._apply(DeployStarted(name, service, "abc123"))
            self.at(self.t + lasts / 4, None, 0, self._apply, DeployEnded(name, what == "deploy"))

    def _apply(self, event: Event) -> None:
        """What people want reaches whoever leads; one that is stopped takes it when it runs again, or never."""
        if self.leader.is_paused:
            self.leader.mine(self.t, self.leader.apply, event)
        else:
            self.leader.apply(event)

    # --- time --------------------------------------------------------------------------------------------

    def at(self, when: float, process: Process | None, generation: int, call: Callable[..., None], *args: Any) -> None:
        """Do something later: the world's own doing (no process), or a process's, while its generation lasts."""
        self._number += 1
        heapq.heappush(self._heap, (when, self._number, process, generation, call, args))
