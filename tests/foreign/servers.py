"""Debian's own servers on loopback, as unprivileged processes of ours, and programs of other environments."""

import os
import shutil
import signal
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TypeVar

import pytest

from demo.process_tree import HOST, Server

_NOBODY = 65534
NGINX = shutil.which("nginx", path="/usr/sbin:/usr/local/sbin:/usr/bin")
REDIS = shutil.which("redis-server", path="/usr/bin:/usr/local/bin")
POSTGRES = next(iter(sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)), None)

needs_nginx = pytest.mark.skipif(NGINX is None, reason="not installed: nginx (Debian's package)")
needs_redis = pytest.mark.skipif(REDIS is None, reason="not installed: redis-server (Debian's package)")
needs_postgres = pytest.mark.skipif(POSTGRES is None, reason="not installed: postgresql (Debian's package)")

ServerT = TypeVar("ServerT", bound=Server)


class _Listening(Server):
    """A server that is ready as soon as its port accepts."""

    def _answers(self) -> bool:
        try:
            with socket.create_connection((HOST, self.port), timeout=1):
                return self._holds_port()
        except OSError:
            return False


class Nginx(_Listening):
    """nginx with these directives in its `http` block; `{port}` and `{folder}` are filled in."""

    name = "nginx"
    http = ""

    @property
    def url(self) -> str:
        """Its first address."""
        return f"http://{HOST}:{self.port}"

    def _prepare(self) -> None:
        http = self.http.replace("{port}", str(self.port)).replace("{folder}", str(self.folder))
        places = "".join(
            f"{kind}_temp_path {self.folder}/temp-{kind};\n"
            for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        )
        user = "user nobody nogroup;\n" if os.geteuid() == 0 else ""
        (self.folder / "nginx.conf").write_text(
            f"daemon off;\nworker_processes 1;\n{user}pid {self.folder}/pid;\nerror_log stderr;\nevents {{}}\n"
            f"http {{\naccess_log off;\ninclude /etc/nginx/mime.types;\n{places}{http}\n}}\n"
        )

    def _command(self) -> list[str]:
        return [str(NGINX), "-p", str(self.folder), "-e", "stderr", "-c", str(self.folder / "nginx.conf")]


class Redis(_Listening):
    """Debian's Redis, configured as Celery wants it."""

    name = "redis"

    @property
    def url(self) -> str:
        """The address of database 0."""
        return f"redis://{HOST}:{self.port}/0"

    def _command(self) -> list[str]:
        words = ["--bind", HOST, "--port", str(self.port), "--save", "", "--maxmemory-policy", "noeviction"]
        return [str(REDIS), *words, "--dir", str(self.folder)]


class Postgres(Server):
    """Debian's PostgreSQL; few connections, so that they are soon all taken."""

    name = "postgres"
    stop_signal = signal.SIGINT

    @property
    def url(self) -> str:
        """The address of its only database."""
        return f"postgresql://nexus@{HOST}:{self.port}/postgres"

    def _prepare(self) -> None:
        data = self.folder / "data"
        if os.geteuid() == 0:
            os.chown(self.folder, _NOBODY, _NOBODY)
        words = ["-D", str(data), "-U", "nexus", "--auth=trust", "--no-sync", "-E", "UTF8", "--locale=C"]
        command = [*_unprivileged(), f"{POSTGRES}/initdb", *words]
        subprocess.run(command, cwd=self.folder, capture_output=True, timeout=60, check=True)

    def _command(self) -> list[str]:
        settings = {"listen_addresses": HOST, "port": self.port, "unix_socket_directories": "", "fsync": "off"}
        settings |= {"max_connections": 13, "superuser_reserved_connections": 3, "shared_buffers": "8MB"}
        options = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        return [*_unprivileged(), f"{POSTGRES}/postgres", "-D", str(self.folder / "data"), *options]

    def _answers(self) -> bool:
        return subprocess.run(
            [f"{POSTGRES}/pg_isready", "-q", "-h", HOST, "-p", str(self.port)], timeout=10, check=False
        ).returncode == 0  # fmt: skip


class Program(_Listening):
    """One file of `targets/` under the Python of another environment; it listens on `PORT`."""

    name = "program"
    stop_signal = signal.SIGKILL  # it has nothing to put in order
    python = Path()
    file = Path()
    variables: dict[str, str] = {}  # noqa: RUF012  set by who makes it

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://{HOST}:{self.port}"

    def _command(self) -> list[str]:
        return [str(self.python), "-I", str(self.file)]

    def _environment(self) -> dict[str, str]:
        return {**os.environ, **self.variables, "PORT": str(self.port)}


@contextmanager
def running(make: type[ServerT]) -> Iterator[ServerT]:
    """Run one in a folder that its own user may enter when the tests run as root."""
    with TemporaryDirectory(prefix="nexus-foreign-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        folder.chmod(0o755)
        server = make(folder)
        try:
            server.start()
            yield server
        finally:
            server.stop()


def _unprivileged() -> list[str]:
    if os.geteuid() != 0:
        return []
    return ["setpriv", f"--reuid={_NOBODY}", f"--regid={_NOBODY}", "--clear-groups"]
