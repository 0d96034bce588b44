"""A real RabbitMQ of our own on loopback: Debian's package, run as an unprivileged process, never as a service."""

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory

import psutil
import pytest

from demo.process_tree import HOST, Server, ServerError, free_port

PROGRAMS = Path("/usr/lib/rabbitmq/bin")
"""Those in /usr/sbin start it as the system's user."""
START_SECONDS = 60.0
_NOBODY = 65534

needs_rabbitmq = pytest.mark.skipif(
    not (PROGRAMS / "rabbitmq-server").exists(), reason="not installed: rabbitmq-server (Debian's package)"
)


class RabbitServer(Server):
    """RabbitMQ with its own epmd, data and log below `folder`; user and password `nexus`."""

    name = "rabbitmq"

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self._epmd_port, self._dist_port = free_port(), free_port()
        self._epmd: subprocess.Popen[bytes] | None = None
        self.node = f"nexus{self.port}@localhost"

    @property
    def url(self) -> str:
        """The address of the default virtual host."""
        return f"amqp://nexus:nexus@{HOST}:{self.port}//"

    def control(self, *words: str) -> list[list[str]]:
        """Run `rabbitmqctl` and return its lines, each split into words."""
        command = [*_unprivileged(), str(PROGRAMS / "rabbitmqctl"), "-q", "-n", self.node, *words]
        done = subprocess.run(
            command, env=self._environment(), cwd=self.folder, capture_output=True, text=True, timeout=60, check=False
        )
        if done.returncode:
            raise ServerError(f"rabbitmqctl {words[0]}: {(done.stdout + done.stderr)[:500]}")
        return [line.split() for line in done.stdout.splitlines()[1:]]

    def state(self) -> tuple[list[list[str]], list[list[str]], int]:
        """Return queues, exchanges and how many connections are ours: workers open and close theirs."""
        mine = {str(one.laddr.port) for one in psutil.Process().net_connections("tcp") if one.laddr}
        asked = (("list_connections", "peer_port"), ("list_queues", "name"), ("list_exchanges", "name"))
        with ThreadPoolExecutor() as threads:  # each starts an Erlang
            ports, queues, exchanges = threads.map(lambda words: self.control(*words), asked)
        return sorted(queues), sorted(exchanges), sum(port in mine for (port,) in ports)

    def wait_ready(self) -> None:
        """Return when it answers: Erlang takes its time."""
        deadline = time.monotonic() + START_SECONDS
        while not self._answers():
            if not self.is_running or time.monotonic() > deadline:
                said = self._last_log_line()
                self.kill()
                raise ServerError(f"rabbitmq on port {self.port} did not start: {said}")
            time.sleep(0.1)

    def stop(self) -> None:
        """Kill it: its data need not outlive the test."""
        self.resume()
        self.kill()
        if self._epmd is not None:
            self._epmd.kill()
            self._epmd.wait(5)
            self._epmd = None

    def _prepare(self) -> None:
        for name in ("mnesia", "log", "home"):
            (self.folder / name).mkdir(exist_ok=True)
        (self.folder / "rabbitmq.conf").write_text(
            f"listeners.tcp.1 = {HOST}:{self.port}\ndefault_user = nexus\ndefault_pass = nexus\n"
        )
        (self.folder / "enabled_plugins").write_text("[].")
        if os.geteuid() == 0:
            for path in (self.folder, *self.folder.rglob("*")):
                os.chown(path, _NOBODY, _NOBODY)
        program = shutil.which("epmd")
        if program is None:
            raise ServerError("epmd is not installed")
        self._epmd = subprocess.Popen(
            [*_unprivileged(), program, "-address", HOST, "-port", str(self._epmd_port)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )

    def _environment(self) -> dict[str, str]:
        folder = self.folder
        return {
            "PATH": "/usr/local/bin:/usr/bin:/bin:/usr/sbin",
            "LANG": "C.UTF-8",
            "HOME": str(folder / "home"),
            "ERL_EPMD_ADDRESS": HOST,
            "ERL_EPMD_PORT": str(self._epmd_port),
            "RABBITMQ_NODENAME": self.node,
            "RABBITMQ_DIST_PORT": str(self._dist_port),
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "-kernel inet_dist_use_interface {127,0,0,1} -start_epmd false",
            "RABBITMQ_CTL_ERL_ARGS": "-start_epmd false",
            "RABBITMQ_MNESIA_BASE": str(folder / "mnesia"),
            "RABBITMQ_LOG_BASE": str(folder / "log"),
            "RABBITMQ_CONFIG_FILE": str(folder / "rabbitmq.conf"),
            "RABBITMQ_CONF_ENV_FILE": str(folder / "none.conf"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(folder / "enabled_plugins"),
            "RABBITMQ_PID_FILE": str(folder / "pid"),
        }

    def _command(self) -> list[str]:
        return [*_unprivileged(), str(PROGRAMS / "rabbitmq-server")]

    def _answers(self) -> bool:
        try:
            with socket.create_connection((HOST, self.port), timeout=1) as connection:
                connection.sendall(b"AMQP\x00\x00\x09\x01")
                return bool(connection.recv(1)) and self._holds_port()
        except OSError:
            return False


def _unprivileged() -> list[str]:
    if os.geteuid() != 0:
        return []
    return ["setpriv", f"--reuid={_NOBODY}", f"--regid={_NOBODY}", "--clear-groups"]


@pytest.fixture(scope="module")
def rabbit() -> Iterator[RabbitServer]:
    """One server for the tests of a file, in a folder that its own user may enter when the tests run as root."""
    with TemporaryDirectory(prefix="nexus-rabbitmq-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        folder.chmod(0o755)
        server = RabbitServer(folder)
        try:
            server.start()
            yield server
        finally:
            server.stop()
