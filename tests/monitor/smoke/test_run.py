"""One walk over the checklist: failures confirmed, listeners given time, everything at once."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from checks.base import IO, Check, CheckConfig
from checks.result import Result, Verdict
from monitor.smoke.report import Finding, Mark
from monitor.smoke.run import Walk, walk
from tests.monitor.smoke.findings import DOWN, LATE, UNSEEN, UP

AT = datetime(2026, 3, 1, tzinfo=UTC)
QUICK = Walk(retries=2, retry_seconds=0.0, patience_seconds=10.0)


class Scripted(Check[CheckConfig, None]):
    """Says what it was told to, one verdict a look; the last one for ever."""

    Config = CheckConfig

    def __init__(self, check_id: str, *script: Verdict, severity: str = "page") -> None:
        super().__init__(CheckConfig(kind="scripted", id=check_id, service="nexus", severity=severity))  # type: ignore[arg-type]
        self.script = script
        self.looks = 0

    async def measure(self, io: IO) -> None:
        raise AssertionError

    def judge(self, seen: None, now: datetime, before: Sequence[None] = ()) -> Verdict:
        self.looks += 1
        return self.script[min(self.looks, len(self.script)) - 1]


async def walked(*checks: Scripted, clock: list[float] | None = None) -> tuple[dict[str, Finding], list[str]]:
    order: list[str] = []
    times = clock or [0.0]

    async def look(check: Check[Any, Any]) -> Result:
        await asyncio.sleep(0)
        times[0] += 1.0 if clock else 0.0
        return Result(check.config.id, check.judge(None, AT), AT, 0.25)

    findings = await walk(
        {check.config.id: check for check in checks},
        look,
        QUICK,
        lambda check_id: check_id.split(".")[0],
        lambda finding: order.append(finding.check_id),
        monotonic=lambda: times[0],
    )
    assert [finding.check_id for finding in findings] == [check.config.id for check in checks]
    return {finding.check_id: finding for finding in findings}, order


async def test_a_failure_that_passes_when_looked_at_again_is_flaky() -> None:
    found, order = await walked(Scripted("a.flaky", DOWN, DOWN, UP), Scripted("a.fine", UP))
    assert (found["a.flaky"].mark, found["a.flaky"].looks) == (Mark.FLAKY, 3)
    assert (found["a.fine"].mark, found["a.fine"].looks) == (Mark.PASSED, 1)
    assert order == ["a.fine", "a.flaky"]


async def test_a_failure_counts_after_two_more_looks() -> None:
    found, _ = await walked(Scripted("a.down", DOWN, DOWN, DOWN, UP))
    assert (found["a.down"].mark, found["a.down"].looks) == (Mark.FAILED, 3)


async def test_a_certain_failure_is_not_looked_at_again() -> None:
    from dataclasses import replace

    found, _ = await walked(Scripted("a.refused", replace(DOWN, certain=True)))
    assert (found["a.refused"].mark, found["a.refused"].looks) == (Mark.FAILED, 1)


async def test_a_listener_is_given_time_and_no_more() -> None:
    found, _ = await walked(Scripted("a.hears", LATE, LATE, UP), clock=[0.0])
    assert (found["a.hears"].mark, found["a.hears"].looks) == (Mark.PASSED, 3)
    found, _ = await walked(Scripted("a.deaf", LATE), clock=[0.0])
    assert (found["a.deaf"].mark, found["a.deaf"].looks) == (Mark.UNKNOWN, 10)


async def test_what_cannot_be_seen_is_skipped_at_once() -> None:
    found, _ = await walked(Scripted("a.unseen", UNSEEN))
    assert (found["a.unseen"].mark, found["a.unseen"].looks) == (Mark.SKIPPED, 1)


async def test_a_check_that_only_warns_does_not_block() -> None:
    found, _ = await walked(Scripted("a.warns", DOWN, severity="warning"), Scripted("a.pages", DOWN))
    assert [found[name].is_blocking for name in ("a.warns", "a.pages")] == [False, True]
