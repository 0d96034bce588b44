"""Webhooks as Telegram drives them: secret, order, retries, sticky errors, methods in answers."""

import asyncio
import random

import httpx
import pytest
from aiogram.exceptions import TelegramBadRequest, TelegramConflictError

from demo.botapi.config import GROUP_ID, NEXUS_TOKEN, OPERATOR_ID
from demo.botapi.webhooks import Courier, describe_failure

pytestmark = pytest.mark.real


async def test_an_update_arrives_with_the_secret_header(running, receiver):
    await running.nexus.set_webhook(receiver.url, secret_token="s3cret")
    await running.say("/start")
    await running.until(lambda: asyncio.sleep(0, receiver.got))
    assert receiver.headers[0]["x-telegram-bot-api-secret-token"] == "s3cret"
    assert receiver.got[0]["message"]["text"] == "/start"
    assert receiver.got[0]["message"]["entities"] == [{"type": "bot_command", "offset": 0, "length": 6}]


async def test_a_refused_update_is_tried_at_once_then_after_2_and_4_seconds(running, receiver):
    receiver.answers = [(500, "text/plain", b"")] * 3
    await running.nexus.set_webhook(receiver.url)
    await running.say("one")
    await running.until(lambda: asyncio.sleep(0, len(receiver.got) == 4))
    pauses = [later - earlier for earlier, later in zip(receiver.arrived_at, receiver.arrived_at[1:], strict=False)]
    assert pauses[0] < 0.08
    assert pauses[1] >= 2 / 20
    assert pauses[2] >= 4 / 20
    assert len({update["update_id"] for update in receiver.got}) == 1


def test_the_pause_doubles_and_ends_between_one_and_two_minutes():
    courier = Courier.__new__(Courier)
    courier._jitter = random.Random(1)
    assert [courier.pause_seconds(failure) for failure in range(6)] == [0, 2, 4, 8, 16, 32]
    assert 60 <= courier.pause_seconds(30) <= 120
    assert courier.pause_seconds(3, 7) == 7
    assert courier.pause_seconds(3, 90_000) == 3600


async def test_order_is_kept_within_a_chat_and_a_stuck_chat_does_not_hold_another(running, receiver):
    receiver.busy_chat = OPERATOR_ID
    await running.nexus.set_webhook(receiver.url)
    await running.say("stuck")
    await running.say("behind it")
    await running.say("another chat", chat_id=GROUP_ID, bot=None)
    await running.until(lambda: asyncio.sleep(0, "another chat" in receiver.texts()))
    assert "behind it" not in receiver.texts()
    receiver.busy_chat = None
    await running.until(lambda: asyncio.sleep(0, "behind it" in receiver.texts()))
    info = await running.nexus.get_webhook_info()
    assert info.pending_update_count == 0


async def test_the_last_error_outlives_success_and_the_same_set_webhook(running, receiver):
    receiver.answers = [(502, "text/plain", b"")]
    await running.nexus.set_webhook(receiver.url)
    await running.say("one")
    await running.until(lambda: asyncio.sleep(0, len(receiver.got) == 2))

    async def quiet():
        info = await running.nexus.get_webhook_info()
        return info if info.pending_update_count == 0 else None

    info = await running.until(quiet)
    assert info.last_error_message == "Wrong response from the webhook: 502 Bad Gateway"
    assert info.last_error_date is not None
    _, said = await running.call("setWebhook", NEXUS_TOKEN, url=receiver.url)
    assert said["description"] == "Webhook is already set"
    assert (await running.nexus.get_webhook_info()).last_error_message is not None
    await running.nexus.set_webhook(receiver.url, max_connections=39)
    info = await running.nexus.get_webhook_info()
    assert (info.last_error_message, info.last_error_date, info.max_connections) == (None, None, 39)


async def test_a_redirect_is_a_failure(running, receiver):
    receiver.answers = [(307, "text/plain", b"")] * 50
    await running.nexus.set_webhook(receiver.url)
    await running.say("one")
    await running.until(lambda: asyncio.sleep(0, receiver.got))
    info = await running.until(running.nexus.get_webhook_info)
    assert info.pending_update_count == 1
    assert "307 Temporary Redirect" in (await running.until(running.nexus.get_webhook_info)).last_error_message


async def test_a_dead_webhook_is_told_as_connection_refused_and_updates_wait(running):
    await running.nexus.set_webhook("http://127.0.0.1:9/hook")
    await running.say("one")
    await running.say("two")

    async def error():
        return (await running.nexus.get_webhook_info()).last_error_message

    assert await running.until(error) == "Connection refused"
    assert (await running.nexus.get_webhook_info()).pending_update_count == 2


async def test_allowed_updates_stay_when_not_given_again(running, receiver):
    await running.nexus.set_webhook(receiver.url, allowed_updates=["callback_query"])
    await running.nexus.set_webhook(receiver.url, secret_token="other")
    assert (await running.nexus.get_webhook_info()).allowed_updates == ["callback_query"]
    await running.say("not asked for")
    assert (await running.nexus.get_webhook_info()).pending_update_count == 0


@pytest.mark.parametrize("form", ["json", "multipart"])
async def test_a_method_in_the_answer_is_carried_out(running, receiver, form):
    if form == "json":
        content = b'{"method": "sendMessage", "chat_id": %d, "text": "by reply"}' % OPERATOR_ID
        receiver.answers = [(200, "application/json", content)]
    else:
        fields = {"method": "sendMessage", "chat_id": str(OPERATOR_ID), "text": "by reply"}
        request = httpx.Request("POST", "http://x", files={name: (None, value) for name, value in fields.items()})
        receiver.answers = [(200, request.headers["content-type"], request.read())]
    await running.nexus.set_webhook(receiver.url)
    await running.say("/start")

    async def done():
        return [call for call in await running.calls(method="sendMessage") if call["via"] == "webhook"]

    (call,) = await running.until(done)
    assert call["ok"] is True
    assert call["parameters"]["text"] == "by reply"


async def test_deleting_the_webhook_keeps_updates_unless_told_to_drop_them(running):
    await running.nexus.set_webhook("http://127.0.0.1:9/hook")
    await running.say("one")
    _, said = await running.call("deleteWebhook", NEXUS_TOKEN)
    assert said == {"ok": True, "result": True, "description": "Webhook was deleted"}
    assert (await running.nexus.get_webhook_info()).pending_update_count == 1
    _, said = await running.call("deleteWebhook", NEXUS_TOKEN, drop_pending_updates=True)
    assert said["description"] == "Webhook is already deleted"
    assert (await running.nexus.get_webhook_info()).pending_update_count == 0


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("http://example.com/hook", "bad webhook: An HTTPS URL must be provided for webhook"),
        ("https://example.com:8080/hook", "bad webhook: Webhook can be set up only on ports 80, 88, 443 or 8443"),
        ("ftp://example.com", "invalid webhook URL specified"),
    ],
)
async def test_an_address_telegram_would_not_take_is_refused(running, url, words):
    with pytest.raises(TelegramBadRequest, match=words):
        await running.nexus.set_webhook(url)


async def test_updates_come_by_polling_and_are_confirmed_by_the_offset(running):
    await running.say("one")
    await running.say("two")
    first = await running.nexus.get_updates(timeout=1)
    assert [update.message.text for update in first] == ["one", "two"]
    rest = await running.nexus.get_updates(offset=first[0].update_id + 1)
    assert [update.message.text for update in rest] == ["two"]
    assert await running.nexus.get_updates(offset=first[1].update_id + 1) == []


async def test_a_long_poll_ends_when_an_update_arrives(running):
    async with asyncio.TaskGroup() as group:
        poll = group.create_task(running.nexus.get_updates(timeout=30))
        await running.until(lambda: asyncio.sleep(0, running.api.world.inboxes[running.nexus.id]._poll))
        await running.say("wake up")
    assert [update.message.text for update in poll.result()] == ["wake up"]


async def test_polling_beside_a_webhook_is_a_conflict(running, receiver):
    await running.nexus.set_webhook(receiver.url)
    with pytest.raises(TelegramConflictError, match="can't use getUpdates method while webhook is active"):
        await running.nexus.get_updates()


@pytest.mark.parametrize("by", ["getUpdates", "setWebhook"])
async def test_a_second_poller_or_a_webhook_ends_the_first_poll(running, receiver, by):
    async def first():
        with pytest.raises(TelegramConflictError, match=f"terminated by .*{by} request"):
            await running.nexus.get_updates(timeout=30)

    async with asyncio.TaskGroup() as group:
        group.create_task(first())
        await running.until(lambda: asyncio.sleep(0, running.api.world.inboxes[running.nexus.id]._poll))
        if by == "getUpdates":
            await running.nexus.get_updates(timeout=0)
        else:
            await running.nexus.set_webhook(receiver.url)


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (httpx.ReadTimeout("x"), "Read timeout expired"),
        (httpx.WriteTimeout("x"), "Write timeout expired"),
        (httpx.ConnectTimeout("x"), "Connection timed out"),
        (httpx.RemoteProtocolError("x"), ""),
        (httpx.ReadError("x"), "Connection closed"),
    ],
)
def test_a_failed_exchange_is_worded_as_telegram_words_it(error, words):
    assert describe_failure(error) == words
