"""What a repository would install, where, and on which Python. Pure, but for reading the files."""

import re
import tomllib
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from checks.build.blueprint_rules import environment, is_python, services
from checks.build.render_yaml import Node, NotYamlError, read

DEFAULT_PYTHONS = (
    (date(2026, 2, 11), "3.14.3"),
    (date(2025, 6, 12), "3.13.4"),
    (date(2024, 12, 16), "3.11.11"),
    (date(2024, 10, 29), "3.11.10"),
    (date(2024, 4, 4), "3.11.9"),
)
"""A service without a pin gets this, by the day it was created (render.com/docs/python-version)."""
OLDEST_DEFAULT = "3.7.10"
NEXT_PYTHONS = ("3.11", "3.12", "3.13", "3.14")

_REQUIREMENT_FILE = re.compile(r"(?:^|\s)(?:-r|--requirement)[\s=]+(\S+)")


@dataclass(frozen=True, slots=True)
class Install:
    """One list of requirements on one Python."""

    services: tuple[str, ...]
    file: str
    """Relative to the repository's root."""
    requirements: str
    python: str
    is_pinned: bool
    """False where the platform's default by creation date counts."""

    @property
    def name(self) -> str:
        """How it is told apart in the evidence."""
        return f"{self.file} on {self.python}{'' if self.is_pinned else ' (the default)'}"


def default_python(created_on: date | None) -> str:
    """Return the platform's default for a service of that day; of today where it is not given."""
    if created_on is None:
        return DEFAULT_PYTHONS[0][1]
    return next((version for since, version in DEFAULT_PYTHONS if created_on >= since), OLDEST_DEFAULT)


def next_python(python: str) -> str | None:
    """Return the minor version after this one; None after the last that there is."""
    major, minor = python.split(".")[:2]
    following = f"{major}.{int(minor) + 1}"
    return following if following in NEXT_PYTHONS else None


def installs(path: Path, created_on: date | None = None) -> list[Install]:
    """Return what render.yaml installs; without one, what lies at the root. Raises OSError, NotYamlError."""
    version_file = path / ".python-version"
    root_python = version_file.read_text().strip() if version_file.is_file() else ""
    blueprint = path / "render.yaml"
    found: dict[tuple[str, str, bool], list[str]] = {}
    if blueprint.is_file():
        for service in _services(blueprint.read_text(encoding="utf-8")):
            if is_python(service):
                python, is_pinned = _python(service, root_python, created_on)
                for file in _files(service, path):
                    found.setdefault((file, python, is_pinned), []).append(service.text("name"))
    if not found:
        python = root_python or default_python(created_on)
        for file in ("requirements.txt", "pyproject.toml"):
            if (path / file).is_file():
                found[file, python, bool(root_python)] = []
                break
    return [
        Install(tuple(names), file, _requirements(path / file), python, is_pinned)
        for (file, python, is_pinned), names in found.items()
    ]


def _services(text: str) -> list[Node]:
    try:
        return services(read(text))
    except NotYamlError:  # `build.blueprint` says so, with the line
        return []


def _python(service: Node, root_python: str, created_on: date | None) -> tuple[str, bool]:
    entry = environment(service).get("PYTHON_VERSION")
    version = entry.text("value") if entry is not None else ""
    if re.fullmatch(r"\d+\.\d+(\.\d+)?", version):
        return version, True
    return (root_python, True) if root_python else (default_python(created_on), False)


def _files(service: Node, path: Path) -> list[str]:
    folder = service.text("rootDir")
    named = [str(Path(folder, file)) for file in _REQUIREMENT_FILE.findall(service.text("buildCommand"))]
    return [file for file in named if (path / file).is_file()]


def _requirements(file: Path) -> str:
    if file.name != "pyproject.toml":
        return file.read_text(encoding="utf-8")
    try:
        project = tomllib.loads(file.read_text(encoding="utf-8")).get("project", {})
    except tomllib.TOMLDecodeError as error:
        raise NotYamlError(0, f"{file.name}: {error}") from None
    return "\n".join(project.get("dependencies", []))
