"""`vantage.store`: the monitor's own database."""

import sqlite3

import pytest

from checks.failures import verdict_of
from checks.result import Outcome, Reason
from checks.vantage.store import VantageStore, VantageStoreConfig, VantageStoreSeen
from tests.fakes import NOW, io_for

CHECK = VantageStore(VantageStoreConfig(id="vantage.store", service="monitor"))


def test_a_row_that_came_back_is_ok() -> None:
    verdict = CHECK.judge(VantageStoreSeen(0.003), NOW)

    assert (verdict.outcome, verdict.summary) == (Outcome.OK, "row written and read in 3 ms")


async def test_the_own_store_is_asked() -> None:
    asked: list[bool] = []

    async def own_store() -> None:
        asked.append(True)

    seen = await CHECK.measure(io_for(own_store=own_store))

    assert asked == [True]
    assert seen.took_seconds >= 0


async def test_a_store_that_fails_is_failed() -> None:
    async def own_store() -> None:
        raise sqlite3.OperationalError("database is locked")

    with pytest.raises(sqlite3.OperationalError) as caught:
        await CHECK.measure(io_for(own_store=own_store))
    error = verdict_of(caught.value)
    assert error is not None
    told = CHECK.on_failure(error)

    assert (told.outcome, told.reason, told.summary) == (
        Outcome.FAILED,
        Reason.QUERY_FAILED,
        "own database: query failed",
    )
