"""Every missing or wrong variable is one line on stderr and exit code 2, and no secret is in it."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from demo.nexus import environment
from demo.nexus.api.settings import Settings as ApiSettings
from demo.nexus.bot.settings import Settings as BotSettings
from demo.nexus.miniapp.site import Settings as SiteSettings

GOOD = {
    "BOT_TOKEN": "1:AbC-d_e",
    "DATABASE_URL": "postgresql://nexus:hidden@127.0.0.1:5432/nexus",
    "REDIS_URL": "redis://:hidden@127.0.0.1:6379/0",
    "WEBHOOK_SECRET": "a-secret",
    "WEBHOOK_URL": "http://127.0.0.1:4000/webhook",
    "TELEGRAM_API_URL": "http://127.0.0.1:4001/",
    "API_URL": "http://127.0.0.1:4002",
    "MINIAPP_URL": "http://127.0.0.1:4003",
}


@pytest.fixture(autouse=True)
def _good_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HOST", "PORT", "DIST", "KEEP_WEBHOOK", "TELEGRAM_SDK_URL", "NEXUS_HEARTBEAT_SECONDS"):
        monkeypatch.delenv(name, raising=False)
    for name, value in GOOD.items():
        monkeypatch.setenv(name, value)


def test_a_whole_environment_is_read() -> None:
    api, bot = ApiSettings.from_environment(), BotSettings.from_environment()
    assert api.database_url == GOOD["DATABASE_URL"]
    assert (bot.telegram_api_url, bot.webhook_path) == ("http://127.0.0.1:4001", "/webhook")
    assert not bot.keeps_webhook
    assert SiteSettings.from_environment().api_url == GOOD["API_URL"]
    assert "hidden" not in repr((api, bot))
    assert "AbC" not in repr((api, bot))


@environment.exit_on_bad_setting("nexus")
def _read_all() -> None:
    ApiSettings.from_environment()
    BotSettings.from_environment()
    SiteSettings.from_environment()


@pytest.mark.parametrize(
    ("name", "value", "line"),
    [
        ("DATABASE_URL", "", "DATABASE_URL: is not set"),
        ("DATABASE_URL", "mysql://nexus:hidden@x/y", "DATABASE_URL: must begin with postgresql:// or postgres://"),
        ("REDIS_URL", "http://:hidden@x", "REDIS_URL: must begin with redis:// or rediss://"),
        ("REDIS_URL", "redis://:hidden@x:port", "REDIS_URL: is not an address"),
        ("REDIS_URL", "redis:///0", "REDIS_URL: names no host"),
        ("BOT_TOKEN", "hidden token", "BOT_TOKEN: is not of the form 123456:ABC…"),
        ("MINIAPP_URL", "", "MINIAPP_URL: is not set"),
        ("WEBHOOK_SECRET", "hidden!", "WEBHOOK_SECRET: may hold A-Z, a-z, 0-9, _ and - alone, at most 256"),
        ("WEBHOOK_URL", "http://127.0.0.1:4000/", "WEBHOOK_URL: needs a path of its own, as /webhook"),
        ("DIST", "/no/such/folder", "DIST: /no/such/folder holds no index.html"),
    ],
)
def test_a_bad_setting_is_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], name: str, value: str, line: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(SystemExit) as ended:
        _read_all()
    assert ended.value.code == 2
    assert capsys.readouterr().err == f"nexus: {line}\n"


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("soon", "NEXUS_HEARTBEAT_SECONDS: 'soon' is not a number of seconds"),
        ("0", "NEXUS_HEARTBEAT_SECONDS: 0 must be above 0"),
        ("nan", "NEXUS_HEARTBEAT_SECONDS: nan must be above 0"),
    ],
)
def test_a_bad_duration_is_told(monkeypatch: pytest.MonkeyPatch, value: str, message: str) -> None:
    monkeypatch.setenv("NEXUS_HEARTBEAT_SECONDS", value)
    with pytest.raises(environment.SettingError, match=f"^{message}$"):
        environment.seconds("NEXUS_HEARTBEAT_SECONDS", 60)


@pytest.mark.parametrize("value", ["http", "0", "65536", "-1"])
def test_a_bad_port_is_told(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("PORT", value)
    with pytest.raises(environment.SettingError, match=f"^PORT: '{value}' is not a port$"):
        environment.listener()


def test_a_port_in_use_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        monkeypatch.setenv("PORT", str(port))
        with pytest.raises(
            environment.SettingError, match=f"^PORT: cannot listen on 127.0.0.1:{port}: Address already in use$"
        ):
            environment.listener()


@pytest.mark.real
@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["demo.nexus.api"], "nexus-api: DATABASE_URL: is not set"),
        (["celery", "-A", "demo.nexus.celery_app", "worker"], "nexus-worker: DATABASE_URL: is not set"),
    ],
    ids=["api", "worker"],
)
def test_a_process_ends_with_code_2_and_no_traceback(arguments: list[str], line: str, tmp_path: Path) -> None:
    kept = {**GOOD, "PATH": os.environ["PATH"], "PYTHONPATH": str(Path(__file__).parents[3]), "DATABASE_URL": ""}
    done = subprocess.run(
        [sys.executable, "-m", *arguments],
        env=kept,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert (done.returncode, done.stderr) == (2, f"{line}\n")
