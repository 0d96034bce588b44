"""`platform.resources`: shares of the limits, and for how long."""

from datetime import timedelta

import pytest

from checks.platform.resources import METRICS, PlatformResources, PlatformResourcesConfig, PlatformResourcesSeen
from checks.platform.shapes import Series
from checks.result import Outcome, Reason
from tests.checks.platform.conftest import GIVEN, Render, service
from tests.fakes import NOW

CHECK = PlatformResources(PlatformResourcesConfig(id="platform.resources", **GIVEN))
API = service()


def series(value: float, minutes: int = 15, last: float | None = None) -> tuple[Series, ...]:
    points = [(NOW - timedelta(minutes=index), value) for index in range(minutes, -1, -1)]
    if last is not None:
        points[-1] = (NOW, last)
    return (Series(API.id, "i", tuple(points)),)


def seen(**metrics: tuple[Series, ...]) -> PlatformResourcesSeen:
    limits = {"cpu-limit": series(0.5), "memory-limit": series(512.0), "disk-capacity": series(10.0)}
    named = {name.replace("_", "-"): some for name, some in metrics.items()}
    return PlatformResourcesSeen((API,), dict.fromkeys(METRICS, ()) | limits | named)


JUDGED: dict[str, tuple[PlatformResourcesSeen, Outcome, Reason | None, str]] = {
    "no service": (PlatformResourcesSeen((), {}), Outcome.UNKNOWN, Reason.NOT_CONFIGURED, "none of these"),
    "no numbers": (seen(), Outcome.OK, None, "Render has no numbers for these services"),
    "no limit": (
        seen(memory=series(500.0), memory_limit=()), Outcome.OK, None, "Render has no numbers for these services",
    ),
    "well": (seen(cpu=series(0.1), memory=series(256.0)), Outcome.OK, None, "memory ≤ 50%, cpu ≤ 20%"),
    "memory full": (
        seen(memory=series(470.0)), Outcome.FAILED, Reason.CAPACITY, "nexus-api uses 92% of its memory, for 5 min",
    ),
    "memory full a moment ago": (seen(memory=series(256.0, last=500.0)), Outcome.OK, None, "memory ≤ 98%"),
    "memory full, but not for long": (seen(memory=series(470.0, minutes=3)), Outcome.OK, None, "memory ≤ 92%"),
    "memory high": (
        seen(memory=series(420.0)), Outcome.DEGRADED, Reason.CAPACITY, "nexus-api uses 82% of its memory",
    ),
    "processor high": (seen(cpu=series(0.4)), Outcome.DEGRADED, Reason.CAPACITY, "nexus-api uses 80% of its processor"),
    "disk high": (seen(disk_usage=series(8.5)), Outcome.DEGRADED, Reason.CAPACITY, "nexus-api uses 85% of its disk"),
    "another's numbers": (
        seen(memory=(Series("srv-other", "i", ((NOW, 500.0),)),)), Outcome.OK, None, "Render has no numbers",
    ),
    "a series without points": (
        seen(memory=(Series(API.id, "i", ()),)), Outcome.OK, None, "Render has no numbers",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("look", "outcome", "reason", "summary"), JUDGED.values(), ids=JUDGED)
def test_judge(look: PlatformResourcesSeen, outcome: Outcome, reason: Reason | None, summary: str) -> None:
    verdict = CHECK.judge(look, NOW)

    assert (verdict.outcome, verdict.reason) == (outcome, reason)
    assert verdict.summary.startswith(summary)
    assert bool(verdict.hint) == (outcome is not Outcome.OK)


async def test_one_call_for_each_metric_and_none_for_a_static_site(render: Render) -> None:
    render.beat.memory_share = 0.95

    look = await CHECK.measure(render.io())

    metrics = [question for question in render.server.asked if question.startswith("/v1/metrics/")]
    assert len(metrics) == len(METRICS)
    assert not any(render.miniapp.id in question for question in metrics)
    verdict = CHECK.judge(look, render.at)
    assert verdict.summary == "nexus-beat uses 95% of its memory, for 5 min"
    assert verdict.values == {"memory_share": 0.95, "cpu_share": 0.1}


async def test_no_service_is_asked_for_no_numbers(render: Render) -> None:
    check = PlatformResources(PlatformResourcesConfig(id="platform.resources", **{**GIVEN, "names": ("nobody",)}))

    assert (await check.measure(render.io())).services == ()
    assert len(render.server.asked) == 1
