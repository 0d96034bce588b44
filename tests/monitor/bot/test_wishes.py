"""What people mean by the words behind /silence, as a table."""

from dataclasses import replace
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from monitor.bot.wishes import Wish, WishError, incident_number, read_wish
from monitor.engine.morning import Morning
from tests.monitor.bot.bench import NOW, PLAN

BERLIN = replace(PLAN, morning=Morning(time(9), ZoneInfo("Europe/Berlin")))
NINE = NOW.replace(day=15, hour=9, minute=0)


@pytest.mark.parametrize(
    ("words", "wish"),
    [
        ("42 30m", Wish("incident:42", NOW + timedelta(minutes=30))),
        ("#INC-42 1h30m", Wish("incident:42", NOW + timedelta(minutes=90))),
        ("42 until resolved", Wish("incident:42", None)),
        ("42 until RESOLVED known, Ann is on it", Wish("incident:42", None, "known, Ann is on it")),
        ("redis.ping 2h new plan", Wish("check:redis.ping", NOW + timedelta(hours=2), "new plan")),
        ("check:redis.ping 5min", Wish("check:redis.ping", NOW + timedelta(minutes=5))),
        ("nexus-api 1d", Wish("service:nexus-api", NOW + timedelta(days=1))),
        ("service:nexus-api 7d", Wish("service:nexus-api", NOW + timedelta(days=7))),
        ("subtree:redis.ping 1H", Wish("subtree:redis.ping", NOW + timedelta(hours=1))),
        ("all 1h release", Wish("subtree:vantage.loop", NOW + timedelta(hours=1), "release")),
        ("42 until 09:00", Wish("incident:42", NINE)),
        ("42 until 14:32", Wish("incident:42", NOW + timedelta(days=1))),
    ],
)
def test_a_wish_is_read(words: str, wish: Wish) -> None:
    assert read_wish(tuple(words.split()), PLAN, NOW) == wish


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("42", "How long? For example 30m, 2h, 1d, until 09:00, or until resolved."),
        ("42 until", "Until when? For example until 09:00, or until resolved."),
        ("42 soon", "I cannot read 'soon' as a time: write 30m, 2h, 1d, until 09:00, or until resolved."),
        ("42 0m", "It must last a while."),
        ("42 8d", "At most 7 days."),
        ("42 until 25:00", "I cannot read '25:00' as a time of day: write until 09:00."),
        ("42 until 9", "I cannot read '9' as a time of day: write until 09:00."),
        ("redis.ping until resolved", "Only an incident can be silenced until it is resolved."),
        (
            "redis.pong 1h",
            "I know no 'redis.pong'. It is the number of an incident, a check, a service, subtree:CHECK, or all.",
        ),
    ],
)
def test_what_cannot_be_understood_is_said(words: str, message: str) -> None:
    with pytest.raises(WishError) as caught:
        read_wish(tuple(words.split()), PLAN, NOW)
    assert str(caught.value) == message


def test_a_time_of_day_is_that_of_the_operators() -> None:
    assert read_wish(("42", "until", "16:00"), BERLIN, NOW).ends_at == NOW.replace(hour=15, minute=0)


@pytest.mark.parametrize(
    ("word", "number"),
    [
        ("42", 42),
        ("#42", 42),
        ("inc-42", 42),
        ("#INC-42", 42),
        ("", None),
        ("-1", None),
        ("٤٢", None),
        ("4" * 40, None),
    ],
)
def test_the_number_of_an_incident(word: str, number: int | None) -> None:
    assert incident_number(word) == number


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        ("2026-03-28T07:59:59+00:00", "2026-03-28T08:00:00+00:00"),
        ("2026-03-28T08:00:00+00:00", "2026-03-29T07:00:00+00:00"),  # the clocks went forward in between
        ("2026-10-24T08:00:00+00:00", "2026-10-25T08:00:00+00:00"),  # and back
    ],
)
def test_a_morning_follows_the_clocks_of_its_zone(now: str, expected: str) -> None:
    morning = Morning(time(9), ZoneInfo("Europe/Berlin"))
    found = morning.after(datetime.fromisoformat(now))
    assert found == datetime.fromisoformat(expected)
    assert morning.before(found) == found
    assert morning.before(found - timedelta(seconds=1)) < datetime.fromisoformat(now) + timedelta(seconds=1)
