"""`monitor.yaml`: one bad file for every mistake, and the exact line it gets."""

from pathlib import Path

import pytest

from monitor.config.stack import Stack, stack_from, stack_of
from monitor.errors import UsageError


def test_an_empty_file_is_a_good_one() -> None:
    assert stack_of("", "monitor.yaml") == Stack()
    assert stack_from(None) == Stack()


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("a: [", ("m.yaml: line 1, column 5 expected the node content, but found '<stream end>'",)),
        ("name: 2026-99-99", ("m.yaml: cannot be read as settings: month must be in 1..12",)),
        ("? [a]\n: 1", ("m.yaml: line 1, column 3 found unhashable key",)),
        ("vantage: {egress_targets: ['h:99999']}", ("m.yaml: vantage.egress_targets.0: 'h:99999' must be host:port",)),
        (
            "vantage: {dns_names: ['']}",
            ("m.yaml: vantage.dns_names.0: '' must match pattern '^[A-Za-z0-9_.-]+$'",),
        ),
        ("- a", ("m.yaml: must be a mapping of settings, not a list",)),
        ("name: a\nname: b\n", ("m.yaml: line 2, column 1 name stands twice",)),
        ("checkz: {}", ("m.yaml: checkz: unknown setting, did you mean checks?",)),
        ("zzz: 1", ("m.yaml: zzz: unknown setting",)),
        (
            "defaults: {interval_secs: 3}",
            ("m.yaml: defaults.interval_secs: unknown setting, did you mean interval_seconds?",),
        ),
        (
            "defaults: {interval_seconds: soon}",
            ("m.yaml: defaults.interval_seconds: 'soon' must be a valid number, unable to parse string as a number",),
        ),
        ("defaults: {interval_seconds: -1}", ("m.yaml: defaults.interval_seconds: -1 must be greater than 0",)),
        (
            "defaults: {confirm: {failures: 0}}",
            ("m.yaml: defaults.confirm.failures: 0 must be greater than or equal to 1",),
        ),
        (
            "defaults: {confirm: {of_last_failures: 20}}",
            ("m.yaml: defaults.confirm.of_last_failures: 20 must not be above of_last_looks 15",),
        ),
        ("services: {apii: x}", ("m.yaml: services.apii: unknown setting, did you mean api?",)),
        (
            "vantage: {dns_names: []}",
            ("m.yaml: vantage.dns_names: must name at least one",),
        ),
        (
            "alerts: {chats: [{name: Ops, chat_id: 1}]}",
            ("m.yaml: alerts.chats.0.name: 'Ops' must match pattern '^[a-z][a-z0-9_-]{0,30}$'",),
        ),
        ("alerts: {chats: [{name: ops}]}", ("m.yaml: alerts.chats.0.chat_id: is required",)),
        (
            "alerts: {chats: [{name: ops, chat_id: 1, silent: yes}]}",
            ("m.yaml: alerts.chats.0.silent: unknown setting",),
        ),
        (
            "alerts: {chats: [{name: ops, chat_id: 1}, {name: ops, chat_id: 2}]}",
            ("m.yaml: alerts.chats: the name 'ops' stands twice",),
        ),
        ("checks: {api.health: 3}", ("m.yaml: checks.api.health: 3 must be a mapping",)),
        (
            "name: 'redis://u:hush@h/0 is a name far too long to be one'",
            ("m.yaml: name: 'redis://u:***@h/0 is a name far too long to be one' must have at most 40 characters",),
        ),
        (
            "incidents: {gate_settle_seconds: 9999}",
            ("m.yaml: incidents.gate_settle_seconds: 9999 must be less than or equal to 600",),
        ),
    ],
)
def test_every_mistake_has_its_line(text: str, lines: tuple[str, ...]) -> None:
    with pytest.raises(UsageError) as caught:
        stack_of(text, "m.yaml")
    assert caught.value.lines == lines


def test_a_file_that_cannot_be_read_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"none\.yaml: cannot be read: No such file or directory"):
        stack_from(tmp_path / "none.yaml")
    (tmp_path / "odd.yaml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(UsageError, match=r"odd\.yaml: is not a text file in UTF-8"):
        stack_from(tmp_path / "odd.yaml")


@pytest.mark.parametrize(
    ("text", "label", "zone"),
    [
        ("{}", "09:00", "UTC"),
        ("{morning: 07:30, time_zone: Europe/Berlin}", "07:30", "Europe/Berlin"),
        ("{morning: 10:15}", "10:15", "UTC"),  # a number to YAML
        ("{morning: '7:05'}", "07:05", "UTC"),
    ],
)
def test_the_operators_morning_is_read_as_people_write_it(text: str, label: str, zone: str) -> None:
    morning = stack_of(f"alerts: {text}", "monitor.yaml").alerts.day_begins
    assert (morning.label, morning.zone.key) == (label, zone)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("{morning: 24:00}", "alerts.morning: 1440 must be a time of day like 09:00"),
        ("{morning: '9:61'}", "alerts.morning: '9:61' must be a time of day like 09:00"),
        ("{morning: true}", "alerts.morning: True must be a time of day like 09:00"),
        (
            "{time_zone: Mars/Base}",
            "alerts.time_zone: 'Mars/Base' must be the name of a time zone, like Europe/Berlin or UTC",
        ),
    ],
)
def test_a_morning_that_is_none_is_one_line(text: str, line: str) -> None:
    with pytest.raises(UsageError) as caught:
        stack_of(f"alerts: {text}", "monitor.yaml")
    assert caught.value.lines == (f"monitor.yaml: {line}",)


@pytest.mark.parametrize(("word", "mode"), [("off", "off"), ("suggest", "suggest"), ('"auto"', "auto")])
def test_a_rollback_that_is_off_may_be_written_as_people_write_it(word: str, mode: str) -> None:
    assert stack_of(f"deploys: {{rollback: {word}}}", "m.yaml").deploys.rollback == mode


def test_a_rollback_that_is_on_must_say_how() -> None:
    with pytest.raises(UsageError) as caught:
        stack_of("deploys: {rollback: on}", "m.yaml")
    assert caught.value.lines == ("m.yaml: deploys.rollback: True must be 'off', 'suggest' or 'auto'",)


def test_how_deploys_are_followed_reaches_the_engine() -> None:
    rules = stack_of("deploys: {settle_seconds: 5, observe_seconds: 15}", "m.yaml").rules
    assert (rules["deploy_settle_seconds"], rules["deploy_observe_seconds"]) == (5.0, 15.0)
