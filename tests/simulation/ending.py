"""What must hold when all is over: nothing open, nothing on its way, everybody told, once, the right name, in time."""

from collections import Counter
from typing import TYPE_CHECKING

from monitor.engine.model import MessageKind, ToldState
from tests.simulation.watch import OPENING

if TYPE_CHECKING:
    from tests.simulation.monitor import Simulation

PINGS_PER_HOUR = 9
"""Per incident and chat: three drops and their ends, then half-hourly at most."""


class Ending:
    """The last look of the watch."""

    def __init__(self, sim: "Simulation") -> None:
        self.sim = sim
        self.watch = sim.watch

    def check(self) -> None:
        """Check everything that can only be known when all is over."""
        sim, state = self.sim, self.sim.state
        for incident in state.incidents.values():
            if incident.is_live:
                self.watch.fail("L3", f"#{incident.id} of {incident.root} is still open")
            for told in incident.told.values():
                chat = state.chats.get(told.chat_id)
                if told.state is ToldState.OPEN and (chat is None or chat.broken_since is None):
                    self.watch.fail("L3", f"#{incident.id} was told open and never resolved")
        if state.held:
            self.watch.fail("L7", f"held at the end: {sorted(state.held)}")
        for key, row in sim.outbox.rows.items():
            if row.status != "done":
                self.watch.fail("L7", f"{key} is still {row.status}")
        read = {(one.incident_id, one.chat_id) for one in sim.read}
        for (number, chat_id), when in self.watch.owed_summary.items():
            has_refused = sim.counts["send blocked"]
            if (number, chat_id) not in read and not has_refused:
                self.watch.fail("L4", f"#{number}, over at {when:.0f}, is not represented in {chat_id}")
        self.watch.voices.switch()
        self._alternation()
        self._budget()
        # Where no look comes back for minutes, a warning of our own is right, and nothing else is.
        is_ours = sim.world.stuck and not sim.counts["opened down"] + sim.counts["opened degraded"]
        if sim.world.kind in ("blips", "quiet") and sim.read and not is_ours:
            self.watch.fail("S2", f"nothing was wrong and {sim.read[0].key} was said")
        if sim.world.kind == "single":
            self._single()
        if sim.world.kind == "storm":
            for place in sim.world.plan.chats:
                opened = [one for one in sim.read if one.kind in OPENING and one.chat_id == place.id]
                if len(opened) > 1 + sim.world.plan.rules.storm_roots:
                    self.watch.fail("S10", f"{len(opened)} pings for {len(sim.world.faults)} faults in {place.id}")
        if sim.world.kind == "chaos":
            self._told_at_all()

    def _alternation(self) -> None:
        open_in: dict[tuple[int, str], bool] = {}
        doubtful = {
            (message.incident_id, message.chat_id)
            for key, (_, message) in self.watch.inserted.items()
            if message.kind in OPENING and self.sim.ambiguous[key]
        }
        seen: set[str] = set()
        for one in self.sim.read:
            if one.key in seen:
                continue
            seen.add(one.key)
            pair = (one.incident_id, one.chat_id)
            if one.kind is MessageKind.RESOLVE:
                if not open_in.get(pair) and pair not in doubtful:
                    self.watch.fail("S9", f"{one.key} was read and nothing was open")
                open_in[pair] = False
            elif one.kind in OPENING:
                open_in[pair] = True

    def _budget(self) -> None:
        hours: Counter[tuple[int, str, int]] = Counter()
        for one in {one.key: one for one in self.sim.read}.values():
            hours[one.incident_id, one.chat_id, int(one.at_s // 3600)] += 1
        for (number, chat_id, _), count in hours.items():
            if count > PINGS_PER_HOUR:
                self.watch.fail("S10", f"#{number} said {count} things within an hour in {chat_id}")

    def _single(self) -> None:
        """S7 and L1: one fault, one ping, the right name, in time."""
        sim, fault = self.sim, self.sim.world.faults[0]
        opened = [one for one in sim.read if one.kind in OPENING and one.chat_id == sim.world.plan.chats[0].id]
        if [one.root for one in opened] != [fault.check_id]:
            self.watch.fail("S7", f"{fault.check_id} broke and people read {[(one.key, one.root) for one in opened]}")
            return
        slowest = max(sim.world.plan.checks[fault.check_id].interval_seconds, 0.0)
        policy = sim.world.plan.checks[fault.check_id]
        limit = slowest + 2 * (policy.retry_seconds + policy.timeout_seconds) + policy.timeout_seconds + 60.0 + 2.0
        if opened[0].at_s > fault.from_s + limit:
            self.watch.fail("L1", f"told after {opened[0].at_s - fault.from_s:.0f} s")

    def _told_at_all(self) -> None:
        """L1, L2: an outage long enough, without other trouble, is in an incident; a masked one as a root."""
        world = self.sim.world
        if world.jumps:
            return
        trouble = [(one.from_s, one.to_s) for one in (*world.blind, *world.crashes, *world.stuck)]
        trouble += [(one.from_s, one.to_s + 60) for one in world.pauses]
        if world.has_standby:
            trouble += [(one.to_s, one.to_s + 300) for one in world.crashes]
        trouble += [(when, when + 1500) for when, what, _, _ in world.people if "deploy" in what]
        for fault in world.faults:
            if fault.mode != "down" or fault.to_s - fault.from_s < 300:
                continue
            masks = [
                (one.from_s, one.to_s + 120)
                for one in world.faults
                if one is not fault and one.check_id in (fault.check_id, *world.plan.graph.ancestors[fault.check_id])
            ]
            start = max([fault.from_s, *(end for _, end in masks if end < fault.to_s)])
            clash = [span for span in (*trouble, *masks) if span[0] < fault.to_s and span[1] > start]
            if clash or fault.to_s - start < 300:
                continue
            ways = [one for one in self.watch.joined if one[2] == fault.check_id and one[0] <= start + 280]
            if not any(what in ("opened", "reopened", "rerooted", "root_joined", "worsened") for _, what, _, _ in ways):
                self.watch.fail(
                    "L2", f"{fault.check_id} was down from {fault.from_s:.0f} to {fault.to_s:.0f} and not told"
                )
