"""Whether a deploy may be rolled back, and to what. Pure: every guard is a reason in words."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from checks.platform.shapes import Deploy, current
from monitor.engine.deploy_record import DeployRecord, DeployVerdict
from monitor.engine.model import CheckStatus, State

SWITCH = timedelta(minutes=2)
"""A failure may begin so long before a deploy is live: that is when the instances change places."""
BUTTON = "v1:rollback:"


@dataclass(frozen=True, slots=True)
class Target:
    """The deploy that would be brought back."""

    deploy_id: str
    commit: str


def target_of(record: DeployRecord, deploys: Sequence[Deploy], records: Sequence[DeployRecord]) -> Target | str:
    """Return to what a deploy may be rolled back, or why it may not.

    `deploys` are Render's newest of this service, newest first; `records` what is known of that service's deploys.
    """
    if record.verdict is not DeployVerdict.BROKEN:
        return "nothing broke after it"
    if not record.render_service_id:
        return "it is not known to Render"
    if record.rolled_back is not None:
        return f"it was rolled back already, by {record.rolled_back.by}"
    if record.trigger == "rollback":
        return "it is a rollback itself"
    if record.live_at is None or all(trouble.since < record.live_at - SWITCH for trouble in record.broken):
        return "the failure began before it was live"
    live = current(deploys)
    if live is None or live.id != record.id:
        return "another deploy has followed"
    known_bad = {one.commit for one in records if one.verdict is DeployVerdict.BROKEN} | {record.commit}
    older = deploys[[deploy.id for deploy in deploys].index(record.id) + 1 :]
    for deploy in older:
        if deploy.status == "deactivated" and deploy.commit and deploy.commit not in known_bad:
            return Target(deploy.id, deploy.commit)
    return "no earlier deploy with another commit was live"


def is_still_broken(record: DeployRecord, state: State) -> bool:
    """Say whether something that it broke has not recovered."""
    states = (state.checks.get(trouble.check_id) for trouble in record.broken)
    return any(check is not None and check.status is not CheckStatus.UP for check in states)


def warning_of(record: DeployRecord) -> str:
    """Return what a rollback does not do, as a sentence."""
    kept = "its migrations stay in the database, and " if record.has_migrations else ""
    return f"After a rollback {kept}the next push deploys again."


def button_data(record: DeployRecord) -> str:
    """Return the data of the button; at most 64 bytes for any id of Render's."""
    return f"{BUTTON}{record.id}"


def is_automatic(record: DeployRecord, mode: str) -> bool:
    """Say whether it is rolled back without a question: never one that seems to have changed the database."""
    return mode == "auto" and bool(record.can_roll_back_to) and not record.has_migrations


class Taps:
    """Counts taps of one button: it acts when the same person taps it again, not at once and not much later."""

    def __init__(self, soonest: timedelta = timedelta(seconds=2), latest: timedelta = timedelta(minutes=1)) -> None:
        self._soonest = soonest
        self._latest = latest
        self._first: dict[str, tuple[int, datetime]] = {}

    def is_second(self, deploy_id: str, user_id: int, now: datetime) -> bool:
        """Take one tap; say whether it confirms the one before."""
        first = self._first.get(deploy_id)
        if first is not None and first[0] == user_id and self._soonest <= now - first[1] <= self._latest:
            del self._first[deploy_id]
            return True
        if first is None or first[0] != user_id or not timedelta() <= now - first[1] < self._soonest:
            self._first[deploy_id] = (user_id, now)
        return False
