"""One row of a table: a kind of check, its settings, and what it should say of somebody else's server."""

import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from checks.base import Check, Feeds
from checks.registry import CHECKS
from checks.result import Outcome, Reason, Verdict
from monitor.probing.runner import Runner
from tests.celery_stack import look_io

OK, DEGRADED, FAILED, UNKNOWN = Outcome.OK, Outcome.DEGRADED, Outcome.FAILED, Outcome.UNKNOWN


@dataclass(frozen=True)
class Row:
    """What is looked at, with what, and what is expected."""

    target: str
    """Filled into settings that hold `{}`."""
    kind: str
    outcome: Outcome
    reason: Reason | None = None
    settings: dict[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"{self.target or '-'} {self.kind} {self.outcome}"


def built(kind: str, **settings: Any) -> Check[Any, Any]:
    """Return a check as a configuration of these settings makes it."""
    check = CHECKS[kind]
    name = kind if "." in kind else f"own.{kind}"
    return check(check.Config.model_validate({"kind": kind, "id": name, "service": "theirs", **settings}))


async def look(check: Check[Any, Any], feeds: Feeds | None = None) -> Verdict:
    """Look once, in the frame that every look has."""
    runner = Runner(lambda limit: look_io(limit, feeds), lambda: datetime.now(UTC), time.monotonic)
    return (await runner.run(check)).verdict


async def judge(row: Row, base: str = "") -> None:
    """Look as the row says, and compare."""
    settings = {name: _filled(value, base + row.target) for name, value in row.settings.items()}
    verdict = await look(built(row.kind, **settings))
    assert (verdict.outcome, verdict.reason) == (row.outcome, row.reason), verdict


def _filled(value: Any, target: str) -> Any:
    if isinstance(value, dict):
        return {name: _filled(inner, target) for name, inner in value.items()}
    return value.replace("{}", target) if isinstance(value, str) else value
