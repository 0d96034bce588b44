"""Nothing lost, nothing twice: a monitor killed at random moments of real outages, over a Bot API that fails too."""

import os
from datetime import timedelta
from pathlib import Path

import pytest

from demo.botapi.config import OPERATOR_ID
from demo.botapi.faults import Fault, FaultKind
from monitor.engine.model import Rules
from tests.monitor.delivery.bot_api_server import bot_api_server
from tests.monitor.delivery.fakes import FakeFallback
from tests.monitor.delivery.house import OPS, house, policy
from tests.under_fire.fire import Tally, fire, tally, unexplained
from tests.under_fire.monitor import CHECKS

KILLS = int(os.environ.get("UNDER_FIRE_KILLS", "6"))
"""How often the monitor dies on each database. `make under-fire` sets 50."""

SEED = int(os.environ.get("UNDER_FIRE_SEED", "7"))
PERSON = str(OPERATOR_ID)

pytestmark = pytest.mark.real


def is_over(check: str, read: Tally) -> bool:
    """Say whether people know that the outage is over, by the card or by a message of its own."""
    return read.recovered[check] > 0 or read.endings[check] > 0


@pytest.mark.timeout(60 + 20 * KILLS)
async def test_killed_at_random_moments_it_tells_every_outage_once_and_its_end_once(
    database_url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async with fire(database_url, tmp_path, SEED) as one:
        await one.start()
        one.trouble()
        broken = []
        while len(one.kills) < KILLS:
            check = CHECKS[len(broken)]
            broken.append(check)
            one.tell(check)
            await one.die_now_and_then(1, 1.2)
            await one.until(lambda check=check: tally(one).openings[check] > 0, f"{check} is down")  # type: ignore[misc]
            await one.die_now_and_then(1, 0.3)
            one.tell()
            await one.die_now_and_then(1, 1.2)
            await one.until(
                lambda check=check: is_over(check, tally(one)),  # type: ignore[misc]
                f"{check} is up again",
            )
        one.api.faults.remove()
        await one.until(lambda: all(is_over(check, tally(one)) for check in broken), "all is told")
        read = tally(one)
        twice = sum(count - 1 for counts in (read.openings, read.endings) for count in counts.values())
        unsaid = [check for check in broken if not read.endings[check]]
        assert set(read.openings) == set(broken)
        assert read.others == []
        # Where a card says it, the end is never said twice.
        assert [check for check in broken if read.endings[check] > 1 and read.recovered[check]] == []
        assert unexplained(one) == []
        with capsys.disabled():
            print(
                f"\n  {len(one.kills)} kills, {len(broken)} outages: all told, {twice} message(s) twice after a lost"
                f" answer, {len(unsaid)} end(s) said by the card alone"
            )


async def test_a_storm_of_429_loses_nothing_sends_nothing_twice_and_is_heeded(database_url: str) -> None:
    checks = [policy(f"service-{number}.health") for number in range(25)]
    rules = Rules(storm_roots=1000, remind_every_seconds=1e7, remind_after_seconds=())
    async with bot_api_server() as (api, url), house(database_url, api, url, checks, {OPS: PERSON}, rules=rules) as one:
        api.faults.add(Fault(kind=FaultKind.RATE_LIMIT, probability=0.6, retry_after=7, seed=SEED))
        one.failing = {check.id for check in checks}
        asked_at = None
        refused = 0
        for _ in range(600):
            before = len(api.journal.calls())
            await one.deliver_once()
            calls = api.journal.calls()[before:]
            if calls and asked_at is not None:
                assert one.at >= asked_at + timedelta(seconds=8), "the chat was to be left alone"
            limited = [call for call in calls if call.get("error_code") == 429]
            assert len(calls) <= 1 or not limited[:-1], "called again after a 429"
            refused += len(limited)
            asked_at = one.at if limited else None
            one.at += timedelta(seconds=2)
            if one.at.second % 10 == 0:
                await one.look()
        texts = one.texts(PERSON)
        assert sorted(text.split(" · ")[2] for text in texts) == sorted(check.id for check in checks)
        assert refused > 20
        one.failing = set()
        await one.spend(1200)
        texts = one.texts(PERSON)
        assert len([text for text in texts if text.startswith("🟢")]) == len(checks)
        assert len({text for text in texts if text.startswith("✅")}) == len(checks)
        assert len(texts) == 2 * len(checks)


async def test_after_an_hour_without_telegram_each_incident_is_told_in_one_message(database_url: str) -> None:
    checks = [policy(f"{name}.health") for name in ("before", "within", "still", "again")]
    fallback = FakeFallback()
    async with (
        bot_api_server() as (api, url),
        house(database_url, api, url, checks, {OPS: PERSON}, fallback=fallback) as one,
    ):
        await one.settle_for("before.health")
        api.faults.add(Fault(kind=FaultKind.SERVER_ERROR, status=502, probability=0.5, seed=SEED))
        api.faults.add(Fault(kind=FaultKind.RATE_LIMIT, retry_after=30, probability=0.5, seed=SEED + 1))
        api.faults.add(Fault(kind=FaultKind.REFUSE))
        await one.settle_for("within.health", "again.health", seconds=600)
        await one.settle_for("still.health", seconds=300)
        await one.settle_for("still.health", "again.health", seconds=600)
        await one.settle_for("still.health", seconds=2100)
        assert len(one.texts(PERSON)) == 1
        api.faults.remove()
        await one.spend(180)
        texts = one.texts(PERSON)
        for check in checks:
            [name] = [check.id]
            told = [text for text in texts if name in text]
            assert 1 <= len(told) <= (2 if name == "before.health" else 1), (name, texts)
        signs = {text.split(" ")[0] for text in texts if "still.health" in text}
        assert signs == {"🔴"}
        assert next(text for text in texts if "before.health" in text).startswith("🟢")
        assert all(text.startswith(("ℹ️", "🟢")) for text in texts if "within" in text or "again" in text)
        by_mail = [attempt.text.split("\n")[0] for attempt in fallback.attempts]
        assert {"within", "still", "again"} == {
            name for name in ("before", "within", "still", "again") if any(name in text for text in by_mail)
        }
        one.failing = set()
        await one.spend(120)
        assert not any(incident.is_live for incident in one.incidents.values())
        assert await one.store.outbox_oldest_seconds(one.at) == 0.0
