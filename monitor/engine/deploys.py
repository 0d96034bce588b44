"""Deploy windows: while a deploy is in flight or observed, failures of its service wait; later ones name it."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

from monitor.engine.draft import Draft
from monitor.engine.events import DeployEnded, DeployStarted
from monitor.engine.plan import Rules
from monitor.engine.state import DeployWindow
from monitor.engine.timers import after


def window_ends_at(rules: Rules, window: DeployWindow) -> datetime:
    """Return when the window ends: live + settle + observe, and 20 min after its start at the latest."""
    cap = after(window.started_at, rules.deploy_cap_seconds)
    if window.ended_at is not None:
        return window.ended_at
    if window.live_at is None:
        return cap
    return min(cap, after(window.live_at, rules.deploy_settle_seconds + rules.deploy_observe_seconds))


def running_window(rules: Rules, windows: Iterable[DeployWindow], service: str, now: datetime) -> DeployWindow | None:
    """Return the window that holds this service's failures now."""
    for window in windows:
        if window.service == service and window.started_at <= now < window_ends_at(rules, window):
            return window
    return None


def deploy_of(rules: Rules, windows: Iterable[DeployWindow], service: str, began_at: datetime) -> str | None:
    """Return the newest deploy of the service in whose window the fault began."""
    named = [
        window
        for window in windows
        if window.service == service and window.started_at <= began_at <= window_ends_at(rules, window)
    ]
    return max(named, key=lambda window: window.started_at).id if named else None


def start_deploy(draft: Draft, event: DeployStarted) -> None:
    """Open a window. A deploy announced twice is one deploy."""
    if event.deploy_id not in draft.deploys:
        draft.put_deploy(DeployWindow(event.deploy_id, event.service, event.commit, draft.now))


def end_deploy(draft: Draft, event: DeployEnded) -> None:
    """Begin the observation of a deploy that went live; a failed one ends its window at once."""
    window = draft.deploys.get(event.deploy_id)
    if window is None or window.ended_at is not None or window.live_at is not None:
        return
    if event.is_live:
        draft.put_deploy(replace(window, live_at=draft.now))
    else:
        draft.put_deploy(replace(window, ended_at=draft.now, is_failed=True))


def expire_deploys(draft: Draft) -> None:
    """End windows that are over; forget them when no incident may begin after them any more."""
    rules = draft.plan.rules
    for window in tuple(draft.deploys.values()):
        ends_at = window_ends_at(rules, window)
        if window.ended_at is None and ends_at <= draft.now:
            draft.put_deploy(replace(window, ended_at=ends_at))
        elif window.ended_at is not None and after(window.ended_at, rules.reopen_window_seconds) <= draft.now:
            draft.remove("deploys", window.id)
