"""How a second terminal breaks and repairs a running demo: a small HTTP server on loopback, and its caller."""

import difflib
import http.client
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import quote, unquote

from demo.faults import FAULTS
from demo.process_tree import HOST, ServerError
from demo.stack import DemoStack

ASK_SECONDS = 60.0
"""A repair starts a server again and waits until it answers."""


class ControlError(Exception):
    """A demo that cannot be asked, or an answer that says no: one line."""


class Control:
    """What can be asked of a running demo."""

    def __init__(self, stack: DemoStack) -> None:
        self._stack = stack
        self._lock = threading.Lock()
        self._broken: set[str] = set()
        self._server = ThreadingHTTPServer((HOST, stack.ports.control), self._handler())

    def start(self) -> None:
        """Answer from now on, in a thread."""
        threading.Thread(target=self._server.serve_forever, daemon=True, name="control").start()

    def stop(self) -> None:
        """Answer no more, and wait for a fault being done."""
        self._server.shutdown()
        self._server.server_close()
        with self._lock:
            self._broken.clear()

    def faults(self) -> list[dict[str, Any]]:
        """Return every fault, and whether it is in force."""
        return [
            {"name": fault.name, "says": fault.says, "root": fault.root, "broken": fault.name in self._broken}
            for fault in FAULTS.values()
        ]

    def change(self, verb: str, name: str) -> str:
        """Break or repair; return what was done. Raises ControlError with one line."""
        if name not in FAULTS:
            near = difflib.get_close_matches(name, FAULTS, n=1)
            raise ControlError(f"{name}: no such fault" + (f", did you mean {near[0]}?" if near else ""))
        fault = FAULTS[name]
        with self._lock:
            if (verb == "break") == (name in self._broken):
                raise ControlError(f"{name}: is {'already broken' if verb == 'break' else 'not broken'}")
            try:
                (fault.inject if verb == "break" else fault.repair)(self._stack)
            except (OSError, ServerError) as error:
                raise ControlError(f"{name}: could not {verb}: {error}") from error
            if verb == "break":
                self._broken.add(name)
            else:
                self._broken.discard(name)
        return f"{name}: {fault.says}" if verb == "break" else f"{name}: repaired"

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        control = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self._answer(200, {"faults": control.faults()})

            def do_POST(self) -> None:
                _, _, rest = self.path.partition("/")
                verb, _, name = rest.partition("/")
                if verb not in ("break", "repair"):
                    self._answer(404, {"error": f"{self.path}: no such request"})
                    return
                try:
                    self._answer(200, {"done": control.change(verb, unquote(name))})
                except ControlError as error:
                    self._answer(400, {"error": str(error)})

            def _answer(self, status: int, body: dict[str, Any]) -> None:
                data = json.dumps(body).encode()
                self.send_response(status)
                self.send_header("content-type", "application/json")
                self.send_header("content-length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002  the library's name
                """Stay quiet: the terminal belongs to the demo."""

        return Handler


def ask(control_port: int, method: str, path: str) -> dict[str, Any]:
    """Ask a running demo. Raises ControlError when there is none, or when it says no."""
    connection = http.client.HTTPConnection(HOST, control_port, timeout=ASK_SECONDS)
    try:
        connection.request(method, quote(path))
        response = connection.getresponse()
        answer: dict[str, Any] = json.loads(response.read())
    except (OSError, http.client.HTTPException, ValueError):
        raise ControlError(f"no demo answers on port {control_port}; start one with: make demo") from None
    finally:
        connection.close()
    if response.status != 200:
        raise ControlError(str(answer.get("error", f"status {response.status}")))
    return answer
