"""Walks the checklist once: everything at once, failures confirmed by looking again."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from checks.base import Check
from checks.result import Outcome, Reason, Result
from monitor.smoke.report import Finding, mark_of

AnyCheck = Check[Any, Any]
Look = Callable[[AnyCheck], Awaitable[Result]]

RETRIES = 2
RETRY_SECONDS = 3.0
PATIENCE_SECONDS = 75.0
"""A check that has to listen (a beat's period is a minute) is given this long before it counts as undecided."""
AT_ONCE = 24
"""So many looks run at the same time: more would make the loop late, and the looks vain."""


@dataclass(frozen=True, slots=True)
class Walk:
    """How to walk."""

    retries: int = RETRIES
    """How often a failed check is looked at again before it counts."""
    retry_seconds: float = RETRY_SECONDS
    patience_seconds: float = PATIENCE_SECONDS


async def walk(
    checks: Mapping[str, AnyCheck],
    look: Look,
    how: Walk,
    heading: Callable[[str], str],
    progress: Callable[[Finding], None],
    *,
    monotonic: Callable[[], float],
) -> tuple[Finding, ...]:
    """Look at every check; return the findings in the order of `checks`. `progress` hears each as it is final."""
    room = asyncio.Semaphore(AT_ONCE)
    ends_at = monotonic() + how.patience_seconds

    async def confirmed(check: AnyCheck) -> Finding:
        looks, failures = 0, 0
        while True:
            async with room:
                result = await look(check)
            looks += 1
            verdict = result.verdict
            failures += verdict.outcome is Outcome.FAILED
            if not _again(result, failures, how, left_seconds=ends_at - monotonic()):
                break
            await asyncio.sleep(how.retry_seconds)
        finding = Finding(
            check.config.id,
            check.config.service,
            heading(check.config.id),
            mark_of(verdict, failed_before=failures > 0),
            verdict.summary,
            verdict,
            check.config.severity == "page",
            result.duration_seconds,
            looks,
        )
        progress(finding)
        return finding

    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(confirmed(check), name=f"smoke {name}") for name, check in checks.items()]
    return tuple(task.result() for task in tasks)


def _again(result: Result, failures: int, how: Walk, *, left_seconds: float) -> bool:
    """Say whether this look decides nothing yet."""
    verdict = result.verdict
    if verdict.outcome is Outcome.FAILED:
        return not verdict.certain and failures <= how.retries
    if verdict.outcome is Outcome.UNKNOWN:
        return verdict.reason is not Reason.NOT_CONFIGURED and left_seconds > how.retry_seconds
    return False
