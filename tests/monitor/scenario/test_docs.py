"""The example scenarios say what their comments promise, and the page names every key."""

import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from monitor.cli import app
from monitor.scenario.script import VERBS, Expected, Moment, Scenario

FOLDER = Path("docs/scenarios")
PAGE = Path("docs/scenarios.md").read_text(encoding="utf-8")
EXAMPLES = sorted(path for path in FOLDER.glob("*.yaml") if path.name != "monitor.yaml")


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_an_example_says_what_it_expects(path: Path) -> None:
    result = CliRunner().invoke(app, ["scenario", str(path)])
    assert (result.exit_code, result.output.splitlines()[-1]) == (0, "as expected")


def test_the_page_shows_what_the_command_prints() -> None:
    printed = CliRunner().invoke(app, ["scenario", str(FOLDER / "redis-dies.yaml")]).output
    shown = re.findall(r"```text\n(.*?)```", PAGE, re.DOTALL)
    assert [re.sub(r"\d+ checks", "n checks", text) for text in shown] == [re.sub(r"\d+ checks", "n checks", printed)]


def test_the_page_links_every_example() -> None:
    assert set(re.findall(r"\(scenarios/(.+?)\)", PAGE)) == {path.name for path in EXAMPLES}


def test_the_page_names_every_key() -> None:
    keys = {name for model in (Scenario, Moment, Expected) for name in model.model_fields} | set(VERBS)
    assert {key for key in keys if not re.search(rf"[`{{ ]{key}\b[`:]", PAGE)} == set()
