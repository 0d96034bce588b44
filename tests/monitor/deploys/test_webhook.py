"""Render's webhook: who may deliver, what is kept, and how soon it is answered."""

import asyncio
import base64
import hashlib
import hmac
import json
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from pydantic import SecretStr

from demo.renderapi.account import Account
from demo.renderapi.server import RenderServer
from monitor.deploys.webhook import Webhook
from monitor.store.deploy_rows import Hook
from monitor.store.errors import StoreUnavailableError
from monitor.store.store import Store
from tests.monitor.deploys.place import START

KEY = b"0123456789abcdef01234567"
SECRET = f"whsec_{base64.b64encode(KEY).decode()}"
BODY = json.dumps(
    {
        "type": "deploy_ended",
        "timestamp": "2026-11-24T12:00:00Z",
        "data": {"id": "evt-1", "serviceId": "srv-1", "serviceName": "nexus-api", "status": "succeeded"},
    }
).encode()


def signed(body: bytes = BODY, *, delivery: str = "evt-1", at: float | None = None, key: bytes = KEY) -> dict[str, str]:
    """Return the headers of a delivery, signed by the rule of Standard Webhooks."""
    stamp = str(int(time.time() if at is None else at))
    signature = hmac.new(key, f"{delivery}.{stamp}.".encode() + body, hashlib.sha256).digest()
    return {
        "webhook-id": delivery,
        "webhook-timestamp": stamp,
        "webhook-signature": f"v1,{base64.b64encode(signature).decode()}",
    }


class Book:
    """Remembers deliveries."""

    def __init__(self) -> None:
        self.kept: list[Hook] = []
        self.error: Exception | None = None

    async def record(self, hook: Hook) -> bool:
        if self.error is not None:
            raise self.error
        is_new = all(one.id != hook.id for one in self.kept)
        if is_new:
            self.kept.append(hook)
        return is_new


def webhook(book: Any) -> Webhook:
    return Webhook(SecretStr(SECRET), book.record, lambda: START)


async def test_a_signed_delivery_is_kept_once() -> None:
    book = Book()
    assert await webhook(book).take(signed(), BODY) == (200, "taken")
    assert await webhook(book).take(signed(), BODY) == (200, "taken before")
    assert book.kept == [Hook("evt-1", "deploy_ended", "srv-1", "evt-1", START)]


@pytest.mark.parametrize(
    ("headers", "body"),
    [
        pytest.param(lambda: signed(key=b"another key, as long as it"), BODY, id="another key"),
        pytest.param(signed, BODY.replace(b"succeeded", b"failed"), id="another body"),
        pytest.param(lambda: signed() | {"webhook-id": "evt-2"}, BODY, id="another id"),
        pytest.param(lambda: signed(at=time.time() - 301), BODY, id="too old"),
        pytest.param(lambda: signed(at=time.time() + 360), BODY, id="from the future"),
        pytest.param(lambda: signed() | {"webhook-timestamp": str(int(time.time()) - 9)}, BODY, id="another instant"),
        pytest.param(lambda: signed() | {"webhook-timestamp": "soon"}, BODY, id="no timestamp"),
        pytest.param(lambda: signed() | {"webhook-timestamp": "nan"}, BODY, id="not a number"),
        pytest.param(lambda: signed() | {"webhook-signature": "v1"}, BODY, id="half a signature"),
        pytest.param(lambda: signed() | {"webhook-signature": "v1,%%%"}, BODY, id="no base64"),
        pytest.param(lambda: signed() | {"webhook-signature": "v2" + signed()["webhook-signature"][2:]}, BODY, id="v2"),
        pytest.param(dict, BODY, id="no headers"),
        pytest.param(lambda: signed(b"\xff\xfe"), b"\xff\xfe", id="no text"),
    ],
)
async def test_what_is_not_renders_is_refused_and_not_kept(headers: Callable[[], dict[str, str]], body: bytes) -> None:
    book = Book()
    status, line = await webhook(book).take(headers(), body)
    assert (status, line) == (401, "hooks: the signature does not fit, or is older than five minutes")
    assert book.kept == []


async def test_one_of_several_signatures_is_enough() -> None:
    headers = signed()
    headers["webhook-signature"] = f"v1a,xx v1,{base64.b64encode(b'x' * 32).decode()} {headers['webhook-signature']}"
    assert (await webhook(Book()).take(headers, BODY))[0] == 200


@pytest.mark.parametrize(
    "body",
    [
        b"no json",
        b"[]",
        b"{}",
        b'{"type": "deploy_ended", "data": {}}',
        b'{"type": "deploy_ended", "data": {"id": 7, "serviceId": "srv-1"}}',
        b'{"type": "deploy_ended", "data": {"id": "evt-1", "serviceId": 7}}',
        b'{"type": "' + b"x" * 201 + b'", "data": {"id": "evt-1"}}',
    ],
)
async def test_what_is_no_event_is_said(body: bytes) -> None:
    book = Book()
    assert await webhook(book).take(signed(body), body) == (422, "hooks: this is no event of Render's")
    assert book.kept == []


async def test_what_is_not_about_a_deploy_is_taken_and_left_alone() -> None:
    body = BODY.replace(b"deploy_ended", b"server_failed")
    book = Book()
    assert await webhook(book).take(signed(body), body) == (200, "taken, nothing to do")
    assert book.kept == []


async def test_a_database_that_is_away_has_it_delivered_again() -> None:
    book = Book()
    book.error = StoreUnavailableError("database: out")
    assert (await webhook(book).take(signed(), BODY))[0] == 503
    book.error = None
    assert await webhook(book).take(signed(), BODY) == (200, "taken")


async def test_a_database_that_hangs_is_not_waited_for() -> None:
    class Hanging:
        async def record(self, hook: Hook) -> bool:
            await asyncio.sleep(30)
            raise AssertionError

    started = time.monotonic()
    assert (await webhook(Hanging()).take(signed(), BODY))[0] == 503
    assert time.monotonic() - started < 1.5


async def test_what_the_demos_render_signs_is_taken() -> None:
    server = RenderServer(Account(lambda: datetime.now(UTC)), "key", webhook_secret=SECRET)
    headers = server.signed("evt-9", BODY, time.time())
    assert await webhook(Book()).take(headers, BODY) == (200, "taken")


async def test_a_delivery_survives_in_the_store_and_is_the_same_when_it_comes_again(own_store: Store) -> None:
    taken = webhook(type("Rows", (), {"record": own_store.record_hook})).take
    await taken(signed(), BODY)
    await taken(signed(), BODY)
    assert [hook.event_id for hook in await own_store.waiting_hooks()] == ["evt-1"]
    await own_store.finish_hook("evt-1")
    assert await taken(signed(), BODY) == (200, "taken before")
    assert await own_store.waiting_hooks() == []
