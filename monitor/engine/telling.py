"""What people were told and what is true: the difference is what to send. Never a reaction to a transition.

For each incident and chat at most one message is on its way. `told` moves only on the outcome of a delivery.
"""

from dataclasses import replace
from datetime import datetime
from typing import Any

from monitor.engine.check_state import stale_after_seconds
from monitor.engine.draft import Draft
from monitor.engine.events import CardEdited, Delivered, DeliveryOutcome, DropMessage, InsertMessage
from monitor.engine.plan import Chat, Rules, Severity
from monitor.engine.state import ChatState, Incident, IncidentStatus, MessageKind, Told, ToldState
from monitor.engine.timers import after, is_due, since, spans

_OPENING = (MessageKind.OPEN, MessageKind.ESCALATE)
_TELLS_OPEN = (MessageKind.OPEN, MessageKind.ESCALATE, MessageKind.REOPEN, MessageKind.RISE)


def reconcile(draft: Draft, incident_id: int) -> None:
    """Queue what each chat is to be told of this incident; take back what it need not be told any more."""
    for chat in draft.plan.chats:
        incident = draft.incidents[incident_id]
        told = incident.told.get(chat.id) or Told(chat.id)
        changed = _reconcile_chat(draft, incident, chat, told)
        if changed is not told:
            draft.put_incident(_with_told(draft.incidents[incident_id], changed))


def apply_delivery(draft: Draft, event: Delivered) -> None:
    """Note the outcome of one message. What was perhaps delivered counts as told; what surely was not does not."""
    incident = draft.incidents.get(event.incident_id)
    chat = draft.chats.get(event.chat_id) or ChatState(event.chat_id)
    if event.outcome is DeliveryOutcome.PERMANENT:
        draft.put_chat(
            replace(
                chat,
                broken_since=chat.broken_since or draft.now,
                broken_reason=event.detail,
                retest_at=after(draft.now, draft.plan.rules.retest_chat_seconds),
            )
        )
    elif event.outcome is DeliveryOutcome.DELIVERED and chat.broken_since is not None:
        draft.put_chat(ChatState(chat.id))
    if incident is None:
        return
    told = incident.told.get(event.chat_id) or Told(event.chat_id)
    is_awaited = told.queued_key == event.dedupe_key
    is_perhaps = event.outcome is DeliveryOutcome.AMBIGUOUS
    if is_perhaps and event.kind in _OPENING and told.queued_kind is MessageKind.SUMMARY:
        return  # the summary on its way is right whether or not the ping arrived
    changes: dict[str, Any] = {}
    if is_awaited:
        changes |= {"queued_kind": None, "queued_key": None, "queued_at": None, "queued_severity": None}
    is_told = is_perhaps or event.outcome is DeliveryOutcome.DELIVERED
    if is_told:
        # One that was taken back and arrived after all may have been the silent one: the loud one is to follow.
        severity = (told.queued_severity if is_awaited else told.severity) or Severity.WARNING
        changes |= _told_by(draft, told, event, severity, is_awaited)
    if is_awaited or is_told:
        draft.put_incident(_with_told(incident, replace(told, **changes)))
        draft.note(incident.id, "message", f"{event.kind} to {event.chat_id}: {event.outcome}")


def apply_edit(draft: Draft, event: CardEdited) -> None:
    """Note which revision the card shows, and where it stands when it had to be sent anew."""
    incident = draft.incidents.get(event.incident_id)
    told = None if incident is None else incident.told.get(event.chat_id)
    if incident is not None and told is not None and told.revision < event.revision:
        root = told.root_message_id if event.message_id is None else event.message_id
        draft.put_incident(_with_told(incident, replace(told, revision=event.revision, root_message_id=root)))


def mend_chat(draft: Draft, chat_id: str) -> None:
    """Note that a chat takes messages again."""
    chat = draft.chats.get(chat_id)
    if chat is not None and chat.broken_since is not None:
        draft.put_chat(ChatState(chat_id))


def is_finished(draft: Draft, incident: Incident) -> bool:
    """Return whether the incident is closed with nothing left to tell or to edit."""
    if incident.status is not IncidentStatus.CLOSED or incident.resolved_at is None:
        return False
    if since(incident.resolved_at, draft.now) > draft.plan.rules.keep_closed_seconds:
        return True
    for chat in draft.plan.chats:
        told = incident.told.get(chat.id)
        if told is None or (told.state is ToldState.NOTHING and told.queued_kind is None):
            continue
        is_behind = told.root_message_id is not None and told.revision < incident.revision
        if told.queued_kind is not None or told.state is ToldState.OPEN or (is_behind and not _is_broken(draft, chat)):
            return False
    return True


def take_back(draft: Draft, incident: Incident) -> None:
    """Drop what still waits to be said of an incident that is about to be forgotten."""
    for told in incident.told.values():
        if told.queued_key is not None:
            draft.effects.append(DropMessage(told.queued_key))


def next_due_of(draft: Draft, incident: Incident) -> datetime | None:
    """Return when this incident next does something by itself; None when it waits for nothing but news."""
    if incident.status is IncidentStatus.ACKED:
        return incident.ack_until
    if not incident.is_live:
        return after(incident.resolved_at or draft.now, draft.plan.rules.reopen_window_seconds)
    times = [silence.ends_at for silence in draft.silences.values() if silence.ends_at and incident.suppressed_since]
    policy, root = draft.plan.checks.get(incident.root), draft.check(incident.root)
    if policy is not None and root.last_started_at is not None:
        times.append(after(root.last_started_at, stale_after_seconds(policy)))
    for chat in draft.plan.chats:
        told = incident.told.get(chat.id) or Told(chat.id)
        state = draft.chats.get(chat.id)
        if state is not None and state.retest_at is not None:
            times.append(state.retest_at)
        elif told.next_reminder_at is not None:
            if not (chat.is_fallback and _is_told_first(draft, incident)):
                times.append(told.next_reminder_at)
        elif incident.unacked_since is not None and chat.is_escalation:
            times.append(after(incident.unacked_since, draft.plan.rules.escalate_after_seconds))
    return min(times, default=None)


def _reconcile_chat(draft: Draft, incident: Incident, chat: Chat, told: Told) -> Told:
    want = _wanted(draft, incident, chat, told)
    queued_at = None
    if told.queued_kind is not None:
        if _is_still_wanted(incident, told, want):
            return told
        assert told.queued_key is not None
        draft.effects.append(DropMessage(told.queued_key))
        queued_at = told.queued_at
        if told.queued_kind in _OPENING and not incident.is_live and want is None and queued_at is not None:
            is_late = spans(queued_at, draft.now, draft.plan.rules.fallback_after_seconds)
            want = MessageKind.SUMMARY if is_late else None
        told = replace(told, queued_kind=None, queued_key=None, queued_at=None, queued_severity=None)
    if want is None or not _may_send(draft, incident, chat, told, want):
        return told
    return _queue(draft, incident, chat, told, want, queued_at)


def _wanted(draft: Draft, incident: Incident, chat: Chat, told: Told) -> MessageKind | None:
    """Return what this chat should be told next, were nothing on its way."""
    if not incident.is_live:
        return MessageKind.RESOLVE if told.state is ToldState.OPEN else None
    if incident.suppressed_since is not None or not _is_fresh_after_silence(draft, incident):
        return None
    if chat.is_fallback and not _falls_back(draft, incident):
        return None
    if told.state is not ToldState.OPEN:
        if chat.is_escalation and not _escalates(draft, incident):
            return None
        if told.state is ToldState.RESOLVED:
            return MessageKind.REOPEN
        return MessageKind.ESCALATE if chat.is_escalation else MessageKind.OPEN
    if incident.severity is Severity.PAGE and told.severity is not Severity.PAGE:
        return MessageKind.RISE
    if incident.status is IncidentStatus.ACKED or told.next_reminder_at is None:
        return None
    is_time = is_due(told.next_reminder_at, draft.now, draft.plan.rules.remind_every_seconds)
    return MessageKind.REMIND if is_time else None


def _is_still_wanted(incident: Incident, told: Told, want: MessageKind | None) -> bool:
    if told.queued_kind is MessageKind.SUMMARY:
        return not incident.is_live and want is None
    if told.queued_kind is not want:
        return False
    return want is MessageKind.RESOLVE or told.queued_severity is incident.severity


def _is_fresh_after_silence(draft: Draft, incident: Incident) -> bool:
    """Return whether the root was looked at since the last silence ended, or a look is overdue."""
    ended_at = incident.unsuppressed_at
    policy = draft.plan.checks.get(incident.root)
    if ended_at is None or policy is None:
        return True
    check = draft.check(incident.root)
    failure = check.last_failure
    looked = (check.last_ok_started_at, None if failure is None else failure.started_at)
    patience = policy.interval_seconds + policy.timeout_seconds
    return any(at is not None and at >= ended_at for at in looked) or is_due(
        after(ended_at, patience), draft.now, patience
    )


def _escalates(draft: Draft, incident: Incident) -> bool:
    """Return whether nobody took a page in time, or no other chat takes messages."""
    if incident.severity is not Severity.PAGE or incident.status is IncidentStatus.ACKED:
        return False
    if all(_is_broken(draft, chat) for chat in draft.plan.chats if chat.is_first):
        return True
    wait_seconds = draft.plan.rules.escalate_after_seconds
    began_at = incident.unacked_since or incident.live_since
    return is_due(after(began_at, wait_seconds), draft.now, wait_seconds)


def _falls_back(draft: Draft, incident: Incident) -> bool:
    """Return whether a page reached none of the chats that are told first: all are broken, or it waits too long."""
    if incident.severity is not Severity.PAGE or incident.status is IncidentStatus.ACKED:
        return False
    if _is_told_first(draft, incident):
        return False
    patience = draft.plan.rules.fallback_after_seconds
    first = [chat for chat in draft.plan.chats if chat.is_first]
    queued = [told.queued_at for chat in first if (told := incident.told.get(chat.id)) and told.queued_at]
    is_late = any(is_due(after(queued_at, patience), draft.now, patience) for queued_at in queued)
    return is_late or all(_is_broken(draft, chat) for chat in first)


def _is_told_first(draft: Draft, incident: Incident) -> bool:
    """Return whether one of the chats that are told first knows of the page."""
    tellings = [incident.told.get(chat.id) for chat in draft.plan.chats if chat.is_first]
    return any(told and told.state is ToldState.OPEN and told.severity is Severity.PAGE for told in tellings)


def _may_send(draft: Draft, incident: Incident, chat: Chat, told: Told, want: MessageKind) -> bool:
    """Return whether the chat takes it now. A broken one gets one trial an hour, an unstable incident few pings."""
    rules = draft.plan.rules
    if incident.is_unstable and want is MessageKind.REMIND and told.at is not None:
        quiet_seconds = rules.flap_ping_every_seconds
        if not is_due(after(told.at, quiet_seconds), draft.now, quiet_seconds):
            return False
    if not _is_broken(draft, chat):
        return True
    state = draft.chats[chat.id]
    if state.retest_at is None or not is_due(state.retest_at, draft.now, rules.retest_chat_seconds):
        return False
    draft.put_chat(replace(state, retest_at=after(draft.now, rules.retest_chat_seconds)))
    return True


def _queue(
    draft: Draft, incident: Incident, chat: Chat, told: Told, kind: MessageKind, queued_at: datetime | None
) -> Told:
    number = told.sent_counts.get(kind, 0) + 1
    key = f"{incident.id}:{chat.id}:{kind}:{number}"
    is_silent = incident.severity is Severity.WARNING or kind is MessageKind.SUMMARY
    if kind is MessageKind.RESOLVE:
        is_silent = is_silent or incident.suppressed_since is not None
    elif kind is not MessageKind.SUMMARY:
        draft.put_incident(replace(draft.incidents[incident.id], last_ping_at=draft.now))
    draft.effects.append(InsertMessage(incident.id, chat.id, kind, key, incident.severity, is_silent))
    return replace(
        told,
        queued_kind=kind,
        queued_key=key,
        queued_at=queued_at or draft.now,
        queued_severity=incident.severity,
        sent_counts={**told.sent_counts, kind: number},
    )


def _told_by(draft: Draft, told: Told, event: Delivered, severity: Severity, is_awaited: bool) -> dict[str, Any]:
    """Return what changes in `told` when people have, as far as we know, read this message."""
    changes: dict[str, Any] = {"at": draft.now}
    rules = draft.plan.rules
    if event.kind in (MessageKind.RESOLVE, MessageKind.SUMMARY):
        changes |= {"state": ToldState.RESOLVED, "next_reminder_at": None}
    elif event.kind in _TELLS_OPEN:
        changes |= {"state": ToldState.OPEN, "severity": severity}
        if told.state is not ToldState.OPEN:
            changes |= {"first_at": told.first_at or draft.now, "reminders": 0}
            changes["next_reminder_at"] = after(draft.now, _reminder_gap_seconds(rules, 0))
        changes["is_escalated"] = told.is_escalated or event.kind is MessageKind.ESCALATE
    elif is_awaited:
        due_at, reminders = told.next_reminder_at or draft.now, told.reminders
        while due_at <= draft.now:
            reminders += 1
            due_at = after(due_at, _reminder_gap_seconds(rules, reminders))
        changes |= {"reminders": reminders, "next_reminder_at": due_at}
    if told.root_message_id is None and event.message_id is not None and event.kind is not MessageKind.REMIND:
        changes |= {"root_message_id": event.message_id, "revision": event.revision}
    return changes


def _reminder_gap_seconds(rules: Rules, number: int) -> float:
    """Return the time from the reminder before (or the first telling) to reminder `number`, counted from zero."""
    ladder = (0.0, *rules.remind_after_seconds)
    if number + 1 < len(ladder):
        return ladder[number + 1] - ladder[number]
    return rules.remind_every_seconds


def _is_broken(draft: Draft, chat: Chat) -> bool:
    state = draft.chats.get(chat.id)
    return state is not None and state.broken_since is not None


def _with_told(incident: Incident, told: Told) -> Incident:
    return replace(incident, told={**incident.told, told.chat_id: told})
