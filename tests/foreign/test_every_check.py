"""No check is left out of the tables, except those that have no target which is not ours."""

import re
from pathlib import Path

from checks.registry import CHECKS
from tests.foreign.test_celery import KINDS

OURS = {
    "vantage.loop": "our own event loop",
    "vantage.store": "our own database",
    "push": "calls that jobs make to us",
    "bot.reply_telegram": "Telegram alone carries it",
    "build.wheels": "the package index",
    "build.blueprint": "a file",
}


def test_every_kind_has_a_row_or_a_reason() -> None:
    tables = "".join(path.read_text() for path in Path(__file__).parent.glob("test_[!e]*.py"))
    rows = set(re.findall(r'Row\(\s*"[^"]*", "([a-z_.]+)"', tables))
    render = {kind for kind in CHECKS if kind.startswith("platform.")}
    assert set(CHECKS) - rows - set(KINDS) - render == set(OURS)
