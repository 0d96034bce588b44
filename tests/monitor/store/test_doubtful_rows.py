"""What was dropped when it may have left already comes back, to be admitted; and each chat remembers its board."""

import pytest

from monitor.engine.model import Delivered, DeliveryOutcome, DropMessage, MessageKind, State
from monitor.store.board_rows import BoardRow
from monitor.store.store import Store
from tests.stores import at, insert, queue

KEY = "1:telegram:ops:open:1"


async def drop(store: Store, seconds: float = 2.0) -> None:
    await store.commit([], State(), State(), [DropMessage(KEY)], at(seconds))


async def doubtful(store: Store, seconds: float) -> list[str]:
    return [row.key for row in await store.doubtful_messages(at(seconds))]


async def status(store: Store) -> list[str]:
    return [count.status for count in await store.message_counts()]


async def test_what_never_was_on_its_way_is_simply_dropped(store: Store) -> None:
    await queue(store, insert(KEY))
    await drop(store)
    assert (await doubtful(store, 1000), await status(store)) == ([], ["dropped"])


async def test_what_its_sender_died_with_comes_back_when_the_lease_is_over(store: Store) -> None:
    await queue(store, insert(KEY))
    assert await store.claim_message(at(1)) is not None
    await drop(store)
    assert await doubtful(store, 45) == []
    assert await doubtful(store, 46) == [KEY]


@pytest.mark.parametrize(("may_have_left", "expected"), [(True, [KEY]), (False, [])])
async def test_an_attempt_without_an_answer_before_the_drop_is_remembered(
    store: Store, may_have_left: bool, expected: list[str]
) -> None:
    await queue(store, insert(KEY))
    for _ in range(2):
        row = await store.claim_message(at(1))
        assert row is not None
        await store.release_message(KEY, row.lease_token, at(1), "", may_have_left=may_have_left)
        may_have_left = False
    await drop(store)
    assert await doubtful(store, 3) == expected


@pytest.mark.parametrize(("may_have_left", "expected"), [(True, "doubtful"), (False, "dropped")])
async def test_dropped_in_flight_its_outcome_decides(store: Store, may_have_left: bool, expected: str) -> None:
    await queue(store, insert(KEY))
    row = await store.claim_message(at(1))
    assert row is not None
    await drop(store)
    await store.release_message(KEY, row.lease_token, at(3), "", may_have_left=may_have_left)
    assert await status(store) == [expected]
    assert await store.claim_message(at(1000)) is None


async def test_an_expired_lease_is_an_attempt_without_an_answer(store: Store) -> None:
    await queue(store, insert(KEY))
    assert await store.claim_message(at(1)) is not None
    row = await store.claim_message(at(50))
    assert row is not None
    await store.release_message(KEY, row.lease_token, at(50), "refused")
    await drop(store, 51)
    assert await doubtful(store, 51) == [KEY]


async def test_admitted_once_it_does_not_come_back(store: Store) -> None:
    await queue(store, insert(KEY))
    assert await store.claim_message(at(1)) is not None
    await drop(store)
    event = Delivered(1, "telegram:ops", MessageKind.OPEN, KEY, DeliveryOutcome.AMBIGUOUS)
    await store.commit([(event, at(50))], State(), State(), [], at(50))
    assert (await doubtful(store, 1000), await status(store)) == ([], ["ambiguous"])


async def test_a_board_is_remembered_until_its_chat_moves(store: Store) -> None:
    await store.ensure_chats({"a": "-1", "b": "-2"})
    assert (await store.board("a"), await store.board("unknown")) == (None, None)
    for chat in ("a", "b"):
        await store.set_board(chat, 7)
        await store.set_board(chat, 7, is_pinned=True)
    assert await store.board("a") == BoardRow(7, is_pinned=True)
    await store.set_chat_target("a", "-10")
    await store.ensure_chats({"a": "-1", "b": "-20"})
    assert (await store.board("a"), await store.board("b")) == (None, None)
    await store.set_board("a", 8)
    assert await store.board("a") == BoardRow(8, is_pinned=False)
    await store.set_board("a", None)
    assert await store.board("a") is None


async def test_what_may_have_left_is_not_forgotten_when_it_is_put_back(store: Store) -> None:
    """Its sender died; whoever claims it next may find the chat busy, and give it back untouched."""
    await queue(store, insert(KEY))
    assert await store.claim_message(at(1)) is not None
    again = await store.claim_message(at(50))
    assert again is not None
    await store.release_message(KEY, again.lease_token, at(51), "", is_counted=False)
    third = await store.claim_message(at(51))
    assert third is not None
    assert third.was_sending
