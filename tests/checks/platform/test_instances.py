"""`platform.instances`: none, too few, too many, and how long a deploy may take."""

from datetime import timedelta
from typing import Any

import pytest

from checks.platform.instances import Instances, PlatformInstances, PlatformInstancesConfig, PlatformInstancesSeen
from checks.result import Outcome, Reason
from tests.checks.platform.conftest import GIVEN, Render, service
from tests.fakes import NOW

CHECK = PlatformInstances(PlatformInstancesConfig(id="platform.instances", **GIVEN))


def seen(*ages_minutes: float, minutes: float = 0.0, **more: Any) -> PlatformInstancesSeen:
    began = tuple(sorted(NOW - timedelta(minutes=age) for age in ages_minutes))
    return PlatformInstancesSeen(NOW + timedelta(minutes=minutes), (Instances(service("nexus-beat", **more), began),))


TWO = {"fewest_instances": 2, "most_instances": 2}
NOBODY = PlatformInstancesSeen(NOW - timedelta(minutes=9), ())
JUDGED: dict[str, tuple[PlatformInstancesSeen, tuple[PlatformInstancesSeen, ...], Outcome, Reason | None, str]] = {
    "no service": (NOBODY, (), Outcome.UNKNOWN, Reason.NOT_CONFIGURED, "none of these is on Render"),
    "as it should be": (seen(60), (), Outcome.OK, None, "1 instance of 1 service"),
    "none": (seen(), (), Outcome.FAILED, Reason.MISSING, "nexus-beat has no instance"),
    "two during a deploy": (seen(60, 4), (), Outcome.OK, None, "2 instances of 1 service"),
    "a second beat after the deploy": (
        seen(60, 6), (), Outcome.DEGRADED, Reason.DRIFT, "nexus-beat has 2 instances, not 1",
    ),
    "scaled": (seen(60, 30, fewest_instances=1, most_instances=3), (), Outcome.OK, None, "2 instances"),
    "one of two, just now": (seen(60, **TWO), (seen(60, 60, minutes=-1, **TWO),), Outcome.OK, None, "1 instance"),
    "one of two, for long": (
        seen(60, **TWO), (seen(60, 60, minutes=-5, **TWO), seen(60, minutes=-3, **TWO), seen(60, minutes=-1, **TWO)),
        Outcome.DEGRADED, Reason.MISSING, "nexus-beat has 1 of 2 instances",
    ),
    "one of two, since the first look": (
        seen(60, **TWO), (seen(60, minutes=-3, **TWO), seen(60, minutes=-1, **TWO)),
        Outcome.DEGRADED, Reason.MISSING, "nexus-beat has 1 of 2 instances",
    ),
    "one of two, nobody looked before": (seen(60, **TWO), (NOBODY,), Outcome.OK, None, "1 instance"),
}  # fmt: skip


@pytest.mark.parametrize(("look", "before", "outcome", "reason", "summary"), JUDGED.values(), ids=JUDGED)
def test_judge(
    look: PlatformInstancesSeen,
    before: tuple[PlatformInstancesSeen, ...],
    outcome: Outcome,
    reason: Reason | None,
    summary: str,
) -> None:
    verdict = CHECK.judge(look, NOW, before)

    assert (verdict.outcome, verdict.reason) == (outcome, reason)
    assert verdict.summary.startswith(summary)
    assert bool(verdict.hint) == (outcome is not Outcome.OK)


async def test_a_static_site_and_a_suspended_service_have_none(render: Render) -> None:
    render.api.service["suspended"] = "suspended"

    look = await CHECK.measure(render.io())

    assert [(one.service.name, len(one.began)) for one in look.of] == [("nexus-beat", 1)]
