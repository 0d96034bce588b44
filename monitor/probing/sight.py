"""Whether the monitor can see at all: what stands between a look and its being believed. Pure."""

from monitor.engine.model import CheckStatus, Plan, State

SIGHTS = ("vantage.egress", "vantage.dns")
"""While one of these is not up, what is seen over the network proves nothing."""


def blind(plan: Plan, state: State, check_id: str) -> str:
    """Return why nothing this check sees over the network can be trusted now; empty when it can."""
    for sight in SIGHTS:
        seen = state.checks.get(sight)
        if (
            sight in plan.checks[check_id].hard_parents
            and seen
            and seen.status not in (CheckStatus.PENDING, CheckStatus.UP)
        ):
            return f"{sight} is not up, so the monitor's own network is in doubt"
    return ""
