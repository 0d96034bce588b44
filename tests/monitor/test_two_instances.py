"""Two monitors on one PostgreSQL, and two on one file: one voice, whatever happens to the one that speaks."""

import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from demo.parts import Part
from demo.servers import PostgresServer
from tests.monitor.small_world import REPOSITORY, SmallWorld, is_ready, is_standby, small_world, statuses, until
from tests.stores import postgres

__all__ = ["postgres"]
pytestmark = pytest.mark.real


@pytest.fixture
def world(tmp_path: Path) -> Iterator[SmallWorld]:
    with small_world(tmp_path) as one:
        yield one


@pytest.fixture
def pair(world: SmallWorld, postgres: PostgresServer) -> tuple[Part, Part]:
    """A leader and its standby."""
    url = postgres.create_database(f"pair_{time.monotonic_ns()}")
    leader, standby = world.monitor("one", url), world.monitor("two", url)
    leader.start()
    until(lambda: is_ready(leader), 20, "the first one leads")
    standby.start()
    until(lambda: is_standby(standby), 20, "the second one stands by")
    return leader, standby


def opened(world: SmallWorld) -> list[str]:
    """Return the messages that said that the target is down."""
    return [text for text in world.sent() if "api.health" in text and text.startswith("🔴")]


def recovered(world: SmallWorld) -> list[str]:
    return [text for text in world.sent() if "api.health" in text and text.startswith("✅")]


def test_a_standby_shows_what_the_leader_sees(pair: tuple[Part, Part], world: SmallWorld) -> None:
    _, standby = pair
    until(lambda: statuses(standby).get("api.health") == "up", 10, "the stored state on the standby's dashboard")
    world.target.is_broken = True
    until(lambda: statuses(standby).get("api.health") == "down", 15, "the outage on the standby's dashboard")
    until(lambda: opened(world), 10, "the leader's message")
    time.sleep(3)
    assert len(opened(world)) == 1


def test_a_paused_leader_is_replaced_and_steps_down_when_it_wakes(pair: tuple[Part, Part], world: SmallWorld) -> None:
    leader, standby = pair
    leader.pause()
    paused_at = time.monotonic()
    world.target.is_broken = True
    until(lambda: opened(world), 30, "the standby tells the outage")
    assert time.monotonic() - paused_at < 20 + 5
    leader.resume()
    until(lambda: is_standby(leader), 10, "the old leader steps down")
    time.sleep(3)
    world.target.is_broken = False
    until(lambda: recovered(world), 20, "the end is told")
    time.sleep(3)
    assert (len(opened(world)), len(recovered(world))) == (1, 1)
    assert is_ready(standby)
    assert "Traceback" not in leader.log_path.read_text()


def test_a_leader_killed_in_an_outage_is_followed_without_a_second_message(
    pair: tuple[Part, Part], world: SmallWorld
) -> None:
    leader, standby = pair
    world.target.is_broken = True
    until(lambda: opened(world), 15, "the leader tells the outage")
    time.sleep(1)
    leader.kill()
    killed_at = time.monotonic()
    until(lambda: not is_standby(standby), 20, "the standby takes over")
    assert time.monotonic() - killed_at <= 20
    time.sleep(3)
    world.target.is_broken = False
    until(lambda: recovered(world), 20, "the end is told")
    assert (len(opened(world)), len(recovered(world))) == (1, 1)


def test_a_rolling_deploy_hands_over_in_two_seconds(pair: tuple[Part, Part], world: SmallWorld) -> None:
    leader, standby = pair
    world.target.is_broken = True
    until(lambda: opened(world), 15, "the leader tells the outage")
    time.sleep(1)
    leader._signal(leader.pids()[:1], signal.SIGTERM)
    asked_at = time.monotonic()
    until(lambda: not is_standby(standby), 10, "the standby takes over")
    assert time.monotonic() - asked_at < 2.5
    leader.stop()
    leader.start()
    until(lambda: is_standby(leader), 15, "the new one stands by")
    world.target.is_broken = False
    until(lambda: recovered(world), 20, "the end is told")
    assert (len(opened(world)), len(recovered(world))) == (1, 1)
    assert "Traceback" not in leader.log_path.read_text()


def test_a_second_monitor_on_one_file_is_told_so_in_one_line(world: SmallWorld, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/monitor.db"
    first = world.monitor("one", url)
    first.start()
    second = world.monitor("two", url)
    ended = subprocess.run(
        [sys.executable, "-m", *second.arguments],
        env={"PATH": os.environ["PATH"], **second.environment},
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert ended.returncode == 2
    pid = first.pids()[0]
    assert ended.stderr.splitlines() == [
        f"nexus-monitor: database: {url} is in use by another monitor (process {pid}); "
        "SQLite is for one instance, PostgreSQL for two"
    ]
    first.kill()
    second.start()
    until(lambda: is_ready(second), 20, "a killed one leaves no lock behind")
    with sqlite3.connect(tmp_path / "monitor.db") as connection:
        assert connection.execute("SELECT owner FROM leader").fetchall() == [("",)]
    connection.close()
