"""A push to Render, played over real processes: a good one, a bad one that two taps roll back, and a killed monitor."""

import json
import re
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from demo.deploys import Deployer
from demo.matrix.watch import Watch, now
from demo.process_tree import HOST
from demo.stack import NEXUS_NAMES, DemoStack, ports_from, running
from tests.demo.running_demo import RunningDemo, three_free_ports, until

pytestmark = pytest.mark.real

VERDICT = re.compile(r"^(\S+) ([0-9a-f]{7}) (live|is not live) on (\S+?)( \(a rollback\))?: (.*)$")
TAPS_APART_SECONDS = 3.0
QUIET_SECONDS = 5.0


@pytest.fixture
def demo(tmp_path: Path) -> Iterator[RunningDemo]:
    """One demo, just started."""
    running = RunningDemo(tmp_path)
    try:
        yield running
    finally:
        running.end()


def verdicts(demo: RunningDemo) -> list[tuple[str, str, str, str]]:
    """Return sign, commit, service and the rest of each verdict in the chat, oldest first."""
    titles = [call["parameters"]["text"].partition("\n")[0] for call in demo.calls("sendMessage")]
    found = [match for title in titles if (match := VERDICT.match(title))]
    return [(match[1], match[2], match[4], match[6]) for match in found]


def deployed(demo: RunningDemo, kind: str) -> str:
    """Deploy, and return the commit."""
    status, printed, _ = demo.demo("deploy", kind)
    assert status == 0
    return printed.split()[0]


def of_commit(demo: RunningDemo, commit: str, count: int) -> dict[str, tuple[str, str]]:
    """Wait for so many verdicts on a commit; return sign and words by service."""

    def look() -> dict[str, tuple[str, str]]:
        found = {service: (sign, words) for sign, named, service, words in verdicts(demo) if named == commit}
        return found if len(found) >= count else {}

    return until(look, 120, f"{count} verdicts on {commit}")


def unsigned(demo: RunningDemo) -> int:
    """Deliver an event that nobody signed; return the status."""
    request = urllib.request.Request(f"http://{HOST}:{demo.port}/hooks/render", b'{"type": "deploy_ended"}')
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code


@pytest.mark.timeout(420)
def test_each_deploy_has_one_verdict_for_each_service_and_a_bad_one_is_rolled_back(demo: RunningDemo) -> None:
    demo.up(120)
    assert unsigned(demo) == 401
    assert demo.demo("deploy", "sideways")[2].strip().endswith("sideways: a deploy is good, bad, failed")

    good = deployed(demo, "good")
    assert "another deploy is under way" in demo.demo("deploy", "good")[2]
    said = of_commit(demo, good, len(NEXUS_NAMES))
    assert said.keys() == set(NEXUS_NAMES)
    assert {sign for sign, _ in said.values()} == {"✅"}
    assert all(re.match(r"(\d+) of \1 in \d+\.\d s", words) for _, words in said.values()), said
    assert len(verdicts(demo)) == len(NEXUS_NAMES)

    bad = deployed(demo, "bad")
    said = of_commit(demo, bad, len(NEXUS_NAMES))
    assert said.pop("nexus-api")[0] == "❌"
    assert {sign for sign, _ in said.values()} == {"✅"}
    message = next(call for call in demo.calls("sendMessage") if call["parameters"]["text"].startswith(f"❌ {bad}"))
    assert "🔴 api.routers since" in message["parameters"]["text"]
    opened = until(
        lambda: [call for call in demo.calls("sendMessage") if "DOWN" in call["parameters"]["text"]],
        60,
        "an incident when the window is over",
    )
    assert f"after deploy {bad} of nexus-api" in opened[0]["parameters"]["text"]

    message_id = message["result"]["message_id"]
    demo.press(message_id, f"Roll back to {good}")
    until(lambda: _answers(demo, "Tap again within a minute"), 30, "the first tap asks")
    time.sleep(TAPS_APART_SECONDS)
    demo.press(message_id, f"Roll back to {good}")
    until(lambda: _answers(demo, "Rolling back."), 30, "the second tap acts")

    until(
        lambda: ("✅", good, "nexus-api") in [one[:3] for one in verdicts(demo)[2 * len(NEXUS_NAMES) :]],
        120,
        "the verdict of the rollback",
    )
    texts = [call["parameters"]["text"] for call in demo.calls("sendMessage")]
    assert any(text.startswith(f"↩️ Rolling nexus-api back from {bad} to {good}, asked by @olivia") for text in texts)
    until(lambda: not demo.get("/api/v1/status")["incidents"], 90, "the incident is over")
    assert len(verdicts(demo)) == 2 * len(NEXUS_NAMES) + 1
    metrics = demo.text("/metrics")
    assert 'nexus_deploys_total{service="nexus-api",verdict="broken"} 1.0' in metrics
    assert 'nexus_deploys_total{service="nexus-api",verdict="passed"} 2.0' in metrics


def _answers(demo: RunningDemo, words: str) -> bool:
    calls = demo.calls("answerCallbackQuery")
    return any(json.dumps(call["parameters"]["text"]).find(words) >= 0 for call in calls)


@pytest.mark.timeout(300)
def test_a_monitor_that_is_killed_in_the_middle_tells_each_verdict_once(tmp_path: Path) -> None:
    first = three_free_ports()
    with running(tmp_path / "demo", ports_from(first)) as stack:
        watch = Watch(stack)
        assert watch.calm(120) == ""
        began = now()
        deployer = Deployer(stack, threading.Lock())
        commit = deployer.begin("good").split()[0]
        until(lambda: _logged(stack, "deploy.live") >= len(NEXUS_NAMES) - 1, 60, "most services are live")
        stack.monitor.kill()
        deployer.end()
        stack.monitor.start()

        def told() -> list[str]:
            return [one.title for one in watch.messages(began) if one.kind == "deploy" and commit in one.title]

        until(lambda: len(told()) == len(NEXUS_NAMES), 120, "a verdict for each service")
        time.sleep(QUIET_SECONDS)  # that nothing happens takes time to see
        assert sorted(title.partition(":")[0] for title in told()) == sorted(
            f"✅ {commit} live on {name}" for name in NEXUS_NAMES
        )


def _logged(stack: DemoStack, event: str) -> int:
    return stack.monitor.log_path.read_text(encoding="utf-8").count(event)
