"""The public status page and the badges tell how the chosen services stand, and nothing else."""

from collections.abc import AsyncIterator, Callable
from typing import Any

import httpx
import pytest

from monitor.web.public import Public


@pytest.fixture
async def anybody(world: Any, browse_as: Callable[[Any], httpx.AsyncClient]) -> AsyncIterator[httpx.AsyncClient]:
    """Browse without a login."""
    world.token = "correct horse battery staple"
    names = {"nexus-redis": "Storage", "nexus-api": "API <1>", "nexus-miniapp": "Mini App", "nexus-bot": "Bot"}
    world.public = Public("Nexus & friends", names)
    async with browse_as(world) as client:
        yield client


async def test_it_shows_the_chosen_services_and_no_evidence(world: Any, anybody: httpx.AsyncClient) -> None:
    answer = await anybody.get("/status")
    assert answer.status_code == 200
    for words in ("Storage", "API &lt;1&gt;", "operational", "Something is down", "slow", "not known", "since"):
        assert words in answer.text
    for secret in ("127.0.0.1", "nothing listens", "redis.ping", "ann<", "nexus-worker", "/api/", "/checks"):
        assert secret not in answer.text


@pytest.mark.parametrize(
    ("path", "word"),
    [("/badge.svg", "down"), ("/badge/nexus-redis.svg", "down"), ("/badge/nexus-api.svg", "operational")],
)
async def test_a_badge_says_it_in_a_word(anybody: httpx.AsyncClient, path: str, word: str) -> None:
    answer = await anybody.get(path)
    assert answer.headers["content-type"] == "image/svg+xml"
    assert f">{word}</text>" in answer.text


@pytest.mark.parametrize("path", ["/badge/nexus-worker.svg", "/badge/none.svg", "/badge/"])
async def test_what_was_not_chosen_has_no_badge(anybody: httpx.AsyncClient, path: str) -> None:
    assert (await anybody.get(path)).status_code == 404


async def test_without_status_page_in_the_configuration_there_is_none(client: httpx.AsyncClient) -> None:
    assert (await client.get("/status")).status_code == 404
    assert (await client.get("/badge.svg")).status_code == 404
