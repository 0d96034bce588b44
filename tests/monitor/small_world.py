"""A small world of real processes: one target, a Bot API, and monitors on one database."""

import http.server
import json
import os
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import yaml

from demo.botapi.config import ALERT_TOKEN, OPERATOR_ID
from demo.parts import Part, answers_http
from demo.process_tree import HOST, free_port
from demo.stack import OutsideWorld

BOT = "nexus_alerts_bot"
REPOSITORY = Path(__file__).parents[2]
CONFIGURATION = {
    "name": "small",
    "defaults": {
        "interval_seconds": 1,
        "timeout_seconds": 0.8,
        "retry_seconds": 0.5,
        "confirm": {"failures": 3, "span_seconds": 1},
        "recover": {"successes": 3, "span_seconds": 1},
    },
    "incidents": {"gate_settle_seconds": 2},
    "alerts": {"operators": [OPERATOR_ID]},
}

Answer = TypeVar("Answer")


def until(question: Callable[[], Answer], seconds: float, what: str) -> Answer:
    """Ask until the answer is true, and return it; fail with `what` after so many seconds."""
    deadline = time.monotonic() + seconds
    while not (answer := question()):
        assert time.monotonic() < deadline, f"not within {seconds} s: {what}"
        time.sleep(0.1)
    return answer


def get(url: str) -> tuple[int, Any]:
    """Return status and JSON body; status 0 when nobody answers."""
    try:
        with urllib.request.urlopen(url, timeout=2) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.load(error)
    except OSError:
        return 0, {}


class Target:
    """The watched API: answers `/health` with 200, or with 500 while it is broken."""

    def __init__(self) -> None:
        self.is_broken = False
        target = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                body = b'{"status": "ok"}'
                self.send_response(500 if target.is_broken else 200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                pass

        self._server = http.server.ThreadingHTTPServer((HOST, 0), Handler)
        self.url = f"http://{HOST}:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, daemon=True, name="target").start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


class SmallWorld:
    """Everything around the monitors; `monitor` adds one."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.target = Target()
        self.outside = OutsideWorld()
        self.outside.open()
        port = free_port()
        self.botapi = Part(
            "botapi",
            ["demo.botapi", "--host", HOST, "--port", str(port)],
            {"PYTHONPATH": str(REPOSITORY)},
            folder / "botapi",
            port,
            answers=lambda: answers_http(port, "/_/health"),
        )
        self.botapi.start()
        self.monitors: list[Part] = []
        configuration = CONFIGURATION | {
            "vantage": {
                "dns_names": ["localhost", "ip6-localhost"],
                "egress_targets": [f"{HOST}:{outside}" for outside in self.outside.ports],
            }
        }
        self.configuration = folder / "monitor.yaml"
        self.configuration.write_text(yaml.safe_dump(configuration))

    def monitor(self, name: str, database_url: str, **more: str) -> Part:
        """Return one monitor, not started yet."""
        port = free_port()
        environment = {
            "PYTHONPATH": os.pathsep.join([str(REPOSITORY)]),
            "API_URL": self.target.url,
            "ALERT_BOT_TOKEN": ALERT_TOKEN,
            "ALERT_CHAT_ID": str(OPERATOR_ID),
            "TELEGRAM_API_URL": self.botapi.url,
            "MONITOR_DATABASE_URL": database_url,
            "MONITOR_LOG_FORMAT": "json",
            "PORT": str(port),
            **more,
        }
        one = Part(
            name,
            ["monitor", "serve", "--config", str(self.configuration)],
            environment,
            self.folder / name,
            port,
            answers=lambda: answers_http(port, "/healthz"),
        )
        self.monitors.append(one)
        return one

    def close(self) -> None:
        """End everything."""
        for one in (*self.monitors, self.botapi):
            one.stop()
        self.outside.close()
        self.target.close()

    def sent(self) -> list[str]:
        """Return the first line of each message that arrived, oldest first."""
        _, calls = get(f"{self.botapi.url}/_/calls?method=sendMessage")
        return [call["parameters"]["text"].splitlines()[0] for call in calls if call["ok"]]

    def say(self, text: str) -> None:
        """Write to the monitor's bot as the operator."""
        self._do("say", text=text)

    def press(self, message_id: int, data: str) -> None:
        """Press a button of the monitor's bot as the operator."""
        self._do("press", message_id=message_id, data=data)

    def seen(self) -> list[dict[str, Any]]:
        """Return the operator's chat with the monitor's bot."""
        messages: list[dict[str, Any]] = get(f"{self.botapi.url}/_/messages?chat={OPERATOR_ID}&bot={BOT}")[1]
        return messages

    def _do(self, what: str, **values: object) -> None:
        body = json.dumps({"chat_id": OPERATOR_ID, "bot": BOT, **values}).encode()
        request = urllib.request.Request(f"{self.botapi.url}/_/{what}", body, {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=5):
            pass


def is_ready(monitor: Part) -> bool:
    """Say whether it leads and has looked at everything."""
    return get(f"{monitor.url}/readyz")[0] == 200


def is_standby(monitor: Part) -> bool:
    """Say whether it is there and does not lead."""
    return "standby" in str(get(f"{monitor.url}/readyz")[1].get("waiting_for"))


def statuses(monitor: Part) -> dict[str, str]:
    """Return what its dashboard says of each check."""
    return {check["id"]: check["status"] for check in get(f"{monitor.url}/api/v1/status")[1].get("checks", [])}


@contextmanager
def small_world(folder: Path) -> Iterator[SmallWorld]:
    """Run the world inside a `with`."""
    world = SmallWorld(folder)
    try:
        yield world
    finally:
        world.close()
