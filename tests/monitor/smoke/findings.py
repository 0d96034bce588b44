"""Findings and reports for the tests of a smoke run."""

from datetime import UTC, datetime

from checks.result import Fact, Reason, Verdict, degraded, failed, ok, unknown
from monitor.smoke.report import Finding, Line, Mark, Report

AT = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)

UP = ok("GET /health → 200", Fact("status", 200))
DOWN = failed(
    Reason.CONNECTION_REFUSED,
    "no connection: refused | <script>",
    Fact("address", "127.0.0.1:6379"),
    Fact("since", 3.5, "s"),
    hint="Start *Redis*.",
    excerpt="line one\nline two \x00",
)
SLOW = degraded(Reason.SLOW, "slow: 2.1 s", hint="Look at the load.")
LATE = unknown(Reason.VANTAGE, "not judged: the monitor was late")
UNSEEN = unknown(Reason.NOT_CONFIGURED, "beat cannot be seen", hint="Add this line.")


def finding(check_id: str, mark: Mark, verdict: Verdict | None = None, **more: object) -> Finding:
    """Return a finding under the heading of its family."""
    family = check_id.split(".")[0]
    summary = verdict.summary if verdict is not None else "needs REDIS_URL"
    return Finding(check_id, f"nexus-{family}", family.title(), mark, summary, verdict, **more)  # type: ignore[arg-type]


def report(*findings: Finding, lines: tuple[Line, ...] = (), **more: object) -> Report:
    """Return a report of twelve seconds."""
    return Report("nexus", AT, 12.25, findings, lines, **more)  # type: ignore[arg-type]


WHOLE = report(
    finding("api.health", Mark.PASSED, UP, duration_seconds=0.01234),
    finding("redis.ping", Mark.FAILED, DOWN, looks=3, duration_seconds=0.5),
    finding("worker.online", Mark.FAILED, DOWN, because_of="redis.ping"),
    finding("worker.canary", Mark.UNKNOWN, LATE),
    finding("bot.guard", Mark.FAILED, DOWN, is_blocking=False),
    finding("api.routers", Mark.DEGRADED, SLOW),
    finding("bot.ingress", Mark.FLAKY, UP, looks=2),
    finding("beat.alive", Mark.SKIPPED, UNSEEN),
    finding("miniapp.page", Mark.SKIPPED),
    lines=(
        Line("API: health check endpoint returns 200", Mark.PASSED, ("api.health",)),
        Line("Beat: starts", Mark.SKIPPED, (), "add the heartbeat line"),
    ),
    commit="0123456789abcdef",
    waited="0123456789ab is live on nexus-api after 31 s",
)
