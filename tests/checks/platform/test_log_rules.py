"""The rules of the logs, each with a line it is for and one it is not."""

import re
from pathlib import Path

import pytest

from checks.platform.log_rules import APP_RULES, ASKED_OF_RENDER, BUILD_RULES, hits, signature
from checks.platform.shapes import LogLine
from tests.fakes import NOW

MEANT = {
    "cargo-read-only": "Caused by: Read-only file system (os error 30)",
    "no-wheel": "ERROR: No matching distribution found for pydantic-core==2.14.6",
    "default-python": "==> Using Python version 3.13.4 (default)",
    "python-version": "==> The PYTHON_VERSION must provide a major, minor, and patch version",
    "compiled": "Building wheel for asyncpg (pyproject.toml): started",
    "pip-warning": "WARNING: You are using pip version 23.0",
    "npm-warning": "npm warn deprecated glob@7.2.3: Glob versions prior to v9 are no longer supported",
    "out-of-memory": "==> Out of memory (used over 512Mi)",
    "exited": "==> Exited with status 1",
    "import": "ModuleNotFoundError: No module named 'nexus.tasks'",
    "traceback": "Traceback (most recent call last):",
    "port": "==> No open ports detected, continuing to scan...",
    "telegram-conflict": "Conflict: terminated by other getUpdates request",
    "database-connections": "FATAL: remaining connection slots are reserved",
    "redis-writes": "MISCONF Redis is configured to save RDB snapshots",
    "deprecation": "app.py:3: PydanticDeprecatedSince20: Support for class-based config is deprecated",
    "slow": "GET /stats took 7.2 s",
    "error": "2026-11-23 12:00:00 ERROR nexus.api: cannot send",
}
UNMEANT = (
    "==> Using Python version 3.11.11 via environment variable PYTHON_VERSION",
    "Building wheel for nexus (pyproject.toml): finished, created nexus-1.0-py3-none-any.whl",
    "==> Exited with status 0",
    "INFO: 10.0.0.1 GET /errors 200 OK",
    "GET /stats took 0.2 s",
    "took 312 ms",
)


@pytest.mark.parametrize("rule", [*BUILD_RULES, *APP_RULES], ids=lambda rule: str(rule.id))
def test_each_rule_meets_its_line(rule: object) -> None:
    rules = BUILD_RULES if rule in BUILD_RULES else APP_RULES
    (hit,) = hits([LogLine(NOW, MEANT[rule.id])], rules)  # type: ignore[attr-defined]
    assert hit.rule is rule
    assert hit.rule.hint


@pytest.mark.parametrize("line", UNMEANT)
def test_what_means_nothing_meets_none(line: str) -> None:
    assert hits([LogLine(NOW, line)], [*BUILD_RULES, *APP_RULES]) == ()


def test_render_is_asked_for_every_line_that_a_rule_is_for() -> None:
    import re

    for rule in APP_RULES:
        assert any(re.search(text.strip("/"), MEANT[rule.id]) for text in ASKED_OF_RENDER), rule.id


def test_lines_that_differ_in_numbers_are_one_hit() -> None:
    lines = [
        LogLine(NOW, f"ERROR task 4b3c2a1d-0000-4000-8000-00000000000{index} failed after {index} s")
        for index in range(3)
    ]
    (hit,) = hits(lines, APP_RULES)
    assert (len(hit.lines), hit.signature) == (3, "ERROR task # failed after # s")


def test_a_signature_holds_no_secret() -> None:
    assert "hunter" not in signature("ERROR cannot reach postgresql://nexus:hunter2@db/nexus")


def test_the_page_names_every_rule_in_its_order() -> None:
    page = Path("docs/render.md").read_text(encoding="utf-8")
    documented = re.findall(r"^\| `([a-z-]+)` \|", page, re.MULTILINE)
    assert documented == [rule.id for rule in (*BUILD_RULES, *APP_RULES)]
