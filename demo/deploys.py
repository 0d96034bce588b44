"""Deploys that are played: Render tells of them, processes really change, and a rollback brings the old ones back."""

import json
import secrets
import threading
import time
import urllib.request
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from demo.nexus.flaws import VARIABLE, Flaw
from demo.process_tree import ServerError
from demo.stack import NEXUS_NAMES, RENDER, DemoStack

BUILD_SECONDS = 3.0
START_SECONDS = 1.0
LOOK_SECONDS = 1.0
CALL_SECONDS = 5.0
UNWATCHED = ("nexus-miniapp",)
"""Files alone: there is no process to be replaced."""
WORKERS = ("nexus-worker",)
KINDS = {
    "good": "Make the list of tasks faster",
    "bad": "Sort tasks by their due date",
    "failed": "Pin pydantic to 2.10",
}
"""How a deploy ends, and the commit's message."""
BROKEN = "nexus-api"
FAILED_BUILD = (
    "==> Running build command 'pip install -r requirements.txt'...",
    "  error: failed to create directory `/usr/local/cargo/registry/cache/`",
    "  Caused by: Read-only file system (os error 30)",
    "  💥 maturin failed",
    "==> Build failed 😞",
)


class Deployer:
    """Plays one deploy of all services at a time, as a push does; and the rollbacks that Render is asked for."""

    def __init__(self, stack: DemoStack, hands_off: threading.Lock) -> None:
        """`hands_off` keeps faults away while processes change."""
        self._stack = stack
        self._hands_off = hands_off
        self._running = threading.Lock()
        self._ended = threading.Event()
        self._arguments = {name: stack.parts[name].arguments for name in WORKERS}
        threading.Thread(target=self._follow_rollbacks, daemon=True, name="rollbacks").start()

    def begin(self, kind: str) -> str:
        """Begin a deploy; return what will happen. Raises ValueError for an unknown kind, or while another one runs."""
        if kind not in KINDS:
            raise ValueError(f"{kind}: a deploy is {', '.join(KINDS)}")
        if not self._running.acquire(blocking=False):
            raise ValueError("another deploy is under way")
        commit = secrets.token_hex(20)
        threading.Thread(target=self._releasing(lambda: self._deploy(commit, kind)), daemon=True, name="deploy").start()
        return f"{commit[:7]} is being deployed: {KINDS[kind]}"

    def end(self) -> None:
        """Begin nothing more, and wait for what runs."""
        self._ended.set()
        if self._running.acquire(timeout=60):
            self._running.release()

    def _releasing(self, work: Callable[[], None]) -> Callable[[], None]:
        def do() -> None:
            try:
                work()
            except (OSError, ServerError):
                pass  # the demo ends, or a part does not start: the monitor tells of that
            finally:
                self._running.release()

        return do

    def _deploy(self, commit: str, kind: str) -> None:
        begun = {
            name: self._ask("/_/deploys", {"service": name, "commit": commit, "message": KINDS[kind]})["id"]
            for name in NEXUS_NAMES
        }
        self._ended.wait(BUILD_SECONDS)
        if kind == "failed":
            self._ask(f"/_/deploys/{begun.pop(BROKEN)}", {"status": "build_failed", "build_log": FAILED_BUILD})
        flaws = {VARIABLE: Flaw.ROUTER_RAISES.value} if kind == "bad" else {}
        with ThreadPoolExecutor(len(begun)) as at_once:
            for name, deploy_id in begun.items():
                at_once.submit(self._go_live, name, deploy_id, commit, flaws if name == BROKEN else {})

    def _go_live(self, name: str, deploy_id: str, commit: str, flaws: dict[str, str]) -> None:
        self._ask(f"/_/deploys/{deploy_id}", {"status": "update_in_progress"})
        self._ended.wait(START_SECONDS)
        self._replace(name, commit, flaws)
        self._ask(f"/_/deploys/{deploy_id}", {"status": "live"})

    def _replace(self, name: str, commit: str, changes: dict[str, str]) -> None:
        if name in UNWATCHED or self._ended.is_set():
            return
        part = self._stack.parts[name]
        with self._hands_off:
            part.usual_environment["RENDER_GIT_COMMIT"] = commit
            if name in WORKERS:  # on Render every deploy runs under another host name
                part.arguments = (*self._arguments[name], "-n", f"celery@{name}-{commit[:7]}")
            part.deploy(**changes)

    def _follow_rollbacks(self) -> None:
        """Play what Render was asked for by others: it brings a commit back, and its process with it."""
        while not self._ended.wait(LOOK_SECONDS):
            try:
                asked = self._ask("/_/rollbacks")
            except (OSError, ValueError):
                continue
            for one in asked:
                if self._running.acquire(timeout=60):
                    self._releasing(lambda one=one: self._roll_back(one))()  # type: ignore[misc]

    def _roll_back(self, asked: dict[str, str]) -> None:
        time.sleep(START_SECONDS)
        self._go_live(asked["service"], asked["id"], asked["commit"], {})

    def _ask(self, path: str, body: Any = None) -> Any:
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(  # noqa: S310  our own loopback address
            self._stack.parts[RENDER].url + path, data, {"content-type": "application/json"}
        )
        with urllib.request.urlopen(request, timeout=CALL_SECONDS) as answer:  # noqa: S310  as above
            return json.load(answer)
