"""The exposition against its catalogue, its documentation and promtool."""

import re
import shutil
import subprocess
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from checks.result import Reason, Result, degraded, failed, ok, unknown
from monitor.engine.model import (
    Chat,
    CheckPolicy,
    CheckState,
    CheckStatus,
    Incident,
    IncidentStatus,
    Plan,
    Severity,
    State,
)
from monitor.metrics import CATALOGUE, Metrics

ROOT = Path(__file__).parents[2]
NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
PLAN = Plan(
    {
        name: CheckPolicy(name, service, interval_seconds=30, timeout_seconds=10, retry_seconds=10)
        for name, service in (("api.health", "nexus-api"), ("redis.ping", "nexus-redis"))
    },
    chats=(Chat("telegram:ops"),),
)


def made(state: State | None = None) -> Metrics:
    return Metrics(
        PLAN,
        lambda: state if state is not None else State(),
        version="1.2.3",
        loop_lag_seconds=lambda: 0.25,
        outbox_oldest_seconds=lambda: 7.5,
    )


def sample(metrics: Metrics, name: str, **labels: str) -> float | None:
    text = metrics.exposition()[0].decode()
    for family in text_string_to_metric_families(text):
        for one in family.samples:
            if one.name == name and labels.items() <= one.labels.items():
                return one.value
    return None


def looked(verdict: object, seconds: float = 0.02) -> Result:
    return Result("api.health", verdict, NOW, seconds)  # type: ignore[arg-type]


def busy() -> Metrics:
    result = looked(ok("fine"))
    check = CheckState("api.health", CheckStatus.DOWN, last_started_at=NOW, last_result=result)
    incident = Incident(1, "api.health", Severity.PAGE, IncidentStatus.ACKED, NOW, NOW)
    closed = replace(incident, id=2, status=IncidentStatus.RESOLVED)
    metrics = made(State(checks={"api.health": check}, incidents={1: incident, 2: closed}))
    metrics.observe(result)
    metrics.observe(looked(failed(Reason.TIMEOUT, "no answer", hint="look"), 10.0))
    metrics.observe(looked(degraded(Reason.SLOW, "slow", hint="look"), 3.0))
    metrics.observe(looked(unknown(Reason.VANTAGE, "we could not look"), 99.0))
    metrics.message_attempt("telegram", "open", "delivered")
    return metrics


def test_exactly_one_status_of_a_check_is_one() -> None:
    metrics = busy()
    values = {
        status: sample(metrics, "nexus_check_status", check="api.health", service="nexus-api", status=status)
        for status in ("up", "degraded", "down", "unknown", "pending")
    }
    assert values == {"up": 0, "degraded": 0, "down": 1, "unknown": 0, "pending": 0}


def test_a_check_never_looked_at_is_pending_and_has_no_last_run() -> None:
    metrics = made()
    assert sample(metrics, "nexus_check_status", check="redis.ping", status="pending") == 1
    assert sample(metrics, "nexus_check_last_run_timestamp_seconds", check="redis.ping") is None


def test_looks_are_counted_by_outcome_from_zero() -> None:
    metrics = busy()
    for outcome in ("ok", "failed", "degraded", "unknown"):
        assert sample(metrics, "nexus_check_runs_total", check="api.health", outcome=outcome) == 1
        assert sample(metrics, "nexus_check_runs_total", check="redis.ping", outcome=outcome) == 0


def test_only_failed_and_degraded_looks_have_a_reason() -> None:
    metrics = busy()
    assert sample(metrics, "nexus_check_failures_total", check="api.health", reason="timeout") == 1
    assert sample(metrics, "nexus_check_failures_total", check="api.health", reason="slow") == 1
    assert sample(metrics, "nexus_check_failures_total", check="api.health", reason="vantage") is None


@pytest.mark.parametrize(
    ("bound", "count"), [("0.01", 0), ("0.025", 1), ("2.5", 1), ("5.0", 2), ("10.0", 3), ("+Inf", 4)]
)
def test_a_duration_on_the_bound_of_a_bucket_is_in_it(bound: str, count: int) -> None:
    assert sample(busy(), "nexus_check_duration_seconds_bucket", check="api.health", le=bound) == count


def test_the_duration_histogram_has_sum_and_count() -> None:
    metrics = busy()
    assert sample(metrics, "nexus_check_duration_seconds_sum", check="api.health") == pytest.approx(112.02)
    assert sample(metrics, "nexus_check_duration_seconds_count", check="api.health") == 4


def test_only_live_incidents_are_open() -> None:
    metrics = busy()
    assert sample(metrics, "nexus_incidents_open", severity="page") == 1
    assert sample(metrics, "nexus_incidents_open", severity="warning") == 0


def test_messages_are_counted_by_what_became_of_them() -> None:
    metrics = busy()
    labels = {"channel": "telegram", "kind": "open"}
    assert sample(metrics, "nexus_messages_total", **labels, outcome="delivered") == 1
    assert sample(metrics, "nexus_messages_total", **labels, outcome="ambiguous") == 0


def test_lag_and_outbox_age_are_asked_at_each_scrape() -> None:
    metrics = busy()
    assert sample(metrics, "nexus_loop_lag_seconds") == 0.25
    assert sample(metrics, "nexus_outbox_oldest_seconds") == 7.5
    assert sample(metrics, "nexus_build_info", version="1.2.3") == 1


def test_two_instances_do_not_share_a_registry() -> None:
    busy()
    assert sample(made(), "nexus_check_runs_total", check="api.health", outcome="ok") == 0


def test_the_exposition_and_the_catalogue_agree() -> None:
    shown = {
        (line.split()[2], line.split()[3])
        for line in busy().exposition()[0].decode().splitlines()
        if line.startswith("# TYPE")
    }
    assert shown == {(info.name, info.type) for info in CATALOGUE}


def test_every_help_text_is_that_of_the_catalogue() -> None:
    text = busy().exposition()[0].decode()
    for info in CATALOGUE:
        assert f"# HELP {info.name} {info.help}\n" in text


def test_the_documentation_lists_the_catalogue() -> None:
    documented = re.findall(
        r"^\| `(\w+)` \| (\w+) \| (.+?) \| (\S+) \| (.+) \|$", (ROOT / "docs/metrics.md").read_text(), re.MULTILINE
    )
    assert documented == [
        (info.name, info.type, ", ".join(f"`{label}`" for label in info.labels) or "–", info.unit or "–", info.help)
        for info in CATALOGUE
    ]


@pytest.mark.real
def test_promtool_is_content() -> None:
    promtool = shutil.which("promtool")
    if promtool is None:
        pytest.skip("promtool is missing: apt-get install prometheus")
    checked = subprocess.run(
        [promtool, "check", "metrics"], input=busy().exposition()[0], capture_output=True, timeout=60
    )
    assert (checked.returncode, checked.stdout, checked.stderr) == (0, b"", b"")


@pytest.mark.real
def test_promtool_accepts_the_scrape_configuration() -> None:
    promtool = shutil.which("promtool")
    if promtool is None:
        pytest.skip("promtool is missing: apt-get install prometheus")
    checked = subprocess.run(
        [promtool, "check", "config", ROOT / "dashboards/prometheus.yml"], capture_output=True, timeout=60
    )
    assert checked.returncode == 0, checked.stderr


def test_heartbeats_are_counted_by_what_became_of_them() -> None:
    metrics = made()
    metrics.heartbeat("withheld")
    assert sample(metrics, "nexus_heartbeats_total", outcome="withheld") == 1
    assert sample(metrics, "nexus_heartbeats_total", outcome="sent") == 0
