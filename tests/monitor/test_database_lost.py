"""The monitor's own database goes away in the middle: what dies meanwhile is told once, and nothing is missing."""

import asyncio
import itertools
import time
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import pytest

from demo.parts import Part
from demo.servers import PostgresServer
from tests.monitor.small_world import SmallWorld, get, is_ready, small_world, statuses, until

pytestmark = pytest.mark.real
AWAY_SECONDS = 20.0


@pytest.fixture
def world(tmp_path: Path) -> Iterator[SmallWorld]:
    with small_world(tmp_path) as one:
        yield one


@pytest.fixture
def own_postgres(tmp_path: Path) -> Iterator[PostgresServer]:
    """A server the test may harm."""
    server = PostgresServer(tmp_path / "postgres")
    server.start()
    # What was committed must outlive a kill, as it does in a real one.
    rows(server, f"ALTER DATABASE {server.database} SET synchronous_commit = on")
    try:
        yield server
    finally:
        server.stop()


def told(world: SmallWorld, sign: str) -> list[str]:
    return [text for text in world.sent() if "api.health" in text and text.startswith(sign)]


def is_in_memory(monitor: Part) -> bool:
    return "from memory" in str(get(f"{monitor.url}/readyz")[1].get("waiting_for"))


def rows(server: PostgresServer, query: str) -> list[tuple[object, ...]]:
    async def ask() -> list[tuple[object, ...]]:
        connection = await asyncpg.connect(server.url)
        try:
            return [tuple(row) for row in await connection.fetch(query)]
        finally:
            await connection.close()

    return asyncio.run(ask())


def led(world: SmallWorld, server: PostgresServer, **more: str) -> Part:
    monitor = world.monitor("one", server.url, **more)
    monitor.start()
    until(lambda: is_ready(monitor), 20, "the monitor leads")
    return monitor


@pytest.mark.parametrize(("harm", "mend"), [("kill", "start"), ("pause", "resume")])
def test_an_outage_while_the_database_is_away_is_told_once(
    world: SmallWorld, own_postgres: PostgresServer, harm: str, mend: str
) -> None:
    spool = world.folder / "monitor.spool"
    monitor = led(world, own_postgres, MONITOR_SPOOL_FILE=str(spool))
    getattr(own_postgres, harm)()
    away_since = time.monotonic()
    world.target.is_broken = True
    until(lambda: told(world, "🔴"), AWAY_SECONDS, "the outage is told from memory")
    assert is_in_memory(monitor)
    until(spool.exists, 3, "what is told is on disk")
    assert statuses(monitor)["api.health"] == "down"
    time.sleep(max(0.0, AWAY_SECONDS - (time.monotonic() - away_since)))
    getattr(own_postgres, mend)()
    until(lambda: is_ready(monitor), 40, "the database has everything again")
    time.sleep(3)
    world.target.is_broken = False
    until(lambda: told(world, "✅"), 20, "the end is told")
    time.sleep(2)
    assert (len(told(world, "🔴")), len(told(world, "✅"))) == (1, 1)
    assert not spool.exists()
    assert "Traceback" not in monitor.log_path.read_text()
    looks = rows(own_postgres, "SELECT started_at FROM result WHERE check_id = 'api.health' ORDER BY 1")
    gaps = [(after[0] - before[0]).total_seconds() for before, after in itertools.pairwise(looks)]  # type: ignore[operator]
    assert max(gaps) < 5, "no look is missing from the history; one waits until the line stops waiting"
    sent = rows(own_postgres, "SELECT dedupe_key, status FROM message WHERE dedupe_key LIKE '%:open:%'")
    assert sent
    assert {status for _, status in sent} == {"sent"}


def test_a_monitor_that_dies_without_its_database_tells_nothing_twice(
    world: SmallWorld, own_postgres: PostgresServer
) -> None:
    spool = world.folder / "monitor.spool"
    monitor = led(world, own_postgres, MONITOR_SPOOL_FILE=str(spool))
    own_postgres.kill()
    world.target.is_broken = True
    until(lambda: told(world, "🔴"), AWAY_SECONDS, "the outage is told from memory")
    until(lambda: spool.exists() and '"delivered":[[' in spool.read_text(), 5, "that it was told is on disk")
    monitor.kill()
    own_postgres.start()
    monitor.start()
    until(lambda: is_ready(monitor), 40, "the monitor leads again")
    time.sleep(5)
    world.target.is_broken = False
    until(lambda: told(world, "✅"), 20, "the end is told")
    assert (len(told(world, "🔴")), len(told(world, "✅"))) == (1, 1)
    assert "spool.adopted" in monitor.log_path.read_text()
