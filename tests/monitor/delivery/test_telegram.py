"""Every class of answer, over real sockets: what became of the message, and what people then see."""

from collections.abc import AsyncIterator, Callable
from dataclasses import replace

import pytest

from demo.botapi.config import GROUP_ID, OPERATOR_ID
from demo.botapi.faults import Fault, FaultKind
from demo.botapi.server import BotApi
from monitor.delivery.channel import Sent
from monitor.delivery.entities import Button, Entity, Rendered
from monitor.delivery.telegram import TelegramChannel, read_target
from monitor.engine.model import DeliveryOutcome
from tests.monitor.delivery.bot_api_server import TOKEN, bot_api_server, free_port, messages_in, raw_server

pytestmark = pytest.mark.real

CHAT = str(OPERATOR_ID)
GROUP = str(GROUP_ID)
HELLO = Rendered(
    "🔴 DOWN · redis.ping since 14:32 UTC",
    (
        Entity("bold", 0, 7),
        Entity("code", 10, 10),
        Entity("date_time", 27, 9, unix_time=1773498730, date_time_format="t"),
    ),
    ((Button("✅ Ack", "v1:ack:1:1", style="primary"), Button("🔗 Open", url="https://monitor.example.org/1")),),
)
TIMEOUT_SECONDS = 0.4


@pytest.fixture
async def server() -> AsyncIterator[tuple[BotApi, TelegramChannel]]:
    async with bot_api_server() as (api, url):
        channel = TelegramChannel(TOKEN, api_url=url, timeout_seconds=TIMEOUT_SECONDS)
        yield api, channel
        await channel.close()


async def send(channel: TelegramChannel, target: str = CHAT, rendered: Rendered = HELLO) -> Sent:
    return await channel.send(target, rendered, reply_to=None, is_silent=False)


async def send_to(url: str) -> Sent:
    channel = TelegramChannel(TOKEN, api_url=url, timeout_seconds=TIMEOUT_SECONDS)
    try:
        return await send(channel)
    finally:
        await channel.close()


async def test_a_message_arrives_with_its_entities_and_buttons(server: tuple[BotApi, TelegramChannel]) -> None:
    api, channel = server
    sent = await send(channel)
    [seen] = messages_in(api, CHAT)
    assert sent == Sent(DeliveryOutcome.DELIVERED, seen["message_id"])
    assert seen["text"] == HELLO.text
    assert [(entity["type"], entity["offset"], entity["length"]) for entity in seen["entities"]] == [
        ("bold", 0, 7),
        ("code", 10, 10),
        ("date_time", 27, 9),
    ]
    [[ack, open_page]] = seen["reply_markup"]["inline_keyboard"]
    assert (ack["callback_data"], open_page["url"]) == ("v1:ack:1:1", "https://monitor.example.org/1")
    [call] = api.journal.calls(method="sendMessage")
    assert '"is_disabled": true' in str(call["parameters"]) or "'is_disabled': True" in str(call["parameters"])


async def test_a_topic_a_reply_and_silence_are_passed_on(server: tuple[BotApi, TelegramChannel]) -> None:
    api, channel = server
    root = await send(channel, f"{GROUP}/2")
    await channel.send(f"{GROUP}/2", Rendered("up again"), reply_to=root.message_id, is_silent=True)
    _, reply = messages_in(api, GROUP)
    assert reply["message_thread_id"] == 2
    assert reply["reply_to_message"]["message_id"] == root.message_id
    assert "disable_notification" in api.journal.calls(method="sendMessage")[-1]["parameters"]


async def test_a_reply_to_a_message_that_is_gone_is_sent_all_the_same(server: tuple[BotApi, TelegramChannel]) -> None:
    _, channel = server
    sent = await channel.send(CHAT, Rendered("up again"), reply_to=999, is_silent=False)
    assert sent.outcome is DeliveryOutcome.DELIVERED


async def test_an_edit_changes_text_and_takes_buttons_away(server: tuple[BotApi, TelegramChannel]) -> None:
    api, channel = server
    message_id = (await send(channel)).message_id
    assert message_id is not None
    edited = await channel.edit(CHAT, message_id, Rendered("🟢 RECOVERED"))
    assert edited == Sent(DeliveryOutcome.DELIVERED, message_id)
    [seen] = messages_in(api, CHAT)
    assert seen["text"] == "🟢 RECOVERED"
    assert "reply_markup" not in seen


async def test_an_edit_that_changes_nothing_counts_as_delivered(server: tuple[BotApi, TelegramChannel]) -> None:
    _, channel = server
    message_id = (await send(channel)).message_id
    assert message_id is not None
    again = await channel.edit(CHAT, message_id, HELLO)
    assert (again.outcome, again.message_id) == (DeliveryOutcome.DELIVERED, message_id)
    assert "not modified" in again.detail


async def test_an_edit_of_a_message_that_is_gone_says_so(server: tuple[BotApi, TelegramChannel]) -> None:
    _, channel = server
    gone = await channel.edit(CHAT, 999, HELLO)
    assert gone.is_message_gone
    assert gone.outcome is DeliveryOutcome.PERMANENT


@pytest.mark.parametrize(
    ("kind", "target", "settings", "outcome"),
    [
        (FaultKind.BLOCKED, CHAT, {}, DeliveryOutcome.PERMANENT),
        (FaultKind.DEACTIVATED, CHAT, {}, DeliveryOutcome.PERMANENT),
        (FaultKind.KICKED, GROUP, {}, DeliveryOutcome.PERMANENT),
        (FaultKind.NOT_MEMBER, GROUP, {}, DeliveryOutcome.PERMANENT),
        (FaultKind.NO_RIGHTS, GROUP, {}, DeliveryOutcome.PERMANENT),
        (FaultKind.CHAT_NOT_FOUND, CHAT, {}, DeliveryOutcome.PERMANENT),
        (FaultKind.UNAUTHORIZED, CHAT, {}, DeliveryOutcome.PERMANENT),
        (FaultKind.SERVER_ERROR, CHAT, {"status": 500}, DeliveryOutcome.AMBIGUOUS),
        (FaultKind.SERVER_ERROR, CHAT, {"status": 502}, DeliveryOutcome.AMBIGUOUS),
        (FaultKind.REFUSE, CHAT, {}, DeliveryOutcome.AMBIGUOUS),
        (FaultKind.TIMEOUT_BEFORE, CHAT, {}, DeliveryOutcome.AMBIGUOUS),
        (FaultKind.TIMEOUT_AFTER, CHAT, {}, DeliveryOutcome.AMBIGUOUS),
    ],
)
async def test_each_fault_of_the_server_has_its_outcome(
    server: tuple[BotApi, TelegramChannel],
    kind: FaultKind,
    target: str,
    settings: dict[str, int],
    outcome: DeliveryOutcome,
) -> None:
    api, channel = server
    api.faults.add(Fault.model_validate({"kind": kind, "times": 1, **settings}))
    sent = await send(channel, target)
    assert sent.outcome is outcome
    assert sent.detail
    assert (await send(channel, target)).outcome is DeliveryOutcome.DELIVERED


async def test_too_many_requests_says_how_long_to_wait(server: tuple[BotApi, TelegramChannel]) -> None:
    api, channel = server
    api.faults.add(Fault(kind=FaultKind.RATE_LIMIT, retry_after=7))
    sent = await send(channel)
    assert (sent.outcome, sent.retry_after_seconds) == (DeliveryOutcome.RETRY, 7.0)


async def test_a_migrated_group_gives_its_new_id(server: tuple[BotApi, TelegramChannel]) -> None:
    api, channel = server
    moved = api.world.migrate(api.world.rooms[GROUP])
    sent = await send(channel, GROUP)
    assert (sent.outcome, sent.migrated_to) == (DeliveryOutcome.MIGRATED, str(moved.id))
    assert (await send(channel, str(moved.id))).outcome is DeliveryOutcome.DELIVERED


async def test_a_lost_topic_is_left_out_and_the_message_arrives(server: tuple[BotApi, TelegramChannel]) -> None:
    api, channel = server
    sent = await send(channel, f"{GROUP}/77")
    assert (sent.outcome, sent.detail) == (DeliveryOutcome.DELIVERED, "sent outside its topic")
    assert len(messages_in(api, GROUP)) == 1


@pytest.mark.parametrize(
    "refused",
    [
        replace(HELLO, entities=(Entity("text_link", 0, 7),)),
        replace(HELLO, buttons=((Button("Open", url="nowhere"),),)),
        replace(HELLO, buttons=((Button("Ack", "x" * 65),),)),
    ],
    ids=["entity", "button address", "button data"],
)
async def test_refused_formatting_is_left_out_once_and_the_text_arrives(
    server: tuple[BotApi, TelegramChannel], refused: Rendered
) -> None:
    api, channel = server
    sent = await send(channel, CHAT, refused)
    assert (sent.outcome, sent.detail) == (DeliveryOutcome.DELIVERED, "sent as plain text without buttons")
    [seen] = messages_in(api, CHAT)
    assert seen["text"] == HELLO.text
    assert "entities" not in seen


async def test_a_text_that_stays_refused_is_permanent(server: tuple[BotApi, TelegramChannel]) -> None:
    api, channel = server
    sent = await send(channel, CHAT, Rendered("x" * 5000))
    assert sent.outcome is DeliveryOutcome.PERMANENT
    assert len(api.journal.calls(method="sendMessage")) == 2


async def test_a_refused_connection_was_surely_not_sent() -> None:
    assert (await send_to(f"http://127.0.0.1:{free_port()}")).outcome is DeliveryOutcome.RETRY


async def test_a_name_that_does_not_resolve_was_surely_not_sent() -> None:
    assert (await send_to("http://nowhere.invalid")).outcome is DeliveryOutcome.RETRY


async def test_an_address_that_is_none_was_surely_not_sent() -> None:
    sent = await send_to("http://")
    assert sent.outcome is DeliveryOutcome.RETRY
    assert TOKEN.get_secret_value() not in sent.detail


async def test_a_server_without_tls_was_surely_not_sent() -> None:
    async with raw_server(b"HTTP/1.1 200 OK\r\n\r\n") as url:
        assert (await send_to(url.replace("http:", "https:"))).outcome is DeliveryOutcome.RETRY


@pytest.mark.parametrize(
    "answer",
    [
        None,
        b"",
        b'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"ok":',
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n<html",
        b"HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\nContent-Length: 2\r\n\r\n\xff\xfe",
        b"not http at all\r\n\r\n",
    ],
    ids=["reset", "closed", "cut off", "html", "not utf-8", "not http"],
)
async def test_an_answer_that_tells_nothing_leaves_it_open_whether_it_was_sent(answer: bytes | None) -> None:
    async with raw_server(answer) as url:
        assert (await send_to(url)).outcome is DeliveryOutcome.AMBIGUOUS


@pytest.mark.parametrize(
    ("body", "status", "expected"),
    [
        ('{"ok":true}', "200 OK", Sent(DeliveryOutcome.DELIVERED)),
        (
            '{"ok":false,"error_code":429,"description":"Too Many Requests: retry after 3"}',
            "429 Too Many Requests",
            Sent(DeliveryOutcome.RETRY, retry_after_seconds=3.0, detail="Too Many Requests: retry after 3"),
        ),
        (
            '{"ok":false,"error_code":409,"description":"Conflict: x"}',
            "409 Conflict",
            Sent(DeliveryOutcome.RETRY, detail="Conflict: x"),
        ),
        (
            '{"ok":false,"error_code":404,"description":"Not Found"}',
            "404 Not Found",
            Sent(DeliveryOutcome.PERMANENT, detail="Not Found"),
        ),
        (
            '{"ok":false,"error_code":418,"description":"I am a teapot"}',
            "418 Teapot",
            Sent(DeliveryOutcome.PERMANENT, detail="I am a teapot"),
        ),
    ],
)
async def test_rare_answers_have_their_outcome_too(body: str, status: str, expected: Sent) -> None:
    answer = f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n\r\n{body}".encode()
    async with raw_server(answer) as url:
        assert await send_to(url) == expected


@pytest.mark.parametrize(
    ("target", "place"),
    [
        ("-100123", (-100123, None)),
        ("-100123/7", (-100123, 7)),
        ("42", (42, None)),
        ("@ops_channel", ("@ops_channel", None)),
        ("ops", None),
        ("", None),
        ("-1/x", None),
        ("--1", None),
    ],
)
def test_a_target_is_a_chat_and_perhaps_a_topic(target: str, place: tuple[int | str, int | None] | None) -> None:
    assert read_target(target) == place


async def test_a_target_that_is_none_is_refused_without_a_call() -> None:
    channel = TelegramChannel(TOKEN, api_url=f"http://127.0.0.1:{free_port()}")
    calls: list[Callable[[], object]] = []
    sent = await send(channel, "ops")
    edited = await channel.edit("ops", 1, HELLO)
    await channel.close()
    assert sent == edited
    assert sent.outcome is DeliveryOutcome.PERMANENT
    assert sent.detail == "target 'ops': must be <chat id> or <chat id>/<thread id>"
    assert calls == []


@pytest.mark.parametrize(
    ("chat", "action"),
    [
        (str(OPERATOR_ID), {"web_app": {"url": "https://monitor.example.org/miniapp?next=/incidents/1"}}),
        (str(GROUP_ID), {"url": "https://monitor.example.org/incidents/1"}),
    ],
    ids=["private", "group"],
)
async def test_a_page_opens_as_a_mini_app_in_a_private_chat_only(
    server: tuple[BotApi, TelegramChannel], chat: str, action: dict[str, object]
) -> None:
    api, channel = server
    page = "https://monitor.example.org"
    button = Button("🔗 Open", url=f"{page}/incidents/1", app_url=f"{page}/miniapp?next=/incidents/1")
    sent = await send(channel, chat, replace(HELLO, buttons=((button,),)))
    edited = await channel.edit(
        chat, sent.message_id or 0, replace(HELLO, text="new", entities=(), buttons=((button,),))
    )
    assert (sent.outcome, sent.detail, edited.outcome) == (DeliveryOutcome.DELIVERED, "", DeliveryOutcome.DELIVERED)
    [seen] = messages_in(api, chat)
    assert seen["reply_markup"]["inline_keyboard"] == [[{"text": "🔗 Open", **action}]]
