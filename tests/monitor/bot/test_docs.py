"""docs/bot.md names every command, with who may give it, every button, and every setting of alerts."""

import re
from pathlib import Path

from monitor.bot.access import Right
from monitor.bot.commands import commands_of
from monitor.config.stack import Alerts, stack_of
from monitor.delivery.card import render_card
from tests.monitor.bot.bench import INCIDENT, NOW, PLAN, STATE, Ground

PAGE = Path("docs/bot.md").read_text(encoding="utf-8")


def test_every_command_has_its_row_with_who_may_give_it() -> None:
    rows = dict(re.findall(r"^\| `/(\w+)[^`]*` \|.*\| (\w+) \|$", PAGE, re.MULTILINE))
    assert rows == {
        name: {Right.VIEW: "viewer", Right.OPERATE: "operator"}[command.right] if name != "start" else "anybody"
        for name, command in commands_of(Ground().house).items()
    }


def test_every_button_is_named() -> None:
    card = render_card(INCIDENT, STATE.checks, PLAN, NOW, dashboard_url="https://monitor.example.org", deploy=None)
    for row in card.buttons:
        for button in row:
            assert button.text.removeprefix("🔕 ") in PAGE


def test_every_setting_of_alerts_is_named_and_the_example_is_a_good_one() -> None:
    [example] = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
    given = stack_of(example, "monitor.yaml").alerts
    assert given.model_fields_set | {"board", "digest"} == set(Alerts.model_fields)
    assert "alerts.board" in PAGE
    assert "alerts.digest" in PAGE
