"""What pages ask of the history."""

from dataclasses import replace
from datetime import date

from checks.result import Outcome
from monitor.engine.model import CheckState, Incident, IncidentStatus, Looked, Severity, State
from monitor.engine.spans import Span, SpanChange, SpanKind
from monitor.store.queries import DaySeconds, Look, days_of
from monitor.store.store import Store
from tests.stores import at, bad, good


async def test_results_come_newest_first_and_page_back(store: Store) -> None:
    looks = [good(seconds=number) for number in range(5)] + [good("redis.ping", 9)]
    await store.commit([(Looked(look), at(9)) for look in looks], State(), State(), [], at(9))
    assert await store.results("api.health", 2) == [looks[4], looks[3]]
    assert await store.results("api.health", 2, before=looks[3].started_at) == [looks[2], looks[1]]
    assert await store.results("nobody", 2) == []


async def test_looks_of_all_checks_come_oldest_first(store: Store) -> None:
    looks = [good(seconds=number) for number in range(5)] + [bad("redis.ping", 9)]
    state = State(checks={name: CheckState(name) for name in ("api.health", "redis.ping", "bot.webhook")})
    await store.commit([(Looked(look), at(9)) for look in looks], State(), state, [], at(9))
    assert await store.looks(3) == {
        "api.health": [Look(at(number), 0.012, Outcome.OK) for number in (2, 3, 4)],
        "redis.ping": [Look(at(9), 10.0, Outcome.FAILED)],
    }


async def test_open_incidents_come_first_then_the_newest(store: Store) -> None:
    opened = Incident(1, "api.health", Severity.PAGE, IncidentStatus.ACKED, at(0), at(0))
    closed = [replace(opened, id=number, status=IncidentStatus.CLOSED) for number in (2, 3)]
    state = State(incidents={item.id: item for item in (opened, *closed)})
    await store.commit([], State(), state, [], at(0))
    assert await store.incidents(10) == [opened, closed[1], closed[0]]
    assert await store.incidents(1) == [opened]
    assert await store.incident(9) is None


async def test_days_tell_the_four_kinds_of_seconds(store: Store) -> None:
    spans = [
        SpanChange("api.health", SpanKind.UP, at(0), at(0)),
        SpanChange("api.health", SpanKind.DOWN, at(43_000), at(43_000)),
        SpanChange("api.health", SpanKind.UP, at(43_300), at(43_300)),
    ]
    await store.commit([], State(), State(), [], at(0), spans=spans)
    assert await store.days(at(46_800), days=3) == {
        "api.health": [
            DaySeconds(date(2026, 2, 28)),
            DaySeconds(date(2026, 3, 1), up_seconds=43_000.0, down_seconds=200.0),
            DaySeconds(date(2026, 3, 2), up_seconds=3_500.0, down_seconds=100.0),
        ]
    }


def test_a_tile_is_shared_among_its_days() -> None:
    tiles = [Span(at(-86_400), at(86_400), SpanKind.MAINTENANCE), Span(at(86_400), None, SpanKind.UNKNOWN)]
    assert days_of(tiles, date(2026, 3, 1), at(90_000)) == [
        DaySeconds(date(2026, 3, 1), maintenance_seconds=86_400.0),
        DaySeconds(date(2026, 3, 2), maintenance_seconds=43_200.0, unknown_seconds=3_600.0),
    ]
