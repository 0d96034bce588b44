"""Dead-man's switches: who may call, what is noted, and that a restart forgets nothing."""

from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from pydantic import SecretStr

from checks.base import Push
from monitor.store.errors import StoreUnavailableError
from monitor.store.store import Store
from monitor.web.app import build_app

TOKEN = "switch-token-of-the-job"


class Book:
    """Where calls are noted."""

    def __init__(self, world: Any) -> None:
        self.now: datetime = world.now
        self.noted: list[tuple[str, Push]] = []
        self.is_out = False
        world.token = "token-of-the-dashboard"
        self.context = replace(world.context(), switches={"shop.backup": SecretStr(TOKEN)}, record_push=self.record)

    async def record(self, check_id: str, push: Push) -> None:
        if self.is_out:
            raise StoreUnavailableError("database: out")
        self.noted.append((check_id, push))

    async def call(self, method: str, path: str, **more: Any) -> httpx.Response:
        transport = httpx.ASGITransport(build_app(self.context), raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://monitor.test") as client:
            return await client.request(method, path, **more)


@pytest.fixture
def book(world: Any) -> Book:
    return Book(world)


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_a_job_with_its_token_is_noted_without_the_dashboard_s(book: Book, method: str) -> None:
    answer = await book.call(method, f"/push/shop.backup?token={TOKEN}")
    assert (answer.status_code, answer.json()) == (200, {"check": "shop.backup", "status": "ok"})
    assert book.noted == [("shop.backup", Push(book.now))]


async def test_a_bearer_token_is_as_good_and_a_job_may_say_that_it_failed(book: Book) -> None:
    query = {"status": "failed", "message": " disk  full, password=hushhush " + "x" * 300}
    answer = await book.call("POST", "/push/shop.backup", params=query, headers={"Authorization": f"Bearer {TOKEN}"})
    assert answer.status_code == 200
    [(_, push)] = book.noted
    assert (push.is_good, len(push.message)) == (False, 200)
    assert push.message.startswith("disk full, password=*** x")


@pytest.mark.parametrize(
    ("path", "check_id"),
    [
        ("/push/shop.backup", "shop.backup"),
        ("/push/shop.backup?token=wrong", "shop.backup"),
        ("/push/shop.backup?token=t%C3%B6ken", "shop.backup"),
        (f"/push/shop.other?token={TOKEN}", "shop.other"),
    ],
)
async def test_a_wrong_token_and_an_unknown_switch_look_the_same(book: Book, path: str, check_id: str) -> None:
    answer = await book.call("GET", path)
    line = f"push: there is no switch {check_id!r} with this token"
    assert (answer.status_code, answer.json()) == (403, {"detail": line})
    assert book.noted == []


async def test_another_word_for_the_status_is_refused(book: Book) -> None:
    answer = await book.call("GET", f"/push/shop.backup?token={TOKEN}&status=fine")
    assert answer.status_code == 422
    assert TOKEN not in answer.text


async def test_a_call_that_could_not_be_noted_is_an_error_that_curl_tries_again(book: Book) -> None:
    book.is_out = True
    assert (await book.call("GET", f"/push/shop.backup?token={TOKEN}")).status_code == 503


async def test_a_restart_forgets_no_call(tmp_path: Path, book: Book) -> None:
    url = f"sqlite:///{tmp_path / 'monitor.db'}"
    store = await Store.open(url, now=lambda: book.now)
    try:
        assert await store.last_push("shop.backup") is None
        await store.record_push("shop.backup", Push(book.now, is_good=False, message="disk full"))
        book.context = replace(book.context, record_push=store.record_push)
        assert (await book.call("GET", f"/push/shop.backup?token={TOKEN}")).status_code == 200
    finally:
        await store.close()
    store = await Store.open(url, now=lambda: book.now)
    try:
        assert await store.last_push("shop.backup") == Push(book.now)
        assert await store.last_push("shop.other") is None
    finally:
        await store.close()
