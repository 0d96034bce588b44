"""The board: one pinned message in each chat that says every minute how things stand, and disturbs nobody."""

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from structlog.testing import capture_logs

from demo.botapi.config import GROUP_ID, OPERATOR_ID, GroupConfig, WorldConfig
from demo.botapi.faults import Fault, FaultKind
from demo.botapi.people import Json
from demo.botapi.server import BotApi
from monitor.delivery.board_message import LISTED_INCIDENTS, SIGN, render_board
from monitor.delivery.entities import TEXT_UNITS, units
from monitor.delivery.wording import Condition
from monitor.engine.model import CheckState, CheckStatus, State
from tests.monitor.delivery.bot_api_server import bot_api_server
from tests.monitor.delivery.fakes import PLAN, START, FakeFallback, incident
from tests.monitor.delivery.house import BOSS, OPS, House, house, policy

REDIS = policy("redis.ping")
GROUP, PERSON = str(GROUP_ID), str(OPERATOR_ID)
real = pytest.mark.real


def up() -> State:
    return State(checks={"redis.ping": CheckState("redis.ping", CheckStatus.UP)})


def test_all_is_well_in_one_line() -> None:
    board = render_board("nexus demo", PLAN, up(), START)
    assert board.text == "📋 nexus demo: all 1 checks OK, 14:32 UTC"
    assert [(entity.type, entity.unix_time) for entity in board.entities] == [
        ("bold", None),
        ("date_time", int(START.timestamp())),
    ]
    assert board.buttons == ()


def test_what_is_not_looked_at_yet_is_not_ok() -> None:
    assert render_board("n", PLAN, State(), START).text == "📋 n: 0 of 1 checks OK, no incidents, 14:32 UTC"


def test_each_live_incident_has_its_line() -> None:
    live = incident({}, acked_by="@olivia", suppressed_since=START)
    checks = {"redis.ping": CheckState("redis.ping", CheckStatus.DOWN)}
    text = render_board("n", PLAN, State(checks=checks, incidents={1: live}), START + timedelta(minutes=4)).text
    assert text.split("\n") == [
        "📋 n: 0 of 1 checks OK, 1 incident, 14:36 UTC",
        "🔴 #INC-1 redis.ping DOWN since 14:32 UTC 🔕 ✅ @olivia",
    ]


def test_many_incidents_are_counted_and_the_text_stays_short() -> None:
    many = {number: incident({}, number=number, root="x" * 500) for number in range(1, 400)}
    text = render_board("t" * 500, PLAN, State(incidents=many), START).text
    assert text.endswith(f"… and {399 - LISTED_INCIDENTS} more")
    long = {number: incident({}, number=number, root="𝒳" * 500, acked_by="𝒴" * 500) for number in range(1, 400)}
    assert units(render_board("n", PLAN, State(incidents=long), START).text) <= TEXT_UNITS


def test_no_message_about_an_incident_begins_like_a_board() -> None:
    assert SIGN not in {condition.sign for condition in Condition} | {"✅", "ℹ️", "⏫"}


@pytest.fixture
async def server() -> AsyncIterator[tuple[BotApi, str]]:
    async with bot_api_server() as running:
        yield running


def pinned(api: BotApi, room: str) -> list[str]:
    """Return what stands on top of a chat."""
    found = next(one for key, one in api.world.rooms.items() if key == room or key.endswith(f":{room}"))
    messages = [api.world.message(found, number) for number in found.pinned]
    return [message.text for message in messages if message is not None]


def boards(one: House, chat: str) -> list[Json]:
    return [message for message in one.seen(chat) if message["text"].startswith(SIGN)]


def calls(api: BotApi, method: str) -> int:
    return len(api.journal.calls(method=method))


@real
async def test_it_is_posted_silently_pinned_once_and_edited_from_then_on(
    database_url: str, server: tuple[BotApi, str]
) -> None:
    api, _ = server
    async with house(database_url, *server, [REDIS], {OPS: GROUP}) as one:
        for minute in (0, 1, 2):
            await one.board.refresh()
            assert boards(one, GROUP)[0]["text"] == f"📋 nexus: all 1 checks OK, 12:0{minute} UTC"
            await one.spend(60)
        assert (calls(api, "sendMessage"), calls(api, "pinChatMessage"), calls(api, "editMessageText")) == (1, 1, 2)
        assert boards(one, GROUP)[0]["silent"]
        assert pinned(api, GROUP) == ["📋 nexus: all 1 checks OK, 12:02 UTC"]
        assert api.journal.calls(method="pinChatMessage")[0]["parameters"]["disable_notification"]


@real
async def test_a_new_process_goes_on_with_the_same_message(database_url: str, server: tuple[BotApi, str]) -> None:
    api, _ = server
    for _ in range(2):
        async with house(database_url, *server, [REDIS], {OPS: PERSON}) as one:
            await one.spend(60)
            await one.board.refresh()
            assert len(boards(one, PERSON)) == 1
    assert (calls(api, "sendMessage"), calls(api, "pinChatMessage")) == (1, 1)


@real
async def test_a_deleted_board_is_posted_and_pinned_anew(database_url: str, server: tuple[BotApi, str]) -> None:
    api, _ = server
    async with house(database_url, *server, [REDIS], {OPS: GROUP}) as one:
        await one.board.refresh()
        api.world.remove(api.world.messages(api.world.rooms[GROUP])[0])
        await one.spend(60)
        await one.board.refresh()
        assert [board["text"] for board in boards(one, GROUP)] == pinned(api, GROUP)
        assert len(boards(one, GROUP)) == 1


@real
async def test_without_the_right_to_pin_it_works_unpinned_and_says_so_once(database_url: str) -> None:
    world = WorldConfig(groups=(GroupConfig(id=GROUP_ID, title="ops", administrators=()),))
    with capture_logs() as said:
        await _three_minutes_without_the_right(world, database_url)
    assert [line["event"] for line in said].count("board.not_pinned") == 1


async def _three_minutes_without_the_right(world: WorldConfig, database_url: str) -> None:
    async with (
        bot_api_server(world) as (api, url),
        house(database_url, api, url, [REDIS], {OPS: GROUP}) as one,
    ):
        for _ in range(3):
            await one.board.refresh()
            await one.spend(60)
        assert len(boards(one, GROUP)) == 1
        assert pinned(api, GROUP) == []
        assert calls(api, "pinChatMessage") == 1
        await one.spend(3600, every_seconds=60)
        await one.board.refresh()
        assert calls(api, "pinChatMessage") == 2


@real
async def test_a_chat_that_asks_for_a_pause_gets_no_board_meanwhile(
    database_url: str, server: tuple[BotApi, str]
) -> None:
    api, _ = server
    async with house(database_url, *server, [REDIS], {OPS: PERSON}) as one:
        api.faults.add(Fault(kind=FaultKind.RATE_LIMIT, retry_after=90, times=1))
        await one.board.refresh()
        await one.spend(60)
        await one.board.refresh()
        assert calls(api, "sendMessage") == 1
        await one.spend(60)
        await one.board.refresh()
        assert len(boards(one, PERSON)) == 1


@real
async def test_an_hour_of_lost_answers_leaves_one_more_board_and_not_sixty(
    database_url: str, server: tuple[BotApi, str]
) -> None:
    api, _ = server
    async with house(database_url, *server, [REDIS], {OPS: PERSON}) as one:
        api.faults.add(Fault(kind=FaultKind.TIMEOUT_AFTER))
        for _ in range(50):
            await one.board.refresh()
            await one.spend(60, every_seconds=60)
        api.faults.remove()
        await one.spend(700, every_seconds=50)
        await one.board.refresh()
        assert len(boards(one, PERSON)) == 2


@real
async def test_a_chat_that_moved_gets_its_board_at_the_new_place(database_url: str, server: tuple[BotApi, str]) -> None:
    api, _ = server
    async with house(database_url, *server, [REDIS], {OPS: GROUP}) as one:
        await one.board.refresh()
        moved = api.world.migrate(api.world.rooms[GROUP])
        for _ in range(2):
            await one.spend(60)
            await one.board.refresh()
        assert pinned(api, moved.key) == ["📋 nexus: all 1 checks OK, 12:02 UTC"]


@real
async def test_a_board_that_gets_through_again_mends_its_chat(database_url: str, server: tuple[BotApi, str]) -> None:
    api, _ = server
    async with house(database_url, *server, [REDIS], {OPS: GROUP}) as one:
        api.faults.add(Fault(kind=FaultKind.KICKED))
        await one.board.refresh()
        await one.settle_for("redis.ping")
        assert one.line.state.chats[OPS].broken_since is not None
        api.faults.remove()
        await one.spend(3000, every_seconds=30)
        await one.board.refresh()
        assert one.texts(GROUP) == []
        await one.spend(600, every_seconds=30)
        await one.board.refresh()
        await one.deliver()
        assert OPS not in one.line.state.chats or one.line.state.chats[OPS].broken_since is None
        assert sorted(text.split(" ")[0] for text in one.texts(GROUP)) == ["📋", "🔴"]


@real
async def test_the_boss_and_the_fallback_have_no_board(database_url: str, server: tuple[BotApi, str]) -> None:
    fallback = FakeFallback()
    chats = {OPS: PERSON, BOSS: GROUP}
    async with house(database_url, *server, [REDIS], chats, escalation=[BOSS], fallback=fallback) as one:
        await one.board.refresh()
        assert (len(boards(one, PERSON)), boards(one, GROUP), fallback.attempts) == (1, [], [])
