"""The command line starts quickly, says its version, and lists its commands."""

import subprocess
import sys

import pytest

from monitor import __version__
from tests.demo.running_demo import REPOSITORY, command, environment

HEAVY = (
    "aiogram", "aiosqlite", "alembic", "asyncpg", "celery", "demo", "fastapi", "httpx", "kombu",
    "prometheus_client", "pydantic", "redis", "sqlalchemy", "structlog", "uvicorn", "yaml",
)  # fmt: skip


def test_help_imports_nothing_heavy() -> None:
    code = "import sys, monitor.__main__; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment(), cwd=REPOSITORY, capture_output=True, text=True, check=True
    )
    loaded = {name.split(".")[0] for name in done.stdout.split()}
    assert "typer" in loaded
    assert loaded & set(HEAVY) == set()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--help",), ("serve", "check", "config", "demo", "--version")),
        (("demo", "--help"), ("faults", "break", "repair", "--port", "--no-browser")),
        (("config", "--help"), ("check",)),
        (("serve", "--help"), ("--config", "--host", "--port")),
    ],
    ids=["all", "demo", "config", "serve"],
)
def test_help_lists_the_commands(arguments: tuple[str, ...], words: tuple[str, ...]) -> None:
    status, out, err = command(*arguments)
    assert (status, err) == (0, "")
    assert [word for word in words if word not in out] == []


def test_version() -> None:
    assert command("--version") == (0, f"nexus-monitor {__version__}\n", "")


def test_an_unknown_command_is_exit_status_2_without_a_traceback() -> None:
    status, out, err = command("serv")
    assert (status, out) == (2, "")
    assert "Traceback" not in err
