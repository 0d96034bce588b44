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


def test_a_line_that_a_check_claims_to_answer_names_it() -> None:
    by_words = {line.words: line.checks for line in LINES}
    for row in ROWS:
        if row.checklist:
            named = by_words[row.checklist]
            assert any(row.id == name or (name.endswith(".") and row.id.startswith(name)) for name in named), row.id


def test_every_target_s_check_answers_a_line() -> None:
    named = {name for line in LINES for name in line.checks}
    targets = {kind for kind in CHECKS if kind.split(".")[0] in ("api", "bot", "worker", "beat", "miniapp")}
    unnamed = targets - named
    assert {kind for kind in unnamed if kind not in EXTRA} == set()


EXTRA = frozenset({
    "api.version", "api.tls", "beat.single", "bot.identity", "bot.reply_telegram", "miniapp.button", "worker.each",
    "worker.stuck_tasks", "worker.restarts",
})  # fmt: skip
"""More than the checklist asks for."""


def test_the_setting_that_would_answer_a_line_is_named() -> None:
    lines = covered({})
    assert lines["API: health check endpoint returns 200"] == Covered(
        "API: health check endpoint returns 200", Answer.NOT, (), {"api.health": "API_URL"}
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
    assert off["API: health check endpoint returns 200"].why == "`enabled: true` adds api.health"
