"""`platform.deploys`: what the newest deploy came to, and whether anything is live."""

from typing import Any

import pytest

from checks.platform.deploys import DeploysOf, PlatformDeploys, PlatformDeploysConfig, PlatformDeploysSeen
from checks.platform.shapes import Deploy, LogLine
from checks.result import Outcome, Reason
from tests.checks.platform.conftest import GIVEN, NEW, OLD, Render, deploy, service
from tests.fakes import NOW

CHECK = PlatformDeploys(PlatformDeploysConfig(id="platform.deploys", **GIVEN))
LIVE = deploy("live", OLD, -600)

JUDGED: dict[str, tuple[tuple[tuple[Deploy, ...], ...], Outcome, Reason | None, str]] = {
    "no service": ((), Outcome.UNKNOWN, Reason.NOT_CONFIGURED, "none of these is on Render"),
    "live": (((LIVE,), (deploy(),)), Outcome.OK, None, "live: nexus-0 0a1b2c3, nexus-1 abc1234"),
    "nothing yet": (((),), Outcome.OK, None, "nothing was deployed yet"),
    "a build failed and nothing is live": (
        ((deploy("build_failed"),),), Outcome.FAILED, Reason.FAILING,
        "nexus-0 abc1234: build failed, and nothing is live",
    ),
    "the migration failed": (
        ((deploy("pre_deploy_failed"), LIVE),), Outcome.DEGRADED, Reason.FAILING,
        "nexus-0 abc1234: pre-deploy failed; 0a1b2c3 is still live",
    ),
    "the worst counts": (
        ((deploy("update_failed"), LIVE), (deploy("update_failed"),)), Outcome.FAILED, Reason.FAILING,
        "nexus-1 abc1234: update failed, and nothing is live",
    ),
    "a cancelled one is passed over": (((deploy("canceled"), LIVE),), Outcome.OK, None, "live: nexus-0 0a1b2c3"),
    "building": (
        ((deploy("build_in_progress", minutes=-19, finished_at=None), LIVE),), Outcome.OK, None,
        "live: nexus-0 0a1b2c3",
    ),
    "building for too long": (
        ((deploy("build_in_progress", minutes=-21, finished_at=None), LIVE),), Outcome.DEGRADED, Reason.SLOW,
        "nexus-0 abc1234 is building for 21 min",
    ),
    "queued for too long": (
        ((deploy("queued", minutes=-30, finished_at=None, started_at=None), LIVE),), Outcome.DEGRADED, Reason.SLOW,
        "nexus-0 abc1234 waits in the queue for 30 min",
    ),
    "queued, nobody knows since when": (
        ((deploy("queued", finished_at=None, started_at=None, created_at=None), LIVE),), Outcome.OK, None,
        "live: nexus-0 0a1b2c3",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("deploys", "outcome", "reason", "summary"), JUDGED.values(), ids=JUDGED)
def test_judge(deploys: tuple[tuple[Deploy, ...], ...], outcome: Outcome, reason: Reason | None, summary: str) -> None:
    of = tuple(DeploysOf(service(f"nexus-{index}"), some) for index, some in enumerate(deploys))
    verdict = CHECK.judge(PlatformDeploysSeen(of), NOW)

    assert (verdict.outcome, verdict.reason) == (outcome, reason)
    assert verdict.summary.startswith(summary)
    assert bool(verdict.hint) == (outcome is not Outcome.OK)


def test_the_end_of_a_long_log_is_shown() -> None:
    log = tuple(LogLine(NOW, f"line {index} {'x' * 60}") for index in range(40))
    verdict = CHECK.judge(PlatformDeploysSeen((DeploysOf(service(), (deploy("build_failed"),), log),)), NOW)

    assert verdict.evidence.excerpt is not None
    assert verdict.evidence.excerpt.rstrip().endswith("line 39 " + "x" * 60)


async def test_a_failed_build_is_told_with_the_end_of_its_log(render: Render) -> None:
    started = render.account.begin_deploy(render.api, NEW, "Pin everything")
    render.account.log(render.api, "build", "ERROR: No matching distribution found for pydantic-core==2.14.6")
    render.later(minutes=1)
    render.account.advance(render.api, started, "build_failed")

    seen = await CHECK.measure(render.io())
    verdict = CHECK.judge(seen, render.at)

    assert verdict.summary == f"nexus-api {NEW[:7]}: build failed (no-wheel); {OLD[:7]} is still live"
    assert verdict.hint.startswith("No wheel for this Python")
    assert "No matching distribution found for pydantic-core" in (verdict.evidence.excerpt or "")
    facts: dict[str, Any] = {fact.name: fact.value for fact in verdict.evidence.facts}
    assert facts["nexus-beat"] == f"{OLD[:7]} live, 6 h ago"
    assert facts["nexus-api"] == f"{NEW[:7]} build failed, 0 ms ago; live: {OLD[:7]}"


async def test_the_second_look_asks_nothing_again(render: Render) -> None:
    await CHECK.measure(render.io())
    before = len(render.server.asked)
    await CHECK.measure(render.io())

    assert len(render.server.asked) == before
