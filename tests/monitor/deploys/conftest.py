"""A place where deploys happen."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from monitor.store.store import Store
from tests.monitor.deploys.place import START, Place


@pytest.fixture
async def own_store(tmp_path: Path) -> AsyncIterator[Store]:
    made = await Store.open(f"sqlite:///{tmp_path / 'deploys.db'}", now=lambda: START)
    try:
        yield made
    finally:
        await made.close()


@pytest.fixture
async def place(own_store: Store) -> Place:
    made = Place(own_store)
    await made.start()
    return made
