"""The whole demo: a Nexus in miniature, a Telegram and a Render of its own and the monitor, each part a process."""

import secrets
import shutil
import socket
import threading
from base64 import b64encode
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from demo import names
from demo.botapi.config import ALERT_TOKEN, NEXUS_TOKEN, OPERATOR_ID
from demo.parts import Part, answers_http
from demo.process_tree import HOST, Server, ServerError, free_port
from demo.servers import PostgresServer, ValkeyServer

HERE = Path(__file__).parent
COMMIT = "de30c0ffee5eed"
RENDER = "renderapi"
RENDER_KEY = "rnd_demoRenderKeyIsPublicToo01"
HEARTBEAT_SECONDS = 5
NEXUS_NAMES = ("nexus-api", "nexus-bot", "nexus-worker", "nexus-beat", "nexus-miniapp")


@dataclass(frozen=True, slots=True)
class Ports:
    """The two addresses a person opens, and the one `demo break` speaks to."""

    dashboard: int
    chat: int
    control: int


def is_free(port: int) -> bool:
    """Say whether nothing listens on this port of 127.0.0.1."""
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((HOST, port))
        except OSError:
            return False
        return True


def ports_from(first: int) -> Ports:
    """Return the demo's three ports in a row from `first`."""
    return Ports(first, first + 1, first + 2)


class OutsideWorld:
    """Two listeners that stand for the internet: the monitor looks whether it can reach them."""

    def __init__(self) -> None:
        self.ports = (free_port(), free_port())
        self._listeners: list[socket.socket] = []

    def open(self) -> None:
        """Listen on both ports; connections are taken by the kernel and dropped."""
        for port in self.ports:
            listener = socket.create_server((HOST, port), backlog=64)
            self._listeners.append(listener)
            threading.Thread(target=_drop_connections, args=(listener,), daemon=True, name=f"outside:{port}").start()

    def close(self) -> None:
        """Stop listening: the network is gone."""
        for listener in self._listeners:
            with suppress(OSError):  # where a listener has no other side to shut down, closing it is enough
                listener.shutdown(socket.SHUT_RDWR)
            listener.close()
        self._listeners = []


def _drop_connections(listener: socket.socket) -> None:
    while True:
        try:
            connection, _ = listener.accept()
        except OSError:
            return
        connection.close()


class DemoStack:
    """Every part of the demo, started in order and ended in reverse."""

    def __init__(self, folder: Path, ports: Ports, tuning: Mapping[str, Any] | None = None) -> None:
        """`folder` is a fresh temporary folder; everything the demo writes lies in it.

        `tuning` is laid over the demo's monitor.yaml, section by section.
        """
        self.folder = folder
        self.tuning = tuning or {}
        self._held: dict[str, ExitStack] = {}
        self.ports = ports
        self.secret = secrets.token_urlsafe(24)
        self.outside = OutsideWorld()
        self.postgres = PostgresServer(folder / "postgres")
        self.valkey = ValkeyServer(folder / "valkey")
        self.dist = folder / "miniapp-dist"
        self.names = names.OwnNames(folder / "names")
        self.parts: dict[str, Part] = {}
        self._build()

    @property
    def dashboard_url(self) -> str:
        return f"http://{HOST}:{self.ports.dashboard}"

    @property
    def chat_url(self) -> str:
        return f"http://{HOST}:{self.ports.chat}"

    @property
    def sdk_url(self) -> str:
        """The demo's own telegram-web-app.js."""
        return f"{self.chat_url}/static/telegram-web-app.js"

    @property
    def servers(self) -> Mapping[str, Server]:
        """Every process tree by name, in the order of starting."""
        return {"postgres": self.postgres, "valkey": self.valkey, **self.parts}

    @property
    def monitor(self) -> Part:
        return self.parts["nexus-monitor"]

    def _build(self) -> None:
        api, bot, miniapp = free_port(), free_port(), free_port()
        url = {name: f"http://{HOST}:{port}" for name, port in (("api", api), ("bot", bot), ("miniapp", miniapp))}
        shared = {
            "BOT_TOKEN": NEXUS_TOKEN,
            "DATABASE_URL": self.postgres.url,
            "REDIS_URL": self.valkey.url,
            "TELEGRAM_API_URL": self.chat_url,
            "WEBHOOK_SECRET": self.secret,
            "WEBHOOK_URL": f"{url['bot']}/webhook",
            "API_URL": url["api"],
            "MINIAPP_URL": url["miniapp"],
            "NEXUS_HEARTBEAT_SECONDS": str(HEARTBEAT_SECONDS),
            "RENDER_GIT_COMMIT": COMMIT,
            "SHARE_PORT": "1",
        }
        worker = ["celery", "-A", "demo.nexus.celery_app", "worker", "-Q", "celery,reports", "-c", "2", "-l", "info"]
        beat = ["celery", "-A", "demo.nexus.celery_app", "beat", "-s", str(self.folder / "beat-schedule"), "-l", "info"]
        self._add(
            "botapi", ["demo.botapi", "--host", HOST, "--port", str(self.ports.chat)], {}, self.ports.chat, "/_/health"
        )
        render, hook = free_port(), f"whsec_{b64encode(secrets.token_bytes(24)).decode()}"
        rendering = ["--host", HOST, "--port", str(render), "--key", RENDER_KEY, "--commit", COMMIT]
        rendering += ["--webhook-url", f"{self.dashboard_url}/hooks/render", "--webhook-secret", hook]
        self._add(RENDER, ["demo.renderapi", *rendering], {}, render, "/_/health")
        self._add("nexus-api", ["demo.nexus.api"], {**shared, "PORT": str(api)}, api, "/version")
        self._add("nexus-worker", worker, shared, 0, None)
        self._add("nexus-beat", beat, shared, 0, None)
        self._add("nexus-bot", ["demo.nexus.bot"], {**shared, "PORT": str(bot)}, bot, "/health")
        dist = {"DIST": str(self.dist), "PORT": str(miniapp), "TELEGRAM_SDK_URL": self.sdk_url}
        self._add("nexus-miniapp", ["demo.nexus.miniapp"], {**shared, **dist}, miniapp, "/")
        self._add(
            "nexus-monitor",
            ["monitor", "serve", "--config", str(self.folder / "monitor.yaml")],
            {
                # All that a user must give: the rest is found. The secret cannot be, and is optional.
                **{name: shared[name] for name in ("API_URL", "DATABASE_URL", "REDIS_URL", "BOT_TOKEN")},
                "WEBHOOK_SECRET": self.secret,
                "TELEGRAM_API_URL": self.chat_url,
                "RENDER_API_KEY": RENDER_KEY,
                "RENDER_API_URL": f"http://{HOST}:{render}/v1",
                "RENDER_WEBHOOK_SECRET": hook,
                "ALERT_BOT_TOKEN": ALERT_TOKEN,
                "ALERT_CHAT_ID": str(OPERATOR_ID),
                "MONITOR_DATABASE_URL": f"sqlite:///{self.folder / 'monitor.db'}",
                "MONITOR_URL": self.dashboard_url,
                "PORT": str(self.ports.dashboard),
            },
            self.ports.dashboard,
            "/healthz",
        )
        self.monitor.prefix = self.names.prefix

    def _add(self, name: str, arguments: list[str], environment: dict[str, str], port: int, path: str | None) -> None:
        ready_words = "ready." if name == "nexus-worker" else ""
        answers: Callable[[], bool] = (lambda: answers_http(port, path)) if path else (lambda: True)
        environment = {**environment, "PYTHONPATH": str(HERE.parent), "SERVICE_NAME": name}
        self.parts[name] = Part(
            name, arguments, environment, self.folder / name, port, answers=answers, ready_words=ready_words
        )

    def start(self) -> Iterator[str]:
        """Start everything; yield the name of each part before its start. Raises ServerError or OSError."""
        shutil.copytree(HERE / "nexus" / "miniapp" / "dist", self.dist)
        self.outside.open()
        self.names.write()
        self._write_monitor_yaml()
        telegram, *others = self.parts.values()
        telegram.launch()
        yield "postgres"
        self.postgres.start()
        yield "valkey"
        self.valkey.start()
        yield telegram.name
        telegram.wait_ready()  # before anybody talks to whatever else may answer on its port
        for part in others:
            part.launch()
        for part in others:
            yield part.name
            part.wait_ready()

    def _write_monitor_yaml(self) -> None:
        configuration = yaml.safe_load((HERE / "monitor.yaml").read_text(encoding="utf-8"))
        for section, values in self.tuning.items():
            configuration[section] = laid_over(configuration.get(section, {}), values)
        configuration["vantage"] = {
            "dns_names": list(self.names.known),
            "egress_targets": [f"{HOST}:{port}" for port in self.outside.ports],
        }
        configuration["checks"]["miniapp.sdk"] = {"url": self.sdk_url}
        configuration["alerts"] = {"operators": [OPERATOR_ID]}
        (self.folder / "monitor.yaml").write_text(yaml.safe_dump(configuration, sort_keys=False), encoding="utf-8")

    def stop(self) -> None:
        """End everything, the monitor first, so that the end of the demo is no incident.

        Raises ServerError, one line, when something does not end; the others are ended all the same.
        """
        for name in list(self._held):
            self.let_go(name)
        errors = []
        for server in reversed(list(self.servers.values())):
            try:
                server.stop()
            except (OSError, ServerError) as error:
                errors.append(str(error))
        self.outside.close()
        if errors:
            raise ServerError("; ".join(errors))

    def hold(self, name: str) -> ExitStack:
        """Return a place for what a fault keeps open (connections, threads), until `let_go(name)` or the end."""
        return self._held.setdefault(name, ExitStack())

    def let_go(self, name: str) -> None:
        """Close what is held under `name`, if anything is."""
        if held := self._held.pop(name, None):
            held.close()

    def pids(self) -> list[int]:
        """Return every process of the demo that is alive."""
        return [pid for server in self.servers.values() for pid in server.pids()]


def laid_over(usual: Mapping[str, Any], other: Mapping[str, Any]) -> dict[str, Any]:
    """Return both mappings as one, `other` above, mappings in them likewise."""
    laid = {**usual, **other}
    for key in usual.keys() & other.keys():
        if isinstance(usual[key], Mapping) and isinstance(other[key], Mapping):
            laid[key] = laid_over(usual[key], other[key])
    return laid


@contextmanager
def running(folder: Path, ports: Ports) -> Iterator[DemoStack]:
    """Run the demo inside a `with`; it is ended on the way out, whatever happens."""
    stack = DemoStack(folder, ports)
    try:
        for _ in stack.start():
            pass
        yield stack
    finally:
        stack.stop()
