"""The compiled requirements are in step with pyproject.toml, name no registry, and are wheels for every Python."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

FILES = ("requirements.txt", "requirements-dev.txt")
PYTHONS = ("3.11", "3.12", "3.13", "3.14")
UV = [sys.executable, "-m", "uv", "--quiet"]
UNREACHABLE = re.compile(r"error sending request|Failed to fetch|dns error|connection refused|timed out", re.IGNORECASE)


def _pins(name: str) -> dict[str, Version]:
    text = Path(name).read_text(encoding="utf-8")
    found = re.findall(r"^([A-Za-z0-9._-]+)(?:\[[^]]*\])?==([^ ;\\]+)", text, re.MULTILINE)
    return {canonicalize_name(package): Version(version) for package, version in found}


def _wanted(name: str) -> list[Requirement]:
    project = tomllib.loads(Path("pyproject.toml").read_text(encoding="utf-8"))["project"]
    extra = project["optional-dependencies"]["dev"] if name == "requirements-dev.txt" else []
    return [Requirement(text) for text in [*project["dependencies"], *extra]]


def _uv(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run uv; skip by name where the package index cannot be reached."""
    done = subprocess.run([*UV, *arguments], capture_output=True, text=True, timeout=100, check=False)
    if done.returncode != 0 and UNREACHABLE.search(done.stderr):
        pytest.skip("the package index cannot be reached from here")
    return done


@pytest.mark.parametrize("name", FILES)
def test_every_dependency_is_pinned_within_its_bounds(name: str) -> None:
    pins = _pins(name)
    for requirement in _wanted(name):
        pinned = pins.get(canonicalize_name(requirement.name))
        assert pinned is not None, f"{name} lacks {requirement}: run make lock"
        assert requirement.specifier.contains(pinned), f"{name} pins {pinned} for {requirement}: run make lock"


@pytest.mark.parametrize("name", FILES)
def test_every_pin_has_hashes_and_no_line_names_a_registry_or_a_path(name: str) -> None:
    text = Path(name).read_text(encoding="utf-8")
    entries = [entry for entry in re.split(r"\n(?=\S)", text) if entry.strip()]
    assert all("--hash=sha256:" in entry for entry in entries)
    assert not re.search(r"://|^-|/opt|/home|/root", text, re.MULTILINE)


def test_the_product_s_pins_are_the_same_in_both_files() -> None:
    product, everything = (_pins(name) for name in FILES)
    assert {package: everything.get(package) for package in product} == product


@pytest.mark.real
@pytest.mark.parametrize(("name", "extra"), [("requirements.txt", ()), ("requirements-dev.txt", ("--extra", "dev"))])
def test_compiling_again_changes_nothing(name: str, extra: tuple[str, ...], tmp_path: Path) -> None:
    again = tmp_path / name
    again.write_bytes(Path(name).read_bytes())  # its pins are kept wherever they still fit
    options = ["--universal", "--python-version", "3.11", "--generate-hashes", "--only-binary", ":all:"]
    options += ["--no-emit-index-url", "--no-emit-find-links", "--no-header", "--no-annotate"]
    done = _uv("pip", "compile", *options, *extra, "pyproject.toml", "-o", str(again))
    assert done.returncode == 0, done.stderr
    assert again.read_text() == Path(name).read_text(), f"{name} is out of step with pyproject.toml: run make lock"


@pytest.mark.real
@pytest.mark.parametrize("python", PYTHONS)
def test_every_pin_has_a_wheel_for_linux(python: str, tmp_path: Path) -> None:
    platform = ["--python-version", python, "--python-platform", "x86_64-manylinux_2_28"]
    target = ["--dry-run", "--target", str(tmp_path), "--require-hashes", "--only-binary", ":all:"]
    done = _uv("pip", "install", *target, *platform, "-r", "requirements-dev.txt")
    assert done.returncode == 0, done.stderr
