"""Every mistake in a scenario file is one line that names the place and the value."""

from pathlib import Path

import pytest

from monitor.config.checklist import Checklist, build_checklist
from monitor.config.settings import settings_from
from monitor.config.stack import stack_of
from monitor.errors import UsageError
from monitor.scenario.play import play
from monitor.scenario.script import Moment, scenario_from, values_of


def checklist_of(*environment: str) -> Checklist:
    return build_checklist(settings_from(values_of(environment or None)), stack_of("", "monitor.yaml"))


def played(folder: Path, text: str) -> tuple[str, ...]:
    """Return the lines of complaint of a scenario."""
    path = folder / "story.yaml"
    path.write_text(text, encoding="utf-8")
    try:
        scenario = scenario_from(path)
        play(checklist_of(*(scenario.environment or ())), scenario)
    except UsageError as error:
        return error.lines
    return ()


MISTAKES = {
    "not yaml": ("timeline: [", "story.yaml: line 1, column 12 expected the node content, but found '<stream end>'"),
    "no mapping": ("- at: 1m", "story.yaml: must be a mapping of settings, not a list"),
    "unknown key": ("timelin: []", "story.yaml: timelin: unknown setting, did you mean timeline?"),
    "unknown verb": (
        "timeline: [{at: 1m, dwn: redis.ping}]",
        "story.yaml: timeline.0.dwn: unknown setting, did you mean down?",
    ),
    "no instant": ("timeline: [{down: redis.ping}]", "story.yaml: timeline.0.at: is required"),
    "bad duration": (
        "timeline: [{at: soon, down: redis.ping}]",
        "story.yaml: timeline.0.at: 'soon' must be a duration like 90s, 5m or 1h30m",
    ),
    "before the start": (
        "timeline: [{at: -5, down: redis.ping}]",
        "story.yaml: timeline.0.at: -5 must be greater than or equal to 0",
    ),
    "nothing happens": (
        "timeline: [{at: 1m}]",
        "story.yaml: timeline.0: must say exactly one of down, up, degraded, slow, unknown, ack, silence, deploy, "
        "restart; it says nothing",
    ),
    "two things happen": (
        "timeline: [{at: 1m, down: redis.ping, up: api.health}]",
        "story.yaml: timeline.0: must say exactly one of down, up, degraded, slow, unknown, ack, silence, deploy, "
        "restart; it says down and up",
    ),
    "a key of another verb": (
        "timeline: [{at: 1m, up: redis.ping, only: true}]",
        "story.yaml: timeline.0.only: belongs to down, not to up",
    ),
    "live and failed": (
        "timeline: [{at: 1m, deploy: nexus-api, live_after: 1m, failed_after: 1m}]",
        "story.yaml: timeline.0.failed_after: a deploy goes live or fails, not both",
    ),
    "unknown kind": (
        "expect: [{at: 1m, kind: opened, check: redis.ping}]",
        "story.yaml: expect.0.kind: 'opened' must be 'open', 'rise', 'reopen', 'escalate', 'remind', 'resolve' or "
        "'summary'",
    ),
    "unknown check": (
        "timeline: [{at: 1m, down: redis.pin}]",
        "timeline.0.down: 'redis.pin' is no check, did you mean redis.ping?",
    ),
    "a check that is not built": (
        "environment: [REDIS_URL, ALERT_BOT_TOKEN, ALERT_CHAT_ID]\n"
        "timeline: [{at: 1m, down: [redis.ping, api.health]}]",
        "timeline.0.down: api.health needs API_URL in environment",
    ),
    "unknown service": (
        "timeline: [{at: 1m, deploy: nexus-ap}]",
        "timeline.0.deploy: 'nexus-ap' is no service, did you mean nexus-api?",
    ),
    "bad selector": (
        "timeline: [{at: 1m, silence: redis.ping}]",
        "timeline.0.silence: 'redis.ping' must be check:<id>, subtree:<id> or service:<name>",
    ),
    "silence of an unknown service": (
        "timeline: [{at: 1m, silence: 'service:nexus-apy'}]",
        "timeline.0.silence: 'nexus-apy' is no service, did you mean nexus-api?",
    ),
    "silence of an unknown check": (
        "timeline: [{at: 1m, silence: 'subtree:redis'}]",
        "timeline.0.silence: 'redis' is no check, did you mean redis.ping?",
    ),
    "ack of an unknown check": ("timeline: [{at: 1m, ack: elsewhere}]", "timeline.0.ack: 'elsewhere' is no check"),
    "ack of nothing": (
        "timeline: [{at: 1m, ack: redis.ping}]",
        "timeline.0.ack: redis.ping has no open incident at 1m00s",
    ),
    "expected of an unknown check": (
        "expect: [{at: 1m, kind: open, check: elsewhere}]",
        "expect.0.check: 'elsewhere' is no check",
    ),
    "expected in an unknown chat": (
        "expect: [{at: 1m, kind: open, check: redis.ping, chat: opps}]",
        "expect.0.chat: 'opps' is no chat, did you mean ops?",
    ),
    "a variable without a stand-in": (
        "environment: [WEBHOOK_SECRET]",
        "environment: WEBHOOK_SECRET needs a value: write it as WEBHOOK_SECRET: …",
    ),
    "nobody is told": (
        "environment: [API_URL]",
        "nobody is told: add ALERT_CHAT_ID to environment, or alerts.chats to the configuration",
    ),
}


@pytest.mark.parametrize(("text", "line"), MISTAKES.values(), ids=MISTAKES)
def test_a_mistake_is_one_line(tmp_path: Path, text: str, line: str) -> None:
    assert played(tmp_path, text) == (line,)


def test_a_missing_file_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        scenario_from(tmp_path / "none.yaml")
    assert caught.value.lines == (f"{tmp_path}/none.yaml: cannot be read: No such file or directory",)


@pytest.mark.parametrize(("text", "seconds"), [("90s", 90.0), ("1h30m", 5400.0), (" 5m7s ", 307.0), (45, 45.0)])
def test_a_duration_is_written_as_people_do(text: object, seconds: float) -> None:
    assert Moment.model_validate({"at": text, "down": "redis.ping"}).at == seconds


def test_a_value_of_the_environment_is_taken_as_it_stands() -> None:
    assert values_of({"API_URL": "https://a.example"}) == {"API_URL": "https://a.example"}
