"""The daily digest: what it says, and that each morning is told once."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from demo.botapi.config import GROUP_ID
from demo.botapi.faults import Fault, FaultKind
from demo.botapi.people import Json
from demo.botapi.server import BotApi
from monitor.delivery.digest import DigestKeeper
from monitor.delivery.digest_message import render_digest, warnings_of
from monitor.delivery.entities import units
from monitor.delivery.telegram import TelegramChannel
from monitor.engine.model import Incident, IncidentStatus, Severity
from tests.monitor.delivery.bot_api_server import TOKEN, bot_api_server
from tests.monitor.delivery.house import OPS, House, house, policy

MORNING = datetime(2026, 3, 15, 9, tzinfo=UTC)
GROUP = str(GROUP_ID)
HOUR = timedelta(hours=1)


def warning(number: int, began_at: datetime, ended_at: datetime | None = None, **changes: object) -> Incident:
    status = IncidentStatus.OPEN if ended_at is None else IncidentStatus.RESOLVED
    made = Incident(number, f"api.check{number}", Severity.WARNING, status, began_at, began_at, resolved_at=ended_at)
    return replace(made, **changes)  # type: ignore[arg-type]


LEFT = warning(1, MORNING - 30 * HOUR)
OVER = warning(2, MORNING - 5 * HOUR, MORNING - 4 * HOUR)
OLD = warning(3, MORNING - 40 * HOUR, MORNING - 25 * HOUR)
LATER = warning(4, MORNING + HOUR)
PAGE = replace(warning(5, MORNING - HOUR), severity=Severity.PAGE)


def test_it_is_about_the_warnings_of_the_day_before() -> None:
    assert warnings_of([OVER, PAGE, LATER, OLD, LEFT], MORNING) == [LEFT, OVER]


def test_it_says_what_is_left_and_what_came_and_went() -> None:
    digest = render_digest("nexus", [LEFT, OVER], {}, MORNING)
    assert digest is not None
    assert digest.text == (
        "☕ nexus: 2 warnings since yesterday, 1 still there\n"
        "🔴 #INC-1 api.check1 DOWN since 14 Mar 03:00 UTC, 30 h\n"
        "🟢 #INC-2 api.check2 04:00 UTC, over after 1 h"
    )
    assert digest.buttons == ()


def test_a_day_without_warnings_has_no_digest() -> None:
    assert render_digest("nexus", [], {}, MORNING) is None


def test_many_warnings_are_counted() -> None:
    digest = render_digest("n" * 100, [warning(number, MORNING - HOUR) for number in range(500)], {}, MORNING)
    assert digest is not None
    assert units(digest.text) <= 3500
    assert digest.text.splitlines()[-1].endswith(" more")


@pytest.fixture
async def server() -> AsyncIterator[tuple[BotApi, str]]:
    async with bot_api_server() as running:
        yield running


def digests(one: House) -> list[Json]:
    return [message for message in one.seen(GROUP) if message["text"].startswith("☕")]


async def night(one: House) -> None:
    """Let a warning come and go, and stop just after the next morning."""
    await one.settle_for("mail.send")
    await one.settle_for()
    one.at = one.at.replace(hour=9, minute=0, second=10) + timedelta(days=1)


MAIL = replace(policy("mail.send"), severity=Severity.WARNING)


@pytest.mark.real
async def test_each_morning_is_told_once_without_a_sound(database_url: str, server: tuple[BotApi, str]) -> None:
    channel = TelegramChannel(TOKEN, api_url=server[1])
    async with house(database_url, *server, [MAIL], {OPS: GROUP}) as one:
        await night(one)
        for _ in range(2):  # the second keeper is that of a new process
            keeper = DigestKeeper(one.delivery.desk, one.store, channel, one.plan, title="nexus")
            await keeper.tell_due()
            await keeper.tell_due()
        [digest] = digests(one)
        assert digest["silent"]
        assert digest["text"].startswith("☕ nexus: 1 warning since yesterday, all over\n🟢 #INC-1 mail.send ")
        one.at += timedelta(days=1)
        await keeper.tell_due()
        assert len(digests(one)) == 1
    await channel.close()


@pytest.mark.real
async def test_a_morning_that_is_long_past_is_let_go(database_url: str, server: tuple[BotApi, str]) -> None:
    channel = TelegramChannel(TOKEN, api_url=server[1])
    async with house(database_url, *server, [MAIL], {OPS: GROUP}) as one:
        await night(one)
        one.at += timedelta(hours=7)
        await DigestKeeper(one.delivery.desk, one.store, channel, one.plan, title="nexus").tell_due()
        assert digests(one) == []
    await channel.close()


@pytest.mark.real
@pytest.mark.parametrize("kind", [FaultKind.RATE_LIMIT, FaultKind.KICKED, FaultKind.TIMEOUT_AFTER])
async def test_what_surely_did_not_arrive_comes_later_and_nothing_comes_twice(
    database_url: str, server: tuple[BotApi, str], kind: FaultKind
) -> None:
    api, url = server
    channel = TelegramChannel(TOKEN, api_url=url, timeout_seconds=0.3)
    async with house(database_url, *server, [MAIL], {OPS: GROUP}) as one:
        await night(one)
        keeper = DigestKeeper(one.delivery.desk, one.store, channel, one.plan, title="nexus")
        api.faults.add(Fault(kind=kind, method="sendMessage", times=1))
        await keeper.tell_due()
        one.at += timedelta(minutes=1)
        await keeper.tell_due()
        expected = {FaultKind.RATE_LIMIT: 1, FaultKind.KICKED: 0, FaultKind.TIMEOUT_AFTER: 1}
        assert len(digests(one)) == expected[kind]
    await channel.close()
