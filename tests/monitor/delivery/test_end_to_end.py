"""From a failed look to what people read, over a real store and a real Bot API: each thing that befalls a chat."""

from collections.abc import AsyncIterator

import pytest

from demo.botapi.config import GROUP_ID, OPERATOR_ID
from demo.botapi.faults import Fault, FaultKind
from demo.botapi.server import BotApi
from monitor.engine.model import Acked, IncidentStatus, Rules, ToldState
from tests.monitor.delivery.bot_api_server import bot_api_server
from tests.monitor.delivery.fakes import FakeFallback
from tests.monitor.delivery.house import BOSS, FALLBACK, OPS, house, policy

pytestmark = pytest.mark.real

REDIS, API = policy("redis.ping"), policy("api.health")
GROUP = str(GROUP_ID)
PERSON = str(OPERATOR_ID)
DOWN = "🔴 DOWN · redis · redis.ping"
RECOVERED = "🟢 RECOVERED · lasted"
RULES = Rules(escalate_after_seconds=120.0, remind_after_seconds=(60.0, 120.0), remind_every_seconds=600.0)


@pytest.fixture
async def server() -> AsyncIterator[tuple[BotApi, str]]:
    async with bot_api_server() as running:
        yield running


async def test_an_outage_is_a_card_that_is_edited_and_a_reply_when_it_is_over(
    database_url: str, server: tuple[BotApi, str]
) -> None:
    async with house(database_url, *server, [REDIS], {OPS: PERSON}) as one:
        await one.settle_for("redis.ping")
        assert one.texts(PERSON) == [DOWN]
        await one.settle_for(seconds=60)
        card, reply = one.seen(PERSON)
        assert card["text"].startswith(RECOVERED)
        assert reply["text"].startswith("✅ #INC-1 redis.ping is up again")
        assert reply["reply_to_message"]["message_id"] == card["message_id"]


async def test_reminders_come_until_somebody_takes_it_and_again_when_the_ack_has_lapsed(
    database_url: str, server: tuple[BotApi, str]
) -> None:
    rules = Rules(remind_after_seconds=(60.0, 120.0), remind_every_seconds=300.0, ack_page_seconds=900.0)
    async with house(database_url, *server, [REDIS], {OPS: PERSON}, rules=rules) as one:
        await one.settle_for("redis.ping", seconds=160)
        assert [text.split(",")[0] for text in one.texts(PERSON)[1:]] == ["🔴 #INC-1 redis.ping is still down"] * 2
        await one.apply(Acked(1, "@olivia"))
        await one.spend(600, every_seconds=30)
        assert len(one.texts(PERSON)) == 3
        assert "✅ Acked by @olivia" in one.seen(PERSON)[0]["text"]
        await one.spend(600, every_seconds=30)
        assert one.incidents[1].status is IncidentStatus.OPEN
        assert len(one.texts(PERSON)) > 3


async def test_escalation_tells_the_boss_the_whole_card_and_that_it_is_over(
    database_url: str, server: tuple[BotApi, str]
) -> None:
    chats = {OPS: PERSON, BOSS: f"{GROUP}/2"}
    async with house(database_url, *server, [REDIS], chats, escalation=[BOSS], rules=RULES) as one:
        await one.settle_for("redis.ping", seconds=100)
        assert one.texts(GROUP) == []
        await one.spend(90)
        [told] = one.seen(GROUP)
        assert told["text"].startswith("⏫ #INC-1 redis.ping is still down")
        assert DOWN in told["text"]
        assert told["message_thread_id"] == 2
        await one.settle_for(seconds=60)
        first, *_, last = one.seen(GROUP)
        assert first["text"].startswith(RECOVERED)
        assert last["text"].startswith("✅ #INC-1")


async def test_an_ack_in_time_keeps_the_boss_out_of_it(database_url: str, server: tuple[BotApi, str]) -> None:
    chats = {OPS: PERSON, BOSS: GROUP}
    async with house(database_url, *server, [REDIS], chats, escalation=[BOSS], rules=RULES) as one:
        await one.settle_for("redis.ping")
        await one.apply(Acked(1, "@olivia"))
        await one.spend(300)
        await one.settle_for(seconds=60)
        assert one.texts(GROUP) == []


async def test_a_chat_that_moved_is_followed(database_url: str, server: tuple[BotApi, str]) -> None:
    api, _ = server
    async with house(database_url, *server, [REDIS], {OPS: GROUP}) as one:
        await one.settle_for("redis.ping")
        assert one.texts(GROUP) == [DOWN]
        moved = api.world.migrate(api.world.rooms[GROUP])
        await one.settle_for(seconds=60)
        assert await one.store.chat_target(OPS) == str(moved.id)
        card, reply = sorted(one.texts(moved.id), key=lambda text: text.startswith("✅"))
        assert card.startswith(RECOVERED)
        assert reply.startswith("✅ #INC-1 redis.ping is up again")


async def test_a_card_left_behind_by_a_move_is_not_written_over_what_has_its_number_in_the_new_chat(
    database_url: str, server: tuple[BotApi, str]
) -> None:
    api, _ = server
    async with house(database_url, *server, [REDIS, API], {OPS: GROUP}) as one:
        operator = api.world.operator()
        assert operator is not None
        api.talking.say(api.world.rooms[GROUP], operator, "good morning")
        await one.settle_for("redis.ping")
        [old] = [message for message in one.seen(GROUP) if message["text"].startswith(DOWN)]
        moved = api.world.migrate(api.world.rooms[GROUP])
        await one.settle_for("redis.ping", "api.health")
        [new] = [message for message in one.seen(moved.id) if "api.health" in message["text"].split("\n")[0]]
        assert new["message_id"] == old["message_id"]
        await one.settle_for(seconds=80)
        texts = one.texts(moved.id)
        assert sorted(text.split(" · ")[2] for text in texts if text.startswith("🟢")) == ["api", "redis"]
        assert len([text for text in texts if text.startswith("✅")]) == 2


async def test_a_lost_topic_is_told_in_the_chat_itself(database_url: str, server: tuple[BotApi, str]) -> None:
    async with house(database_url, *server, [REDIS], {OPS: f"{GROUP}/77"}) as one:
        await one.settle_for("redis.ping")
        [card] = one.seen(GROUP)
        assert card["text"].startswith(DOWN)
        assert "message_thread_id" not in card


async def test_a_deleted_card_is_sent_anew_and_edited_from_then_on(
    database_url: str, server: tuple[BotApi, str]
) -> None:
    api, _ = server
    async with house(database_url, *server, [REDIS], {OPS: GROUP}) as one:
        await one.settle_for("redis.ping")
        room = api.world.rooms[GROUP]
        api.world.remove(api.world.messages(room)[0])
        await one.settle_for(seconds=60)
        texts = one.texts(GROUP)
        assert len([text for text in texts if text.startswith(RECOVERED)]) == 1
        assert len([text for text in texts if text.startswith("✅ #INC-1")]) == 1
        assert len(texts) == 2


async def test_a_chat_that_threw_us_out_is_broken_the_fallback_told_at_once_and_the_chat_tried_every_hour(
    database_url: str, server: tuple[BotApi, str]
) -> None:
    api, _ = server
    fallback = FakeFallback()
    rules = Rules(remind_after_seconds=(), remind_every_seconds=86_400.0)
    async with house(database_url, *server, [REDIS], {OPS: GROUP}, fallback=fallback, rules=rules) as one:
        api.faults.add(Fault(kind=FaultKind.KICKED))
        await one.settle_for("redis.ping")
        broken = one.line.state.chats[OPS]
        assert "kicked" in broken.broken_reason
        assert [attempt.text.split("\n")[0] for attempt in fallback.attempts] == [DOWN]
        tried = len(api.journal.calls(method="sendMessage"))
        await one.spend(3400, every_seconds=50)
        assert len(api.journal.calls(method="sendMessage")) == tried
        await one.spend(400, every_seconds=50)
        assert len(api.journal.calls(method="sendMessage")) == tried + 1
        api.faults.remove()
        await one.spend(3600, every_seconds=50)
        assert one.texts(GROUP) == [DOWN]
        assert OPS not in one.line.state.chats or one.line.state.chats[OPS].broken_since is None
        await one.settle_for(seconds=60)
        assert [text.split(" ")[0] for text in one.texts(GROUP)] == ["🟢", "✅"]
        assert [attempt.text.split(" ")[0] for attempt in fallback.attempts] == ["🔴", "✅"]
        assert one.incidents[1].told[FALLBACK].state is ToldState.RESOLVED


async def test_a_page_that_waits_two_minutes_is_told_by_the_fallback_and_once_only(
    database_url: str, server: tuple[BotApi, str]
) -> None:
    api, _ = server
    fallback = FakeFallback()
    async with house(database_url, *server, [REDIS], {OPS: PERSON}, fallback=fallback) as one:
        api.faults.add(Fault(kind=FaultKind.SERVER_ERROR, status=502))
        await one.settle_for("redis.ping", seconds=120)
        assert fallback.attempts == []
        opened_at = one.incidents[1].opened_at
        await one.spend(60)
        assert [attempt.text.split("\n")[0] for attempt in fallback.attempts] == [DOWN]
        first_at = one.incidents[1].told[FALLBACK].first_at
        assert first_at is not None
        assert 120 <= (first_at - opened_at).total_seconds() <= 135
        api.faults.remove()
        await one.spend(120)
        assert one.texts(PERSON) == [DOWN]
        await one.settle_for(seconds=60)
        assert [attempt.text.split(" ")[0] for attempt in fallback.attempts] == ["🔴", "✅"]


async def test_the_fallback_hears_nothing_of_what_a_chat_took(database_url: str, server: tuple[BotApi, str]) -> None:
    fallback = FakeFallback()
    async with house(database_url, *server, [REDIS], {OPS: PERSON}, fallback=fallback) as one:
        await one.settle_for("redis.ping", seconds=300)
        await one.settle_for(seconds=60)
        assert fallback.attempts == []
        assert FALLBACK not in one.incidents[1].told or one.incidents[1].told[FALLBACK].state is ToldState.NOTHING
