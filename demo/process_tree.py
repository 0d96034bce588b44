"""A server as a process tree of its own on 127.0.0.1: started, stopped, killed, paused, with the same data and port."""

import contextlib
import os
import signal
import socket
import subprocess
import time
from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path

import psutil

HOST = "127.0.0.1"
START_SECONDS = 30.0
STOP_SECONDS = 5.0
_POLL_SECONDS = 0.01


class ServerError(RuntimeError):
    """A server that does not start or stop; the message is one line and names the server and its log."""


def free_port() -> int:
    """Return a TCP port of 127.0.0.1 that nothing uses now."""
    with socket.socket() as listener:
        listener.bind((HOST, 0))
        port: int = listener.getsockname()[1]
        return port


class Server(ABC):
    """One server process tree that can be stopped, killed, paused and started again with the same data and port."""

    name: str
    stop_signal = signal.SIGTERM
    """What asks the main process for an orderly end; Render sends the same."""

    def __init__(self, folder: Path, port: int | None = None) -> None:
        """Take the `folder` that holds data and log (made if absent) and the `port` (free one if none)."""
        self.folder = folder.resolve()
        self.port = port or free_port()
        self.log_path = self.folder / f"{self.name}.log"
        self._process: subprocess.Popen[bytes] | None = None

    @property
    @abstractmethod
    def url(self) -> str:
        """The address for clients, with name and password."""

    @property
    def is_running(self) -> bool:
        """Say whether the main process exists. A paused server runs."""
        return self._process is not None and self._process.poll() is None

    def pids(self) -> tuple[int, ...]:
        """Return the main process and all its descendants, the main one first; empty when it does not run."""
        if not self.is_running or self._process is None:
            return ()
        try:
            main = psutil.Process(self._process.pid)
            return (main.pid, *(child.pid for child in main.children(recursive=True)))
        except psutil.NoSuchProcess:
            return ()

    def start(self) -> None:
        """Start the server and return when it answers; do nothing when it runs.

        Raises `ServerError` when it does not answer within 30 s or ends before.
        """
        if not self.is_running:
            self.launch()
            self.wait_ready()

    def launch(self) -> None:
        """Start the process and return at once, ready or not."""
        self.folder.mkdir(parents=True, exist_ok=True)
        self._prepare()
        with self.log_path.open("ab") as log:
            self._process = subprocess.Popen(
                self._command(),
                cwd=self.folder,
                env=self._environment(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # Ctrl-C in the terminal is the demo's business, not the server's
            )

    def wait_ready(self) -> None:
        """Return when it answers. Raises `ServerError` when it ends before, or does not answer within 30 s."""
        deadline = time.monotonic() + START_SECONDS
        while not (self._answers() and self.is_running):
            if not self.is_running:
                raise ServerError(f"{self.name} on port {self.port} ended at start: {self._last_log_line()}")
            if time.monotonic() > deadline:
                self.kill()
                raise ServerError(f"{self.name} on port {self.port} did not answer in {START_SECONDS:.0f} s")
            time.sleep(_POLL_SECONDS)
        self._after_start()

    def stop(self) -> None:
        """End the server in order, paused or not; kill what is left after 5 s. Do nothing when it does not run."""
        if self._process is None:
            return
        self.resume()
        pids = self.pids()
        if pids:
            self._process.send_signal(self.stop_signal)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(STOP_SECONDS)
        self._kill(pids)

    def replace(self) -> None:
        """Start a second one, and end the first when the second is ready: a deploy without a gap.

        For servers without a port, or with one that they share. The first is ended whatever happens; raises
        `ServerError` when the second does not get ready.
        """
        first, pids = self._process, self.pids()
        try:
            self.launch()
            self.wait_ready()
        finally:
            if first is not None and pids:
                self._signal(pids, signal.SIGCONT)
                first.send_signal(self.stop_signal)
                with contextlib.suppress(subprocess.TimeoutExpired):
                    first.wait(STOP_SECONDS)
                self._signal(pids, signal.SIGKILL)
                with contextlib.suppress(subprocess.TimeoutExpired):
                    first.wait(STOP_SECONDS)

    def kill(self) -> None:
        """Kill every process of the server at once (SIGKILL), as a crash would."""
        self._kill(self.pids())

    def pause(self) -> None:
        """Freeze every process (SIGSTOP): the port accepts connections, nothing answers."""
        self._signal(self.pids(), signal.SIGSTOP)

    def resume(self) -> None:
        """Let a paused server go on (SIGCONT)."""
        self._signal(self.pids(), signal.SIGCONT)

    def _kill(self, pids: Sequence[int]) -> None:
        self._signal(pids, signal.SIGKILL)
        if self._process is not None:
            with contextlib.suppress(subprocess.TimeoutExpired):  # told below
                self._process.wait(STOP_SECONDS)
                self._process = None
        # The children hold the data: a restart must find them gone.
        deadline = time.monotonic() + STOP_SECONDS
        while any(_is_alive(pid) for pid in pids):
            if time.monotonic() > deadline:
                raise ServerError(f"{self.name} on port {self.port} left processes behind: {pids}")
            time.sleep(_POLL_SECONDS)

    @staticmethod
    def _signal(pids: Sequence[int], number: signal.Signals) -> None:
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)

    def _holds_port(self) -> bool:
        """Say whether one of its processes listens on its port: an answer from there may be another server's."""
        for pid in self.pids():
            try:
                connections = psutil.Process(pid).net_connections("tcp")
            except psutil.NoSuchProcess:
                continue
            except psutil.AccessDenied:  # where the system does not tell, the answer must do
                return True
            if any(one.status == psutil.CONN_LISTEN and one.laddr.port == self.port for one in connections):
                return True
        return False

    def _last_log_line(self) -> str:
        lines = self.log_path.read_text(errors="replace").strip().splitlines()
        return f"{lines[-1][:300]} (log: {self.log_path})" if lines else f"no word in {self.log_path}"

    def _prepare(self) -> None:  # noqa: B027  a hook, empty where nothing is to be done
        """Make the data where it is missing."""

    def _after_start(self) -> None:  # noqa: B027  as above
        """Do what needs the running server."""

    def _environment(self) -> dict[str, str] | None:
        """Return the process's environment; None inherits ours."""
        return None

    @abstractmethod
    def _command(self) -> list[str]: ...

    @abstractmethod
    def _answers(self) -> bool: ...


def _is_alive(pid: int) -> bool:
    try:
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False
