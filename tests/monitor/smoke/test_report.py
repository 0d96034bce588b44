"""What a smoke run means: marks, lines, causes, exit status."""

import pytest

from checks.result import Verdict
from monitor.smoke.report import ExitStatus, Finding, Mark, lines_of, mark_of, with_causes
from tests.monitor.smoke.findings import DOWN, LATE, SLOW, UNSEEN, UP, finding, report


@pytest.mark.parametrize(
    ("verdict", "failed_before", "mark"),
    [
        pytest.param(UP, False, Mark.PASSED, id="ok"),
        pytest.param(UP, True, Mark.FLAKY, id="ok after a failure"),
        pytest.param(SLOW, True, Mark.DEGRADED, id="degraded"),
        pytest.param(DOWN, False, Mark.FAILED, id="failed"),
        pytest.param(LATE, False, Mark.UNKNOWN, id="could not look"),
        pytest.param(UNSEEN, False, Mark.SKIPPED, id="cannot be seen without a line of the user's"),
    ],
)
def test_a_mark_is_the_last_verdict_and_whether_one_before_failed(
    verdict: Verdict, failed_before: bool, mark: Mark
) -> None:
    assert mark_of(verdict, failed_before=failed_before) is mark


@pytest.mark.parametrize(
    ("findings", "strict", "status"),
    [
        pytest.param([], False, ExitStatus.PASSED, id="nothing"),
        pytest.param([finding("a.b", Mark.FLAKY, UP)], True, ExitStatus.PASSED, id="flaky passes, strictly too"),
        pytest.param([finding("a.b", Mark.DEGRADED, SLOW)], False, ExitStatus.PASSED, id="degraded"),
        pytest.param([finding("a.b", Mark.DEGRADED, SLOW)], True, ExitStatus.DEGRADED, id="degraded, strict"),
        pytest.param([finding("a.b", Mark.FAILED, DOWN)], False, ExitStatus.FAILED, id="failed"),
        pytest.param(
            [finding("a.b", Mark.FAILED, DOWN), finding("a.c", Mark.UNKNOWN, LATE)],
            False,
            ExitStatus.FAILED,
            id="failed and unknown",
        ),
        pytest.param([finding("a.b", Mark.UNKNOWN, LATE)], False, ExitStatus.UNDECIDED, id="unknown"),
        pytest.param(
            [finding("a.b", Mark.UNKNOWN, LATE, is_blocking=False)], False, ExitStatus.PASSED, id="unknown warning"
        ),
        pytest.param(
            [finding("a.b", Mark.FAILED, DOWN, is_blocking=False)], False, ExitStatus.PASSED, id="failed warning"
        ),
        pytest.param(
            [finding("a.b", Mark.FAILED, DOWN, is_blocking=False)],
            True,
            ExitStatus.DEGRADED,
            id="failed warning, strict",
        ),
    ],
)
def test_the_exit_status_is_the_worst_that_blocks(findings: list[Finding], strict: bool, status: ExitStatus) -> None:
    assert report(*findings).exit_status(strict=strict) is status


def test_a_deploy_that_failed_outweighs_everything() -> None:
    assert report(ended_early=ExitStatus.DEPLOY_FAILED).exit_status() is ExitStatus.DEPLOY_FAILED


def test_a_line_is_as_good_as_the_worst_of_its_checks() -> None:
    findings = {
        "a.ok": finding("a.ok", Mark.PASSED, UP),
        "a.slow": finding("a.slow", Mark.DEGRADED, SLOW),
        "a.not": finding("a.not", Mark.SKIPPED),
    }
    coverage = [
        ("fine", ("a.ok", "a.absent"), "never shown"),
        ("slow", ("a.ok", "a.slow", "a.not"), ""),
        ("nobody", ("a.not", "a.absent"), "add a line"),
    ]
    assert [(line.text, line.mark, line.check_ids, line.note) for line in lines_of(coverage, findings)] == [
        ("fine", Mark.PASSED, ("a.ok",), ""),
        ("slow", Mark.DEGRADED, ("a.ok", "a.slow", "a.not"), ""),
        ("nobody", Mark.SKIPPED, ("a.not",), "add a line"),
    ]


def test_a_failure_names_the_failed_check_at_the_top_of_its_parents() -> None:
    findings = [
        finding("redis.ping", Mark.FAILED, DOWN),
        finding("worker.online", Mark.FAILED, DOWN),
        finding("worker.canary", Mark.PASSED, UP),
        finding("beat.alive", Mark.FAILED, DOWN),
        finding("api.health", Mark.FAILED, DOWN),
    ]
    parents = {
        "worker.online": ("redis.ping",),
        "worker.canary": ("worker.online",),
        "beat.alive": ("worker.canary",),
        "redis.ping": ("vantage.loop", "redis.ping"),
    }
    causes = {one.check_id: one.because_of for one in with_causes(findings, parents)}
    assert causes == {
        "redis.ping": "",
        "worker.online": "redis.ping",
        "worker.canary": "",
        "beat.alive": "redis.ping",
        "api.health": "",
    }
