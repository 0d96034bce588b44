"""`nexus-monitor config check`: one line a mistake and exit status 2, or what would be watched."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from monitor.cli import app
from tests.demo.running_demo import command, environment

TOKEN = "123456789:AAabcdefghijklmnopqrstuvwxyz012345678"


def test_a_good_configuration_lists_what_is_watched_and_what_would_add_more(tmp_path: Path) -> None:
    (tmp_path / "monitor.yaml").write_text("checks: {api.health: {enabled: false}}", encoding="utf-8")
    env = environment(REDIS_URL="redis://:hush@h:6379/0", API_URL="http://api.example")
    status, out, err = command("config", "check", env=env, cwd=tmp_path)
    assert (status, err) == (0, "")
    lines = out.splitlines()
    assert "redis.ping           every 30 s  nexus-redis" in lines
    assert "postgres.connect     not watched: set DATABASE_URL to add it" in lines
    assert "api.health           not watched: switched off" in lines
    watched = len(lines) - 1 - out.count("not watched")
    assert lines[-1] == f"{watched} checks; told: nobody is told: set ALERT_BOT_TOKEN and ALERT_CHAT_ID"
    assert "hush" not in out


def test_every_mistake_of_environment_and_file_is_a_line(tmp_path: Path) -> None:
    (tmp_path / "own.yaml").write_text("checkz: {}\nname: 3\n", encoding="utf-8")
    env = environment(API_URL="nexus", BOT_TOKEN="hush", DATABASE_URL="mysql://u:hush@h/d", MONITOR_PROT="1")
    status, out, err = command("config", "check", "--config", str(tmp_path / "own.yaml"), env=env, cwd=tmp_path)
    assert (status, out) == (2, "")
    assert sorted(err.splitlines()) == sorted([
        "nexus-monitor: MONITOR_PROT: unknown setting" + _nearest(err),
        "nexus-monitor: API_URL: 'nexus' must be a URL that starts with http:// or https://",
        "nexus-monitor: DATABASE_URL: must be a URL that starts with postgresql://",
        "nexus-monitor: BOT_TOKEN: must look like 123456789:AA… as BotFather gave it",
        "nexus-monitor: own.yaml: name: 3 must be a valid string",
        "nexus-monitor: own.yaml: checkz: unknown setting, did you mean checks?",
    ])  # fmt: skip


def _nearest(err: str) -> str:
    """Return what the nearest name is said to be: which it is, the settings' own tests say."""
    line = next(line for line in err.splitlines() if "MONITOR_PROT" in line)
    return line.partition("unknown setting")[2]


def test_a_file_that_is_not_there_is_a_line(tmp_path: Path) -> None:
    status, out, err = command("config", "check", "--config", "none.yaml", cwd=tmp_path)
    assert (status, out) == (2, "")
    assert err == "nexus-monitor: none.yaml: cannot be read: No such file or directory\n"


def test_mistakes_in_the_checks_are_told_too(tmp_path: Path) -> None:
    (tmp_path / "monitor.yaml").write_text("checks: {api.helth: {}}", encoding="utf-8")
    status, out, err = command("config", "check", cwd=tmp_path)
    assert (status, out) == (2, "")
    assert err == "nexus-monitor: monitor.yaml: checks.api.helth: unknown check, did you mean api.health?\n"


def test_the_chats_that_are_told_are_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ALERT_BOT_TOKEN", TOKEN)
    monkeypatch.setenv("ALERT_CHAT_ID", "42")
    done = CliRunner().invoke(app, ["config", "check"])
    assert done.exit_code == 0
    assert done.output.splitlines()[-1] == "5 checks; told: telegram:ops"
    assert TOKEN not in done.output
