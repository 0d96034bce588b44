"""The four ways a smoke run is told."""

import json
from dataclasses import replace
from xml.etree import ElementTree

import pytest

from monitor.smoke.report import ExitStatus, Mark
from monitor.smoke.reports.github import MOST_ANNOTATIONS, SUMMARY_BYTES, annotations, summary
from monitor.smoke.reports.junit import junit
from monitor.smoke.reports.listing import listing, progress_line
from monitor.smoke.reports.machine import report_body, report_from, report_json
from tests.monitor.smoke.findings import DOWN, UP, WHOLE, finding, report


def test_the_list_tells_the_checklist_then_each_failure_with_what_to_do() -> None:
    assert (
        "\n".join(listing(WHOLE))
        == """\
0123456789ab is live on nexus-api after 31 s

✔ API: health check endpoint returns 200  [api.health]
– Beat: starts  [add the heartbeat line]

✘ redis.ping  no connection: refused | <script>
    try: Start *Redis*.
    address: 127.0.0.1:6379
    since: 3.5 s
    seen: line one
          line two \x00

✘ worker.online  no connection: refused | <script>
    because of: redis.ping

? worker.canary  not judged: the monitor was late

✘ bot.guard  no connection: refused | <script>  (a warning)
    try: Start *Redis*.
    address: 127.0.0.1:6379
    since: 3.5 s
    seen: line one
          line two \x00

▲ api.routers  slow: 2.1 s
    try: Look at the load.

nexus at 0123456789ab: FAILED in 12.2 s (3 failed, 1 unknown, 1 degraded, 1 flaky, 1 passed, 2 skipped)"""
    )


def test_a_finding_is_one_line_with_its_time() -> None:
    assert progress_line(WHOLE.findings[0]) == "✔ api.health             GET /health → 200  (12 ms)"
    assert progress_line(WHOLE.findings[1]).endswith("(500 ms, 3 looks)")
    assert progress_line(WHOLE.findings[-1]) == "– miniapp.page           needs REDIS_URL"


def test_github_gets_the_root_first_and_escaped() -> None:
    lines = list(annotations(WHOLE))
    assert lines[:2] == [
        "::error title=redis.ping::no connection: refused | <script>. Start *Redis*.",
        "::error title=worker.online::no connection: refused | <script> (because of redis.ping)",
    ]
    assert [line.split("::")[1] for line in lines[2:-1]] == [
        "warning title=worker.canary",
        "warning title=bot.guard",
        "warning title=api.routers",
    ]
    broken = replace(DOWN, summary="100%: a\nb", hint="")
    assert next(annotations(report(finding("a.b", Mark.FAILED, broken)))) == "::error title=a.b::100%25: a%0Ab"


def test_github_gets_at_most_ten_errors() -> None:
    many = report(*(finding(f"a.b{number}", Mark.FAILED, DOWN) for number in range(30)))
    assert len(list(annotations(many))) == MOST_ANNOTATIONS + 1


def test_the_summary_is_a_table_that_nothing_seen_can_break() -> None:
    text = summary(WHOLE)
    assert "| ✘ | `redis.ping` | no connection: refused \\| \\<script> | Start \\*Redis\\*. |" in text.splitlines()
    assert "| – | Beat: starts | add the heartbeat line |" in text.splitlines()
    huge = report(*(finding("a.b", Mark.PASSED, replace(UP, summary="é" * 1000)) for _ in range(600)))
    assert SUMMARY_BYTES < len(summary(huge).encode()) + 5 < SUMMARY_BYTES + 20


def test_junit_tells_failure_error_and_skipped_apart() -> None:
    root = ElementTree.fromstring(junit(WHOLE))
    cases = {case.get("name"): [child.tag for child in case] for case in root.iter("testcase")}
    assert cases == {
        "api.health": [],
        "redis.ping": ["failure"],
        "worker.online": ["failure"],
        "worker.canary": ["error"],
        "bot.guard": ["properties", "system-out"],
        "api.routers": ["properties", "system-out"],
        "bot.ingress": ["properties", "system-out"],
        "beat.alive": ["skipped"],
        "miniapp.page": ["skipped"],
    }
    assert (root.get("tests"), root.get("failures"), root.get("errors"), root.get("skipped")) == ("9", "2", "1", "2")
    assert [suite.get("name") for suite in root] == ["Api", "Redis", "Worker", "Bot", "Beat", "Miniapp"]


def test_the_json_report_comes_back_whole() -> None:
    body = json.loads(report_json(WHOLE))
    assert (body["schemaVersion"], body["verdict"], body["exitStatus"]) == (1, "failed", 1)
    assert body["counts"]["failed"] == 3
    assert report_from(body) == replace(
        WHOLE,
        findings=tuple(replace(one, verdict=one.verdict and replace(one.verdict, values={})) for one in WHOLE.findings),
    )
    early = replace(WHOLE, ended_early=ExitStatus.DEPLOY_FAILED)
    assert report_from(report_body(early)).ended_early is ExitStatus.DEPLOY_FAILED


def test_a_report_of_another_schema_is_refused() -> None:
    with pytest.raises(ValueError, match="schemaVersion: 2 must be 1"):
        report_from(report_body(WHOLE) | {"schemaVersion": 2})
