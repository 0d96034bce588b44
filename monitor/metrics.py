"""What Prometheus is told: the catalogue as data, the counters, and a collector over the engine's state."""

from __future__ import annotations

import platform
from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from prometheus_client import CollectorRegistry, ProcessCollector, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from prometheus_client.registry import Collector

from checks.result import Outcome, Result
from monitor.engine.check_state import Shown, status_of
from monitor.engine.deploy_record import DeployVerdict
from monitor.engine.model import CheckState, DeliveryOutcome, MessageKind, Plan, Severity, State
from monitor.engine.objectives import Assessment, hours

DURATION_BUCKETS_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
"""Upper bounds of the duration histogram; a look never takes longer than its time-out."""

SHOWN_STATUSES: tuple[Shown, ...] = ("up", "degraded", "down", "unknown", "pending")


@dataclass(frozen=True, slots=True)
class MetricInfo:
    """One row of the catalogue."""

    name: str
    type: Literal["gauge", "counter", "histogram"]
    labels: tuple[str, ...]
    unit: str
    help: str


CATALOGUE: tuple[MetricInfo, ...] = (
    MetricInfo(
        "nexus_check_status",
        "gauge",
        ("check", "service", "status"),
        "",
        "1 for the status the check has now, 0 for the other four.",
    ),
    MetricInfo("nexus_check_duration_seconds", "histogram", ("check",), "seconds", "How long one look took."),
    MetricInfo("nexus_check_runs_total", "counter", ("check", "outcome"), "", "Looks made, by what they found."),
    MetricInfo(
        "nexus_check_failures_total",
        "counter",
        ("check", "reason"),
        "",
        "Looks that were failed or degraded, by reason.",
    ),
    MetricInfo(
        "nexus_check_last_run_timestamp_seconds",
        "gauge",
        ("check",),
        "seconds",
        "When the newest look started, as seconds since 1970. Absent until the first look.",
    ),
    MetricInfo("nexus_incidents_open", "gauge", ("severity",), "", "Incidents that are open or acknowledged."),
    MetricInfo(
        "nexus_messages_total",
        "counter",
        ("channel", "kind", "outcome"),
        "",
        "Attempts to send a message, by what became of them.",
    ),
    MetricInfo(
        "nexus_outbox_oldest_seconds",
        "gauge",
        (),
        "seconds",
        "Age of the oldest message not delivered yet; 0 when nothing waits.",
    ),
    MetricInfo(
        "nexus_loop_lag_seconds",
        "gauge",
        (),
        "seconds",
        "Largest lateness of the monitor's own event loop in the last five seconds.",
    ),
    MetricInfo("nexus_leader", "gauge", (), "", "1 for the instance that looks and tells, 0 for a standby."),
    MetricInfo(
        "nexus_audit_failures", "gauge", (), "", "What the monitor's audit of itself finds wrong; 0 when it works."
    ),
    MetricInfo(
        "nexus_heartbeats_total",
        "counter",
        ("outcome",),
        "",
        "Heartbeats to the dead-man's switch, by what became of them.",
    ),
    MetricInfo(
        "nexus_slo_availability_ratio",
        "gauge",
        ("slo",),
        "",
        "Share of the known time of its window in which the objective was met. Absent until something is known.",
    ),
    MetricInfo(
        "nexus_slo_burn_rate",
        "gauge",
        ("slo", "window"),
        "",
        "How many times too fast the error budget burns, over this window.",
    ),
    MetricInfo("nexus_deploys_total", "counter", ("service", "verdict"), "", "Deploys that were judged, by verdict."),
    MetricInfo(
        "nexus_deploy_live_timestamp_seconds",
        "gauge",
        ("service",),
        "seconds",
        "When the newest deploy of the service went live, as seconds since 1970. Absent until one was seen.",
    ),
    MetricInfo("nexus_build_info", "gauge", ("version", "python"), "", "1; what runs is in the labels."),
    MetricInfo("process_virtual_memory_bytes", "gauge", (), "bytes", "Virtual memory size in bytes."),
    MetricInfo("process_resident_memory_bytes", "gauge", (), "bytes", "Resident memory size in bytes."),
    MetricInfo(
        "process_start_time_seconds", "gauge", (), "seconds", "Start time of the process since unix epoch in seconds."
    ),
    MetricInfo(
        "process_cpu_seconds_total", "counter", (), "seconds", "Total user and system CPU time spent in seconds."
    ),
    MetricInfo("process_open_fds", "gauge", (), "", "Number of open file descriptors."),
    MetricInfo("process_max_fds", "gauge", (), "", "Maximum number of open file descriptors."),
)
"""Every metric of the exposition. The `process_…` rows come from prometheus-client and exist on Linux only."""

_INFO = {info.name: info for info in CATALOGUE}


@dataclass(slots=True)
class _Durations:
    """One check's histogram: counts by bucket (not yet summed up), the last one beyond all bounds."""

    counts: list[int] = field(default_factory=lambda: [0] * (len(DURATION_BUCKETS_SECONDS) + 1))
    sum_seconds: float = 0.0


class Metrics:
    """Counts what happens and shows it, together with the engine's state, in Prometheus' text format."""

    def __init__(
        self,
        plan: Plan,
        state: Callable[[], State],
        *,
        version: str,
        loop_lag_seconds: Callable[[], float],
        outbox_oldest_seconds: Callable[[], float],
        is_leader: Callable[[], bool] = lambda: True,
        audit_failures: Callable[[], int] = lambda: 0,
        assessments: Callable[[], Sequence[Assessment]] = tuple,
    ) -> None:
        self._state = state
        self._version = version
        self._loop_lag_seconds = loop_lag_seconds
        self._outbox_oldest_seconds = outbox_oldest_seconds
        self._is_leader = is_leader
        self._audit_failures = audit_failures
        self._beats: Counter[tuple[str]] = Counter({("sent",): 0, ("failed",): 0, ("withheld",): 0})
        self._assessments = assessments
        self._durations: dict[str, _Durations] = {}
        self._runs: Counter[tuple[str, str]] = Counter()
        self.take(plan)
        self._failures: Counter[tuple[str, str]] = Counter()
        self._deploys: Counter[tuple[str, str]] = Counter()
        self._deploys_live: dict[str, float] = {}
        self._messages: Counter[tuple[str, str, str]] = Counter(
            {
                (channel, kind.value, outcome.value): 0
                for channel in sorted({chat.channel for chat in plan.chats})
                for kind in MessageKind
                for outcome in DeliveryOutcome
            }
        )
        self._registry = CollectorRegistry(auto_describe=False)
        self._registry.register(_Families(self._families))
        ProcessCollector(registry=self._registry)

    def take(self, plan: Plan) -> None:
        """Show the checks of this plan from now on; their counters begin at 0 where they are new."""
        self._plan = plan
        for check_id in plan.checks:
            self._durations.setdefault(check_id, _Durations())
            self._runs.update({(check_id, outcome.value): 0 for outcome in Outcome})

    def observe(self, result: Result) -> None:
        """Count one look."""
        durations = self._durations.setdefault(result.check_id, _Durations())
        durations.counts[bisect_left(DURATION_BUCKETS_SECONDS, result.duration_seconds)] += 1
        durations.sum_seconds += result.duration_seconds
        verdict = result.verdict
        self._runs[result.check_id, verdict.outcome.value] += 1
        if verdict.reason is not None and verdict.outcome in (Outcome.FAILED, Outcome.DEGRADED):
            self._failures[result.check_id, verdict.reason.value] += 1

    def message_attempt(self, channel: str, kind: str, outcome: str) -> None:
        """Count one attempt to send a message, e.g. `("telegram", "open", "delivered")`."""
        self._messages[channel, str(kind), str(outcome)] += 1

    def heartbeat(self, outcome: str) -> None:
        """Count one heartbeat: `sent`, `failed`, or `withheld` because the audit failed."""
        self._beats[outcome,] += 1

    def deploy_live(self, service: str, at: datetime) -> None:
        """Note when a deploy went live."""
        self._deploys_live[service] = max(at.timestamp(), self._deploys_live.get(service, 0.0))
        self._deploys.update({(service, verdict.value): 0 for verdict in DeployVerdict})

    def deploy_judged(self, service: str, verdict: str) -> None:
        """Count one deploy by its verdict."""
        self._deploys[service, verdict] += 1

    def exposition(self) -> tuple[bytes, str]:
        """Return the whole text and its content type."""
        return generate_latest(self._registry), CONTENT_TYPE_PLAIN_0_0_4

    def _families(self) -> Iterator[Metric]:
        state = self._state()
        yield self._statuses(state)
        yield self._histogram()
        yield _counter("nexus_check_runs_total", self._runs.items())
        yield _counter("nexus_check_failures_total", self._failures.items())
        yield _gauge(
            "nexus_check_last_run_timestamp_seconds",
            (
                ((check.id,), check.last_started_at.timestamp())
                for check in state.checks.values()
                if check.id in self._plan.checks and check.last_started_at is not None
            ),
        )
        live = Counter(incident.severity for incident in state.incidents.values() if incident.is_live)
        yield _gauge("nexus_incidents_open", (((severity.value,), live[severity]) for severity in Severity))
        yield _counter("nexus_messages_total", self._messages.items())
        yield _gauge("nexus_outbox_oldest_seconds", [((), self._outbox_oldest_seconds())])
        yield _gauge("nexus_loop_lag_seconds", [((), self._loop_lag_seconds())])
        yield _gauge("nexus_leader", [((), float(self._is_leader()))])
        yield _gauge("nexus_audit_failures", [((), self._audit_failures())])
        yield _counter("nexus_heartbeats_total", self._beats.items())
        yield _counter("nexus_deploys_total", self._deploys.items())
        live_at = (((service,), at) for service, at in self._deploys_live.items())
        yield _gauge("nexus_deploy_live_timestamp_seconds", live_at)
        yield from self._objectives()
        yield _gauge("nexus_build_info", [((self._version, platform.python_version()), 1)])

    def _statuses(self, state: State) -> Metric:
        def samples() -> Iterator[tuple[tuple[str, ...], float]]:
            for policy in self._plan.checks.values():
                now = status_of(state.checks.get(policy.id, CheckState(policy.id)))
                for status in SHOWN_STATUSES:
                    yield (policy.id, policy.service, status), float(status == now)

        return _gauge("nexus_check_status", samples())

    def _objectives(self) -> Iterator[Metric]:
        now = self._assessments()
        met = [((one.objective.name,), one.uptime.availability) for one in now]
        yield _gauge("nexus_slo_availability_ratio", ((names, share) for names, share in met if share is not None))
        rates = [((one.objective.name, hours(length)), rate) for one in now for length, rate in one.rates.items()]
        yield _gauge("nexus_slo_burn_rate", ((names, rate) for names, rate in rates if rate is not None))

    def _histogram(self) -> Metric:
        info = _INFO["nexus_check_duration_seconds"]
        family = HistogramMetricFamily(info.name, info.help, labels=info.labels)
        for check_id, durations in self._durations.items():
            total = 0
            buckets: list[tuple[str, float]] = []
            for bound, count in zip((*DURATION_BUCKETS_SECONDS, float("inf")), durations.counts, strict=True):
                total += count
                buckets.append(("+Inf" if bound == float("inf") else str(bound), total))
            family.add_metric([check_id], buckets, durations.sum_seconds)
        return family


class _Families(Collector):
    """Lends a function the shape a registry wants."""

    def __init__(self, families: Callable[[], Iterable[Metric]]) -> None:
        self._families = families

    def collect(self) -> Iterable[Metric]:
        return self._families()

    def describe(self) -> Iterable[Metric]:
        """Name nothing in advance, so that registering does not collect."""
        return ()


def _gauge(name: str, samples: Iterable[tuple[tuple[str, ...], float]]) -> Metric:
    info = _INFO[name]
    family = GaugeMetricFamily(info.name, info.help, labels=info.labels)
    for labels, value in samples:
        family.add_metric(labels, value)
    return family


def _counter(name: str, samples: Iterable[tuple[tuple[str, ...], float]]) -> Metric:
    info = _INFO[name]
    family = CounterMetricFamily(info.name, info.help, labels=info.labels)
    for labels, value in samples:
        family.add_metric(labels, value)
    return family
