"""The outbox hands each message to one sender, one at a time to each chat, pages first."""

import asyncio
from datetime import datetime

import pytest

from monitor.engine.model import Delivered, DeliveryOutcome, DropMessage, MessageKind, Severity, State
from monitor.store.outbox_rows import MessageCount, OutboxMessage
from monitor.store.store import Store
from tests.stores import at, insert, queue


async def claim(store: Store, seconds: float) -> OutboxMessage:
    """Return the next message, which must be there."""
    claimed = await store.claim_message(at(seconds))
    assert claimed is not None
    return claimed


async def finish(store: Store, key: str, outcome: DeliveryOutcome, seconds: float = 1.0) -> None:
    delivered = Delivered(1, "telegram:ops", MessageKind.OPEN, key, outcome, message_id=7)
    await store.commit([(delivered, at(seconds))], State(), State(), [], at(seconds))


async def test_a_claimed_message_carries_all_that_is_needed(store: Store) -> None:
    await queue(store, insert("k1"))
    claimed = await claim(store, 2)
    assert claimed == OutboxMessage(
        "k1", 1, "telegram:ops", MessageKind.OPEN, Severity.PAGE, False, at(0), 1, claimed.lease_token
    )
    assert len(claimed.lease_token) == 32


async def test_pages_go_first_then_the_oldest(store: Store) -> None:
    await queue(store, insert("w1", chat_id="a", severity=Severity.WARNING), insert("p1", chat_id="b"))
    await queue(store, insert("p2", chat_id="c"), seconds=1)
    assert [(await claim(store, 2)).key for _ in range(3)] == ["p1", "p2", "w1"]


async def test_a_chat_gets_one_message_at_a_time(store: Store) -> None:
    await queue(store, insert("k1"), insert("k2"))
    assert (await claim(store, 1)).key == "k1"
    assert await store.claim_message(at(1)) is None
    await finish(store, "k1", DeliveryOutcome.DELIVERED)
    assert (await claim(store, 1)).key == "k2"


async def test_many_senders_never_get_the_same_message_or_chat(store: Store) -> None:
    await queue(store, *(insert(f"{chat}{number}", chat_id=chat) for chat in "abc" for number in range(3)))
    claimed = await asyncio.gather(*(store.claim_message(at(1)) for _ in range(6)))
    assert len({message.chat_id for message in claimed if message}) == len([message for message in claimed if message])


@pytest.mark.parametrize(
    ("outcome", "status"),
    [
        (DeliveryOutcome.DELIVERED, "sent"),
        (DeliveryOutcome.AMBIGUOUS, "ambiguous"),
        (DeliveryOutcome.PERMANENT, "dead"),
    ],
)
async def test_an_outcome_ends_a_message(store: Store, outcome: DeliveryOutcome, status: str) -> None:
    await queue(store, insert("k1"))
    await claim(store, 1)
    await finish(store, "k1", outcome)
    assert await store.message_counts() == [MessageCount("telegram:ops", MessageKind.OPEN, status, 1)]
    assert await store.claim_message(at(1000)) is None


async def test_a_released_message_waits_until_it_is_due(store: Store) -> None:
    await queue(store, insert("k1"))
    first = await claim(store, 1)
    await store.release_message("k1", first.lease_token, at(5), "connection refused")
    assert await store.claim_message(at(4)) is None
    second = await claim(store, 5)
    assert (second.attempts, second.was_sending) == (2, False)
    await store.release_message("k1", second.lease_token, at(6), "429", is_counted=False)
    assert (await claim(store, 6)).attempts == 2


async def test_only_the_lease_releases(store: Store) -> None:
    await queue(store, insert("k1"))
    await claim(store, 1)
    await store.release_message("k1", "another", at(1), "")
    assert await store.claim_message(at(2)) is None


async def test_an_expired_lease_hands_the_message_out_with_unknown_fate(store: Store) -> None:
    await queue(store, insert("k1"))
    first = await claim(store, 1)
    assert await store.claim_message(at(45.9)) is None
    second = await claim(store, 46)
    assert (second.was_sending, second.attempts) == (True, 2)
    assert second.lease_token != first.lease_token


async def test_a_paused_chat_waits_and_others_do_not(store: Store) -> None:
    await queue(store, insert("a1", chat_id="a"), insert("b1", chat_id="b"))
    await store.pause_chat("a", at(31))
    assert (await claim(store, 1)).key == "b1"
    assert await store.claim_message(at(30)) is None
    assert (await claim(store, 31)).key == "a1"


async def test_a_message_dropped_while_it_is_sent_is_not_put_back(store: Store) -> None:
    await queue(store, insert("k1"), insert("k2"))
    claimed = await claim(store, 1)
    await store.commit([], State(), State(), [DropMessage("k1")], at(2))
    await store.release_message("k1", claimed.lease_token, at(2), "refused")
    assert (await claim(store, 3)).key == "k2"


async def test_a_message_dropped_while_it_is_sent_may_still_arrive(store: Store) -> None:
    await queue(store, insert("k1"))
    await claim(store, 1)
    await store.commit([], State(), State(), [DropMessage("k1")], at(2))
    await finish(store, "k1", DeliveryOutcome.DELIVERED, 3)
    assert [count.status for count in await store.message_counts()] == ["sent"]


async def test_a_moved_chat_keeps_its_target_until_the_configuration_changes(store: Store) -> None:
    await store.ensure_chats({"telegram:ops": "-100"})
    await store.set_chat_target("telegram:ops", "-200")
    await store.ensure_chats({"telegram:ops": "-100"})
    assert await store.chat_target("telegram:ops") == "-200"
    await store.ensure_chats({"telegram:ops": "-300"})
    assert await store.chat_target("telegram:ops") == "-300"


async def test_messages_to_a_chat_configured_no_more_are_dropped(store: Store) -> None:
    await queue(store, insert("a1", chat_id="a"), insert("b1", chat_id="b"))
    await store.ensure_chats({"b": "1"})
    assert (await claim(store, 1)).key == "b1"
    assert await store.claim_message(at(1)) is None
    with pytest.raises(KeyError, match="a"):
        await store.chat_target("a")


@pytest.mark.parametrize(("now", "page", "any_message"), [(at(5), 0.0, 5.0), (at(30), 20.0, 30.0)])
async def test_the_oldest_waiting_message_is_known(
    store: Store, now: datetime, page: float, any_message: float
) -> None:
    assert (await store.oldest_page_age_seconds(now), await store.outbox_oldest_seconds(now)) == (0.0, 0.0)
    await queue(store, insert("w1", severity=Severity.WARNING))
    await queue(store, insert("p1"), seconds=10)
    assert (await store.oldest_page_age_seconds(now), await store.outbox_oldest_seconds(now)) == (page, any_message)
