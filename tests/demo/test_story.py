"""The main job over real processes: Redis hangs, one message says so, and the same message says it is over."""

import re
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from demo.botapi.config import ALERT_TOKEN, NEXUS_TOKEN
from tests.demo.running_demo import RunningDemo, command, is_alive, three_free_ports, until

pytestmark = pytest.mark.real

QUIET_SECONDS = 10.0


@pytest.fixture
def demo(tmp_path: Path) -> Iterator[RunningDemo]:
    """One demo, just started."""
    running = RunningDemo(tmp_path)
    try:
        yield running
    finally:
        running.end()


@pytest.mark.timeout(300)
def test_a_hung_redis_is_one_message_from_fault_to_recovery(demo: RunningDemo) -> None:
    printed = demo.up()
    assert re.search(r"all \d+ checks up", printed)
    assert f"http://127.0.0.1:{demo.port}" in printed
    assert demo.get("/api/v1/status")["status"] == "up"
    pids = demo.pids
    secrets = _secrets_of(pids)

    _a_second_one_beside_it_says_so(demo)
    _an_unknown_fault_offers_the_nearest(demo)

    assert demo.demo("break", "redis-paused")[0] == 0
    sent = until(lambda: demo.calls("sendMessage"), 20, "a message")
    assert len(sent) == 1
    text, message_id = sent[0]["parameters"]["text"], sent[0]["result"]["message_id"]
    assert text.splitlines()[0] == "🔴 DOWN · nexus-redis · redis.ping"
    victims = text.partition("Because of it")[2].splitlines()[0]
    assert "api.health" in victims
    assert "redis.ping" not in victims

    demo.press(message_id, "Ack")
    until(lambda: "Acked by @olivia" in demo.card(message_id)["text"], 10, "the card names who took it")
    (incident,) = demo.get("/api/v1/status")["incidents"]
    assert (incident["root"], incident["status"]) == ("redis.ping", "acked")
    assert incident["acked_by"].startswith("@olivia")

    time.sleep(QUIET_SECONDS)  # that nothing happens takes time to see
    assert demo.calls("sendMessage") == sent

    assert demo.demo("repair", "redis-paused")[0] == 0
    until(lambda: demo.card(message_id)["text"].startswith("🟢 RECOVERED"), 90, "the same message says it is over")
    _, told = until(lambda: found if len(found := demo.calls("sendMessage")) > 1 else [], 10, "a reply")
    assert told["parameters"]["reply_parameters"]["message_id"] == message_id
    assert "redis.ping is up again after" in told["parameters"]["text"]
    edits = {call["parameters"]["message_id"] for call in demo.calls("editMessageText")}
    assert edits == {message_id}
    until(lambda: demo.get("/api/v1/status")["status"] == "up", 15, "all up again")

    _no_secret_anywhere(demo, secrets, incident["id"])

    left = {*pids, *demo.pids}
    demo.process.send_signal(signal.SIGINT)
    assert demo.process.wait(30) in (0, 130)
    assert [pid for pid in left if is_alive(pid)] == []
    assert list(demo.temporary.iterdir()) == []
    assert "Traceback" not in demo.printed


def test_a_killed_demo_leaves_no_process_behind(demo: RunningDemo) -> None:
    until(lambda: "starting nexus-monitor" in demo.printed, 60, "every part is started")
    pids = demo.pids
    assert len(pids) > 10
    assert demo.demo("break", "valkey")[0] == 2  # its control may be up or not: either way a line, no wait
    demo.process.kill()
    demo.process.wait(10)
    until(lambda: not any(is_alive(pid) for pid in pids), 15, "every process has ended")
    until(lambda: list(demo.temporary.iterdir()) == [], 5, "its folder is gone")


def test_without_a_demo_a_fault_is_one_line() -> None:
    port = three_free_ports()
    for arguments in (("faults",), ("break", "redis-paused"), ("repair", "redis-paused")):
        status, out, err = command("demo", *arguments, "--port", str(port))
        assert (status, out) == (2, "")
        assert err == f"nexus-monitor: no demo answers on port {port + 2}; start one with: make demo\n"


def _a_second_one_beside_it_says_so(demo: RunningDemo) -> None:
    status, out, err = command("demo", "--port", str(demo.port), "--no-browser")
    assert (status, out) == (2, "")
    assert err == (
        f"nexus-monitor: --port {demo.port}: port {demo.port} is in use; a demo needs three free ports in a row\n"
    )


def _an_unknown_fault_offers_the_nearest(demo: RunningDemo) -> None:
    status, out, err = demo.demo("break", "redis-pausd")
    assert (status, out) == (2, "")
    assert err == "nexus-monitor: redis-pausd: no such fault, did you mean redis-paused?\n"
    assert demo.demo("repair", "redis-paused")[2] == "nexus-monitor: redis-paused: is not broken\n"


def _secrets_of(pids: list[int]) -> list[str]:
    """Return what no output may hold: both tokens, and the webhook's secret, drawn anew for each demo."""
    drawn = {psutil.Process(pid).environ().get("WEBHOOK_SECRET", "") for pid in pids if is_alive(pid)} - {""}
    assert len(drawn) == 1
    return [ALERT_TOKEN, NEXUS_TOKEN, *drawn]


def _no_secret_anywhere(demo: RunningDemo, secrets: list[str], incident_id: int) -> None:
    seen = {"terminal": demo.printed}
    seen |= {path.name: path.read_text(encoding="utf-8", errors="replace") for path in demo.folder.glob("*/*.log")}
    assert len(seen) >= 9
    pages = ["/", "/metrics", "/healthz", "/readyz", "/api/v1/status", "/api/v1/incidents", "/incidents"]
    pages += [f"/incidents/{incident_id}", f"/api/v1/incidents/{incident_id}"]
    for check in demo.get("/api/v1/checks"):
        pages += [f"/checks/{check['id']}", f"/api/v1/checks/{check['id']}", f"/api/v1/checks/{check['id']}/results"]
    seen |= {page: demo.text(page) for page in pages}
    seen["the monitor's database"] = (demo.folder / "monitor.db").read_bytes().decode("latin-1")
    assert [name for name, text in seen.items() if any(secret in text for secret in secrets)] == []
