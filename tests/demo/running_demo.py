"""A real demo as a process of its own, and what a person can do with it."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import psutil

from demo.botapi.config import OPERATOR_ID
from demo.process_tree import HOST
from demo.stack import is_free

ALERT_BOT = "nexus_alerts_bot"
REPOSITORY = Path(__file__).parents[2]
T = TypeVar("T")


def three_free_ports() -> int:
    """Return the first of three free ports in a row, below those the system gives out."""
    start = 21_000 + os.getpid() % 1_000 * 10  # apart from what a test in a neighbouring process takes
    return next(port for port in range(start, 32_000, 10) if all(is_free(port + place) for place in range(3)))


def environment(**more: str) -> dict[str, str]:
    """Return our environment without what would configure a monitor."""
    names = ("PATH", "HOME", "LANG", "TMPDIR", "COVERAGE_PROCESS_CONFIG")
    kept = {key: os.environ[key] for key in names if key in os.environ}
    return {**kept, "PYTHONPATH": str(REPOSITORY), **more}


def command(*arguments: str, env: dict[str, str] | None = None, cwd: Path = REPOSITORY) -> tuple[int, str, str]:
    """Run `nexus-monitor` with these arguments; return exit status, standard output and standard error."""
    done = subprocess.run(
        [sys.executable, "-m", "monitor", *arguments],
        env=env or environment(),
        cwd=cwd,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return done.returncode, done.stdout, done.stderr


def until(look: Callable[[], T], seconds: float, what: str) -> T:
    """Return the first true answer of `look`; fail when there is none in time."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        with contextlib.suppress(OSError):
            if seen := look():
                return seen
        time.sleep(0.1)
    raise AssertionError(f"not within {seconds:g} s: {what}")


def is_alive(pid: int) -> bool:
    """Say whether the process does anything."""
    try:
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


class RunningDemo:
    """`nexus-monitor demo` in a process; everything it prints is kept in a file."""

    def __init__(self, folder: Path) -> None:
        """`folder` becomes the demo's temporary folder."""
        self.temporary = folder / "tmp"
        self.temporary.mkdir()
        self.log = folder / "terminal.log"
        self.port = three_free_ports()
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "monitor", "demo", "--port", str(self.port), "--no-browser"],
                env=environment(TMPDIR=str(self.temporary)),
                cwd=REPOSITORY,
                stdout=log,
                stderr=subprocess.STDOUT,
            )

    @property
    def printed(self) -> str:
        """What stands in its terminal."""
        return self.log.read_text(encoding="utf-8")

    @property
    def folder(self) -> Path:
        """Where its parts write."""
        (found,) = self.temporary.glob("nexus-monitor-demo-*")
        return found

    @property
    def pids(self) -> list[int]:
        """Every process of it, the first one included."""
        first = psutil.Process(self.process.pid)
        return [first.pid, *(child.pid for child in first.children(recursive=True))]

    def up(self, seconds: float = 60.0) -> str:
        """Wait for the last line it prints at start, and return all of it."""

        def looks() -> str:
            assert self.process.poll() is None, self.printed
            return self.printed if "Ctrl-C ends everything." in self.printed else ""

        return until(looks, seconds, f"all checks up; printed: {self.printed}")

    def get(self, path: str) -> Any:
        """Return the JSON at `path` of the dashboard."""
        return json.loads(self.text(path))

    def text(self, path: str, place: int = 0) -> str:
        """Return what stands at `path` of the dashboard (`place` 0) or of Telegram (1)."""
        with urllib.request.urlopen(f"http://{HOST}:{self.port + place}{path}", timeout=10) as response:
            return str(response.read().decode())

    def calls(self, *methods: str) -> list[dict[str, Any]]:
        """Return the alert bot's calls of these Bot API methods, oldest first; not those that keep its board."""
        calls = json.loads(self.text(f"/_/calls?bot={ALERT_BOT}", 1))
        wanted = [call for call in calls if call["method"] in methods]
        return [call for call in wanted if not call["parameters"].get("text", "").startswith("📋")]

    def card(self, message_id: int) -> dict[str, Any]:
        """Return the message as the operator sees it now."""
        messages = json.loads(self.text(f"/_/messages?chat={OPERATOR_ID}&bot={ALERT_BOT}", 1))
        return next(message for message in messages if message["message_id"] == message_id)

    def press(self, message_id: int, label: str) -> None:
        """Press the button of that message whose text holds `label`, as the operator."""
        rows = self.card(message_id)["reply_markup"]["inline_keyboard"]
        data = next(button["callback_data"] for row in rows for button in row if label in button["text"])
        body = {"chat_id": OPERATOR_ID, "bot": ALERT_BOT, "message_id": message_id, "data": data}
        request = urllib.request.Request(
            f"http://{HOST}:{self.port + 1}/_/press", json.dumps(body).encode(), {"content-type": "application/json"}
        )
        urllib.request.urlopen(request, timeout=10).close()

    def demo(self, *arguments: str) -> tuple[int, str, str]:
        """Run `nexus-monitor demo …` from a second terminal."""
        return command("demo", *arguments, "--port", str(self.port))

    def end(self) -> None:
        """Leave nothing behind, whatever a test did."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(30)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait(10)
