"""Each injected fault, as aiogram meets it."""

import asyncio

import pytest
from aiogram.exceptions import (
    ClientDecodeError,
    TelegramBadRequest,
    TelegramForbiddenError,
    TelegramMigrateToChat,
    TelegramNetworkError,
    TelegramRetryAfter,
    TelegramServerError,
    TelegramUnauthorizedError,
)

from demo.botapi.config import GROUP_ID, OPERATOR_ID

pytestmark = pytest.mark.real


async def stored(running, chat=OPERATOR_ID):
    parameters = {"chat": str(chat), "bot": "nexus_alerts_bot"}
    return [message["text"] for message in (await running.http.get("/_/messages", params=parameters)).json()]


async def test_a_rate_limit_says_when_to_come_back_and_ends_after_its_count(running):
    await running.fault("rate_limit", retry_after=7, times=1, bot="nexus_alerts_bot")
    await running.nexus.send_message(OPERATOR_ID, "another bot")
    with pytest.raises(TelegramRetryAfter) as caught:
        await running.alerts.send_message(OPERATOR_ID, "one")
    assert caught.value.retry_after == 7
    await running.alerts.send_message(OPERATOR_ID, "two")
    assert await stored(running) == ["two"]


async def test_a_server_error_is_json_for_500_and_a_page_for_502(running):
    await running.fault("server_error", times=1)
    with pytest.raises(TelegramServerError, match="Internal Server Error"):
        await running.alerts.send_message(OPERATOR_ID, "one")
    await running.fault("server_error", status=502, times=1)
    with pytest.raises(ClientDecodeError):
        await running.alerts.send_message(OPERATOR_ID, "two")
    assert await stored(running) == []


async def test_a_refused_call_gets_no_answer_and_stores_nothing(running):
    await running.fault("refuse", times=1)
    with pytest.raises(TelegramNetworkError):
        await running.alerts.send_message(OPERATOR_ID, "one")
    assert await stored(running) == []
    (call,) = await running.calls(method="sendMessage")
    assert (call["ok"], call["fault"]) == (False, "refuse")


@pytest.mark.parametrize(("kind", "kept"), [("timeout_before", []), ("timeout_after", ["one"])])
async def test_a_timeout_leaves_the_caller_without_an_answer(running, kind, kept):
    await running.fault(kind)
    with pytest.raises(TelegramNetworkError, match="timeout"):
        await running.alerts.send_message(OPERATOR_ID, "one", request_timeout=1)
    assert await stored(running) == kept


async def test_a_hanging_call_does_not_hold_up_the_end_of_the_server(running):
    await running.fault("timeout_before")
    async with asyncio.TaskGroup() as group:

        async def hang():
            with pytest.raises(TelegramNetworkError):
                await running.alerts.send_message(OPERATOR_ID, "one", request_timeout=60)

        group.create_task(hang())
        await running.until(lambda: running.calls(method="sendMessage"))
        running.api.close()


@pytest.mark.parametrize(
    ("kind", "chat", "error", "words"),
    [
        ("kicked", GROUP_ID, TelegramForbiddenError, "bot was kicked from the supergroup chat"),
        ("not_member", GROUP_ID, TelegramForbiddenError, "bot is not a member of the supergroup chat"),
        ("no_rights", GROUP_ID, TelegramBadRequest, "not enough rights to send text messages to the chat"),
        ("blocked", OPERATOR_ID, TelegramForbiddenError, "bot was blocked by the user"),
        ("deactivated", OPERATOR_ID, TelegramForbiddenError, "user is deactivated"),
        ("chat_not_found", OPERATOR_ID, TelegramBadRequest, "chat not found"),
        ("unauthorized", OPERATOR_ID, TelegramUnauthorizedError, "Unauthorized"),
    ],
)
async def test_a_permanent_refusal_lasts_until_it_is_lifted(running, kind, chat, error, words):
    await running.fault(kind, chat=chat)
    for _ in range(2):
        with pytest.raises(error, match=words):
            await running.alerts.send_message(chat, "one")
    assert (await running.http.get("/_/faults")).json()[0]["hits"] == 2
    assert (await running.http.delete(f"/_/faults/{kind}")).json() == {"ok": True, "removed": 1}
    await running.alerts.send_message(chat, "back")


async def test_a_lost_topic_hits_only_calls_that_name_it(running):
    await running.fault("thread_not_found")
    with pytest.raises(TelegramBadRequest, match="message thread not found"):
        await running.alerts.send_message(GROUP_ID, "one", message_thread_id=2)
    await running.alerts.send_message(GROUP_ID, "two")


async def test_kicked_matches_no_private_chat(running):
    await running.fault("kicked")
    await running.alerts.send_message(OPERATOR_ID, "one")


async def test_a_kicked_bot_is_told_so(running):
    await running.fault("kicked", chat=GROUP_ID, bot="nexus_alerts_bot")
    (update,) = await running.alerts.get_updates(timeout=1)
    assert update.my_chat_member.new_chat_member.status == "kicked"
    await running.http.delete("/_/faults")
    back = await running.alerts.get_updates(offset=update.update_id + 1, timeout=1)
    assert back[0].my_chat_member.new_chat_member.status == "administrator"
    assert await running.nexus.get_updates() == []


async def test_a_migrated_group_answers_with_its_new_id_which_works(running):
    new_id = (await running.fault("migrated", chat=GROUP_ID))["migrate_to_chat_id"]
    with pytest.raises(TelegramMigrateToChat) as caught:
        await running.alerts.send_message(GROUP_ID, "one")
    assert caught.value.migrate_to_chat_id == new_id
    sent = await running.alerts.send_message(new_id, "two", message_thread_id=2)
    assert sent.chat.id == new_id
    with pytest.raises(TelegramBadRequest, match="message to edit not found"):
        await running.alerts.edit_message_text("x", chat_id=new_id, message_id=4711)


async def test_a_chance_is_the_same_for_the_same_seed(running):
    async def outcomes():
        await running.fault("server_error", probability=0.5, seed=3)
        statuses = [(await running.call("getMe"))[0] for _ in range(12)]
        await running.http.delete("/_/faults")
        return statuses

    first = await outcomes()
    assert set(first) == {200, 500}
    assert await outcomes() == first


async def test_an_unknown_fault_or_key_is_refused_by_name(running):
    answer = await running.http.post("/_/faults", json={"kind": "gremlins", "metod": "x"})
    assert answer.status_code == 422
    assert {error["loc"][-1] for error in answer.json()["detail"]} == {"kind", "metod"}


async def test_more_than_twenty_messages_a_minute_to_a_group_are_too_many(running):
    for number in range(20):
        await running.alerts.send_message(GROUP_ID, str(number))
    with pytest.raises(TelegramRetryAfter) as caught:
        await running.alerts.send_message(GROUP_ID, "one too many")
    assert 50 <= caught.value.retry_after <= 61
