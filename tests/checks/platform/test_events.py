"""`platform.events`: failed instances, restarts, maintenance, and what stops the next deploy."""

from datetime import timedelta
from typing import Any

import pytest

from checks.platform.events import PlatformEvents, PlatformEventsConfig, PlatformEventsSeen, reason_of
from checks.platform.shapes import RenderEvent
from checks.result import Outcome, Reason
from tests.checks.platform.conftest import GIVEN, Render, service
from tests.fakes import NOW

CHECK = PlatformEvents(PlatformEventsConfig(id="platform.events", **GIVEN))


def event(kind: str, minutes: float, **reason: Any) -> RenderEvent:
    return RenderEvent(f"evt-{kind}", kind, NOW - timedelta(minutes=minutes), {"reason": reason} if reason else {})


def failed(minutes: float, **reason: Any) -> RenderEvent:
    return event("server_failed", minutes, **reason)


JUDGED: dict[str, tuple[tuple[RenderEvent, ...] | None, Outcome, Reason | None, str]] = {
    "no service": (None, Outcome.UNKNOWN, Reason.NOT_CONFIGURED, "none of these is on Render"),
    "nothing": ((), Outcome.OK, None, "0 events within an hour, nothing to tell"),
    "a deploy": ((event("deploy_ended", 5),), Outcome.OK, None, "1 event within an hour, nothing to tell"),
    "one failure": ((failed(5),), Outcome.OK, None, "1 event within an hour"),
    "two soon after another": (
        (failed(1, oomKilled={"memoryLimit": "512Mi"}), failed(9)), Outcome.FAILED, Reason.FAILING,
        "nexus-api failed 2 times within 10 min: out of memory (limit 512Mi)",
    ),
    "unhealthy": (
        (failed(1, unhealthy="no answer"), failed(2)), Outcome.FAILED, Reason.FAILING,
        "nexus-api failed 2 times within 10 min: unhealthy: no answer",
    ),
    "an exit": (
        (failed(1, nonZeroExit=1), failed(2)), Outcome.FAILED, Reason.FAILING,
        "nexus-api failed 2 times within 10 min: exit status 1",
    ),
    "two far apart": (
        (failed(1), failed(50)), Outcome.DEGRADED, Reason.FAILING, "nexus-api restarted 2 times within an hour",
    ),
    "maintenance": (
        (event("maintenance_started", 5),), Outcome.DEGRADED, Reason.DEPENDENCY_DOWN,
        "Render's maintenance of nexus-api",
    ),
    "maintenance that is over": (
        (event("maintenance_ended", 1), event("maintenance_started", 5)), Outcome.OK, None, "2 events",
    ),
    "no build minutes": (
        (event("pipeline_minutes_exhausted", 5),), Outcome.DEGRADED, Reason.DRIFT,
        "nexus-api: pipeline minutes exhausted",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("events", "outcome", "reason", "summary"), JUDGED.values(), ids=JUDGED)
def test_judge(events: tuple[RenderEvent, ...] | None, outcome: Outcome, reason: Reason | None, summary: str) -> None:
    verdict = CHECK.judge(PlatformEventsSeen(() if events is None else ((service(), events),)), NOW)

    assert (verdict.outcome, verdict.reason) == (outcome, reason)
    assert verdict.summary.startswith(summary)
    assert bool(verdict.hint) == (outcome is not Outcome.OK)


REASONS: dict[str, tuple[dict[str, Any], str]] = {
    "none": ({}, "no reason given"),
    "evicted": ({"evicted": True, "evictionReason": "disk pressure"}, "disk pressure"),
    "evicted, nobody says why": ({"evicted": True}, "evicted"),
    "timed out": ({"timedOutSeconds": 900}, "timed out after 900 s"),
    "timed out with a reason": ({"timedOutSeconds": 900, "timedOutReason": "no port"}, "no port"),
    "ended early": ({"earlyExit": True}, "ended early"),
}


@pytest.mark.parametrize(("reason", "words"), REASONS.values(), ids=REASONS)
def test_every_reason_has_its_words(reason: dict[str, Any], words: str) -> None:
    assert reason_of(failed(1, **reason)) == words


async def test_the_last_hour_is_read(render: Render) -> None:
    render.account.add_event(render.api, "server_failed", {"reason": {"nonZeroExit": 3}})
    render.later(minutes=70)
    for _ in range(2):
        render.account.add_event(render.beat, "server_failed", {"reason": {"nonZeroExit": 3}})
        render.later(seconds=60)

    seen = await CHECK.measure(render.io())

    assert CHECK.judge(seen, render.at).summary == "nexus-beat failed 2 times within 10 min: exit status 3"
    assert [len(events) for _, events in seen.of] == [0, 2, 0]
