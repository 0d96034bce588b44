"""`nexus-monitor serve`: every mistake at the start is one line and exit status 2, and SIGTERM is an orderly end."""

import json
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from demo.process_tree import free_port
from demo.servers import PostgresServer
from tests.demo.running_demo import command, environment, until
from tests.stores import postgres

__all__ = ["postgres"]
pytestmark = pytest.mark.real


@contextmanager
def serving(folder: Path, env: dict[str, str] | None = None) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Run `serve` on a free port; yield the process and its address once it answers."""
    port = free_port()
    process = subprocess.Popen(
        [sys.executable, "-m", "monitor", "serve", "--port", str(port)],
        env=env or environment(),
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    url = f"http://127.0.0.1:{port}"
    try:

        def answers() -> int:
            assert process.poll() is None, process.communicate()[0]
            return asked(f"{url}/healthz")[0]

        until(answers, 60, "an answer")
        yield process, url
    finally:
        process.kill()
        process.wait(10)
        assert process.stdout is not None
        process.stdout.close()


def asked(url: str, token: str = "") -> tuple[int, str]:
    """Return status and body of a GET."""
    headers = {"authorization": f"Bearer {token}"} if token else {}
    try:
        with urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=10) as response:
            return response.status, response.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()


def test_nothing_configured_but_our_own_sight_works_and_sigterm_ends_it(tmp_path: Path) -> None:
    (tmp_path / "monitor.yaml").write_text(
        "vantage: {dns_names: [localhost], egress_targets: ['127.0.0.1:9']}\ndefaults: {interval_seconds: 2}",
        encoding="utf-8",
    )
    with serving(tmp_path) as (process, url):
        alive = json.loads(asked(f"{url}/healthz")[1])
        assert (list(alive), alive["status"]) == (["status", "loop_ticked_seconds_ago"], "ok")
        until(lambda: asked(f"{url}/readyz")[0] == 200, 15, "ready")
        assert json.loads(asked(f"{url}/readyz")[1]) == {"status": "ready", "waiting_for": []}
        body: dict[str, Any] = json.loads(asked(f"{url}/api/v1/status")[1])
        assert list(body) == ["status", "checks", "incidents"]
        assert sorted(check["id"] for check in body["checks"]) == [
            "vantage.dns", "vantage.egress", "vantage.loop", "vantage.store",
        ]  # fmt: skip
        for check in body["checks"]:
            assert list(check) == [
                "id", "service", "status", "reason", "summary", "last_run_at", "duration_seconds", "incident",
            ]  # fmt: skip
        metrics = asked(f"{url}/metrics")[1]
        for name in (
            'nexus_check_status{check="vantage.loop",service="monitor",status="up"} 1.0',
            'nexus_check_runs_total{check="vantage.store",outcome="ok"}',
            "nexus_check_duration_seconds_bucket",
            "nexus_check_last_run_timestamp_seconds",
            "nexus_incidents_open",
            "nexus_outbox_oldest_seconds 0.0",
            "nexus_loop_lag_seconds",
            "nexus_build_info",
        ):
            assert name in metrics
        process.send_signal(signal.SIGTERM)
        out, _ = process.communicate(timeout=10)
        assert process.returncode == 0
    assert "service.started" in out
    assert "service.stopping" in out
    assert "Traceback" not in out


def test_an_open_event_stream_does_not_hold_up_the_end(tmp_path: Path) -> None:
    with serving(tmp_path) as (process, url), urllib.request.urlopen(f"{url}/events", timeout=10) as stream:
        assert stream.readline()
        process.send_signal(signal.SIGTERM)
        out, _ = process.communicate(timeout=10)
        assert process.returncode == 0
    assert "Traceback" not in out


def test_a_port_in_use_is_one_line(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        status, out, err = command("serve", "--port", str(port), cwd=tmp_path)
    assert (status, out) == (2, "")
    assert err == f"nexus-monitor: port {port} on 127.0.0.1: cannot listen: Address already in use\n"


def test_an_address_that_is_not_ours_is_one_line(tmp_path: Path) -> None:
    status, out, err = command("serve", "--port", "0", "--host", "nowhere.invalid", cwd=tmp_path)
    assert (status, out) == (2, "")
    assert err.startswith("nexus-monitor: port 0 on nowhere.invalid: cannot listen: ")
    assert err.count("\n") == 1


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("sqlite:////proc/monitor.db", "database: sqlite:////proc/monitor.db cannot be opened: "),
        ("sqlite:///{folder}/file/monitor.db", "database: sqlite:///{folder}/file/monitor.db: its folder cannot be "),
        ("sqlite:///{folder}/file", "database: sqlite:///{folder}/file cannot be opened: file is not a database"),
        ("sqlite:///", "database: 'sqlite:///' is neither sqlite:///path nor postgresql://"),
        ("postgresql://nexus:hush@127.0.0.1:{nobody}/nexus", "/nexus does not answer: "),
        ("postgresql://nexus:hush@127.0.0.1:{postgres}/nexus", "/nexus refuses the name or password"),
        ("postgresql://nexus:nexus@127.0.0.1:{postgres}/absent", '/absent: database "absent" does not exist'),
    ],
    ids=["no permission", "folder", "not a database", "no path", "nobody answers", "wrong password", "no database"],
)
def test_a_database_that_cannot_be_used_is_one_line(
    url: str, says: str, tmp_path: Path, postgres: PostgresServer
) -> None:
    (tmp_path / "file").write_text("this is text, and long enough to be seen as such " * 30, encoding="utf-8")
    known = {"folder": tmp_path, "nobody": free_port(), "postgres": postgres.port}
    env = environment(MONITOR_DATABASE_URL=url.format(**known))
    status, out, err = command("serve", "--port", "0", env=env, cwd=tmp_path)
    assert (status, out) == (2, ""), err
    assert says.format(**known) in err
    assert err.startswith("nexus-monitor: database: ")
    assert err.count("\n") == 1
    assert "hush" not in err
