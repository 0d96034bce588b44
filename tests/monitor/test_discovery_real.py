"""A running monitor finds what appears, keeps what vanishes, and knows after a restart what was there."""

import json
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from demo.botapi.config import NEXUS_TOKEN
from tests.demo.running_demo import command, environment
from tests.monitor.small_world import SmallWorld, is_ready, small_world, statuses, until

pytestmark = pytest.mark.real
START_SECONDS = 60.0


@pytest.fixture
def world(tmp_path: Path) -> Iterator[SmallWorld]:
    with small_world(tmp_path) as world:
        yield world


def ask_telegram(world: SmallWorld, method: str, **parameters: object) -> None:
    """Do what the watched bot does at its start."""
    request = urllib.request.Request(
        f"{world.botapi.url}/bot{NEXUS_TOKEN}/{method}",
        json.dumps(parameters).encode(),
        {"content-type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=10) as answer:
        assert json.load(answer)["ok"]


def open_app(world: SmallWorld, url: str) -> None:
    ask_telegram(world, "setChatMenuButton", menu_button={"type": "web_app", "text": "App", "web_app": {"url": url}})


def test_what_appears_joins_the_checklist_and_a_restart_still_knows_it(world: SmallWorld, tmp_path: Path) -> None:
    own = f"sqlite:///{tmp_path}/own.db"
    monitor = world.monitor("one", own, BOT_TOKEN=NEXUS_TOKEN)
    monitor.start()
    until(lambda: is_ready(monitor), START_SECONDS, "ready")
    assert "api.health" in statuses(monitor)
    assert "miniapp.page" not in statuses(monitor)

    ask_telegram(world, "setWebhook", url=f"{world.target.url}/webhook")
    open_app(world, world.target.url)
    until(lambda: {"miniapp.page", "bot.ingress"} <= set(statuses(monitor)), 90, "the new checks")
    until(lambda: statuses(monitor)["api.health"] == "up", 20, "the old checks go on")
    metrics = urllib.request.urlopen(f"{monitor.url}/metrics", timeout=5).read().decode()
    assert 'nexus_check_status{check="miniapp.page"' in metrics

    monitor.stop()
    world.botapi.stop()
    monitor.start()
    until(lambda: is_ready(monitor), START_SECONDS, "ready again")
    assert {"miniapp.page", "bot.ingress"} <= set(statuses(monitor))

    world.botapi.start()
    env = environment(
        API_URL=world.target.url, BOT_TOKEN=NEXUS_TOKEN, TELEGRAM_API_URL=world.botapi.url, MONITOR_DATABASE_URL=own
    )
    status, out, _ = command("discover", env=env, cwd=tmp_path)
    assert status == 0
    # Telegram began anew and knows no menu button any more: it stays expected until somebody accepts that.
    assert "not there: " + world.target.url in out
    assert "miniapp.page" in statuses(monitor)
    command("discover", "--accept", env=env, cwd=tmp_path)
    until(lambda: "miniapp.page" not in statuses(monitor), 60, "the accepted removal")
    assert "api.health" in statuses(monitor)
