"""What stands outside: the dead-man's switch that the monitor must keep from firing, by the real audit."""

from typing import TYPE_CHECKING

from monitor import heartbeat

if TYPE_CHECKING:
    from tests.simulation.process import Process

BEAT_SECONDS = 60.0
SAMPLE_SECONDS = 20.0
GRACE_SECONDS = 90.0
"""The switch fires when no beat came for so long over the minute."""


class Pulse:
    """Audits a process every few seconds, and beats once a minute while nothing is wrong with it."""

    def __init__(self, process: "Process") -> None:
        self.process = process
        self.looks_due = 0
        self.looks_run = 0
        self._begin_anew()

    def begin(self) -> None:
        """Begin with the reign; the first beat comes a minute later."""
        self._begin_anew()
        self._beat_s = self.process.sim.t + BEAT_SECONDS
        self._sample()

    def _begin_anew(self) -> None:
        self.looks_due = self.looks_run = 0
        self._seen = heartbeat.LooksSeen(20.0)
        self._beat_s = 0.0

    def _sample(self) -> None:
        sim, state = self.process.sim, self.process.state
        self._seen.note(sim.t, self.looks_due, self.looks_run)
        due, missed = self._seen.due_and_missed()
        vitals = heartbeat.Vitals(
            looks_due=due,
            looks_missed=missed,
            looks_expected=self._seen.is_long_enough(),
            loop_lag_p99_seconds=0.0,
            oldest_page_seconds=heartbeat.oldest_page_seconds(state, sim.now),
            timerless=heartbeat.timerless(sim.world.plan, state),
        )
        failed = heartbeat.audit(vitals)
        if sim.t >= self._beat_s:
            self._beat_s = sim.t + BEAT_SECONDS
            sim.counts["beat withheld" if failed else "beat"] += 1
            if failed:
                sim.tell(f"the heartbeat is withheld: {failed[0]}")
            else:
                sim.watch.beat()
        self.process.mine(sim.t + SAMPLE_SECONDS, self._sample)
