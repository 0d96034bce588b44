"""S16: checks that hang on one another in a circle. Nobody of a circle may be silent because of another."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from monitor.engine.model import AppendTimeline, CheckStatus, Plan, State

if TYPE_CHECKING:
    from tests.simulation.monitor import Simulation

PATIENCE_SECONDS = 120.0


class Rings:
    """Which checks stand on a circle of declared edges, found without the engine's graph."""

    def __init__(self, sim: "Simulation", fail: Callable[[str, str], None]) -> None:
        self._sim = sim
        self._fail = fail
        reachable = _reachable(sim.world.plan)
        self.of = {
            name: frozenset(other for other in others if name in reachable[other])
            for name, others in reachable.items()
            if name in others
        }
        """Check → all that stand on its circle, itself included."""
        self._above = {name: reachable[name] - ring for name, ring in self.of.items()}
        if self.of:
            sim.counts["ring"] += 1

    def joined(self, effect: AppendTimeline, state: State) -> None:
        """Nobody becomes a symptom of one that it stands in a circle with."""
        incident = state.incidents[effect.incident_id]
        if not incident.is_storm and incident.root in self.of.get(effect.actor, ()):
            self._fail("S16", f"{effect.actor} is a symptom of {incident.root}, and the other way round")

    def held(self, state: State) -> None:
        """Nobody is held for long while all that truly stands above it is well."""
        sim = self._sim
        if sim.world.jumps:
            return
        for name in state.held & self.of.keys():
            check = state.checks[name]
            above = [state.checks[one].status for one in self._above[name] if one in state.checks]
            service = sim.world.plan.checks[name].service
            is_deploying = any(one.service == service and one.ended_at is None for one in state.deploys.values())
            has_reason = is_deploying or check.gate_until is not None or set(above) - {CheckStatus.UP}
            if check.held_since is None or check.status is not CheckStatus.DOWN or has_reason:
                continue
            failure = check.last_failure
            is_seen = failure is not None and state.fresh_since is not None and failure.started_at >= state.fresh_since
            if is_seen and (sim.now - check.held_since).total_seconds() > PATIENCE_SECONDS:
                self._fail("S16", f"{name} is held by a circle")


def _reachable(plan: Plan) -> Mapping[str, frozenset[str]]:
    found: dict[str, frozenset[str]] = {}
    for name in plan.checks:
        seen: set[str] = set()
        todo = list(plan.checks[name].hard_parents)
        while todo:
            one = todo.pop()
            if one not in seen:
                seen.add(one)
                todo += plan.checks[one].hard_parents
        found[name] = frozenset(seen)
    return found
