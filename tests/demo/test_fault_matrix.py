"""Fifteen faults on the real demo, one after the other: each is told once, names its root, and is told over."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.demo.running_demo import REPOSITORY, environment

SECONDS = 1200


@pytest.mark.real
@pytest.mark.timeout(SECONDS + 60)
def test_each_of_fifteen_faults_is_one_message_that_names_it_and_one_that_ends_it(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "demo.matrix", "--subset", "--jobs", "2", "--state", str(tmp_path / "state.json")],
        env=environment(TMPDIR=str(tmp_path)),
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.splitlines()[-1].startswith("15 of 15 right in ")
    assert [path.name for path in tmp_path.iterdir()] == ["state.json"]
