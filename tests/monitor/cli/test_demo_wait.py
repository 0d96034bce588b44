"""How long the demo's start waits, and for what."""

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest

from monitor.cli.demo import FOUND_LAST, UP_SECONDS, _wait_until_up
from monitor.errors import UsageError


def _check(check_id: str, status: str, reason: str | None = None) -> dict[str, Any]:
    return {"id": check_id, "status": status, "reason": reason, "summary": "as it is"}


FOUND = [_check(check_id, "up") for check_id in sorted(FOUND_LAST)]


@contextmanager
def _dashboard(*checks: dict[str, Any]) -> Iterator[str]:
    """Serve these checks as the status of a monitor."""
    body = json.dumps({"checks": checks}).encode()

    class Status(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    with HTTPServer(("127.0.0.1", 0), Status) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join(10)


@pytest.mark.real
@pytest.mark.parametrize("status", ["pending", "unknown"])
def test_a_check_with_nothing_to_look_at_is_not_waited_for(status: str) -> None:
    with _dashboard(*FOUND, _check("api.version", status, "not_configured")) as url:
        assert _wait_until_up(url, time.monotonic()) == (len(FOUND), ["api.version"])


@pytest.mark.real
@pytest.mark.parametrize(
    ("item", "said"),
    [
        (_check("api.version", "unknown", "timeout"), "api.version is unknown: as it is"),
        (_check("api.version", "pending"), "api.version is pending: as it is"),
        (_check("api.version", "down", "not_configured"), "api.version is down: as it is"),
    ],
    ids=["unknown for another reason", "not looked at yet", "down"],
)
def test_any_other_check_is_waited_for_and_named(item: dict[str, Any], said: str) -> None:
    almost_over = time.monotonic() - UP_SECONDS + 0.2
    with _dashboard(*FOUND, item) as url, pytest.raises(UsageError) as raised:
        _wait_until_up(url, almost_over)
    assert str(raised.value).endswith(said)
