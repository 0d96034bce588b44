"""What the documentation promises of checks and layout is what the code has."""

import itertools
import re
from pathlib import Path

import pytest

from checks.registry import CHECKS
from monitor.config.rows import EVERYTHING, NETWORK, ROWS

CHECKS_PAGE = Path("docs/checks.md").read_text(encoding="utf-8")
ROW = re.compile(r"^\| `([a-z_.]+)` \|.*?\| (\d+) s / (\d+) s \|.*\| (?:`([A-Z_]+)`)?[^|]*\|$", re.MULTILINE)


def test_every_check_has_its_row_with_its_own_interval_and_limit() -> None:
    documented = {kind: (float(interval), float(limit)) for kind, interval, limit, _ in ROW.findall(CHECKS_PAGE)}
    fields = {kind: check.Config.model_fields for kind, check in CHECKS.items()}
    assert documented == {
        kind: (field["interval_seconds"].default, field["timeout_seconds"].default) for kind, field in fields.items()
    }


def test_every_row_names_the_variable_that_adds_the_check() -> None:
    documented = {kind: variable for kind, _, _, variable in ROW.findall(CHECKS_PAGE)}
    own_kinds = {kind: "" for kind in CHECKS if "." not in kind or kind.startswith("build.")}
    assert documented == {row.id: row.needs[0].upper() if row.needs else "" for row in ROWS} | own_kinds


def test_the_graph_on_the_page_is_the_graph_of_the_code() -> None:
    picture = re.search(r"```\n(.*?)```", CHECKS_PAGE, re.DOTALL)
    assert picture is not None
    drawn: set[tuple[str, str]] = set()
    for line in picture[1].strip().splitlines():
        steps = [[name.strip() for name in step.split(",")] for step in line.split("─")]
        for parents, children in itertools.pairwise(steps):
            drawn |= {(child, parent) for child in children for parent in parents}
    drawn = {edge for edge in drawn if edge[1] not in (EVERYTHING, *NETWORK)}
    declared = {(row.id, parent) for row in ROWS for parent in row.parents}
    implied = {("worker.canary", "redis.ping")}  # through worker.online
    assert drawn == declared - implied


@pytest.mark.parametrize("kind", CHECKS)
def test_every_check_has_a_test_file_of_its_own(kind: str) -> None:
    module = CHECKS[kind].__module__.split(".")
    assert Path("tests", *module[:-1], f"test_{module[-1]}.py").is_file()


def test_every_link_of_the_documentation_leads_somewhere() -> None:
    for page in [Path("README.md"), Path("RENDER_FIX.md"), Path("CHANGELOG.md"), *Path("docs").glob("**/*.md")]:
        for link in re.findall(r"\]\((?!https?:|#)([^)#]+)", page.read_text(encoding="utf-8")):
            assert (page.parent / link).exists(), f"{page}: {link}"
