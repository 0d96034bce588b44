"""Silence and maintenance: what they cover, when they end, and what that does to an incident's timers."""

from dataclasses import replace
from datetime import datetime

from monitor.engine.draft import Draft
from monitor.engine.events import ProbeNow, Silenced, SilenceEnded
from monitor.engine.plan import Plan
from monitor.engine.state import Incident, Silence
from monitor.engine.timers import after, since

_KINDS = ("check", "service", "subtree", "incident")


def covers_check(plan: Plan, silence: Silence, check_id: str, now: datetime) -> bool:
    """Return whether the silence covers this check now.

    Looks at our own side are covered for its first hour only, whatever the selector.
    """
    policy = plan.checks.get(check_id)
    if policy is None or not _is_running(silence, now):
        return False
    if policy.is_vantage and now >= after(silence.starts_at, plan.rules.silence_vantage_max_seconds):
        return False
    kind, _, name = silence.selector.partition(":")
    if kind == "check":
        return check_id == name
    if kind == "service":
        return policy.service == name
    return kind == "subtree" and (check_id == name or name in plan.graph.ancestors[check_id])


def covers_incident(plan: Plan, silence: Silence, incident: Incident, now: datetime) -> bool:
    """Return whether the silence covers the incident: by its number, or by the check at its root."""
    if silence.selector != f"incident:{incident.id}":
        return covers_check(plan, silence, incident.root, now)
    policy = plan.checks.get(incident.root)
    is_vantage = policy is not None and policy.is_vantage
    hour_ends_at = after(silence.starts_at, plan.rules.silence_vantage_max_seconds)
    return _is_running(silence, now) and not (is_vantage and now >= hour_ends_at)


def in_maintenance(plan: Plan, silences: tuple[Silence, ...], check_id: str, now: datetime) -> bool:
    """Return whether this check's seconds count as maintenance now."""
    return any(silence.is_maintenance and covers_check(plan, silence, check_id, now) for silence in silences)


def start_silence(draft: Draft, event: Silenced) -> None:
    """Add a silence; one without a sensible span adds nothing. Its end is cut to what is allowed."""
    rules = draft.plan.rules
    starts_at = event.starts_at or draft.now
    kind, _, name = event.selector.partition(":")
    ends_at = event.ends_at
    if kind not in _KINDS or not name or (kind == "incident" and not name.isdecimal()):
        return
    if ends_at is None and kind != "incident":
        ends_at = after(starts_at, rules.silence_max_seconds)
    if ends_at is not None:
        policy = draft.plan.checks.get(name) if kind == "check" else None
        is_vantage = policy is not None and policy.is_vantage
        longest = rules.silence_vantage_max_seconds if is_vantage else rules.silence_max_seconds
        ends_at = min(ends_at, after(starts_at, longest))
        if ends_at <= max(starts_at, draft.now):
            return
    number = draft.take_number("next_silence_id")
    silence = Silence(number, event.selector, starts_at, ends_at, event.author, event.reason, event.is_maintenance)
    draft.put_silence(silence)
    until = "until it is resolved" if ends_at is None else f"until {ends_at:%Y-%m-%d %H:%M} UTC"
    for incident in _covered(draft, silence):
        draft.note(incident.id, "silenced", f"{event.selector} {until}: {event.reason}", event.author)


def end_silence(draft: Draft, event: SilenceEnded) -> None:
    """End a silence early."""
    silence = draft.silences.get(event.silence_id)
    if silence is not None and silence.ended_at is None:
        _end(draft, silence, event.author)


def expire_silences(draft: Draft) -> None:
    """End what is over, and forget what an earlier event ended."""
    for silence in tuple(draft.silences.values()):
        if silence.ended_at is not None:
            draft.remove("silences", silence.id)
        elif silence.ends_at is not None:
            if silence.ends_at <= draft.now:
                _end(draft, silence, "monitor")
        else:
            incident = draft.incidents.get(int(silence.selector.partition(":")[2]))
            if incident is None or not incident.is_live:
                _end(draft, silence, "monitor")


def mark_suppressed(draft: Draft, incident_id: int) -> None:
    """Note on a live incident whether a silence covers it; when one ends, have a fresh look taken.

    Reminders and escalation stand still meanwhile: their instants move on by as long as the silence lasted.
    """
    incident = draft.incidents[incident_id]
    is_covered = any(covers_incident(draft.plan, silence, incident, draft.now) for silence in draft.silences.values())
    if is_covered == (incident.suppressed_since is not None):
        return
    if incident.suppressed_since is None:
        draft.put_incident(replace(incident, suppressed_since=draft.now, revision=incident.revision + 1))
        return
    pause = max(0.0, since(incident.suppressed_since, draft.now))
    draft.put_incident(
        replace(
            incident,
            suppressed_since=None,
            unsuppressed_at=draft.now,
            unacked_since=incident.unacked_since and after(incident.unacked_since, pause),
            revision=incident.revision + 1,
            told={
                name: replace(told, next_reminder_at=told.next_reminder_at and after(told.next_reminder_at, pause))
                for name, told in incident.told.items()
            },
        )
    )
    draft.effects.append(ProbeNow(incident.root))


def _is_running(silence: Silence, now: datetime) -> bool:
    is_over = silence.ends_at is not None and silence.ends_at <= now
    return silence.ended_at is None and silence.starts_at <= now and not is_over


def _covered(draft: Draft, silence: Silence) -> list[Incident]:
    return [
        incident
        for incident in draft.incidents.values()
        if incident.is_live and covers_incident(draft.plan, silence, incident, draft.now)
    ]


def _end(draft: Draft, silence: Silence, author: str) -> None:
    for incident in _covered(draft, silence):
        draft.note(incident.id, "silence_ended", silence.selector, author)
    draft.put_silence(replace(silence, ended_at=draft.now))
