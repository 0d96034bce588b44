"""The operators' bot before a real Bot API server on loopback, with a line that remembers, and people who write."""

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from checks.result import Reason, Result, failed, ok
from demo.botapi.config import GROUP_ID, OPERATOR_ID, GroupConfig, PersonConfig, WorldConfig
from demo.botapi.people import Json
from demo.botapi.server import BotApi
from monitor.bot.asking import House
from monitor.bot.operators import OperatorsBot, OtherPress
from monitor.bot.places import Places
from monitor.config.rows import heading
from monitor.delivery.messages import render_card
from monitor.delivery.telegram import TelegramChannel
from monitor.engine.model import (
    Acked,
    AppendTimeline,
    Chat,
    ChatMended,
    ChatState,
    CheckPolicy,
    CheckState,
    CheckStatus,
    DeployWindow,
    Event,
    Incident,
    IncidentStatus,
    Member,
    Plan,
    Role,
    Severity,
    Silence,
    Silenced,
    SilenceEnded,
    State,
)
from monitor.engine.spans import Span
from monitor.store.errors import StoreError
from monitor.verbs import Hands, Verbs
from tests.monitor.delivery.bot_api_server import TOKEN, USERNAME, bot_api_server, messages_in

NOW = datetime(2026, 3, 14, 14, 32, tzinfo=UTC)
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


class Line:
    """Applies what people do as the engine does, and remembers it."""

    def __init__(self, state: State) -> None:
        self.state = state
        self.applied: list[Event] = []
        self.failure: Exception | None = None
        self.changed = asyncio.Event()

    async def apply(self, *events: Event) -> None:
        if self.failure is not None:
            raise self.failure
        for event in events:
            self.applied.append(event)
            self._follow(event)
        self.changed.set()

    def put(self, check: CheckState) -> None:
        self.state = replace(self.state, checks={**self.state.checks, check.id: check})
        self.changed.set()

    @contextmanager
    def subscribe(self) -> Iterator["Line"]:
        yield self

    async def wait(self) -> None:
        await self.changed.wait()
        self.changed.clear()

    def _follow(self, event: Event) -> None:
        state = self.state
        if isinstance(event, Acked):
            taken = replace(
                state.incidents[event.incident_id],
                status=IncidentStatus.ACKED,
                acked_by=event.author,
                acked_at=NOW,
                revision=state.incidents[event.incident_id].revision + 1,
            )
            self.state = replace(state, incidents={**state.incidents, taken.id: taken})
        elif isinstance(event, Silenced):
            number = len(state.silences) + 1
            made = Silence(number, event.selector, NOW, event.ends_at, event.author, event.reason, event.is_maintenance)
            self.state = replace(state, silences={**state.silences, number: made})
        elif isinstance(event, SilenceEnded):
            ended = replace(state.silences[event.silence_id], ended_at=NOW)
            self.state = replace(state, silences={**state.silences, ended.id: ended})
        elif isinstance(event, ChatMended):
            self.state = replace(state, chats={event.chat_id: ChatState(event.chat_id)})


class Past:
    """A store with a little history."""

    def __init__(self) -> None:
        self.closed: dict[int, Incident] = {}
        self.rows: list[AppendTimeline] = []
        self.windows: list[DeployWindow] = []
        self.tiles: dict[str, list[Span]] = {}
        self.failure: StoreError | None = None

    def _check(self) -> None:
        if self.failure is not None:
            raise self.failure

    async def incident(self, incident_id: int) -> Incident | None:
        self._check()
        return self.closed.get(incident_id)

    async def timeline(self, incident_id: int) -> Sequence[AppendTimeline]:
        self._check()
        return [row for row in self.rows if row.incident_id == incident_id]

    async def deploys(self, limit: int = 50) -> Sequence[DeployWindow]:
        return self.windows[:limit]

    async def spans(self, since_at: datetime, check_ids: Sequence[str] | None = None) -> Mapping[str, Sequence[Span]]:
        self._check()
        return {name: tiles for name, tiles in self.tiles.items() if check_ids is None or name in check_ids}


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
