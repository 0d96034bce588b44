"""What the log says of a step once it is published: a check that changed, a row of an incident's timeline. No ticks."""

from collections.abc import Sequence

import structlog

from monitor.engine.model import AppendTimeline, Effect, State

log = structlog.get_logger()


def log_transitions(before: State, after: State, effects: Sequence[Effect]) -> None:
    """Log each check that has another status than before, and each row added to an incident's timeline."""
    if before.checks is not after.checks:
        for check_id, check in after.checks.items():
            was = before.checks.get(check_id)
            if was is not check and was is not None and was.status is not check.status:
                log.info("check.state_changed", check=check_id, state=check.status.value, was=was.status.value)
    for effect in effects:
        if isinstance(effect, AppendTimeline):
            log.info(
                "incident.timeline", incident=effect.incident_id, kind=effect.kind, by=effect.actor, text=effect.text
            )
