"""`platform.runtime_logs`: failed starts, crashes, deprecations, and errors that are news."""

from datetime import timedelta

import pytest

from checks.platform.runtime_logs import PlatformRuntimeLogs, PlatformRuntimeLogsConfig, PlatformRuntimeLogsSeen
from checks.platform.shapes import LogLine
from checks.result import Outcome, Reason
from tests.checks.platform.conftest import GIVEN, Render, service
from tests.fakes import NOW

CHECK = PlatformRuntimeLogs(PlatformRuntimeLogsConfig(id="platform.runtime_logs", **GIVEN))
API = service()
TRACEBACK, IMPORT = "Traceback (most recent call last):", "ImportError: cannot import name 'x'"
ERROR = "ERROR nexus: cannot send"


def seen(
    *lines: str, minutes: float = 0.0, began_seconds_ago: float = 9000.0, resource: str = API.id
) -> PlatformRuntimeLogsSeen:
    at = NOW + timedelta(minutes=minutes)
    began = {API.id: (at - timedelta(seconds=began_seconds_ago),)}
    return PlatformRuntimeLogsSeen(at, (API,), tuple(LogLine(at, line, resource) for line in lines), began)


QUIET = seen(minutes=-20)
JUDGED: dict[str, tuple[PlatformRuntimeLogsSeen, tuple[PlatformRuntimeLogsSeen, ...], Outcome, Reason | None, str]] = {
    "no service": (
        PlatformRuntimeLogsSeen(NOW, (), (), {}), (), Outcome.UNKNOWN, Reason.NOT_CONFIGURED, "none of these",
    ),
    "quiet": (seen("INFO all well"), (), Outcome.OK, None, "nothing to tell in the last 5 min"),
    "an import error at the start": (
        seen(IMPORT, began_seconds_ago=30), (), Outcome.FAILED, Reason.FAILING, f"nexus-api: import: {IMPORT}",
    ),
    "an import error long after": (
        seen(IMPORT), (), Outcome.DEGRADED, Reason.FAILING, f"nexus-api: import: {IMPORT}",
    ),
    "a traceback at the start": (
        seen(TRACEBACK, began_seconds_ago=119), (), Outcome.FAILED, Reason.FAILING,
        f"nexus-api: traceback: {TRACEBACK}",
    ),
    "a traceback that is no news": (
        seen(TRACEBACK), (seen(TRACEBACK, minutes=-16),), Outcome.OK, None, "nothing to tell in the last 5 min",
    ),
    "a traceback that is news": (
        seen(TRACEBACK), (QUIET,), Outcome.DEGRADED, Reason.FAILING, f"nexus-api: traceback: {TRACEBACK}",
    ),
    "an error before we know what is usual": (seen(ERROR), (), Outcome.OK, None, "nothing to tell in the last 5 min"),
    "an error that is news": (seen(ERROR), (QUIET,), Outcome.DEGRADED, Reason.FAILING, f"nexus-api: error: {ERROR}"),
    "it stays news for a while": (
        seen(ERROR), (QUIET, seen(ERROR, minutes=-10)), Outcome.DEGRADED, Reason.FAILING, f"nexus-api: error: {ERROR}",
    ),
    "out of memory": (
        seen("DeprecationWarning: old", "==> Out of memory (used over 512Mi)"), (), Outcome.FAILED, Reason.FAILING,
        "nexus-api: out-of-memory: ==> Out of memory (used over 512Mi)",
    ),
    "slow": (
        seen("slow request: GET /stats", resource="srv-x"), (), Outcome.DEGRADED, Reason.SLOW,
        "srv-x: slow: slow request: GET /stats",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("look", "before", "outcome", "reason", "summary"), JUDGED.values(), ids=JUDGED)
def test_judge(
    look: PlatformRuntimeLogsSeen,
    before: tuple[PlatformRuntimeLogsSeen, ...],
    outcome: Outcome,
    reason: Reason | None,
    summary: str,
) -> None:
    verdict = CHECK.judge(look, NOW, before)

    assert (verdict.outcome, verdict.reason) == (outcome, reason)
    assert verdict.summary.startswith(summary)


async def test_one_call_reads_what_all_services_wrote(render: Render) -> None:
    render.account.log(render.api, "app", "INFO: GET /health 200 OK")
    render.account.log(render.beat, "app", "==> Exited with status 1")
    render.account.log(render.api, "build", "Traceback (most recent call last):")
    render.later(seconds=20)

    look = await CHECK.measure(render.io())

    assert [line.message for line in look.lines] == ["==> Exited with status 1"]
    assert len([question for question in render.server.asked if question.startswith("/v1/logs")]) == 1
    assert CHECK.judge(look, render.at).summary == "nexus-beat: exited: ==> Exited with status 1"
