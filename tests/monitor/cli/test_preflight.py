"""`nexus-monitor preflight`: would this repository build?"""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from monitor.cli import app
from monitor.errors import UsageError

SOUND = """\
services:
  - type: worker
    name: nexus-worker
    runtime: python
    buildCommand: pip install -r requirements.txt
    startCommand: python -m worker
    envVars: [{key: PYTHON_VERSION, value: "3.12.8"}]
"""


def preflight(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(app, ["preflight", *arguments])
    if isinstance(result.exception, UsageError):
        raise result.exception
    return result.exit_code, result.output


def test_an_empty_folder_decides_nothing(tmp_path: Path) -> None:
    status, output = preflight(str(tmp_path))
    assert status == 6
    assert output.splitlines()[0] == "? build.blueprint  render.yaml: there is none"


def test_a_broken_rule_is_told_with_its_line_and_fails(tmp_path: Path) -> None:
    (tmp_path / "render.yaml").write_text(SOUND.replace('"3.12.8"', "3.12"))
    status, output = preflight(str(tmp_path))
    assert status == 1
    assert "render.yaml:7: error: nexus-worker: PYTHON_VERSION 3.12 is not of the form x.y.z [python-version]" in output


def test_a_file_that_is_no_yaml_is_told_once(tmp_path: Path) -> None:
    (tmp_path / "render.yaml").write_text("a: b: c")
    status, output = preflight(str(tmp_path), "--created-on", "2025-07-01")
    assert status == 1
    assert "no YAML: mapping values are not allowed here" in output


@pytest.mark.real
def test_a_sound_repository_passes(tmp_path: Path) -> None:
    (tmp_path / "render.yaml").write_text(SOUND)
    (tmp_path / "requirements.txt").write_text("")
    status, output = preflight(str(tmp_path))
    assert (status, output.splitlines()) == (
        0,
        [
            "✔ build.blueprint  render.yaml: 1 services, no rule broken",
            "✔ build.wheels  every pin has a wheel: requirements.txt on 3.12.8",
        ],
    )


def test_what_is_no_folder_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="is no folder"):
        preflight(str(tmp_path / "absent"))
