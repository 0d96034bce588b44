"""A whole monitor but for the looks: the real store, line, engine, delivery and channel, on a clock that is moved."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import datetime, timedelta

from checks.result import Outcome, Reason, Result, Verdict
from demo.botapi.people import Json
from demo.botapi.server import BotApi
from monitor.delivery.board import BoardKeeper
from monitor.delivery.channel import Channel
from monitor.delivery.outbox import Delivery
from monitor.delivery.telegram import TelegramChannel
from monitor.engine.model import Chat, CheckPolicy, Event, Incident, Looked, Plan, Rules, Tick
from monitor.engine.step import fresh_start, step
from monitor.line import Line
from monitor.store.store import Store
from tests.monitor.delivery.bot_api_server import TOKEN, messages_in
from tests.stores import T0

OPS, BOSS, FALLBACK = "telegram:ops", "telegram:boss", "apprise:fallback"
TIMEOUT_SECONDS = 0.5
LEASE_SECONDS = 45.0


def policy(name: str, *parents: str) -> CheckPolicy:
    return CheckPolicy(name, name.split(".")[0], 30.0, 10.0, 10.0, hard_parents=parents)


class House:
    """The parts, and what moves them: looks, people, time."""

    def __init__(
        self, store: Store, line: Line, plan: Plan, api: BotApi, telegram: TelegramChannel, channels: dict[str, Channel]
    ) -> None:
        self.at = T0
        self.store, self.line, self.plan, self.api = store, line, plan, api
        self.attempts: list[tuple[str, str, str]] = []
        self.delivery = Delivery(
            line,
            store,
            channels,
            plan,
            self.now,
            self._sleep,
            on_attempt=lambda *attempt: self.attempts.append((attempt[0], attempt[1], attempt[2].value)),
        )
        self.board = BoardKeeper(self.delivery.desk, store, telegram, plan, title="nexus", sleep=self._sleep)
        self.failing: set[str] = set()

    def now(self) -> datetime:
        return self.at

    async def _sleep(self, seconds: float) -> None:
        """Wait for nothing: time is moved by hand."""

    @property
    def incidents(self) -> Mapping[int, Incident]:
        return self.line.state.incidents

    async def apply(self, *events: Event) -> None:
        await self.line.apply(*events)

    async def look(self) -> None:
        """Look at every check once, now."""
        bad = Verdict(Outcome.FAILED, "no answer in 10 s", Reason.TIMEOUT)
        good = Verdict(Outcome.OK, "fine")
        looks = [Result(name, bad if name in self.failing else good, self.at, 0.1) for name in self.plan.checks]
        await self.apply(*(Looked(look) for look in looks), Tick())

    async def deliver_once(self) -> None:
        """Deliver what is due, one thing for each chat."""
        await self.delivery.deliver_due()

    async def deliver(self) -> None:
        """Deliver what is due until nothing more is."""
        for _ in range(20):
            before = len(self.attempts)
            await self.delivery.deliver_due()
            if len(self.attempts) == before:
                return

    async def spend(self, seconds: float, *, every_seconds: float = 10.0) -> None:
        """Let time pass: look, and deliver what is due, as the service does."""
        for _ in range(int(seconds // every_seconds)):
            self.at += timedelta(seconds=every_seconds)
            await self.look()
            await self.deliver()

    async def settle_for(self, *names: str, seconds: float = 40.0) -> None:
        """Make these checks, and no others, fail from now on, for so long."""
        self.failing = set(names)
        await self.spend(seconds)

    def seen(self, chat: int | str) -> list[Json]:
        """Return what people see in a chat, without notices."""
        return [message for message in messages_in(self.api, chat) if "text" in message]

    def texts(self, chat: int | str) -> list[str]:
        """Return the first line of each message in a chat."""
        return [message["text"].split("\n")[0] for message in self.seen(chat)]


@asynccontextmanager
async def house(
    database_url: str,
    api: BotApi,
    url: str,
    checks: Sequence[CheckPolicy],
    chats: Mapping[str, str],
    *,
    escalation: Sequence[str] = (),
    fallback: Channel | None = None,
    rules: Rules | None = None,
) -> AsyncIterator[House]:
    """Yield a monitor over this database and Bot API; `chats` maps our names to Telegram's."""
    places = tuple(Chat(name, is_escalation=name in escalation) for name in chats)
    if fallback is not None:
        places += (Chat(FALLBACK, "apprise", is_fallback=True),)
        chats = {**chats, FALLBACK: "MONITOR_FALLBACK_URLS"}
    plan = Plan({check.id: check for check in checks}, places, rules or Rules())
    made: list[House] = []

    def now() -> datetime:
        return made[0].at if made else T0

    store = await Store.open(database_url, now=now)
    telegram = TelegramChannel(TOKEN, api_url=url, timeout_seconds=TIMEOUT_SECONDS)
    channels: dict[str, Channel] = {"telegram": telegram}
    if fallback is not None:
        channels["apprise"] = fallback
    try:
        await store.ensure_chats(chats)
        line = Line(plan, fresh_start(await store.load(), T0), store, step, now)
        made.append(House(store, line, plan, api, telegram, channels))
        async with asyncio.TaskGroup() as tasks:
            running = tasks.create_task(line.run(), name="line")
            try:
                await made[0].spend(40)
                yield made[0]
            finally:
                running.cancel()
    finally:
        await telegram.close()
        await store.close()
