"""The operators' bot before a real Bot API server on loopback, with a line that remembers, and people who write."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta

from checks.result import Reason, Result, failed, ok
from demo.botapi.config import GROUP_ID, OPERATOR_ID, GroupConfig, PersonConfig, WorldConfig
from demo.botapi.people import Json
from demo.botapi.server import BotApi
from monitor.bot.asking import Ask, House, Pending
from monitor.bot.commands import commands_of
from monitor.bot.operators import OperatorsBot, OtherPress
from monitor.bot.places import Places
from monitor.config.rows import heading
from monitor.delivery.entities import Rendered
from monitor.delivery.messages import render_card
from monitor.delivery.telegram import TelegramChannel
from monitor.engine.model import (
    Chat,
    ChatState,
    CheckPolicy,
    CheckState,
    CheckStatus,
    Incident,
    IncidentStatus,
    Member,
    Plan,
    Role,
    Severity,
    State,
)
from monitor.verbs import Hands, Verbs
from tests.monitor.bot.memory import NOW, Line, Past
from tests.monitor.delivery.bot_api_server import TOKEN, USERNAME, bot_api_server, messages_in

ANN, SAM, VIC = OPERATOR_ID, OPERATOR_ID + 1, OPERATOR_ID + 2
"""An operator, a stranger, a viewer."""
ANN_SIGNS = f"@olivia ({ANN})"
OPS = "telegram:ops"
OTHER_GROUP = -1002000000002


def policy(check_id: str, service: str) -> CheckPolicy:
    return CheckPolicy(check_id, service, 30.0, 10.0, 10.0)


PLAN = Plan(
    {
        "vantage.loop": policy("vantage.loop", "monitor"),
        "redis.ping": policy("redis.ping", "nexus-redis"),
        "api.health": policy("api.health", "nexus-api"),
        "worker.online": policy("worker.online", "nexus-worker"),
    },
    chats=(Chat(OPS),),
)
DEAD = failed(Reason.TIMEOUT, "PING got no answer within 2 s", hint="is it out of memory?")
INCIDENT = Incident(
    42,
    "redis.ping",
    Severity.PAGE,
    IncidentStatus.OPEN,
    NOW - timedelta(minutes=6),
    NOW - timedelta(minutes=5),
    members=(
        Member("redis.ping", Role.ROOT, NOW),
        Member("worker.online", Role.SYMPTOM, NOW),
        Member("api.health", Role.SYMPTOM, NOW, left_at=NOW),
    ),
    revision=3,
)


def seen(check_id: str, status: CheckStatus = CheckStatus.UP, at: datetime = NOW) -> CheckState:
    is_down = status is CheckStatus.DOWN
    verdict = DEAD if is_down else ok("200 in 40 ms")
    result = Result(check_id, verdict, at, 0.04)
    return CheckState(
        check_id,
        status,
        last_result=result,
        last_failure=result if is_down else None,
        last_started_at=at,
        down_since=NOW - timedelta(minutes=6) if is_down else None,
        incident_id=42 if is_down else None,
    )


STATE = State(
    checks={
        "vantage.loop": seen("vantage.loop"),
        "redis.ping": seen("redis.ping", CheckStatus.DOWN),
        "api.health": seen("api.health"),
    },
    incidents={42: INCIDENT},
    chats={OPS: ChatState(OPS)},
)


class Ground:
    """A house, and the hands of its people."""

    def __init__(self, state: State = STATE, plan: Plan = PLAN) -> None:
        self.at = NOW
        self.line = Line(state)
        self.past = Past()
        self.probed: list[str] = []
        self.is_leading = True
        hands = Hands(self.line.apply, self.probed.append, lambda: self.is_leading)
        self.house = House(
            plan,
            lambda: self.line.state,
            lambda: self.at,
            Verbs(hands, lambda: self.line.state, lambda: self.at),
            self.past,
            heading,
            self.line.subscribe,
            self._prove,
        )

    async def _prove(self) -> None:
        """Return at once: nobody else leads."""


SHE = "@ann (5)"
"""Who gives the commands of `answer`."""


async def answer(ground: Ground, text: str, *, may_act: bool = True) -> Rendered:
    """Give a command and return its answer, the whole of one that takes a while."""
    name, *words = text.removeprefix("/").split()
    given = await commands_of(ground.house)[name].answer(Ask(tuple(words), SHE, may_act, NOW))
    return await given.rest() if isinstance(given, Pending) else given


async def text_of(ground: Ground, text: str, *, may_act: bool = True) -> str:
    return (await answer(ground, text, may_act=may_act)).text


class Bench(Ground):
    """The bot, the server it talks to, and the people in front of it."""

    def __init__(self, api: BotApi, url: str, press: OtherPress | None = None) -> None:
        super().__init__()
        self.api = api
        self.slept: list[float] = []
        self.channel = TelegramChannel(TOKEN, api_url=url, timeout_seconds=2.0)
        self.target = str(GROUP_ID)

        async def target_of(chat_id: str) -> str:
            return self.target

        self.bot = OperatorsBot(
            TOKEN,
            url,
            self.house,
            self.channel,
            Places(self.line, PLAN.chats, target_of),
            frozenset({ANN}),
            frozenset({VIC}),
            sleep=self._sleep,
            poll_seconds=0,
            press=press,
        )

    async def close(self) -> None:
        await self.bot.close()
        await self.channel.close()

    async def _sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        await asyncio.sleep(0)

    def say(self, text: str, person: int = ANN, chat: int | None = None, topic: int | None = None) -> None:
        room = self.api.world.room_of(str(chat or person), USERNAME)
        assert room is not None
        self.api.talking.say(room, self.api.world.people[person], text, topic_id=topic)

    def press(self, chat: int, message_id: int, data: str, person: int = ANN, *, is_forged: bool = False) -> None:
        room = self.api.world.room_of(str(chat), USERNAME)
        assert room is not None
        self.api.talking.press(room, self.api.world.people[person], message_id, data, is_forged=is_forged)

    def messages(self, chat: int) -> list[Json]:
        """What the bot wrote, as people see it."""
        return [shown for shown in messages_in(self.api, chat) if shown["from"]["is_bot"]]

    def answers(self, chat: int) -> list[str]:
        return [shown["text"] for shown in self.messages(chat)]

    def toasts(self) -> list[Json]:
        """What the bot answered to presses."""
        return [call["parameters"] for call in self.api.journal.calls(method="answerCallbackQuery")]

    async def send_card(self, chat: int) -> tuple[int, dict[str, str]]:
        """Send the card; return its number, and the data of each button by its first word."""
        card = render_card(
            self.line.state.incidents[42], self.line.state.checks, PLAN, NOW, dashboard_url=None, deploy=None
        )
        sent = await self.channel.send(str(chat), card, reply_to=None, is_silent=False)
        assert sent.message_id is not None
        return sent.message_id, {button.text: button.callback_data or "" for row in card.buttons for button in row}


@asynccontextmanager
async def bench_of(press: OtherPress | None = None) -> AsyncIterator[Bench]:
    """Yield a bench in a world with a viewer and a second group, whose clock is the bot's."""
    usual = WorldConfig(group_messages_per_minute=0)
    world = usual.model_copy(
        update={
            "people": (*usual.people, PersonConfig(id=VIC, first_name="Vic", username="vic")),
            "groups": (*usual.groups, GroupConfig(id=OTHER_GROUP, title="Friends")),
        }
    )
    made: list[Bench] = []
    async with bot_api_server(world, lambda: made[0].at if made else NOW) as (api, url):
        made.append(Bench(api, url, press))
        try:
            yield made[0]
        finally:
            await made[0].close()
