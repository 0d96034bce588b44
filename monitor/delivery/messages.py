"""What people are told of an incident: the card, and the short replies under it. Pure: a value in, a value out."""

from collections.abc import Mapping
from datetime import datetime

from monitor.delivery.card import Scene, card_spans, render_card, shown_result
from monitor.delivery.entities import TEXT_UNITS, Button, Entity, Rendered, Span, compose, spans_units
from monitor.delivery.wording import Condition, Verb, buttons, condition_of, moment, sentence, spell, subject, tag
from monitor.engine.model import Cause, CheckState, DeployWindow, Incident, IncidentStatus, MessageKind, Plan

__all__ = ["Button", "Entity", "Rendered", "render_card", "render_message"]

REPLY_VERBS = (Verb.ACK, Verb.RECHECK)
"""A reply has the two buttons a hurried thumb needs; the card above has all."""


def render_message(
    kind: MessageKind,
    incident: Incident,
    checks: Mapping[str, CheckState],
    plan: Plan,
    now: datetime,
    *,
    dashboard_url: str | None,
    deploy: DeployWindow | None,
    has_root: bool = True,
) -> Rendered:
    """Return a new message of this kind.

    `open` is the card itself. The others are short replies to it; in a chat that has no card (`has_root` false: it is
    told by an escalation, or the opening never arrived) what is still going on is followed by the card.
    """
    if kind is MessageKind.OPEN:
        return render_card(incident, checks, plan, now, dashboard_url=dashboard_url, deploy=deploy)
    spans = _reply(kind, incident, checks, now)
    if has_root or not incident.is_live:
        text, entities = compose(spans)
        verbs = REPLY_VERBS if kind in (MessageKind.ESCALATE, MessageKind.REMIND, MessageKind.REOPEN) else ()
        rows = buttons(incident, plan.morning, None, verbs=verbs)
    else:
        scene = Scene(incident, checks, plan, now, dashboard_url, deploy)
        spans += [Span("\n\n"), *card_spans(scene, TEXT_UNITS - spans_units(spans) - 2)]
        text, entities = compose(spans)
        rows = buttons(incident, plan.morning, dashboard_url)
    return Rendered(text, entities, rows)


def _reply(kind: MessageKind, incident: Incident, checks: Mapping[str, CheckState], now: datetime) -> list[Span]:
    condition = condition_of(incident, checks)
    lasted = spell((incident.resolved_at or now) - incident.outage_started_at)
    who = [Span(f"{tag(incident)} "), subject(incident)]
    if kind is MessageKind.RESOLVE:
        return [Span("✅ "), *who, Span(f" {_well_again(incident)} after {lasted}")]
    if kind is MessageKind.SUMMARY:
        return [Span("ℹ️ "), *who, *_late(incident, checks, now, lasted)]
    sign = Span(f"{condition.sign} ")
    if kind is MessageKind.RISE:
        return [sign, *who, Span(f" {condition.verb}: this is urgent now"), *_why(incident, checks)]
    if kind is MessageKind.REOPEN:
        return [sign, *who, Span(f" {condition.verb} again"), *_why(incident, checks)]
    unclaimed = "" if incident.status is IncidentStatus.ACKED else "Nobody has taken it yet."
    still = Span(f" {_still(condition)}, {lasted} now. {unclaimed}".rstrip())
    mark = Span("⏫ ") if kind is MessageKind.ESCALATE else sign
    return [mark, *who, still]


def _still(condition: Condition) -> str:
    return condition.verb.replace("is ", "is still ", 1) if condition is not Condition.RECOVERING else condition.verb


def _well_again(incident: Incident) -> str:
    if incident.is_storm:
        return "are over"
    return {Cause.DOWN: "is up again", Cause.DEGRADED: "is well again", Cause.STALE: "is seen again"}[incident.cause]


def _was(incident: Incident) -> str:
    if incident.is_storm:
        return "lasted"
    return {Cause.DOWN: "was down", Cause.DEGRADED: "was degraded", Cause.STALE: "was not seen"}[incident.cause]


def _late(incident: Incident, checks: Mapping[str, CheckState], now: datetime, lasted: str) -> list[Span]:
    return [
        Span(f" {_was(incident)} "),
        moment(incident.outage_started_at, now),
        Span(" – "),
        moment(incident.resolved_at or now, now),
        Span(f" ({lasted}) and {_well_again(incident)}. Told late: this chat could not be reached."),
        *_why(incident, checks),
    ]


def _why(incident: Incident, checks: Mapping[str, CheckState]) -> list[Span]:
    seen = shown_result(incident, checks.get(incident.root))
    summary = "" if seen is None or incident.is_storm else sentence(seen.verdict.summary)
    return [Span(f"\n{summary}")] if summary else []
