"""What was found about the stack survives in the store, without secrets, and is read without changing anything."""

from datetime import timedelta
from pathlib import Path

from monitor.config.found import Found, Sight, Thing
from monitor.store.found_rows import kept_found
from monitor.store.store import Store
from tests.stores import T0

FOUND = Found(
    targets={"API_URL": "http://a"},
    routers=Thing(Sight.FOUND, ("a", "b"), "GET /openapi.json", gone=("b",)),
    schedule=Thing(Sight.UNREACHED, ("tick",), "inspect conf", why="no worker", setting="X", notes=("every 10 s",)),
)


async def test_what_was_kept_comes_back(store: Store) -> None:
    assert await store.found() is None
    assert await store.found_accepted_at() is None
    await store.keep_found(Found())
    await store.keep_found(FOUND)
    assert await store.found() == FOUND


async def test_an_acceptance_outlives_the_next_keeping(store: Store) -> None:
    await store.keep_found(FOUND)
    await store.accept_found(T0 + timedelta(seconds=1))
    await store.keep_found(Found())
    assert await store.found_accepted_at() == T0 + timedelta(seconds=1)


async def test_what_holds_a_token_is_not_written(store: Store) -> None:
    token = "123456789:AAabcdefghijklmnopqrstuvwxyz012345678"
    await store.keep_found(Found(webhook_url=Thing(Sight.FOUND, (f"https://b/{token}",), "getWebhookInfo")))
    kept = await store.found()
    assert kept is not None
    assert kept.webhook_url.sight is Sight.UNREACHED
    assert token not in repr(kept)


async def test_it_is_read_from_outside(database_url: str) -> None:
    store = await Store.open(database_url, now=lambda: T0)
    await store.keep_found(FOUND)
    await store.close()
    assert await kept_found(database_url) == FOUND


async def test_reading_from_outside_makes_no_file_and_no_table(database_url: str, tmp_path: Path) -> None:
    assert await kept_found(f"sqlite:///{tmp_path}/none.db") is None
    assert not (tmp_path / "none.db").exists()
    assert await kept_found(database_url) is None
