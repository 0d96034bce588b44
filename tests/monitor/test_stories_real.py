"""The stories once more, by a real monitor: a real store, the real line and outbox, and a Bot API over real HTTP.

Only the clock and the looks are told; what people read is read in their chat.
"""

import asyncio
import re
from datetime import datetime

import pytest

from demo.botapi.config import OPERATOR_ID
from demo.botapi.server import BotApi
from monitor.delivery.outbox import Delivery
from monitor.delivery.telegram import TelegramChannel
from monitor.engine.model import Event, MessageKind, ProbeNow, Silenced, State, Tick
from monitor.engine.step import fresh_start, step
from monitor.line import Line
from monitor.store.errors import LeadershipLostError
from monitor.store.store import Store
from tests.monitor.delivery.bot_api_server import TOKEN, bot_api_server, messages_in
from tests.monitor.engine.letters import Change, Letters, Notebook, Telling, read_letters
from tests.monitor.engine.stories import STORIES
from tests.monitor.engine.story import OPS, START
from tests.stores import database_url, postgres

__all__ = ["database_url", "postgres"]

pytestmark = pytest.mark.real

TTL_SECONDS = 3600.0
ATTEMPTS = 20
OWNER = "monitor"
"""Both instances under one name: who starts anew under it begins a new epoch at once."""

SIGNS = (
    (MessageKind.RESOLVE, re.compile(r"✅ #INC-\d+ (\S+) is")),
    (MessageKind.RISE, re.compile(r"\S+ #INC-\d+ (\S+) is \w+: this is urgent now")),
    (MessageKind.REOPEN, re.compile(r"\S+ #INC-\d+ (\S+) is .* again$")),
    (MessageKind.REMIND, re.compile(r"\S+ #INC-\d+ (\S+) is still ")),
    (MessageKind.OPEN, re.compile(r"\S+ [A-Z ]+ · .*?(\S+)$")),
)


def read_message(text: str) -> tuple[MessageKind, str]:
    """Return what a message says to somebody who reads its first line: what kind it is, and whom it names."""
    first = text.splitlines()[0]
    for kind, pattern in SIGNS:
        found = pattern.match(first)
        if found is not None:
            return kind, found[1]
    raise AssertionError(f"no kind of message begins like this: {first}")


class Monitor:
    """One process of the monitor, as far as a story needs it."""

    def __init__(self, stage: "Stage", store: Store, state: State, epoch: int) -> None:
        plan = stage.letters.plan
        self.store = store
        self.line = Line(plan, state, store, step, stage.clock, epoch=epoch, on_probe=stage.probe_now)
        self.delivery = Delivery(self.line, store, {"telegram": stage.channel}, plan, stage.clock)
        self.running = asyncio.create_task(self.line.run(), name="line")

    @classmethod
    async def started(cls, stage: "Stage", owner: str) -> "Monitor":
        store = await Store.open(stage.url, now=stage.clock)
        await store.ensure_chats({OPS: str(OPERATOR_ID)})
        epoch = await store.acquire_leadership(owner, TTL_SECONDS)
        assert epoch is not None
        return cls(stage, store, fresh_start(await store.load(), stage.now), epoch)

    async def ended(self) -> None:
        """End it: what is committed is all that the next one finds."""
        self.running.cancel()
        await asyncio.wait([self.running])
        await self.store.close()


class Stage:
    """The clock, the chat, and the monitor that speaks in it."""

    def __init__(self, letters: Letters, url: str, api: BotApi, channel: TelegramChannel) -> None:
        self.letters, self.url, self.channel = letters, url, channel
        self.now = START
        self.notebook = Notebook(letters.minutes)
        self.telling = Telling(letters, lambda: self.monitor.line.state)
        self.monitor: Monitor
        self._api = api
        self._read = 0

    def clock(self) -> datetime:
        return self.now

    def probe_now(self, effect: ProbeNow) -> None:
        self.telling.probe_now(effect, self.now)

    async def play(self) -> dict[str, str]:
        """Return what people read."""
        await self._start()
        for now, happening in self.telling.happenings():
            self.now = now
            match happening:
                case Change.DIES:
                    await self.monitor.ended()
                case Change.STARTS:
                    await self._start()
                case Change.TAKEN_OVER:
                    await self._take_over()
                case _:
                    await self._apply(happening)
        await self.monitor.ended()
        return self.notebook.said()

    async def _start(self) -> None:
        self.monitor = await Monitor.started(self, OWNER)

    async def _take_over(self) -> None:
        """Let another begin while the first still believes to lead: what that one writes is refused."""
        old = self.monitor
        self.monitor = await Monitor.started(self, OWNER)
        await old.line.apply(Silenced("check:redis", None, "the old one", "too late"), wait=False)
        with pytest.raises(LeadershipLostError):
            await asyncio.wait_for(old.running, 5)
        await old.store.close()

    async def _apply(self, event: Event) -> None:
        line = self.monitor.line
        if isinstance(event, Tick) and step(self.letters.plan, line.state, event, self.now).state is line.state:
            return  # thousands of empty commits would prove nothing more
        await line.apply(event)
        for _ in range(ATTEMPTS):
            told = [told for incident in line.state.incidents.values() for told in incident.told.values()]
            if all(one.queued_kind is None for one in told):
                return
            await self.monitor.delivery.deliver_due()
            self._read_chat()
        raise AssertionError("a message is not delivered")

    def _read_chat(self) -> None:
        """Read what is new, at the moment it comes: a card is edited later."""
        messages = messages_in(self._api, OPERATOR_ID)
        for message in messages[self._read :]:
            kind, root = read_message(message["text"])
            self.notebook.write(self.now, root, kind)
        self._read = len(messages)


@pytest.mark.parametrize("text", STORIES.values(), ids=STORIES)
async def test_the_story_is_read_in_the_chat(text: str, database_url: str) -> None:
    letters = read_letters(text)
    async with bot_api_server() as (api, url):
        channel = TelegramChannel(TOKEN, api_url=url, timeout_seconds=5.0)
        try:
            said = await Stage(letters, database_url, api, channel).play()
        finally:
            await channel.close()
    assert said == letters.said
