"""The methods, as a real aiogram bot meets them."""

import httpx
import pytest
from aiogram.exceptions import TelegramBadRequest, TelegramForbiddenError
from aiogram.types import (
    BotCommand,
    BotCommandScopeAllPrivateChats,
    InlineKeyboardButton,
    InlineKeyboardMarkup,
    MenuButtonCommands,
    MenuButtonWebApp,
    MessageEntity,
    ReplyParameters,
    WebAppInfo,
)

from demo.botapi.config import ALERT_TOKEN, GROUP_ID, OPERATOR_ID

pytestmark = pytest.mark.real

ACK = InlineKeyboardMarkup(inline_keyboard=[[InlineKeyboardButton(text="Ack", callback_data="v1:ack:1")]])


def plain(model):
    """Return an aiogram value without the bot it is bound to, which its own equality compares too."""
    return model.model_dump(exclude_none=True)


async def press(running, message, data="v1:ack:1", **more):
    body = {"chat_id": OPERATOR_ID, "bot": "nexus_alerts_bot", "message_id": message.message_id, "data": data} | more
    return await running.http.post("/_/press", json=body)


@pytest.mark.parametrize(
    ("path", "status", "words"),
    [
        ("/bot710000002:AAFwrongwrongwrongwrongwrongwrong/getMe", 401, "Unauthorized"),
        ("/botnonsense/getMe", 404, "Not Found"),
        (f"/bot{ALERT_TOKEN}/getNothing", 404, "Not Found: method not found"),
    ],
)
async def test_a_wrong_token_or_method_is_answered_in_telegrams_form(running, path, status, words):
    answer = await running.http.get(path)
    assert answer.status_code == status
    assert answer.json() == {"ok": False, "error_code": status, "description": words}


async def test_a_bot_knows_itself(running):
    me = await running.alerts.get_me()
    assert (me.id, me.username, me.is_bot) == (710000002, "nexus_alerts_bot", True)


@pytest.mark.parametrize("form", ["query", "json", "form", "multipart"])
async def test_parameters_come_in_every_form_telegram_takes(running, form):
    path, values = f"/bot{ALERT_TOKEN}/SENDMESSAGE", {"chat_id": str(OPERATOR_ID), "text": "é & ü"}
    more = {
        "query": {"params": values},
        "json": {"json": values},
        "form": {"data": values},
        "multipart": {"files": {name: (None, value) for name, value in values.items()}},
    }[form]
    answer = await running.http.post(path, **more)
    assert answer.json()["result"]["text"] == "é & ü"


async def test_bodies_that_are_no_object_are_refused(running):
    headers = {"Content-Type": "application/json"}
    answer = await running.http.post(f"/bot{ALERT_TOKEN}/getMe", content=b"{", headers=headers)
    assert answer.json()["description"] == "Bad Request: can't parse JSON object"


async def test_a_message_keeps_entities_keyboard_reply_and_silence(running):
    first = await running.alerts.send_message(OPERATOR_ID, "<b>root</b>", parse_mode="HTML")
    sent = await running.alerts.send_message(
        OPERATOR_ID,
        "🔴 DOWN",
        entities=[MessageEntity(type="date_time", offset=3, length=4, unix_time=1, date_time_format="t")],
        reply_markup=ACK,
        reply_parameters=ReplyParameters(message_id=first.message_id),
        disable_notification=True,
    )
    assert [one.type for one in first.entities] == ["bold"]
    assert sent.entities[0].date_time_format == "t"
    assert sent.reply_to_message.message_id == first.message_id
    assert plain(sent.reply_markup) == plain(ACK)
    parameters = {"chat": str(OPERATOR_ID), "bot": "nexus_alerts_bot"}
    shown = (await running.http.get("/_/messages", params=parameters)).json()
    assert [one["silent"] for one in shown] == [False, True]


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"chat_id": "", "text": "x"}, "chat_id is empty"),
        ({"chat_id": 5, "text": "x"}, "chat not found"),
        ({"chat_id": OPERATOR_ID}, "message text is empty"),
        ({"chat_id": OPERATOR_ID, "text": "x" * 4097}, "message is too long"),
        ({"chat_id": OPERATOR_ID, "text": "x", "parse_mode": "MarkdownV2"}, "unsupported parse_mode"),
        (
            {"chat_id": OPERATOR_ID, "text": "x", "reply_parameters": {"message_id": 99}},
            "message to be replied not found",
        ),
        ({"chat_id": GROUP_ID, "text": "x", "message_thread_id": 99}, "message thread not found"),
        ({"chat_id": OPERATOR_ID, "text": "x", "reply_markup": "["}, "can't parse reply markup JSON object"),
    ],
)
async def test_a_message_telegram_would_refuse_is_refused(running, values, words):
    assert await running.call("sendMessage", **values) == (
        400,
        {"ok": False, "error_code": 400, "description": f"Bad Request: {words}"},
    )


async def test_bots_do_not_write_to_bots(running):
    with pytest.raises(TelegramForbiddenError, match="bots can't send messages to bots"):
        await running.alerts.send_message(running.nexus.id, "x")


async def test_a_reply_to_nothing_may_be_sent_without(running):
    reply = ReplyParameters(message_id=99, allow_sending_without_reply=True)
    sent = await running.alerts.send_message(OPERATOR_ID, "x", reply_parameters=reply)
    assert sent.reply_to_message is None


async def test_an_edit_changes_the_message_and_an_equal_one_is_refused(running):
    sent = await running.alerts.send_message(OPERATOR_ID, "one", reply_markup=ACK)
    where = {"chat_id": OPERATOR_ID, "message_id": sent.message_id}
    with pytest.raises(TelegramBadRequest, match="message is not modified: specified new message content"):
        await running.alerts.edit_message_text("one", **where, reply_markup=ACK)
    edited = await running.alerts.edit_message_text("two", **where)
    assert (edited.text, edited.reply_markup) == ("two", None)
    assert edited.edit_date is not None
    with pytest.raises(TelegramBadRequest, match="message is not modified"):
        await running.alerts.edit_message_reply_markup(**where)
    assert (await running.alerts.edit_message_reply_markup(**where, reply_markup=ACK)).reply_markup is not None
    parameters = {"chat": str(OPERATOR_ID), "bot": "nexus_alerts_bot"}
    (shown,) = (await running.http.get("/_/messages", params=parameters)).json()
    assert (shown["edit_count"], shown["earlier_texts"]) == (2, ["one"])


async def test_only_own_messages_that_exist_are_edited(running):
    with pytest.raises(TelegramBadRequest, match="message to edit not found"):
        await running.alerts.edit_message_text("x", chat_id=OPERATOR_ID, message_id=99)
    said = await running.say("mine", bot="nexus_alerts_bot")
    with pytest.raises(TelegramBadRequest, match="message can't be edited"):
        await running.alerts.edit_message_text("x", chat_id=OPERATOR_ID, message_id=said["message_id"])


async def test_a_deleted_message_is_gone(running):
    sent = await running.alerts.send_message(OPERATOR_ID, "one")
    assert await running.alerts.delete_message(OPERATOR_ID, sent.message_id)
    with pytest.raises(TelegramBadRequest, match="message to delete not found"):
        await running.alerts.delete_message(OPERATOR_ID, sent.message_id)
    other = await running.alerts.send_message(OPERATOR_ID, "two")
    assert await running.alerts.delete_messages(OPERATOR_ID, [other.message_id, 99])


async def test_a_pin_shows_in_the_chat_until_unpinned(running):
    sent = await running.alerts.send_message(GROUP_ID, "root")
    assert await running.alerts.pin_chat_message(GROUP_ID, sent.message_id, disable_notification=True)
    assert (await running.alerts.get_chat(GROUP_ID)).pinned_message.text == "root"
    assert await running.alerts.unpin_chat_message(GROUP_ID, message_id=sent.message_id)
    assert (await running.alerts.get_chat(GROUP_ID)).pinned_message is None
    with pytest.raises(TelegramBadRequest, match="message to unpin not found"):
        await running.alerts.unpin_chat_message(GROUP_ID)
    with pytest.raises(TelegramBadRequest, match="message to pin not found"):
        await running.alerts.pin_chat_message(GROUP_ID, 99)
    assert await running.alerts.unpin_all_chat_messages(GROUP_ID)


async def test_a_pressed_button_reaches_its_bot_and_is_answered_once(running):
    sent = await running.alerts.send_message(OPERATOR_ID, "x", reply_markup=ACK)
    pressed = (await press(running, sent)).json()["callback_query_id"]
    (update,) = await running.alerts.get_updates(timeout=1)
    query = update.callback_query
    assert (query.id, query.data, query.from_user.id) == (pressed, "v1:ack:1", OPERATOR_ID)
    assert query.message.message_id == sent.message_id
    with pytest.raises(TelegramBadRequest, match="MESSAGE_TOO_LONG"):
        await query.answer("x" * 201).as_(running.alerts)
    assert await query.answer("Acknowledged").as_(running.alerts)
    with pytest.raises(
        TelegramBadRequest, match="query is too old and response timeout expired or query ID is invalid"
    ):
        await query.answer("again").as_(running.alerts)
    assert await running.nexus.get_updates() == []


async def test_only_a_forger_presses_what_is_not_there(running):
    sent = await running.alerts.send_message(OPERATOR_ID, "x", reply_markup=ACK)
    assert (await press(running, sent, data="v1:ack:2")).status_code == 404
    assert (await press(running, sent, data="v1:ack:2", forged=True)).status_code == 200


async def test_commands_belong_to_a_scope_and_a_language(running):
    ping = [BotCommand(command="ping", description="There?")]
    assert await running.alerts.get_my_commands() == []
    await running.alerts.set_my_commands(ping)
    await running.alerts.set_my_commands(
        [BotCommand(command="hallo", description="Da?")], scope=BotCommandScopeAllPrivateChats(), language_code="de"
    )
    assert [plain(one) for one in await running.alerts.get_my_commands()] == [plain(one) for one in ping]
    german = await running.alerts.get_my_commands(scope=BotCommandScopeAllPrivateChats(), language_code="de")
    assert [command.command for command in german] == ["hallo"]
    await running.alerts.delete_my_commands()
    assert await running.alerts.get_my_commands() == []
    with pytest.raises(TelegramBadRequest, match="BOT_COMMAND_INVALID"):
        await running.alerts.set_my_commands([BotCommand(command="not-good", description="x")])


async def test_the_menu_button_is_per_chat_over_a_default(running):
    app = MenuButtonWebApp(text="App", web_app=WebAppInfo(url="https://app.example/"))
    assert isinstance(await running.nexus.get_chat_menu_button(), MenuButtonCommands)
    await running.nexus.set_chat_menu_button(menu_button=app)
    assert plain(await running.nexus.get_chat_menu_button(chat_id=OPERATOR_ID)) == plain(app)
    bad = MenuButtonWebApp(text="App", web_app=WebAppInfo(url="http://app.example/"))
    with pytest.raises(TelegramBadRequest, match="Only HTTPS links are allowed"):
        await running.nexus.set_chat_menu_button(menu_button=bad)


async def test_a_topic_is_made_written_in_closed_and_deleted(running):
    topic = await running.alerts.create_forum_topic(GROUP_ID, "Incidents")
    sent = await running.alerts.send_message(GROUP_ID, "x", message_thread_id=topic.message_thread_id)
    assert (sent.message_thread_id, sent.is_topic_message) == (topic.message_thread_id, True)
    assert await running.alerts.close_forum_topic(GROUP_ID, topic.message_thread_id)
    assert await running.alerts.reopen_forum_topic(GROUP_ID, topic.message_thread_id)
    assert await running.alerts.edit_forum_topic(GROUP_ID, topic.message_thread_id, name="Old")
    assert await running.alerts.delete_forum_topic(GROUP_ID, topic.message_thread_id)
    with pytest.raises(TelegramBadRequest, match="message thread not found"):
        await running.alerts.send_message(GROUP_ID, "x", message_thread_id=topic.message_thread_id)


async def test_chats_and_members_are_told_in_full(running):
    chat = await running.alerts.get_chat(GROUP_ID)
    assert (chat.type, chat.title, chat.is_forum) == ("supergroup", "Nexus operations", True)
    assert (await running.alerts.get_chat(OPERATOR_ID)).first_name == "Olivia"
    member = await running.alerts.get_chat_member(GROUP_ID, running.alerts.id)
    assert (member.status, member.can_pin_messages, member.can_manage_topics) == ("administrator", True, True)
    assert (await running.alerts.get_chat_member(GROUP_ID, OPERATOR_ID)).status == "creator"
    assert await running.alerts.get_chat_member_count(GROUP_ID) == 4
    administrators = await running.alerts.get_chat_administrators(GROUP_ID)
    assert {one.user.id for one in administrators} == {OPERATOR_ID, running.alerts.id}


async def test_texts_about_a_bot_are_kept(running):
    await running.alerts.set_my_description("Watches Nexus")
    assert (await running.alerts.get_my_description()).description == "Watches Nexus"
    assert (await running.alerts.get_my_name()).name == "Nexus Monitor"
    await running.alerts.set_my_short_description("Watch")
    assert (await running.alerts.get_my_short_description()).short_description == "Watch"


async def test_a_chat_action_is_one_telegram_knows(running):
    assert await running.alerts.send_chat_action(OPERATOR_ID, "typing")
    with pytest.raises(TelegramBadRequest, match="wrong parameter action in request"):
        await running.alerts.send_chat_action(OPERATOR_ID, "juggling")


async def test_a_set_webhook_right_after_another_is_too_early(running):
    await running.call("setWebhook", url="http://127.0.0.1:9/a")
    status, body = await running.call("setWebhook", url="http://127.0.0.1:9/b")
    assert (status, body["parameters"]) == (429, {"retry_after": 1})


async def test_a_hung_up_long_poll_is_no_rival_of_the_next(running):
    with pytest.raises(httpx.ReadTimeout):
        await running.http.get(f"/bot{ALERT_TOKEN}/getUpdates", params={"timeout": 30}, timeout=0.3)
    await running.say("hello", bot="nexus_alerts_bot")
    assert [update.message.text for update in await running.alerts.get_updates(timeout=5)] == ["hello"]
