"""`nexus-monitor smoke`: the checklist once, its reports and its exit status."""

import http.server
import json
import threading
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

import pytest
from typer.testing import CliRunner

from monitor.cli import app
from monitor.errors import UsageError

QUICK = ("--retries", "0", "--patience", "0", "--only", "api.health")


class _Answer(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        is_health = self.path == "/health"
        self.send_response(200 if is_health else 404)
        self.send_header("content-type", "application/json")
        self.end_headers()
        self.wfile.write(b'{"status": "ok"}' if is_health else b"{}")

    def log_message(self, *args: object) -> None:
        """Stay quiet."""


@pytest.fixture
def api() -> Iterator[str]:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Answer)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)


@pytest.fixture(autouse=True)
def _own_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("GITHUB_STEP_SUMMARY", raising=False)


def smoke(monkeypatch: pytest.MonkeyPatch, api_url: str, *arguments: str) -> tuple[int, str]:
    monkeypatch.setenv("API_URL", api_url)
    result = CliRunner().invoke(app, ["smoke", *arguments])
    if isinstance(result.exception, UsageError):
        raise result.exception
    return result.exit_code, result.output


@pytest.mark.real
def test_a_healthy_api_passes_in_the_checklists_own_words(monkeypatch: pytest.MonkeyPatch, api: str) -> None:
    status, output = smoke(monkeypatch, api, *QUICK)
    assert status == 0, output
    assert "✔ API: health check endpoint returns 200  [api.health" in output
    assert output.splitlines()[-1].startswith("nexus: passed in ")


@pytest.mark.real
def test_a_dead_api_fails_in_every_report(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    files = ("--junit", "junit.xml", "--json", "report.json", "--summary", "summary.md")
    status, output = smoke(monkeypatch, "http://127.0.0.1:9", *QUICK, "--reporter", "github", *files)
    assert status == 1
    assert output.startswith("::error title=api.health::GET /health: connection refused")
    assert ElementTree.parse(tmp_path / "junit.xml").getroot().get("failures") == "1"
    assert json.loads((tmp_path / "report.json").read_text())["verdict"] == "failed"
    assert "| ✘ | `api.health` |" in (tmp_path / "summary.md").read_text()


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (("--only", "nonsense"), "--only, --skip: no check is left to look at"),
        ((*QUICK, "--junit", "absent/junit.xml"), "absent/junit.xml: cannot be written: No such file or directory"),
    ],
)
def test_a_mistake_is_one_line(monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...], line: str) -> None:
    with pytest.raises(UsageError) as caught:
        smoke(monkeypatch, "http://127.0.0.1:9", *arguments)
    assert caught.value.lines == (line,)
