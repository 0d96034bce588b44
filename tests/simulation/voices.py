"""Who may speak, and whether anybody does: one writer (S12), the fallback (L5), the switch outside (L8)."""

from collections.abc import Callable
from itertools import pairwise
from typing import TYPE_CHECKING

from monitor.engine.model import IncidentStatus, InsertMessage, MessageKind, Severity, State, ToldState
from tests.simulation.outbox import Row
from tests.simulation.outside import BEAT_SECONDS, GRACE_SECONDS, SAMPLE_SECONDS
from tests.simulation.world import MAIL

if TYPE_CHECKING:
    from tests.simulation.monitor import Simulation
    from tests.simulation.process import Process

LATE_SECONDS = 120.0


class Voices:
    """One part of the watch."""

    def __init__(self, sim: "Simulation", fail: Callable[[str, str], None]) -> None:
        self._sim = sim
        self._fail = fail
        self._writer: dict[int, str] = {}
        self._newest = 0
        self.beats: list[float] = []

    # --- S12 ---------------------------------------------------------------------------------------------

    def commit(self, process: "Process") -> None:
        """Nobody commits once a newer epoch has, and one epoch is one process's."""
        epoch = process.epoch or 0
        if epoch < self._sim.row.epoch:
            self._fail("S12", f"{process.name} wrote under epoch {epoch}, {self._sim.row.epoch} has begun")
        if self._writer.setdefault(epoch, process.name) != process.name:
            self._fail("S12", f"epoch {epoch} was written by {self._writer[epoch]} and {process.name}")

    def claim(self, process: "Process", row: Row) -> None:
        """Nobody takes a message to send who does not lead."""
        if (process.epoch or 0) < self._sim.row.epoch:
            self._fail("S12", f"{process.name} of epoch {process.epoch} took {row.message.dedupe_key} to send")
        if row.status != "queued":
            self._fail("S12", f"{process.name} took {row.message.dedupe_key}, which is {row.status}")

    # --- L5 ----------------------------------------------------------------------------------------------

    def fallback(self, message: InsertMessage, state: State) -> None:
        """A page is told elsewhere only when the first chats did not get it in time, or are broken."""
        if message.chat_id != MAIL or message.kind is not MessageKind.OPEN or self._sim.world.jumps:
            return
        incident = state.incidents[message.incident_id]
        first = [chat.id for chat in self._sim.world.plan.chats if chat.is_first]
        waits = [told.queued_at for name in first if (told := incident.told.get(name)) and told.queued_at]
        is_late = any((self._sim.now - at).total_seconds() >= LATE_SECONDS for at in waits)
        is_broken = all(name in state.chats and state.chats[name].broken_since is not None for name in first)
        if not (is_late or is_broken) or incident.severity is not Severity.PAGE:
            self._fail("L5", f"{message.dedupe_key} although nothing waited for two minutes")

    def pages(self, state: State) -> None:
        """A page that no first chat got within two minutes is told elsewhere, and soon."""
        sim = self._sim
        if sim.world.jumps or not any(chat.id == MAIL for chat in sim.world.plan.chats):
            return
        first = [chat.id for chat in sim.world.plan.chats if chat.is_first]
        for incident in state.incidents.values():
            is_urgent = incident.status is IncidentStatus.OPEN and incident.severity is Severity.PAGE
            if not is_urgent or incident.suppressed_since is not None:
                continue
            waits = [told.queued_at for name in first if (told := incident.told.get(name)) and told.queued_at]
            is_told = any(
                told.state is ToldState.OPEN and told.severity is Severity.PAGE
                for name in first
                if (told := incident.told.get(name))
            )
            oldest = max(((sim.now - at).total_seconds() for at in waits), default=0.0)
            mail = incident.told.get(MAIL)
            is_mailed = mail is not None and (mail.state is ToldState.OPEN or mail.queued_kind is not None)
            if oldest > LATE_SECONDS + 20 and not is_told:
                sim.counts["fallback was due"] += 1
                if not is_mailed:
                    self._fail("L5", f"#{incident.id} waits for {oldest:.0f} s and nobody is told elsewhere")

    # --- L8 ----------------------------------------------------------------------------------------------

    def beat(self) -> None:
        """No beat while looks do not come back, or while a page waits. One that was stopped may send its last late."""
        sim = self._sim
        self.beats.append(sim.t)
        stuck = [span for span in sim.world.stuck if span.from_s + 180 < sim.t < span.to_s]
        if stuck:
            self._fail("L8", f"a beat although no look has come back since {stuck[0].from_s:.0f}")
        for row in sim.outbox.rows.values():
            is_page = row.message.severity is Severity.PAGE and row.status != "done" and not row.is_dropped
            if is_page and sim.t - row.created_s > LATE_SECONDS + SAMPLE_SECONDS and not sim.world.jumps:
                self._fail("L8", f"a beat although {row.message.dedupe_key} waits since {row.created_s:.0f}")

    def switch(self) -> None:
        """When all is over: the switch fired when the monitor was dead or blind for long, and never in vain."""
        world = self._sim.world
        limit = BEAT_SECONDS + GRACE_SECONDS
        dead = [] if world.has_standby else self._sim.dead
        for span in (*dead, *(one for one in world.stuck if one.to_s - one.from_s > 180 + limit)):
            if span.to_s - span.from_s <= limit:
                continue
            late_s = 180.0 if span in world.stuck else 0.0
            if any(span.from_s + late_s < beat < span.to_s for beat in self.beats):
                self._fail("L8", f"the switch did not fire between {span.from_s:.0f} and {span.to_s:.0f}")
            self._sim.counts["switch fired"] += 1
        trouble = (*world.crashes, *world.stuck, *world.telegram, *world.pauses, *world.jumps)
        if not trouble:
            times = [0.0, *self.beats, self._sim.t]
            gaps = [later - earlier for earlier, later in pairwise(times)]
            if max(gaps) > limit:
                self._fail("L8", f"the switch fired in vain: {max(gaps):.0f} s without a beat")
