"""Asks uv, the resolver that the platform itself can use, what a list of requirements comes to. Never our own."""

import asyncio
import re
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

PLATFORM = "x86_64-manylinux_2_36"
"""Render builds on Debian 12, whose C library is glibc 2.36 (render.com/docs/native-runtimes)."""
END_SECONDS = 5.0

_PIN = re.compile(r"^([A-Za-z0-9][A-Za-z0-9._-]*)(?:\[[^]]*\])?==([^\s;\\]+)", re.MULTILINE)
_YANKED = re.compile(r"warning: `([^`]+)` is yanked(?: \(reason: \"(.*)\"\))?")
_NO_WHEEL = re.compile(r"(\S+==\S+) has no (?:usable )?wheels")
_UNREACHABLE = re.compile(
    r"Failed to fetch|error sending request|dns error|Could not connect|timed out|Connection refused"
)


@dataclass(frozen=True, slots=True)
class Resolution:
    """What uv said."""

    pins: dict[str, str]
    """Canonical name → version; empty where there is no solution."""
    problem: str = ""
    """Why there is none, in uv's words."""
    is_unreachable: bool = False
    """The registry could not be asked, so nothing is known."""
    without_wheel: tuple[str, ...] = ()
    """What uv names as having no wheel: the first it met, not all."""
    yanked: tuple[str, ...] = ()


async def resolve(requirements: str, python: str, folder: Path, *, with_dependencies: bool = True) -> Resolution:
    """Resolve for one Python, e.g. `3.12.8`, on the platform. Relative files in `requirements` stand in `folder`.

    Raises FileNotFoundError where there is no uv. The process is ended when the caller is cancelled.
    """
    arguments = [
        "pip",
        "compile",
        "-",
        "--quiet",
        "--no-header",
        "--no-annotate",
        "--no-progress",
        "--color=never",
        # Wheels alone need no interpreter of that version: uv would spend seconds in looking for one.
        f"--python={sys.executable}",
        f"--python-version={python}",
        f"--python-platform={PLATFORM}",
        "--only-binary=:all:",
        *(() if with_dependencies else ("--no-deps",)),
    ]
    process = await asyncio.create_subprocess_exec(
        _uv() or "uv",
        *arguments,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        cwd=folder,
    )
    try:
        output, errors = await process.communicate(requirements.encode())
    except asyncio.CancelledError:
        process.kill()
        async with asyncio.timeout(END_SECONDS):
            await process.wait()
        raise
    said = errors.decode(errors="replace")
    yanked = tuple(f"{name} ({why})" if why else name for name, why in _YANKED.findall(said))
    if process.returncode == 0:
        return Resolution(pins_of(output.decode()), yanked=yanked)
    problem = _problem(said)
    without_wheel = tuple(dict.fromkeys(_NO_WHEEL.findall(problem)))
    return Resolution({}, problem, bool(_UNREACHABLE.search(said)), without_wheel, yanked)


def pins_of(text: str) -> dict[str, str]:
    """Return the exact pins of a requirements file: canonical name → version."""
    return {re.sub(r"[-_.]+", "-", name).lower(): version for name, version in _PIN.findall(text)}


def _problem(said: str) -> str:
    lines = [line for line in said.splitlines() if not line.startswith("warning:")]
    text = re.sub(r"\s+", " ", " ".join(lines)).strip()
    return text.removeprefix("error: ").removeprefix("No solution found when resolving dependencies cause: ")


def has_resolver() -> bool:
    """Say whether there is a uv to ask: beside this Python, or on the path."""
    return _uv() is not None


def _uv() -> str | None:
    beside = Path(sys.executable).with_name("uv")
    return str(beside) if beside.is_file() else shutil.which("uv")
