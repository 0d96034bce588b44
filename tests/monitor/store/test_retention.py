"""Failures outlive successes."""

from datetime import timedelta

from monitor.engine.model import Looked, State
from monitor.engine.spans import SpanChange, SpanKind
from monitor.store.retention import Forgotten
from monitor.store.store import Store
from tests.stores import at, bad, good


async def test_good_looks_go_after_two_weeks_failures_after_three_months(store: Store) -> None:
    looks = [look for number in range(5) for look in (good("a.x", number), bad("b.x", number))]
    await store.commit([(Looked(look), at(9)) for look in looks], State(), State(), [], at(9))
    assert await store.forget(at(2) + timedelta(days=14), batch_rows=1) == Forgotten(results=2, spans=0)
    assert len(await store.results("a.x")) == 3
    assert len(await store.results("b.x")) == 5
    assert await store.forget(at(3) + timedelta(days=90)) == Forgotten(results=6, spans=0)
    assert await store.results("b.x") == [bad("b.x", 4), bad("b.x", 3)]


async def test_uptime_is_kept_for_four_hundred_days(store: Store) -> None:
    kinds = [SpanKind.UP, SpanKind.DOWN, SpanKind.UP]
    spans = [SpanChange("a.x", kind, at(number), at(number)) for number, kind in enumerate(kinds)]
    await store.commit([], State(), State(), [], at(9), spans=spans)
    assert await store.forget(at(1.5) + timedelta(days=400)) == Forgotten(results=0, spans=1)
    assert [span.kind for span in (await store.spans(at(0)))["a.x"]] == [SpanKind.DOWN, SpanKind.UP]
