"""The fallback over real sockets: what an address gets, what a silent or unwilling one means."""

import asyncio
import json
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from pydantic import SecretStr

from monitor.config.checklist import build_checklist
from monitor.config.settings import settings_from
from monitor.config.stack import Stack
from monitor.delivery.channel import Sent
from monitor.delivery.entities import Button, Rendered
from monitor.delivery.fallback import MOST_STUCK, FallbackChannel, open_services
from monitor.engine.model import Chat, DeliveryOutcome
from monitor.errors import UsageError
from tests.monitor.delivery.bot_api_server import free_port

CARD = Rendered(
    "🔴 DOWN · redis · redis.ping\n#INC-1 · since 14:32 UTC", buttons=((Button("🔗 Open", url="https://m.example/1"),),)
)


class Receiver:
    """A web hook that keeps what it is sent and answers with one status."""

    def __init__(self, status: int) -> None:
        self.got: list[Any] = []
        self.hold = threading.Event()
        self.hold.set()
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                receiver.hold.wait(10)
                receiver.got.append(json.loads(body))
                self.send_response(status)
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (the name is the library's)
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"json://user:hidden-word@127.0.0.1:{self.server.server_address[1]}/hook"


@contextmanager
def receiving(status: int = 200) -> Iterator[Receiver]:
    receiver = Receiver(status)
    thread = threading.Thread(target=receiver.server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield receiver
    finally:
        receiver.hold.set()
        receiver.server.shutdown()
        receiver.server.server_close()
        thread.join()


async def send(*addresses: str, rendered: Rendered = CARD, timeout_seconds: float = 5.0) -> Sent:
    channel = FallbackChannel([SecretStr(one) for one in addresses], timeout_seconds=timeout_seconds)
    return await channel.send("MONITOR_FALLBACK_URLS", rendered, reply_to=None, is_silent=False)


@asynccontextmanager
async def released(receiver: Receiver) -> AsyncIterator[None]:
    """Let the receiver answer, and its threads end, before the test is over."""
    receiver.hold.clear()
    try:
        yield
    finally:
        receiver.hold.set()
        async with asyncio.timeout(5):
            while any(thread.name == "fallback" for thread in threading.enumerate()):
                await asyncio.sleep(0.02)


pytestmark = pytest.mark.real


async def test_the_first_line_is_the_title_and_links_are_written_out() -> None:
    with receiving() as receiver:
        assert await send(receiver.address) == Sent(DeliveryOutcome.DELIVERED, detail="1 of 1 addresses took it")
    [got] = receiver.got
    assert got["title"] == "🔴 DOWN · redis · redis.ping"
    assert got["message"] == "#INC-1 · since 14:32 UTC\n🔗 Open: https://m.example/1"


async def test_a_message_of_one_line_is_a_body_alone() -> None:
    with receiving() as receiver:
        await send(receiver.address, rendered=Rendered("✅ #INC-1 redis.ping is up again"))
    assert (receiver.got[0]["title"], receiver.got[0]["message"]) == ("", "✅ #INC-1 redis.ping is up again")


async def test_one_address_that_takes_it_is_enough() -> None:
    with receiving() as receiver, receiving(500) as unwilling:
        sent = await send(f"json://127.0.0.1:{free_port()}/", unwilling.address, receiver.address)
    assert sent == Sent(DeliveryOutcome.DELIVERED, detail="1 of 3 addresses took it")
    assert len(receiver.got) == 1


async def test_none_that_takes_it_means_to_try_again() -> None:
    with receiving(403) as unwilling:
        assert (await send(unwilling.address)).outcome is DeliveryOutcome.RETRY


async def test_a_library_that_does_not_return_is_left_behind() -> None:
    with receiving() as receiver:
        channel = FallbackChannel([SecretStr(receiver.address)], timeout_seconds=0.1)
        async with released(receiver):
            for _ in range(MOST_STUCK):
                sent = await channel.send("", CARD, reply_to=None, is_silent=False)
                assert sent.outcome is DeliveryOutcome.AMBIGUOUS
            sent = await channel.send("", CARD, reply_to=None, is_silent=False)
            assert sent == Sent(DeliveryOutcome.RETRY, detail="4 earlier messages still hang")
        assert (await send(receiver.address)).outcome is DeliveryOutcome.DELIVERED


async def test_there_is_nothing_to_edit() -> None:
    with receiving() as receiver:
        channel = FallbackChannel([SecretStr(receiver.address)])
        assert await channel.edit("", 7, CARD) == Sent(DeliveryOutcome.DELIVERED, 7)
    assert receiver.got == []


async def test_no_password_of_an_address_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(0)
    with receiving(500) as receiver:
        sent = await send(receiver.address)
    assert "hidden-word" not in caplog.text + repr(sent)


def test_an_address_that_nobody_understands_is_one_line_without_the_address() -> None:
    with pytest.raises(UsageError) as caught:
        open_services([SecretStr("json://localhost"), SecretStr("pigeon://hidden-word@loft")])
    assert caught.value.lines == ("MONITOR_FALLBACK_URLS: apprise does not understand address 2 of 2",)


def test_addresses_are_parted_by_spaces_and_commas_but_may_hold_commas() -> None:
    given = "mailto://u:p@h?to=a@x,b@x, json://h/1\n slack://a/b/c,json://h/2"
    settings = settings_from({"MONITOR_FALLBACK_URLS": given})
    assert [address.get_secret_value() for address in settings.fallback_addresses] == [
        "mailto://u:p@h?to=a@x,b@x",
        "json://h/1",
        "slack://a/b/c",
        "json://h/2",
    ]
    assert "u:p" not in repr(settings)


def test_what_is_no_address_is_one_line() -> None:
    with pytest.raises(UsageError) as caught:
        settings_from({"MONITOR_FALLBACK_URLS": "ops@example.org"})
    assert caught.value.lines == (
        "MONITOR_FALLBACK_URLS: must be addresses like mailto://… or slack://…, separated by spaces or commas",
    )


def test_all_addresses_together_are_one_chat_beside_the_others() -> None:
    environ = {"MONITOR_FALLBACK_URLS": "json://h/1 json://h/2", "ALERT_CHAT_ID": "4711"}
    environ["ALERT_BOT_TOKEN"] = f"123456789:{'A' * 35}"
    checklist = build_checklist(settings_from(environ), Stack())
    assert checklist.plan.chats == (Chat("telegram:ops"), Chat("apprise:fallback", "apprise", is_fallback=True))
    assert checklist.chat_targets == {"telegram:ops": "4711", "apprise:fallback": "MONITOR_FALLBACK_URLS"}
