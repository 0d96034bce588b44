"""The card: one incident on one screen of a phone, sent once and then edited in place. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from checks.result import Result
from monitor.delivery.entities import TEXT_UNITS, Rendered, Span, clean, clip, compose, spans_units
from monitor.delivery.evidence import evidence_text
from monitor.delivery.wording import (
    FAILING,
    Condition,
    buttons,
    can_be_link,
    condition_of,
    moment,
    name,
    names,
    sentence,
    spell,
    storm_roots,
    subject,
    tag,
)
from monitor.engine.model import Cause, CheckState, CheckStatus, DeployWindow, Incident, Plan, Role

MOST_SYMPTOMS = 4
MOST_OTHERS = 4
MOST_STORM_ROOTS = 12
EVIDENCE_UNITS = 1200
SERVICE_UNITS = 60
PERSON_UNITS = 100

Line = list[Span]


@dataclass(frozen=True, slots=True)
class Scene:
    """All that a card is made from."""

    incident: Incident
    checks: Mapping[str, CheckState]
    plan: Plan
    now: datetime
    dashboard_url: str | None
    deploy: DeployWindow | None

    @property
    def root(self) -> CheckState | None:
        return self.checks.get(self.incident.root)


def render_card(
    incident: Incident,
    checks: Mapping[str, CheckState],
    plan: Plan,
    now: datetime,
    *,
    dashboard_url: str | None,
    deploy: DeployWindow | None,
) -> Rendered:
    """Return the card of an incident as it stands: at most `TEXT_UNITS` long, the evidence is what gives way."""
    scene = Scene(incident, checks, plan, now, dashboard_url, deploy)
    spans = card_spans(scene, TEXT_UNITS)
    text, entities = compose(spans)
    return Rendered(text, entities, buttons(incident, plan.morning, dashboard_url))


def card_spans(scene: Scene, most_units: int) -> list[Span]:
    """Return the card's text in at most `most_units` UTF-16 units."""
    incident, condition = scene.incident, condition_of(scene.incident, scene.checks)
    paragraphs: list[list[Line]] = [_head(scene, condition), _cause(scene), _scope(scene, condition)]
    spans: list[Span] = []
    for paragraph in paragraphs:
        for index, line in enumerate(line for line in paragraph if line):
            if spans:
                spans.append(Span("\n" if index else "\n\n"))
            spans += line
    if incident.is_live:
        room = min(EVIDENCE_UNITS, most_units - spans_units(spans) - 2)
        evidence = clip(_evidence(scene), room) if room > 1 else ""
        if evidence:
            spans += [Span("\n\n"), Span(evidence, "expandable_blockquote")]
    return spans


def _head(scene: Scene, condition: Condition) -> list[Line]:
    incident = scene.incident
    title: Line = [Span(f"{condition.sign} {condition.word}", "bold")]
    if condition is Condition.RECOVERED and incident.resolved_at is not None:
        title.append(Span(f" · lasted {spell(incident.resolved_at - incident.outage_started_at)}"))
    policy = scene.plan.checks.get(incident.root)
    if policy is not None and not incident.is_storm:
        title.append(Span(f" · {clip(clean(policy.service) or '?', SERVICE_UNITS)}"))
    title += [Span(" · "), subject(incident)]
    times: Line = [Span(f"{tag(incident)} · ")]
    if condition is Condition.RECOVERED and incident.resolved_at is not None:
        times += [moment(incident.outage_started_at, scene.now), Span(" – "), moment(incident.resolved_at, scene.now)]
    else:
        times += [Span("since "), moment(incident.outage_started_at, scene.now)]
    if incident.reopen_count:
        times.append(Span(f" · back {_times(incident.reopen_count)}"))
    return [title, times, _deploy_line(scene)]


def _times(count: int) -> str:
    return {1: "once", 2: "twice"}.get(count, f"{count} times")


def _deploy_line(scene: Scene) -> Line:
    incident, deploy = scene.incident, scene.deploy
    if incident.deploy_id is None:
        return []
    if deploy is None:
        return [Span("Began after deploy "), Span(sentence(incident.deploy_id, 40) or "?", "code")]
    what: Line = [
        Span(sentence(deploy.commit[:7]) or "?", "code"),
        Span(f" of {sentence(deploy.service, SERVICE_UNITS) or '?'}"),
    ]
    if deploy.live_at is None or deploy.live_at > incident.outage_started_at:
        return [Span("Began during deploy "), *what]
    return [
        Span(f"Began {spell(incident.outage_started_at - deploy.live_at)} after deploy "),
        *what,
        Span(" went live"),
    ]


def _cause(scene: Scene) -> list[Line]:
    incident = scene.incident
    if incident.is_storm:
        roots = [name(check_id) for check_id in storm_roots(incident)]
        lines: list[Line] = [[Span("Failing: "), *names(roots, MOST_STORM_ROOTS)]]
        if incident.is_live:
            lines.append([Span("Try: ", "bold"), Span("look for what they share: network, provider, a deploy")])
        return lines
    shown = shown_result(incident, scene.root)
    if shown is None:
        return []
    summary = sentence(shown.verdict.summary)
    lines = [[Span(summary)]] if summary else []
    if incident.is_live:
        lines.append(_hint_line(scene, shown))
    return lines


def _hint_line(scene: Scene, shown: Result) -> Line:
    policy = scene.plan.checks.get(scene.incident.root)
    hint = sentence(shown.verdict.hint)
    line: Line = [Span("Try: ", "bold"), Span(hint)] if hint else []
    if policy is not None and policy.runbook_url is not None and can_be_link(policy.runbook_url):
        line += [Span(" · ")] if line else []
        line.append(Span("Runbook", "text_link", url=policy.runbook_url))
    return line


def _scope(scene: Scene, condition: Condition) -> list[Line]:
    incident = scene.incident
    lines: list[Line] = []
    if condition is Condition.RECOVERING:
        lines.append(_waiting_line(scene))
    symptoms = [name(check_id) for check_id in _symptoms(incident)]
    if symptoms:
        word = "Because of it" if incident.is_live else "It took with it"
        lines.append([Span(word, "bold"), Span(f" ({len(symptoms)}): "), *names(symptoms, MOST_SYMPTOMS)])
    if incident.is_live:
        unexplained = _unexplained(scene)
        if unexplained:
            lines.append([Span("Not explained by it: ", "bold"), *names(unexplained, MOST_OTHERS)])
        fine = _still_ok(scene)
        if fine:
            lines.append([Span("Still OK: ", "bold"), *names(fine, MOST_OTHERS)])
    if incident.is_live and incident.suppressed_since is not None:
        lines.append([Span("🔕 Silenced since "), moment(incident.suppressed_since, scene.now)])
    if incident.acked_by is not None and incident.acked_at is not None:
        lines.append(
            [
                Span(f"✅ Acked by {sentence(incident.acked_by, PERSON_UNITS) or '?'}, "),
                moment(incident.acked_at, scene.now),
            ]
        )
    return lines


def _waiting_line(scene: Scene) -> Line:
    members = _symptoms(scene.incident)
    waiting = [check_id for check_id in members if not _is_up(scene.checks.get(check_id))]
    root = scene.root
    line: Line = [Span("Up again")]
    if root is not None and root.up_since is not None:
        line += [Span(" since "), moment(root.up_since, scene.now)]
    if waiting:
        listed = names([name(check_id) for check_id in waiting], MOST_SYMPTOMS)
        line += [Span(f"; waiting for {len(waiting)} of {len(members)}: "), *listed]
    return line


def _symptoms(incident: Incident) -> list[str]:
    """Return the checks that this fault took with it: those it still holds, or all once it is over."""
    return list(
        dict.fromkeys(
            member.check_id
            for member in incident.members
            if member.role is not Role.ROOT
            and member.check_id != incident.root
            and (member.left_at is None or not incident.is_live)
        )
    )


def _unexplained(scene: Scene) -> list[Span]:
    """Return the checks that are bad for another reason."""
    members = {member.check_id for member in scene.incident.members if member.left_at is None} | {scene.incident.root}
    bad: list[Span] = []
    for check_id in sorted(scene.checks):
        state = scene.checks[check_id]
        is_undecided = state.held_since is not None or state.gate_until is not None
        if check_id in members or is_undecided or check_id not in scene.plan.checks:
            continue
        if state.status in FAILING or state.is_degraded:
            bad.append(name(check_id))
    return bad


def _still_ok(scene: Scene) -> list[Span]:
    """Return what still works: whole services first, then single checks of services that partly do."""
    by_service: dict[str, list[str]] = {}
    for check_id, policy in sorted(scene.plan.checks.items()):
        if not policy.is_vantage:
            by_service.setdefault(policy.service, []).append(check_id)
    whole: list[Span] = []
    single: list[Span] = []
    for service, check_ids in sorted(by_service.items()):
        up = [check_id for check_id in check_ids if _is_up(scene.checks.get(check_id))]
        if len(up) == len(check_ids):
            whole.append(Span(clip(clean(service) or "?", SERVICE_UNITS)))
        else:
            single += [name(check_id) for check_id in up]
    return whole + single


def _is_up(state: CheckState | None) -> bool:
    return state is not None and state.status is CheckStatus.UP and not state.is_stale and not state.is_degraded


def shown_result(incident: Incident, state: CheckState | None) -> Result | None:
    """Return the look that says best what is wrong."""
    if state is None:
        return None
    if incident.cause is not Cause.DOWN and state.last_result is not None:
        return state.last_result
    return state.last_failure or state.last_result


def _evidence(scene: Scene) -> str:
    shown = shown_result(scene.incident, scene.root)
    return "" if shown is None or scene.incident.is_storm else evidence_text(shown)
