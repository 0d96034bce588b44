"""The page of the matrix, written from outcomes."""

from pathlib import Path

from demo.faults import FAULTS
from demo.matrix.outcome import Outcome
from demo.matrix.table import line_of, page_of

GOOD = Outcome(
    "api-down",
    "nexus-api is killed",
    "api.health",
    "page",
    found_by="api.health",
    named="api.health",
    first_message_seconds=8.1,
    openings=1,
    messages=2,
    resolved_seconds=8.6,
    is_named_right=True,
    is_right=True,
)
MISSED = Outcome("api-slow", "it takes 1.2 s", "api.health", "warning", note="not told in time")
PAIR = Outcome("a + b", "both", "x + y", "page + page", named="x + y", messages=4, is_named_right=True, is_right=True)
QUIET = Outcome("(no fault)", "nothing is done for 30 minutes", "", "", resolved_seconds=0, is_right=True)


def test_a_line_says_what_was_told_and_what_is_wrong() -> None:
    assert line_of(GOOD).split() == ["ok", "api-down", "api.health", "8.1", "s", "2", "8.6", "s", "0"]
    assert line_of(MISSED).startswith("BAD api-slow ")
    assert line_of(MISSED).endswith("← not told in time")


def test_the_page_has_a_row_for_each_and_lists_what_is_wrong() -> None:
    page = page_of([GOOD, MISSED], [PAIR], [QUIET])
    assert "**2 faults**: 1 found, 1 with the right root (50.0%), 1 with one opening message, 0 false messages;" in page
    assert "1 pairs: 1 as they should be." in page
    assert "| `api-down` | nexus-api is killed | api.health | api.health | 8.1 s | 2 | 8.6 s | 0 |" in page
    assert "| `api-slow` ⚠ ✗ | it takes 1.2 s | – | – | – | 0 | no | 0 |" in page
    assert "| `a + b` | x + y | – | 4 | no | 0 |" in page
    assert "Nothing is done for 30 minutes: nothing was told." in page
    assert page.endswith("## Not as it should be\n\n- `api-slow`: not told in time\n")


def test_the_page_in_the_repository_is_of_the_faults_there_are() -> None:
    page = Path("docs/fault-matrix.md").read_text(encoding="utf-8")
    rows = [line.split("`")[1] for line in page.splitlines() if line.startswith("| `") and " + " not in line]
    assert rows == list(FAULTS)


def test_an_outcome_outlives_the_run() -> None:
    assert Outcome.from_json(GOOD.to_json()) == GOOD
