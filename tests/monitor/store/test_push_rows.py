"""The last call to each dead-man's switch."""

from checks.base import Push
from monitor.store.store import Store
from tests.stores import at


async def test_the_last_call_is_remembered_for_each_switch(store: Store) -> None:
    assert await store.last_push("shop.backup") is None
    await store.record_push("shop.backup", Push(at(1)))
    await store.record_push("shop.mail", Push(at(2), message="sent"))
    await store.record_push("shop.backup", Push(at(3), is_good=False, message="disk full"))
    assert await store.last_push("shop.backup") == Push(at(3), is_good=False, message="disk full")
    assert await store.last_push("shop.mail") == Push(at(2), message="sent")


async def test_a_call_that_was_written_late_replaces_no_newer_one(store: Store) -> None:
    await store.record_push("shop.backup", Push(at(3), message="newer"))
    await store.record_push("shop.backup", Push(at(2), message="older"))
    assert await store.last_push("shop.backup") == Push(at(3), message="newer")
