"""One writer: the epoch rises with every change, and an old one renews nothing."""

import asyncio
from datetime import timedelta

import pytest
import sqlalchemy as sa

from demo.servers import PostgresServer
from monitor.engine.model import State
from monitor.store.errors import StoreUnavailableError
from monitor.store.leadership import check_epoch
from monitor.store.models import leader
from monitor.store.store import Store
from tests.stores import T0


async def expire(store: Store) -> None:
    """Let the running lease end, as if its time had passed."""
    async with store._database.write() as connection:
        now = await store._database.clock(connection)
        await connection.execute(sa.update(leader).values(expires_at=now - timedelta(seconds=1)))


async def test_a_second_owner_waits_while_the_lease_lasts(store: Store) -> None:
    assert await store.acquire_leadership("one", 60.0) == 1
    assert await store.acquire_leadership("two", 60.0) is None
    assert await store.renew_leadership("one", 1, 60.0)
    await expire(store)
    assert await store.acquire_leadership("two", 60.0) == 2
    assert not await store.renew_leadership("one", 1, 60.0)


async def test_an_expired_lease_that_nobody_took_can_be_renewed(store: Store) -> None:
    await store.acquire_leadership("one", 60.0)
    await expire(store)
    assert await store.renew_leadership("one", 1, 60.0)
    assert await store.acquire_leadership("two", 60.0) is None


async def test_a_released_lease_is_free_at_once(store: Store) -> None:
    await store.acquire_leadership("one", 60.0)
    await store.release_leadership("one", 1)
    assert await store.acquire_leadership("two", 60.0) == 2
    await store.release_leadership("one", 1)
    assert await store.acquire_leadership("three", 60.0) is None


async def test_a_lease_that_ran_out_and_that_nobody_took_still_commits(store: Store) -> None:
    epoch = await store.acquire_leadership("one", 60.0)
    await expire(store)
    await store.commit([], State(), State(revision=1), [], T0, epoch=epoch)
    assert (await store.load()).revision == 1


@pytest.mark.real
async def test_a_leader_paused_in_the_middle_of_writing_holds_nobody_up(
    postgres: PostgresServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = postgres.create_database("paused_in_the_middle")
    monkeypatch.setattr("monitor.store.database.IDLE_SECONDS", 0.5)
    paused, other = await Store.open(url, now=lambda: T0), await Store.open(url, now=lambda: T0)
    epoch = await paused.acquire_leadership("one", 60.0)
    with pytest.raises(StoreUnavailableError):  # noqa: PT012 (the transaction as a whole is what is cut off)
        async with paused._database.write() as connection:
            await check_epoch(connection, epoch or 0)
            async with asyncio.timeout(0.4):
                assert await other.acquire_leadership("two", 60.0) is None
            await asyncio.sleep(1.0)
            await check_epoch(connection, epoch or 0)
    await expire(other)
    assert await other.acquire_leadership("two", 60.0) == 2
    await paused.close()
    await other.close()
