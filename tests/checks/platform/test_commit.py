"""`platform.commit`: which services must run one commit, and since when they do not."""

from typing import Any

import pytest

from checks.platform.commit import LiveOn, PlatformCommit, PlatformCommitConfig, PlatformCommitSeen
from checks.platform.shapes import Deploy
from checks.result import Outcome, Reason
from tests.checks.platform.conftest import GIVEN, NEW, OLD, Render, deploy, service
from tests.fakes import NOW


def check_of(**more: Any) -> PlatformCommit:
    return PlatformCommit(PlatformCommitConfig(id="platform.commit", **GIVEN, **more))


def live(name: str, on: Deploy | None, **more: Any) -> LiveOn:
    return LiveOn(service(name, **more), on)


API, BEAT = live("nexus-api", deploy()), live("nexus-beat", deploy())
JUDGED: dict[str, tuple[dict[str, Any], tuple[LiveOn, ...], Outcome, Reason | None, str]] = {
    "no service": ({}, (), Outcome.UNKNOWN, Reason.NOT_CONFIGURED, "none of these is on Render"),
    "alike": ({}, (API, BEAT), Outcome.OK, None, "live: abc1234"),
    "nothing live": ({}, (live("nexus-api", None),), Outcome.OK, None, "live: nothing with a commit"),
    "a deploy is under way": (
        {}, (live("nexus-api", deploy(minutes=-9)), live("nexus-beat", deploy(commit=OLD))), Outcome.OK, None,
        "a deploy is under way: nexus-api abc1234, nexus-beat 0a1b2c3",
    ),
    "differ for long": (
        {}, (live("nexus-api", deploy(minutes=-11)), live("nexus-beat", deploy(commit=OLD))), Outcome.DEGRADED,
        Reason.VERSION, "different commits for 11 min: nexus-api abc1234, nexus-beat 0a1b2c3",
    ),
    "another repository": (
        {}, (API, live("nexus-miniapp", deploy(commit=OLD), repo="other")), Outcome.OK, None, "live: 0a1b2c3, abc1234",
    ),
    "a build filter": (
        {}, (API, live("nexus-beat", deploy(commit=OLD), is_partly_deployed=True)), Outcome.OK, None, "live: 0a1b2c3",
    ),
    "no repository": ({}, (live("nexus-api", deploy(), repo=""),), Outcome.OK, None, "live: abc1234"),
    "as expected": ({"expected_commit": NEW.upper() + "00"}, (API,), Outcome.OK, None, "live: abc1234"),
    "not as expected": (
        {"expected_commit": OLD}, (API, BEAT), Outcome.FAILED, Reason.VERSION,
        "0a1b2c3 is not live: nexus-api abc1234, nexus-beat abc1234",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("given", "of", "outcome", "reason", "summary"), JUDGED.values(), ids=JUDGED)
def test_judge(
    given: dict[str, Any], of: tuple[LiveOn, ...], outcome: Outcome, reason: Reason | None, summary: str
) -> None:
    verdict = check_of(**given).judge(PlatformCommitSeen(of), NOW)

    assert (verdict.outcome, verdict.reason) == (outcome, reason)
    assert verdict.summary.startswith(summary)
    assert bool(verdict.hint) == (outcome is not Outcome.OK)


async def test_what_is_live_is_read_for_each_service(render: Render) -> None:
    render.deployed(render.api, "live")
    render.later(minutes=20)

    seen = await check_of().measure(render.io())

    verdict = check_of().judge(seen, render.at)
    assert (
        verdict.summary == "different commits for 20 min: nexus-api abc1234, nexus-beat 0a1b2c3, nexus-miniapp 0a1b2c3"
    )
