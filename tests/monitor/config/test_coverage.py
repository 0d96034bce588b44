"""Each line of the post-deploy checklist: which checks answer it here, and what an unanswered one needs."""

from checks.registry import CHECKS
from monitor.config.checklist import build_checklist
from monitor.config.coverage import LINES, Answer, Covered, coverage
from monitor.config.rows import ROWS
from monitor.config.settings import settings_from
from monitor.config.stack import stack_of


def covered(environ: dict[str, str], text: str = "") -> dict[str, Covered]:
    checklist = build_checklist(settings_from(environ), stack_of(text, "monitor.yaml"))
    return {line.words: line for line in coverage(checklist, CHECKS)}


def test_the_lines_stand_in_the_checklist_s_own_order() -> None:
    headings = list(dict.fromkeys(line.words.split(":")[0] for line in LINES))
    assert headings == [
        "API", "Bot", "Worker", "Beat", "Mini App", "Render", "Logs", "Dependencies", "render.yaml",
    ]  # fmt: skip
    assert len({line.words for line in LINES}) == len(LINES) == 23


def test_what_a_check_says_it_answers_is_a_line() -> None:
    words = {line.words for line in LINES}
    assert {row.checklist for row in ROWS} <= words | {""}


def test_a_check_beyond_the_usual_ones_answers_too_and_is_not_missed() -> None:
    beyond = [row for row in ROWS if row.checklist and not any(row.id in line.checks for line in LINES)]
    named = {name for line in LINES for name in line.checks if name.endswith(".")}
    extras = [row for row in beyond if not row.id.startswith(tuple(named))]
    assert extras
    for row in extras:
        assert all(row.id not in line.lacking for line in covered({}).values())


def test_the_setting_that_would_answer_a_line_is_named() -> None:
    lines = covered({})
    assert lines["API: health check endpoint returns 200"] == Covered(
        "API: health check endpoint returns 200", Answer.NOT, (), {"api.health": "API_URL"}, {}
    )
    assert lines["API: health check endpoint returns 200"].why == "API_URL adds api.health"
    assert lines["Render: build logs for warnings"].why.endswith("adds platform.build_logs")


def test_some_of_its_checks_answer_a_line_partly() -> None:
    lines = covered({"API_URL": "http://a.example"})
    assert lines["API: health check endpoint returns 200"].answer is Answer.FULLY
    partly = lines["API: database connections work"]
    assert (partly.answer, partly.by) == (Answer.PARTLY, ("api.health",))
    assert "DATABASE_URL adds postgres.connect" in partly.why


def test_a_check_switched_off_is_said_so() -> None:
    off = covered({"API_URL": "http://a.example"}, "checks: {api.health: {enabled: false}}")
    assert off["API: health check endpoint returns 200"].why == "api.health is switched off"
