"""Where Render's webhook calls: open without a token, bounded, and only there when it is set up."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import httpx
import pytest

from monitor.web.app import build_app


class Taker:
    """Answers as told."""

    def __init__(self, status: int = 200, line: str = "taken") -> None:
        self.answer = status, line
        self.taken: list[tuple[str, bytes]] = []

    async def take(self, headers: Mapping[str, str], body: bytes) -> tuple[int, str]:
        self.taken.append((headers["webhook-id"], body))
        return self.answer


async def deliver(world: Any, taker: Taker | None, body: bytes = b"{}") -> httpx.Response:
    world.token = "token-of-the-dashboard"
    context = replace(world.context(), take_hook=None if taker is None else taker.take)
    transport = httpx.ASGITransport(build_app(context), raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://monitor.test") as client:
        return await client.post("/hooks/render", content=body, headers={"webhook-id": "evt-1"})


async def test_a_delivery_needs_no_token_and_is_handed_on_as_it_came(world: Any) -> None:
    taker = Taker()
    answer = await deliver(world, taker, b'{"type": "x"}')
    assert (answer.status_code, answer.json()) == (200, {"detail": "taken"})
    assert taker.taken == [("evt-1", b'{"type": "x"}')]


@pytest.mark.parametrize("status", [401, 422, 503])
async def test_a_refusal_is_one_line(world: Any, status: int) -> None:
    answer = await deliver(world, Taker(status, "hooks: no"))
    assert (answer.status_code, answer.json()) == (status, {"detail": "hooks: no"})


async def test_what_is_too_long_is_not_read_to_its_end(world: Any) -> None:
    taker = Taker()
    answer = await deliver(world, taker, b"x" * 65_537)
    assert (answer.status_code, taker.taken) == (413, [])


async def test_without_a_secret_there_is_no_such_page(world: Any) -> None:
    assert (await deliver(world, None)).status_code == 404
