"""How a second terminal breaks and repairs a running demo: a small HTTP server on loopback, and its caller."""

import contextlib
import difflib
import http.client
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import quote, unquote

from demo.deploys import Deployer
from demo.faults import FAULTS
from demo.process_tree import HOST
from demo.stack import DemoStack, Ports

ASK_SECONDS = 60.0
"""A repair starts a server again and waits until it answers."""


class ControlError(Exception):
    """A demo that cannot be asked, or an answer that says no: one line."""


class Control:
    """What can be asked of a running demo; its port, held from first to last, keeps others off the demo's ports."""

    def __init__(self, ports: Ports) -> None:
        """Take the control port, and answer on it that the demo is not up. Raises OSError when it is in use."""
        self.ports = ports
        self._stack: DemoStack | None = None
        self._lock = threading.Lock()
        self._broken: set[str] = set()
        self._half_broken: set[str] = set()
        self._deployer: Deployer | None = None
        self._server = ThreadingHTTPServer((HOST, ports.control), self._handler())
        threading.Thread(target=self._server.serve_forever, daemon=True, name="control").start()

    def hand_over(self, stack: DemoStack) -> None:
        """Break and repair this stack from now on."""
        with self._lock:
            self._stack = stack
            self._deployer = Deployer(stack, self._lock)

    def stop(self) -> None:
        """Answer no more, and wait for a fault being done."""
        self._server.shutdown()
        self._server.server_close()
        if self._deployer is not None:
            self._deployer.end()
        with self._lock:
            self._stack = None  # a request that still waits must start nothing again

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
            if self._stack is None:
                raise ControlError(f"{name}: the demo is starting or ending")
            if verb == "break" and name in self._broken:
                raise ControlError(f"{name}: is already broken")
            if verb == "repair" and name not in self._broken | self._half_broken:
                raise ControlError(f"{name}: is not broken")
            try:
                (fault.inject if verb == "break" else fault.repair)(self._stack)
            # A fault meets what other faults have left: whatever it raises is an answer, not the demo's end.
            except Exception as error:
                if verb == "break":
                    self._half_broken.add(name)
                raise ControlError(f"could not {verb} {name}: {_one_line(error)}") from error
            self._half_broken.discard(name)
            if verb == "break":
                self._broken.add(name)
            else:
                self._broken.discard(name)
        return f"{name}: {fault.says}" if verb == "break" else f"{name}: repaired"

    def deploy(self, kind: str) -> str:
        """Begin a deploy; return what will happen. Raises ControlError with one line."""
        if self._deployer is None:
            raise ControlError("deploy: the demo is starting or ending")
        try:
            return self._deployer.begin(kind)
        except ValueError as error:
            raise ControlError(str(error)) from None

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        control = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self._answer(200, {"faults": control.faults()})

            def do_POST(self) -> None:
                _, _, rest = self.path.partition("/")
                verb, _, name = rest.partition("/")
                if verb not in ("break", "repair", "deploy"):
                    self._answer(404, {"error": f"{self.path}: no such request"})
                    return
                name = unquote(name)
                try:
                    done = control.deploy(name) if verb == "deploy" else control.change(verb, name)
                    self._answer(200, {"done": done})
                except ControlError as error:
                    self._answer(400, {"error": str(error)})

            def _answer(self, status: int, body: dict[str, Any]) -> None:
                data = json.dumps(body).encode()
                with contextlib.suppress(OSError):  # who asked has left
                    self.send_response(status)
                    self.send_header("content-type", "application/json")
                    self.send_header("content-length", str(len(data)))
                    self.end_headers()
                    self.wfile.write(data)

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002  the library's name
                """Stay quiet: the terminal belongs to the demo."""

        return Handler


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split()) or type(error).__name__


def ask(control_port: int, method: str, path: str) -> dict[str, Any]:
    """Ask a running demo. Raises ControlError when there is none, or when it says no."""
    connection = http.client.HTTPConnection(HOST, control_port, timeout=ASK_SECONDS)
    try:
        connection.request(method, quote(path))
        response = connection.getresponse()
        answer: dict[str, Any] = json.loads(response.read())
    except TimeoutError:
        raise ControlError(f"the demo on port {control_port} did not answer in {ASK_SECONDS:.0f} s") from None
    except (OSError, http.client.HTTPException, ValueError):
        raise ControlError(f"no demo answers on port {control_port}; start one with: make demo") from None
    finally:
        connection.close()
    if response.status != 200:
        raise ControlError(str(answer.get("error", f"status {response.status}")))
    return answer
