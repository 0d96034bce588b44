"""Whether an opening was right: enough failures, by this process, outside a deploy, beside no other incident."""

from datetime import datetime
from typing import TYPE_CHECKING

from monitor.engine.model import Cause, CheckState, CheckStatus, Incident, State

if TYPE_CHECKING:
    from tests.simulation.watch import Watch

DOWNISH = (CheckStatus.DOWN, CheckStatus.RECOVERING)


def check_opening(watch: "Watch", incident: Incident, name: str, kind: str, state: State) -> None:
    """Check one opening against what other incidents, deploys and this process's own looks say."""
    sim = watch.sim
    if sim.world.jumps:
        return
    rules, service = sim.world.plan.rules, sim.world.plan.checks[name].service
    if not any(one.has_failed and one.at >= sim.booted_at for one in watch.history[name]):
        watch.fail("S12", f"#{incident.id} opened for {name} on what another process saw")
    for window in state.deploys.values():
        lasts = (sim.now - (window.live_at or sim.now)).total_seconds()
        is_running = window.service == service and window.ended_at is None and lasts < 195
        if is_running and (sim.now - window.started_at).total_seconds() < rules.deploy_cap_seconds:
            watch.fail("S6", f"#{incident.id} opened for {name} during deploy {window.id}")
    for other in state.incidents.values():
        if other.id == incident.id or other.cause is not Cause.DOWN:
            continue
        is_over = other.resolved_at is not None and other.root == name and kind == "opened"
        if is_over and (sim.now - (other.resolved_at or sim.now)).total_seconds() < rules.reopen_window_seconds:
            watch.fail("S10", f"#{incident.id} opened for {name} although #{other.id} could be reopened")
        is_below = other.root in sim.world.plan.graph.descendants[name]
        is_young = (sim.now - other.live_since).total_seconds() <= rules.reroot_window_seconds
        is_down = other.is_live and state.checks[other.root].status in DOWNISH
        is_new = len(incident.members) == 1 and kind == "opened"
        if is_below and is_young and is_down and is_new and not other.is_storm and not incident.is_storm:
            watch.fail("S7", f"#{incident.id} opened for {name} beside #{other.id} of {other.root}")


def has_evidence(watch: "Watch", check: CheckState) -> bool:
    """Return whether the looks themselves show N in a row with span, or M of K, or a certain failure."""
    seen = watch.history[check.id]
    if not watch.sim.world.jumps:
        seen = [one for one in seen if check.down_since is None or one.at >= check.down_since]
    streak: list[datetime] = []
    for index, one in enumerate(seen):
        streak = [*streak, one.at] if one.has_failed else []
        recent = seen[max(0, index + 1 - 15) : index + 1]
        if one.has_failed and one.is_certain:
            return True
        if len(streak) >= 3 and not 0 <= (streak[-1] - streak[0]).total_seconds() < 20:
            return True
        if sum(look.has_failed for look in recent) >= 5:
            return True
    return False
