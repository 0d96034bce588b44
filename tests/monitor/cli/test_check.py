"""`nexus-monitor check ID`: one look, printed with its evidence, and an exit status that scripts can use."""

import http.server
import json
import socket
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from typer.testing import CliRunner

from demo.parts import Part, answers_http
from demo.process_tree import free_port
from monitor.cli import app
from monitor.errors import UsageError
from tests.demo.running_demo import REPOSITORY, command


@pytest.fixture(autouse=True)
def _own_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)


class _Answer(http.server.BaseHTTPRequestHandler):
    status = 200
    body = b'{"status": "ok"}'

    def do_GET(self) -> None:
        self.send_response(self.status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(self.body)))
        self.end_headers()
        self.wfile.write(self.body)

    def log_message(self, *args: object) -> None:
        """Stay quiet."""


class _Broken(_Answer):
    status = 500
    body = b'{"detail": "no settings", "password": "hush"}'


def _serving(handler: type[http.server.BaseHTTPRequestHandler]) -> Iterator[str]:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)


@pytest.fixture
def healthy() -> Iterator[str]:
    yield from _serving(_Answer)


@pytest.fixture
def broken() -> Iterator[str]:
    yield from _serving(_Broken)


@pytest.mark.real
def test_ok_is_exit_status_0_with_what_was_seen(healthy: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("API_URL", healthy)
    done = CliRunner().invoke(app, ["check", "api.health"])
    lines = done.output.splitlines()
    assert done.exit_code == 0, done.output
    assert lines[0].startswith("✔ ok  api.health  GET /health 200 in ")
    assert "    status: 200" in lines


@pytest.mark.real
def test_failed_is_exit_status_1_with_reason_and_what_to_try(broken: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("API_URL", broken)
    done = CliRunner().invoke(app, ["check", "api.health"])
    assert done.exit_code == 1
    assert done.output.startswith("✘ failed  api.health  ")
    for part in ("    status: 500", "    seen: ", "no settings", "    reason: http_status", "    try: "):
        assert part in done.output
    assert "hush" not in done.output


@pytest.mark.real
def test_what_could_not_be_decided_is_exit_status_6(monkeypatch: pytest.MonkeyPatch) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as listening:
        port = listening.getsockname()[1]
    monkeypatch.setenv("TELEGRAM_API_URL", f"http://127.0.0.1:{port}")
    monkeypatch.setenv("BOT_TOKEN", "123456789:AAabcdefghijklmnopqrstuvwxyz012345678")
    done = CliRunner().invoke(app, ["check", "bot.webhook"])
    assert done.exit_code == 6, done.output
    assert done.output.startswith("? unknown  bot.webhook  ")
    assert "AAabcdef" not in done.output


@pytest.mark.real
def test_the_monitor_s_own_database_is_proven_by_a_look(tmp_path: Path) -> None:
    done = CliRunner().invoke(app, ["check", "vantage.store"])
    assert done.exit_code == 0, done.output
    assert (tmp_path / "nexus-monitor.db").exists()


@pytest.mark.real
def test_what_render_answers_is_saved_without_secrets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    port, key, commit = free_port(), "rnd_" + "k" * 28, "abc1234" + "0" * 33
    arguments = ["demo.renderapi", "--port", str(port), "--key", key, "--commit", commit]
    render = Part(
        "renderapi", arguments, {"PYTHONPATH": str(REPOSITORY)}, tmp_path / "render", port,
        answers=lambda: answers_http(port, "/_/health"),
    )  # fmt: skip
    monkeypatch.setenv("RENDER_API_KEY", key)
    monkeypatch.setenv("RENDER_API_URL", f"http://127.0.0.1:{port}/v1")
    render.start()
    try:
        done = CliRunner().invoke(app, ["check", "platform.commit", "--record", "answers"])
    finally:
        render.stop()

    assert done.exit_code == 0, done.output
    assert "live: abc1234" in done.output
    files = sorted(path.name for path in Path("answers").iterdir())
    assert files[0] == "001-get-services.json"
    assert len(files) == 6  # the services, and the deploys of each
    answers = [json.loads(path.read_text(encoding="utf-8")) for path in Path("answers").iterdir()]
    assert {answer["status"] for answer in answers} == {200}
    assert key not in done.output + json.dumps(answers)


def test_an_unknown_id_offers_the_nearest() -> None:
    with pytest.raises(UsageError, match=r"^vantage\.lop: no such check, did you mean vantage\.loop\?$"):
        CliRunner().invoke(app, ["check", "vantage.lop"], catch_exceptions=False)


def test_a_check_that_is_not_configured_names_its_variable() -> None:
    with pytest.raises(UsageError, match=r"^api\.health: needs the environment variable API_URL$"):
        CliRunner().invoke(app, ["check", "api.health"], catch_exceptions=False)


def test_a_check_switched_off_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("API_URL", "http://127.0.0.1:9")
    (tmp_path / "monitor.yaml").write_text("checks: {api.health: {enabled: false}}", encoding="utf-8")
    with pytest.raises(UsageError, match=r"^api\.health: is switched off in monitor\.yaml$"):
        CliRunner().invoke(app, ["check", "api.health"], catch_exceptions=False)


def test_a_mistake_is_one_line_on_stderr_and_exit_status_2(tmp_path: Path) -> None:
    assert command("check", "vantage.lop", cwd=tmp_path) == (
        2, "", "nexus-monitor: vantage.lop: no such check, did you mean vantage.loop?\n",
    )  # fmt: skip
