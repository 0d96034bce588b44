"""Looks around again and again: what is news ends the wait, what vanished is kept, an acceptance is taken over."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path

import pytest

from monitor.config.found import Found, Sight, Thing
from monitor.config.settings import Settings
from monitor.discovery import rounds
from monitor.discovery.rounds import Rounds
from monitor.engine.model import DeployWindow, State
from monitor.store.store import Store
from tests.stores import T0

HERE = {"API_URL": "http://a"}


def routers(*names: str) -> Found:
    return Found(targets=HERE, routers=Thing(Sight.FOUND, names, "GET /openapi.json"))


class Stack:
    """A stack that changes, and how often it was looked at."""

    def __init__(self, found: Found) -> None:
        self.found = found
        self.looks = 0
        self.state = State()

    async def look(self, _: Settings) -> Found:
        self.looks += 1
        return self.found


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    store = await Store.open(f"sqlite:///{tmp_path}/own.db", now=lambda: T0)
    yield store
    await store.close()


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rounds, "POLL_SECONDS", 0.02)
    monkeypatch.setattr(rounds, "BURST_SECONDS", (0.01,))


def of(stack: Stack, store: Store, found: Found) -> Rounds:
    return Rounds(Settings(), store, found, lambda: stack.state, look=stack.look)


async def news(one: Rounds, is_news: Callable[[Found], bool]) -> Found:
    async with asyncio.timeout(5):
        return await one.change(is_news)


async def test_a_new_thing_is_news_and_is_kept(store: Store) -> None:
    stack = Stack(routers("a", "b"))
    one = of(stack, store, routers("a"))
    await one.begin()
    assert await store.found() == routers("a")
    assert (await news(one, lambda found: "b" in found.routers.values)).routers.values == ("a", "b")
    assert await store.found() == routers("a", "b")


async def test_what_the_store_keeps_goes_before_what_the_process_began_with(store: Store) -> None:
    await store.keep_found(routers("a", "b"))
    one = of(Stack(routers("a")), store, Found(targets=HERE, commands=Thing(Sight.FOUND, ("start",), "getMyCommands")))
    await one.begin()
    assert one.found.routers.values == ("a", "b")
    assert one.found.commands.values == ("start",)


async def test_another_target_s_things_are_not_taken_over(store: Store) -> None:
    await store.keep_found(replace(routers("a", "b"), targets={"API_URL": "http://other"}))
    one = of(Stack(routers("c")), store, routers("c"))
    await one.begin()
    assert one.found == routers("c")


async def test_what_vanished_stays_expected_until_somebody_accepts_it(store: Store) -> None:
    stack = Stack(routers("a"))
    one = of(stack, store, routers("a", "b"))
    await one.begin()
    found = await news(one, lambda found: bool(found.vanished))
    assert (found.routers.values, found.routers.gone) == (("a", "b"), ("b",))
    await store.accept_found(T0)
    found = await news(one, lambda found: not found.vanished)
    assert found.routers.values == ("a",)
    assert await store.found() == found


async def test_a_deploy_is_looked_at_at_once(store: Store) -> None:
    stack = Stack(routers("a"))
    one = of(stack, store, routers("a"))
    await one.begin()
    waiting = asyncio.create_task(news(one, lambda found: "b" in found.routers.values))
    async with asyncio.timeout(5):
        while not stack.looks:
            await asyncio.sleep(0)
    stack.found = routers("a", "b")
    stack.state = State(deploys={"1": DeployWindow("1", "nexus-api", "abc", T0)})
    await waiting
    assert stack.looks > 1


async def test_whoever_knows_of_a_deploy_may_ask(store: Store) -> None:
    stack = Stack(routers("a", "b"))
    one = of(stack, store, routers("a"))
    await one.begin()
    one.rediscover()
    assert (await news(one, lambda found: "b" in found.routers.values)).routers.values == ("a", "b")


async def test_a_store_that_is_away_ends_nothing(store: Store, tmp_path: Path) -> None:
    stack = Stack(routers("a", "b"))
    one = of(stack, store, routers("a"))
    await one.begin()
    await store.close()
    (tmp_path / "own.db").unlink()
    (tmp_path / "own.db").mkdir()
    assert (await news(one, lambda found: "b" in found.routers.values)).routers.values == ("a", "b")
