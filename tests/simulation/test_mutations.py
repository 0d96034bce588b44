"""Not vacuous: each rule, switched off, breaks an invariant within a few seeds."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest

from checks.result import Outcome, Result
from monitor import heartbeat
from monitor.delivery import card, entities, wording
from monitor.engine import check_state, correlate, graph, incidents, silences, step, telling
from monitor.engine.draft import Draft
from monitor.engine.model import CheckState, IncidentStatus, MessageKind, ProbeNow, ToldState
from monitor.leader import Leader
from tests.simulation.leadership import LeaderRow
from tests.simulation.monitor import Simulation
from tests.simulation.world import make_world

Patch = Callable[[pytest.MonkeyPatch], None]


def policy_with(**changes: Any) -> Patch:
    """Every look is applied under a changed policy."""

    def patch(monkey: pytest.MonkeyPatch) -> None:
        real = check_state.apply_look
        monkey.setattr(step, "apply_look", lambda policy, rules, *rest: real(replace(policy, **changes), rules, *rest))

    return patch


def rules_with(**changes: Any) -> Patch:
    """The engine's numbers differ from those that the watch knows."""

    def patch(monkey: pytest.MonkeyPatch) -> None:
        real = Draft.__init__

        def init(self: Any, plan: Any, state: Any, now: datetime) -> None:
            real(self, replace(plan, rules=replace(plan.rules, **changes)), state, now)

        monkey.setattr(Draft, "__init__", init)

    return patch


def returning(module: Any, name: str, value: Any) -> Patch:
    return lambda monkey: monkey.setattr(module, name, lambda *_args, **_more: value)


def unknown_is_failed(monkey: pytest.MonkeyPatch) -> None:
    real = check_state.apply_look

    def look(policy: Any, rules: Any, check: CheckState, result: Result, now: datetime) -> CheckState:
        if result.verdict.outcome is Outcome.UNKNOWN:
            result = replace(result, verdict=replace(result.verdict, outcome=Outcome.FAILED))
        return real(policy, rules, check, result, now)

    monkey.setattr(step, "apply_look", look)


def old_looks_count(monkey: pytest.MonkeyPatch) -> None:
    real = check_state.apply_look
    monkey.setattr(
        step,
        "apply_look",
        lambda policy, rules, check, *rest: real(policy, rules, replace(check, last_started_at=None), *rest),
    )


def no_gate(monkey: pytest.MonkeyPatch) -> None:
    monkey.setattr(step, "open_gates", lambda *_: None)
    monkey.setattr(step, "inherit_gate", lambda _draft, check, _at: check)


def silence_delays_closing(monkey: pytest.MonkeyPatch) -> None:
    real = incidents.settle

    def settle(draft: Any, number: int) -> None:
        if draft.incidents[number].suppressed_since is None:
            real(draft, number)

    monkey.setattr(step, "settle", settle)
    monkey.setattr(incidents, "settle", settle)


def resolves_with_its_root(monkey: pytest.MonkeyPatch) -> None:
    real = incidents._is_well
    monkey.setattr(incidents, "_is_well", lambda draft, incident, one: one.role != "root" or real(draft, incident, one))


def told_when_queued(monkey: pytest.MonkeyPatch) -> None:
    real = telling._queue

    def queue(draft: Any, incident: Any, chat: Any, told: Any, kind: MessageKind, at: Any) -> Any:
        state = ToldState.RESOLVED if kind is MessageKind.RESOLVE else ToldState.OPEN
        return replace(
            real(draft, incident, chat, told, kind, at), state=state, severity=incident.severity, queued_kind=None
        )

    monkey.setattr(telling, "_queue", queue)


def silence_is_ignored(monkey: pytest.MonkeyPatch) -> None:
    real = telling._wanted
    monkey.setattr(
        telling,
        "_wanted",
        lambda draft, incident, chat, told: real(draft, replace(incident, suppressed_since=None), chat, told),
    )


def silence_hides_the_end(monkey: pytest.MonkeyPatch) -> None:
    real = telling._wanted
    monkey.setattr(
        telling,
        "_wanted",
        lambda draft, one, chat, told: None if one.suppressed_since else real(draft, one, chat, told),
    )


def severity_falls(monkey: pytest.MonkeyPatch) -> None:
    def set_severity(draft: Any, number: int, severity: Any) -> None:
        draft.put_incident(replace(draft.incidents[number], severity=severity))

    monkey.setattr(incidents, "raise_severity", set_severity)


def ack_hides_a_rise(monkey: pytest.MonkeyPatch) -> None:
    monkey.setattr(incidents, "_without_ack", lambda incident: incident)
    real = telling._wanted
    monkey.setattr(
        telling,
        "_wanted",
        lambda draft, one, chat, told: None if one.status is IncidentStatus.ACKED else real(draft, one, chat, told),
    )


def keys_repeat(monkey: pytest.MonkeyPatch) -> None:
    real = telling._queue
    monkey.setattr(
        telling,
        "_queue",
        lambda draft, incident, chat, told, *rest: real(draft, incident, chat, replace(told, sent_counts={}), *rest),
    )


def stored_evidence_is_enough(monkey: pytest.MonkeyPatch) -> None:
    monkey.setattr(step, "fresh_start", lambda state, _now: state)


def silences_use_up_reminders(monkey: pytest.MonkeyPatch) -> None:
    monkey.setattr(silences, "since", lambda _at, _now: 0.0)


def no_summary(monkey: pytest.MonkeyPatch) -> None:
    rules_with(fallback_after_seconds=1e9)(monkey)


def no_look_at_ancestors(monkey: pytest.MonkeyPatch) -> None:
    """Descendants are still looked at after a recovery: with their jitter."""
    monkey.setattr(correlate, "ProbeNow", lambda name, wait_seconds=0.0: ProbeNow(name, wait_seconds or 86_400.0))


def texts_have_no_end(monkey: pytest.MonkeyPatch) -> None:
    for module in (card, wording):
        monkey.setattr(module, "clip", lambda text, *_: text)


def a_lead_is_taken_for_granted(monkey: pytest.MonkeyPatch) -> None:
    monkey.setattr(Leader, "is_proven", property(lambda _: True))


MUTATIONS: dict[str, tuple[str, Patch]] = {
    "two failures confirm": ("S1 S2", policy_with(confirm_failures=2, confirm_span_seconds=0.0)),
    "one failure confirms": ("S1 S2", policy_with(confirm_failures=1, confirm_span_seconds=0.0)),
    "four of the last fifteen confirm": ("S1", policy_with(confirm_m=4)),
    "one success resolves": ("S8", policy_with(recover_successes=1, recover_span_seconds=0.0)),
    "unknown counts as failed": ("S3", unknown_is_failed),
    "old looks count": ("S4", old_looks_count),
    "no hold": ("S7", returning(correlate, "_may_explain", False)),
    "a hold has no end": ("L7 L2 L1", returning(correlate, "_has_held_long_enough", False)),
    "a parent that is down explains nothing": ("S6", returning(correlate, "_explains", False)),
    "no gate": ("S6", no_gate),
    "no re-rooting": ("S7", returning(incidents, "incident_to_reroot", None)),
    "no reopening": ("S10", returning(incidents, "incident_to_reopen", None)),
    "no storm card": ("S10", rules_with(storm_roots=999)),
    "no flapping": ("S10", rules_with(flap_drops=999)),
    "no deploy window": ("S6", returning(correlate, "_is_deploying", False)),
    "a silence delays closing": ("S8", silence_delays_closing),
    "over as soon as the root is": ("S8", resolves_with_its_root),
    "told as soon as queued": ("S9 L1 L3 S17", told_when_queued),
    "a silence is ignored": ("S15", silence_is_ignored),
    "a silence hides the end": ("L3", silence_hides_the_end),
    "a silence uses up reminders": ("S15", silences_use_up_reminders),
    "severity falls": ("S17", severity_falls),
    "an ack hides a rise": ("S17 L1", ack_hides_a_rise),
    "an ack never lapses": ("L7", rules_with(ack_page_seconds=1e7, ack_warning_seconds=1e7)),
    "keys repeat": ("S11", keys_repeat),
    "stored evidence is enough": ("S12", stored_evidence_is_enough),
    "no escalation": ("L1", returning(telling, "_escalates", False)),
    "no late summary": ("L4", no_summary),
    "degraded for ever": ("L3", lambda monkey: monkey.setattr(check_state, "_FRESH_SPEED", {"degraded_window": ()})),
    "a symptom never leaves": ("S5", lambda monkey: monkey.setattr(correlate, "leave", lambda *_: None)),
    "the end of a silence is never told": ("L1", returning(telling, "_is_fresh_after_silence", False)),
    "no look at ancestors": ("S7", no_look_at_ancestors),
    "an old epoch writes": ("S12", returning(LeaderRow, "check_epoch", None)),
    "a lead is taken for granted": ("S12", a_lead_is_taken_for_granted),
    "no fallback": ("L5", returning(telling, "_falls_back", False)),
    "the fallback is told at once": ("L5", rules_with(fallback_after_seconds=0.0)),
    "every audit passes": ("L8", returning(heartbeat, "audit", ())),
    "no audit passes": ("L8", returning(heartbeat, "audit", ("something",))),
    "a circle suppresses": ("S16", returning(graph, "find_cycle", None)),
    "texts have no end": ("S13", texts_have_no_end),
    "entities count characters": ("S13", lambda monkey: monkey.setattr(entities, "units", len)),
}


FIRST_SEED = {
    "a circle suppresses": 47,
    "a hold has no end": 387,
    "a lead is taken for granted": 113,
    "a silence uses up reminders": 11,
    "an ack hides a rise": 23,
    "an ack never lapses": 209,
    "an old epoch writes": 57,
    "four of the last fifteen confirm": 23,
    "keys repeat": 13,
    "no deploy window": 55,
    "no escalation": 22,
    "no fallback": 7,
    "no flapping": 31,
    "no gate": 17,
    "no hold": 10,
    "no late summary": 7,
    "no look at ancestors": 210,
    "no re-rooting": 19,
    "no reopening": 19,
    "severity falls": 11,
    "stored evidence is enough": 225,
    "unknown counts as failed": 1,
}
"""Where to begin looking, to save time: the first seed that broke when this was written."""


def first_broken(first: int, seeds: int, expected: set[str]) -> set[str]:
    """Return the names of what the first seed breaks that breaks what is expected, or of all that broke."""
    seen: set[str] = set()
    for seed in range(first, first + seeds):
        broken = {line.split(": ")[1] for line in Simulation(make_world(seed)).run().watch.broken}
        seen |= broken
        if broken & expected:
            return broken
    return seen


@pytest.mark.parametrize("name", MUTATIONS)
def test_a_rule_switched_off_breaks_an_invariant(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    names, patch = MUTATIONS[name]
    expected = set(names.split())
    patch(monkeypatch)
    broken = first_broken(FIRST_SEED.get(name, 0), 60, expected)
    assert broken & expected, f"{name}: {sorted(broken) or 'nothing'} broke, not {names}"
