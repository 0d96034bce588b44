"""Python environments of other people's versions: built once from wheels, kept in the user's cache."""

import fcntl
import hashlib
import os
import subprocess
import sys
from pathlib import Path

import pytest

BUILD_SECONDS = 300


def environment(name: str, *requirements: str) -> Path:
    """Return the Python of a virtual environment with exactly these requirements; skip the test where it cannot be had.

    It is named after the requirements and our own Python, so that a change of either builds another one.
    """
    asked = "\n".join([sys.version, *requirements])
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "nexus-monitor" / "environments"
    folder = cache / f"{name}-{hashlib.sha256(asked.encode()).hexdigest()[:12]}"
    python, ready = folder / "bin" / "python", folder / "ready"
    cache.mkdir(parents=True, exist_ok=True)
    with (cache / f"{folder.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # two test processes may want it at once
        if not ready.exists():
            _uv("venv", "--clear", "--python", sys.executable, str(folder))
            _uv("pip", "install", "--python", str(python), "--only-binary", ":all:", *requirements)
            ready.touch()
    return python


def _uv(*words: str) -> None:
    command = [str(Path(sys.executable).with_name("uv")), "--quiet", *words]
    try:
        subprocess.run(command, capture_output=True, text=True, timeout=BUILD_SECONDS, check=True)
    except subprocess.CalledProcessError as error:
        pytest.skip(f"not installed: {words[-1]} in an environment of its own: {error.stderr.strip()[:300]}")
