"""The demo's start and end: two of them on one block of ports, and servers that do not end."""

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from demo.guard import guarded
from demo.parts import Part, answers_http
from demo.process_tree import HOST, Server, ServerError, free_port
from demo.servers import ValkeyServer
from demo.stack import DemoStack, Ports
from tests.demo.running_demo import RunningDemo, command, is_alive, until

pytestmark = pytest.mark.real

SLEEPER = "import time; time.sleep(600)"


@pytest.fixture
def demo(tmp_path: Path) -> Iterator[RunningDemo]:
    """One demo, just started."""
    running = RunningDemo(tmp_path)
    try:
        yield running
    finally:
        running.end()


def _web(folder: Path, port: int) -> Part:
    return Part(
        "web", ["http.server", "--bind", HOST, str(port)], {}, folder, port, answers=lambda: answers_http(port, "/")
    )


@pytest.mark.parametrize(
    "make",
    [pytest.param(_web, id="part"), pytest.param(ValkeyServer, id="valkey")],
)
def test_another_ones_answer_on_its_port_is_not_its_own(make: type[Server], tmp_path: Path) -> None:
    port = free_port()
    first, second = make(tmp_path / "first", port), make(tmp_path / "second", port)
    first.start()
    try:
        with pytest.raises(ServerError, match=rf"^{second.name} on port {port} ended at start: .*log: .*$"):
            second.start()
        assert not second.is_running
        assert first.is_running
    finally:
        second.stop()
        first.stop()


def test_a_part_without_a_port_that_ended_at_once_is_not_ready(tmp_path: Path) -> None:
    part = Part("worker", ["no_such_module"], {}, tmp_path, 0)
    part.launch()
    until(lambda: not part.is_running, 20, "it ended")
    with pytest.raises(ServerError, match=r"^worker on port .* ended at start: .*No module named no_such_module"):
        part.wait_ready()
    part.stop()


class StuckServer(Server):
    """One that does not end when told to."""

    name = "stuck"

    @property
    def url(self) -> str:
        return ""

    def stop(self) -> None:
        raise ServerError("stuck on port 1 left processes behind: (1,)")

    def _command(self) -> list[str]:
        return []

    def _answers(self) -> bool:
        return True


def test_one_server_that_does_not_end_keeps_none_of_the_others_alive(tmp_path: Path) -> None:
    stack = DemoStack(tmp_path, Ports(free_port(), free_port(), free_port()))
    stack.valkey.start()
    pids = stack.pids()
    stack.parts["botapi"] = StuckServer(tmp_path / "one")  # type: ignore[assignment]
    stack.parts["nexus-monitor"] = StuckServer(tmp_path / "two")  # type: ignore[assignment]
    line = "stuck on port 1 left processes behind: (1,)"
    with pytest.raises(ServerError) as caught:
        stack.stop()
    assert str(caught.value) == f"{line}; {line}"
    assert len(pids) == 1
    assert [pid for pid in pids if is_alive(pid)] == []


@pytest.mark.parametrize("has_ended", [True, False], ids=["all ended", "something did not end"])
def test_the_guard_ends_what_a_demo_could_not(has_ended: bool, tmp_path: Path) -> None:
    folder = tmp_path / "demo"
    folder.mkdir()
    with guarded(folder) as all_ended:
        left = subprocess.Popen([sys.executable, "-c", SLEEPER], cwd=folder)
        if has_ended:
            all_ended()
    try:
        assert (left.poll() is None, folder.exists()) == (has_ended, has_ended)
    finally:
        left.kill()
        left.wait(10)


def test_a_second_demo_beside_one_that_starts_is_one_line_and_does_it_no_harm(demo: RunningDemo) -> None:
    until(lambda: demo.demo("faults")[0] == 0, 20, "the first holds its ports")
    assert "starting nexus-api" not in demo.printed
    status, out, err = command("demo", "--port", str(demo.port), "--no-browser")
    assert (status, out) == (2, "")
    # Telegram may listen already; where it does not yet, the control port keeps the second off.
    assert err in {
        f"nexus-monitor: --port {demo.port}: port {taken} is in use; a demo needs three free ports in a row\n"
        for taken in (demo.port + 1, demo.port + 2)
    }
    assert re.search(r"all \d+ checks up", demo.up())
    calls = json.loads(demo.text("/_/calls?method=setWebhook", 1))
    assert [call["parameters"]["url"] for call in calls] == [_webhook_url(demo)]


def test_a_start_that_fails_is_one_line_and_keeps_the_logs_it_names(demo: RunningDemo) -> None:
    until(lambda: "starting postgres" in demo.printed, 20, "it starts")
    (folder,) = demo.temporary.iterdir()
    (telegram,) = until(
        lambda: [pid for pid in demo.pids if "demo.botapi" in psutil.Process(pid).cmdline()], 10, "Telegram is started"
    )
    os.kill(telegram, signal.SIGKILL)
    assert demo.process.wait(60) == 2
    (line,) = [line for line in demo.printed.splitlines() if line.startswith("nexus-monitor: ")]
    assert line.startswith(f"nexus-monitor: botapi on port {demo.port + 1} ended at start: ")
    assert line.endswith(f"; the logs are in {folder}")
    assert (folder / "botapi" / "botapi.log").exists()
    assert "Traceback" not in demo.printed
    assert _working_in(folder) == []


def _working_in(folder: Path) -> list[int]:
    found = []
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            if Path(process.cwd()).is_relative_to(folder):
                found.append(process.pid)
    return found


def _webhook_url(demo: RunningDemo) -> str:
    """Return the address that the demo's own bot was started with."""
    (bot,) = (found for pid in demo.pids if "demo.nexus.bot" in (found := psutil.Process(pid)).cmdline())
    return bot.environ()["WEBHOOK_URL"]
