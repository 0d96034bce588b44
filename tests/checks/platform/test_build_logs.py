"""`platform.build_logs`: what the newest build warned about, read once."""

from collections.abc import Sequence

import pytest

from checks.platform.build_logs import Build, PlatformBuildLogs, PlatformBuildLogsConfig, PlatformBuildLogsSeen
from checks.platform.shapes import LogLine
from checks.result import Outcome, Reason
from tests.checks.platform.conftest import GIVEN, NEW, Render, deploy, service
from tests.fakes import NOW

CHECK = PlatformBuildLogs(PlatformBuildLogsConfig(id="platform.build_logs", **GIVEN))


def build(*lines: str, is_read: bool = True) -> Build:
    return Build(service(), deploy(), tuple(LogLine(NOW, line) for line in lines) if is_read else None)


CLEAN = build("==> Using Python version 3.11.11 via environment variable PYTHON_VERSION", "==> Build successful")
DEFAULT = build(
    "==> Using Python version 3.14.3 (default)", "WARNING: Running pip as root", "WARNING: Running pip as root"
)
CARGO = build("error: Read-only file system (os error 30)", "Compiling pydantic-core v2.14.6")

JUDGED: dict[str, tuple[Sequence[Build], Outcome, Reason | None, str, str]] = {
    "no service": ((), Outcome.UNKNOWN, Reason.NOT_CONFIGURED, "none of these is on Render", ""),
    "clean": ((CLEAN,), Outcome.OK, None, "1 build log read, nothing to warn about", "abc1234: clean (2 lines)"),
    "no log": ((build(),), Outcome.OK, None, "0 build logs read", "abc1234: no log kept"),
    "not read": (
        (build(is_read=False),), Outcome.OK, None, "0 build logs read",
        "abc1234: not read yet, the budget of log calls is used up",
    ),
    "no deploy": ((Build(service(), None, ()),), Outcome.OK, None, "0 build logs read", "no deploy went live yet"),
    "Python is not pinned": (
        (CLEAN, DEFAULT), Outcome.DEGRADED, Reason.DRIFT, "build of nexus-api: default-python, pip-warning",
        "abc1234: clean (2 lines)",
    ),
    "the worst rule first": (
        (DEFAULT, CARGO), Outcome.DEGRADED, Reason.DRIFT, "build of nexus-api: cargo-read-only, compiled",
        "abc1234: default-python × 1, pip-warning × 2 (3 lines)",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("builds", "outcome", "reason", "summary", "fact"), JUDGED.values(), ids=JUDGED)
def test_judge(builds: Sequence[Build], outcome: Outcome, reason: Reason | None, summary: str, fact: str) -> None:
    verdict = CHECK.judge(PlatformBuildLogsSeen(tuple(builds)), NOW)

    assert (verdict.outcome, verdict.reason) == (outcome, reason)
    assert verdict.summary.startswith(summary)
    assert not builds or verdict.evidence.facts[0].value == fact


async def test_the_log_of_a_deploy_is_read_once(render: Render) -> None:
    started = render.account.begin_deploy(render.api, NEW, "A change")
    for index in range(120):
        render.later(milliseconds=100)
        render.account.log(render.api, "build", f"Collecting package-{index}")
    render.account.log(render.api, "build", "  Building wheel for asyncpg (pyproject.toml): started")
    render.later(seconds=30)
    render.account.advance(render.api, started, "live")
    render.later(minutes=2)

    first = await CHECK.measure(render.io())
    asked = [question for question in render.server.asked if question.startswith("/v1/logs")]
    render.later(minutes=5)
    again = await CHECK.measure(render.io())

    verdict = CHECK.judge(first, render.at)
    assert verdict.summary == "build of nexus-api: compiled"
    assert again.builds == first.builds
    assert [question for question in render.server.asked if question.startswith("/v1/logs")] == asked


async def test_a_line_that_comes_late_is_read_by_the_next_look(render: Render) -> None:
    render.deployed(render.api, "live")
    first = await CHECK.measure(render.io())
    render.later(seconds=1)
    render.account.log(render.api, "build", "WARNING: Running pip as root")
    render.later(seconds=9)

    again = await CHECK.measure(render.io())

    assert [CHECK.judge(seen, render.at).outcome for seen in (first, again)] == [Outcome.OK, Outcome.DEGRADED]


async def test_a_build_that_failed_is_not_looked_at(render: Render) -> None:
    deploy = render.account.begin_deploy(render.api, NEW, "A change")
    render.account.log(render.api, "build", "ERROR: No matching distribution found for aiohttp==3.9.1")
    render.account.advance(render.api, deploy, "build_failed")

    seen = await CHECK.measure(render.io())

    assert [build.deploy.status for build in seen.builds if build.deploy] == ["live"] * 3


async def test_a_budget_that_is_used_up_leaves_the_log_for_the_next_look(render: Render) -> None:
    for index in range(10):
        await render.client.get("/logs", [("ownerId", "tea"), ("resource", render.api.id), ("text", str(index))])
    render.client._logs.close(render.monotonic + 60)

    seen = await CHECK.measure(render.io())

    assert [one.lines for one in seen.builds] == [None, None, None]
