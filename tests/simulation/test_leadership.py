"""The simulated leader row answers as the real stores do: else what is proved here would hold of nothing."""

from typing import Protocol

import pytest

from monitor.engine.model import State
from monitor.store.errors import LeadershipLostError
from monitor.store.store import Store
from tests.simulation.leadership import LeaderRow
from tests.stores import T0

OVER = -1.0
"""A lease that ends before it begins."""


class Rows(Protocol):
    async def acquire_leadership(self, owner: str, ttl_seconds: float) -> int | None: ...

    async def renew_leadership(self, owner: str, epoch: int, ttl_seconds: float) -> bool: ...

    async def release_leadership(self, owner: str, epoch: int) -> None: ...


async def writes(rows: Rows, epoch: int) -> bool:
    try:
        if isinstance(rows, LeaderRow):
            rows.check_epoch(epoch)
        elif isinstance(rows, Store):
            await rows.commit([], State(), State(), [], T0, epoch=epoch)
    except LeadershipLostError:
        return False
    return True


async def answers(rows: Rows) -> list[object]:
    """Play one election after the other, and return what was answered."""
    said: list[object] = [await rows.acquire_leadership("one", 60.0), await rows.acquire_leadership("two", 60.0)]
    said += [await writes(rows, 1), await rows.renew_leadership("one", 1, OVER), await writes(rows, 1)]
    said += [await rows.acquire_leadership("two", 60.0), await writes(rows, 1), await writes(rows, 2)]
    said += [await rows.renew_leadership("one", 1, 60.0), await rows.renew_leadership("one", 2, 60.0)]
    await rows.release_leadership("one", 1)
    said += [
        await rows.acquire_leadership("one", 60.0),
        await rows.acquire_leadership("two", 60.0),
        await writes(rows, 3),
    ]
    await rows.release_leadership("two", 3)
    said += [await writes(rows, 3), await rows.acquire_leadership("one", 60.0), await writes(rows, 4)]
    return said


@pytest.fixture
def simulated() -> LeaderRow:
    return LeaderRow(lambda: 0.0)


async def test_the_simulated_row_and_the_store_give_the_same_answers(store: Store, simulated: LeaderRow) -> None:
    expected = [1, None, True, True, True, 2, False, True, False, False, None, 3, True, False, 4, True]
    assert await answers(simulated) == expected
    assert await answers(store) == expected
