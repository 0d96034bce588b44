"""From outages in a real store to an objective that burns, is told, and is shown."""

from datetime import datetime, timedelta

import pytest

from monitor.config.checklist import Checklist, build_checklist
from monitor.config.settings import settings_from
from monitor.config.stack import stack_of
from monitor.engine.model import Event, Looked, State, Tick
from monitor.engine.spans import SpanChange, SpanKind
from monitor.engine.step import step
from monitor.errors import UsageError
from monitor.metrics import Metrics
from monitor.slo import SloWatch
from monitor.store.store import Store
from monitor.web.api.bodies import slo_body
from tests.stores import T0, at, database_url, good, postgres, store

__all__ = ["database_url", "postgres", "store"]

ENVIRONMENT = {"API_URL": "https://api.example", "REDIS_URL": "redis://redis.example", "ALERT_CHAT_ID": "1",
               "ALERT_BOT_TOKEN": f"222222222:{'A' * 35}"}  # fmt: skip
NOW = 86_400.0


def checklist_of(text: str) -> Checklist:
    return build_checklist(settings_from(ENVIRONMENT), stack_of(text, "monitor.yaml"))


async def test_two_short_outages_are_told_measured_and_shown(store: Store) -> None:
    checklist = checklist_of("slo: [{name: api, checks: [api.health], target: 99.5, window_days: 1}]")
    changes = [SpanChange("api.health", SpanKind.UP, T0, T0)]
    for start, end in ((30, 26), (6, 1)):
        for kind, minutes in ((SpanKind.DOWN, start), (SpanKind.UP, end)):
            instant = at(NOW - 60 * minutes)
            changes.append(SpanChange("api.health", kind, instant, instant))
    for change in changes:
        await store.commit([(Tick(), change.since_at)], State(), State(), (), change.since_at, spans=[change])
    state = State()

    async def apply(event: Event) -> None:
        nonlocal state
        state = step(checklist.plan, state, event, at(NOW)).state

    watch = SloWatch(checklist.objectives, store.spans, apply, lambda: state, lambda: at(NOW))
    await watch.judge()
    for check_id in checklist.checks:
        state = step(checklist.plan, state, Looked(good(check_id, NOW + 1)), at(NOW + 1)).state
    [incident] = state.incidents.values()
    assert (incident.root, incident.severity.value) == ("slo.api", "warning")
    body = slo_body(watch.assessments[0])
    assert (body.availability, body.burning, body.outages) == (pytest.approx(1 - 9 / 1440), 14.4, 2)
    assert (body.burn_rates["1h"], body.summary) == (pytest.approx(30.0), "99.37 %")
    metrics = Metrics(
        checklist.plan,
        lambda: state,
        version="1",
        loop_lag_seconds=lambda: 0.0,
        outbox_oldest_seconds=lambda: 0.0,
        assessments=lambda: watch.assessments,
    )
    text = metrics.exposition()[0].decode()
    assert 'nexus_slo_availability_ratio{slo="api"} 0.99375' in text
    assert 'nexus_slo_burn_rate{slo="api",window="1h"} ' in text


async def test_an_objective_without_history_is_well_and_says_so(store: Store) -> None:
    checklist = checklist_of("slo: [{name: stack, service: nexus-redis, target: 99}]")
    told: list[Looked] = []

    async def apply(event: Looked) -> None:
        told.append(event)

    def now() -> datetime:
        return T0 + timedelta(hours=1)

    await SloWatch(checklist.objectives, store.spans, apply, State, now).judge()
    assert [one.result.verdict.summary for one in told] == ["stack: insufficient data of 99 %"]


def test_a_service_stands_for_all_of_its_checks() -> None:
    checklist = checklist_of("slo: [{name: redis, service: nexus-redis, target: 99}]")
    assert checklist.plan.checks["slo.redis"].hard_parents == ("redis.ping", "redis.write", "redis.memory")
    assert "slo.redis" not in checklist.checks


def test_an_objective_over_several_services_stands_for_none_of_them() -> None:
    checklist = checklist_of("slo: [{name: all, checks: [redis.ping, api.health], target: 99}]")
    assert checklist.plan.checks["slo.all"].service == "slo"


@pytest.mark.parametrize(
    ("given", "line"),
    [
        ("{name: a, target: 99}", "monitor.yaml: slo.0.checks: give either checks or a service"),
        ("{name: a, target: 100, service: x}", "monitor.yaml: slo.0.target: 100 must be less than 100"),
        (
            "{name: a, target: 99, checks: [redis.pin]}",
            "monitor.yaml: slo.a.checks: 'redis.pin' is no check, did you mean redis.ping?",
        ),
        (
            "{name: a, target: 99, checks: [miniapp.page]}",
            "monitor.yaml: slo.a.checks: miniapp.page needs the environment variable MINIAPP_URL",
        ),
        (
            "{name: a, target: 99, service: nexus-rediss}",
            "monitor.yaml: slo.a.service: no check is about 'nexus-rediss', did you mean nexus-redis?",
        ),
        (
            "{name: a, target: 99, checks: [redis.ping]}, {name: a, target: 99, checks: [redis.ping]}",
            "monitor.yaml: slo.a: stands twice",
        ),
    ],
)
def test_a_mistake_is_one_line(given: str, line: str) -> None:
    with pytest.raises(UsageError) as caught:
        checklist_of(f"slo: [{given}]")
    assert caught.value.lines == (line,)


def test_a_check_that_is_switched_off_is_no_part_of_an_objective() -> None:
    with pytest.raises(UsageError) as caught:
        checklist_of("checks: {redis.write: {enabled: false}}\nslo: [{name: a, target: 99, checks: [redis.write]}]")
    assert caught.value.lines == ("monitor.yaml: slo.a.checks: redis.write is switched off",)
