"""`platform.service`: suspended, gone, or not as render.yaml says."""

from dataclasses import replace
from typing import Any

import pytest

from checks.platform.service import PlatformService, PlatformServiceConfig, PlatformServiceSeen
from checks.platform.shapes import Service
from checks.result import Outcome, Reason
from tests.checks.platform.conftest import GIVEN, Render, service
from tests.fakes import NOW

API, BEAT = service(), service("nexus-beat", type="background_worker")


def check_of(**more: Any) -> PlatformService:
    return PlatformService(PlatformServiceConfig(id="platform.service", **{**GIVEN, **more}))


EXPECTED = {"expected": {"nexus-api": {"plan": "pro plus", "region": "oregon", "auto_deploy": False}}}
AS_EXPECTED = replace(API, plan="pro_plus", region="oregon", auto_deploy=False)

JUDGED: dict[str, tuple[dict[str, Any], tuple[Service, ...], tuple[Service, ...], Outcome, Reason | None, str]] = {
    "all there": ({}, (API, BEAT), (), Outcome.OK, None, "2 services, none suspended"),
    "one there": ({}, (API,), (), Outcome.OK, None, "1 service, none suspended"),
    "none of the names": (
        {}, (), (), Outcome.UNKNOWN, Reason.NOT_CONFIGURED,
        "none of these is on Render: nexus-api, nexus-beat, nexus-miniapp",
    ),
    "no name at all": (
        {"names": ()}, (), (), Outcome.UNKNOWN, Reason.NOT_CONFIGURED, "none of these is on Render: no name",
    ),
    "suspended for money": (
        {}, (API, replace(BEAT, is_suspended=True, suspenders=("billing",))), (), Outcome.FAILED, Reason.MISSING,
        "suspended: nexus-beat (billing)",
    ),
    "suspended, nobody says why": (
        {}, (replace(API, is_suspended=True),), (), Outcome.FAILED, Reason.MISSING,
        "suspended: nexus-api (no reason given)",
    ),
    "gone since": ({}, (API,), (API, BEAT), Outcome.FAILED, Reason.MISSING, "not on Render: nexus-beat"),
    "an id is missing": (
        {"service_ids": ("srv-nexus-api", "srv-x")}, (API,), (), Outcome.FAILED, Reason.MISSING,
        "not on Render: srv-x",
    ),
    "as render.yaml says": (EXPECTED, (AS_EXPECTED,), (), Outcome.OK, None, "1 service, none suspended"),
    "another plan, region and auto-deploy": (
        EXPECTED, (API,), (), Outcome.DEGRADED, Reason.DRIFT,
        "not as render.yaml says: nexus-api plan starter, not pro plus, nexus-api region frankfurt, not oregon, "
        "nexus-api auto-deploy is on",
    ),
    "auto-deploy is off": (
        {"expected": {"nexus-api": {"auto_deploy": True}}}, (replace(API, auto_deploy=False),), (), Outcome.DEGRADED,
        Reason.DRIFT, "not as render.yaml says: nexus-api auto-deploy is off",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("given", "seen", "before", "outcome", "reason", "summary"), JUDGED.values(), ids=JUDGED)
def test_judge(
    given: dict[str, Any],
    seen: tuple[Service, ...],
    before: tuple[Service, ...],
    outcome: Outcome,
    reason: Reason | None,
    summary: str,
) -> None:
    earlier = (PlatformServiceSeen(before),) if before else ()
    verdict = check_of(**given).judge(PlatformServiceSeen(seen), NOW, earlier)

    assert (verdict.outcome, verdict.reason, verdict.summary) == (outcome, reason, summary)
    assert bool(verdict.hint) == (outcome is not Outcome.OK)


async def test_the_services_are_found_by_name_with_one_call(render: Render) -> None:
    render.account.add_service("somebody-else", commit="0" * 40)
    render.beat.service |= {"suspended": "suspended", "suspenders": ["stuck_crashlooping"]}

    seen = await check_of().measure(render.io())

    assert [one.name for one in seen.services] == ["nexus-api", "nexus-beat", "nexus-miniapp"]
    assert len(render.server.asked) == 1
    verdict = check_of().judge(seen, NOW)
    assert verdict.summary == "suspended: nexus-beat (stuck_crashlooping)"
    assert "deploy a fix, then Resume" in verdict.hint


async def test_ids_find_what_has_another_name(render: Render) -> None:
    seen = await check_of(names=(), service_ids=(render.beat.id,)).measure(render.io())

    assert [one.name for one in seen.services] == ["nexus-beat"]
