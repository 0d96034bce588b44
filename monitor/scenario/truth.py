"""What is true of the stack at an instant of a scenario, and what a look then sees."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from checks.result import Reason, Result, Verdict, degraded, failed, ok, unknown
from monitor.engine.model import Plan, State
from monitor.engine.objectives import PREFIX
from monitor.probing.sight import blind

LOOP = "vantage.loop"


class Condition(StrEnum):
    """What is wrong with the thing that a check looks at."""

    DOWN = "down"
    DEGRADED = "degraded"
    SLOW = "slow"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong, until it is repaired."""

    condition: Condition
    is_alone: bool = False
    """What depends on it goes on working."""


class Truth:
    """The faults in force."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._faults: dict[str, Fault] = {}

    def inject(self, check_id: str, fault: Fault) -> None:
        """Break what this check looks at; an earlier fault of the same thing is over."""
        self._faults[check_id] = fault

    def repair(self, check_id: str) -> None:
        """Mend it; what was not broken stays as it is."""
        self._faults.pop(check_id, None)

    def look(self, check_id: str, at: datetime, state: State) -> Result:
        """Return what a look at this instant sees; as in the service, nothing is believed while we are blind."""
        verdict = self._verdict(check_id)
        policy = self._plan.checks[check_id]
        if not policy.is_vantage:
            why = blind(self._plan, state, check_id)
            if why:
                verdict = unknown(Reason.VANTAGE, f"not judged: {why}")
        return Result(check_id, verdict, at, 0.05)

    def _verdict(self, check_id: str) -> Verdict:
        if check_id.startswith(PREFIX):
            return ok(f"{check_id} is not judged in a scenario")
        fault = self._faults.get(check_id)
        if fault is not None:
            return _own(check_id, fault.condition)
        for parent in self._plan.graph.ancestors[check_id]:
            above = self._faults.get(parent)
            if above is None or above.is_alone or above.condition is not Condition.DOWN:
                continue
            if parent == LOOP:
                return unknown(Reason.VANTAGE, "not judged: the monitor itself is late")
            return failed(
                Reason.CONNECTION_REFUSED,
                f"{check_id} fails: it needs {parent}",
                hint=f"Look at {parent} first.",
            )
        return ok(f"{check_id} is well")


def _own(check_id: str, condition: Condition) -> Verdict:
    match condition:
        case Condition.DOWN:
            return failed(Reason.CONNECTION_REFUSED, f"{check_id} fails", hint=f"Repair {check_id}.")
        case Condition.DEGRADED:
            return degraded(Reason.DRIFT, f"{check_id} is degraded", hint=f"Look at {check_id} in the daytime.")
        case Condition.SLOW:
            return degraded(Reason.SLOW, f"{check_id} is slow", hint=f"Look at {check_id} in the daytime.")
        case Condition.UNKNOWN:
            return unknown(Reason.VANTAGE, f"{check_id} could not be looked at")
