"""beat.schedule: the judge as a table."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pydantic import SecretStr

from checks.beat.expressions import expression_of
from checks.beat.ledger import Firing, Memory, Span
from checks.beat.schedule import BeatSchedule, BeatScheduleConfig, ScheduleSeen
from checks.beat.standing import Waiting, Watched
from checks.beat.table import Entry, Table
from checks.failures import verdict_of
from checks.result import Outcome, Reason

NOW = datetime(2026, 11, 23, 12, 0, 30, tzinfo=UTC)
SINCE = NOW - timedelta(hours=30)
F, D, U, OK = Outcome.FAILED, Outcome.DEGRADED, Outcome.UNKNOWN, Outcome.OK


def entry(name: str, every: Any, queue: str = "celery") -> Entry:
    rendered = f"<crontab: {every} (m/h/dM/MY/d)>" if isinstance(every, str) else every
    return Entry(name, f"app.{name}", expression_of(rendered), queue)


OFTEN, DAILY, WEEKLY = entry("often", 10.0), entry("daily", "0 9 * * *"), entry("weekly", "0 9 * * fri")
HOURLY = entry("hourly", "0 * * * *")
SUN = entry("sun", "x")


def seen(*entries: Entry, fired: dict[str, Firing] | None = None, **other: Any) -> ScheduleSeen:
    firings = {(f"app.{name}", ""): (firing,) for name, firing in (fired or {}).items()}
    memory = Memory(firings, {}, (Span(SINCE, NOW),), NOW)
    watched = Watched(Table(entries), memory, other.pop("waiting", Waiting({})), other.pop("served", None))
    return replace(ScheduleSeen(watched, 1, SINCE), **other)


def at(hour: int, minute: int = 0, second: int = 0, **other: bool) -> Firing:
    return Firing(datetime(2026, 11, 23, hour, minute, second, tzinfo=UTC), "id", **other)


def check(**settings: Any) -> BeatSchedule:
    base = {"id": "beat.schedule", "service": "nexus-beat", "broker_url": SecretStr("redis://127.0.0.1:6379/0")}
    return BeatSchedule(BeatScheduleConfig.model_validate({**base, **settings}))


FRESH = Firing(NOW - timedelta(seconds=2), "id")
WAITS = Waiting({("app.often", ""): 3})


@pytest.mark.parametrize(
    ("look", "outcome", "reason", "summary"),
    [
        (seen(OFTEN, fired={"often": FRESH}), OK, None, "1 of 1 entry fired on time"),
        (seen(OFTEN, DAILY, fired={"often": FRESH, "daily": at(9)}), OK, None, "2 of 2 entries fired on time"),
        (seen(OFTEN, WEEKLY, SUN, fired={"often": FRESH}), OK, None,
         "1 of 3 entries fired on time, 1 not seen yet, 1 not checked; next due weekly, Fri 27 Nov 09:00 UTC"),
        (seen(WEEKLY, SUN), U, Reason.STALE,
         "no entry has been due and seen since the watch began: 1 not seen yet, 1 not checked;"
         " next due weekly, Fri 27 Nov 09:00 UTC"),
        (seen(DAILY, fired={"daily": at(9, 5)}), D, Reason.SLOW,
         "entry daily: late, due Mon 23 Nov 09:00 UTC, 5 min late"),
        (seen(DAILY), F, Reason.SILENT,
         "entry daily: missed, due Mon 23 Nov 09:00 UTC, never seen since the watch began"),
        (seen(OFTEN, DAILY), F, Reason.SILENT,
         "entry daily: missed, due Mon 23 Nov 09:00 UTC, never seen since the watch began; also often"),
        (seen(HOURLY, fired={"hourly": at(10)}), D, Reason.SILENT,
         "entry hourly: missed once, due Mon 23 Nov 11:00 UTC"),
        (seen(OFTEN, fired={"often": replace(FRESH, has_failed=True)}), D, Reason.TASK_FAILED,
         "entry often: ran, and failed"),
        (seen(DAILY, fired={"daily": at(9, was_revoked=True)}), D, Reason.STALE,
         "entry daily: taken too late to run, due Mon 23 Nov 09:00 UTC"),
        (seen(OFTEN, waiting=WAITS, served=frozenset({"slow"})), F, Reason.NO_CONSUMER,
         "entry often: sent, and no worker serves its queue, queue celery, silent for 30 h, due every 10 s"),
        # The worker's fault is not beat's.
        (seen(OFTEN, waiting=WAITS), U, Reason.DEPENDENCY_DOWN, "beat sent often, and no worker takes it yet"),
        (seen(OFTEN, fired={"often": FRESH}, answering=0), U, Reason.DEPENDENCY_DOWN,
         "no worker answers: what beat sends cannot be seen"),
        (seen(OFTEN, fired={"often": FRESH}, listening_since=None), U, Reason.STALE,
         "not listening to the broker: connecting"),
        (seen(OFTEN, fired={"often": FRESH}, listening_since=None, feed_error="TimeoutError"), U, Reason.STALE,
         "not listening to the broker: TimeoutError"),
        (seen(), U, Reason.NOT_CONFIGURED, "the app's configuration holds no schedule"),
        (seen(answering=0), U, Reason.DEPENDENCY_DOWN, "no worker answers, so the schedule cannot be read"),
    ],
)  # fmt: skip
def test_the_worst_entry_decides(look: ScheduleSeen, outcome: Outcome, reason: Reason | None, summary: str) -> None:
    verdict = check().judge(look, NOW)
    assert (verdict.outcome, verdict.reason, verdict.summary) == (outcome, reason, summary)
    assert outcome not in (F, D) or verdict.hint


def test_the_evidence_is_a_table_of_the_entries_worst_first() -> None:
    odd = Entry("odd", "", expression_of(None))
    look = seen(OFTEN, DAILY, odd, fired={"often": FRESH})
    assert {fact.name: fact.value for fact in check().judge(look, NOW).evidence.facts} == {
        "time zone": "UTC",
        "daily": "missed · 0 9 * * * · never seen since the watch began · due Mon 23 Nov 09:00 UTC · not seen"
        " · next due Tue 24 Nov 09:00 UTC",
        "odd": "not checked · an expression of type NoneType · not seen",
        "often": "on time · every 10 s · last seen Mon 23 Nov 12:00:28 UTC",
    }


def test_a_long_table_is_cut() -> None:
    entries = [entry(f"job-{number:02}", 10.0) for number in range(23)]
    facts = check().judge(seen(*entries), NOW).evidence.facts
    assert (facts[-1].name, facts[-1].value) == ("entries not shown, better ones", 3)


def test_the_counts_are_values() -> None:
    verdict = check().judge(seen(OFTEN, DAILY, fired={"often": FRESH}), NOW)
    assert verdict.values == {
        "schedule_entries_total": 2.0,
        "schedule_entries_on_time_total": 1.0,
        "schedule_entries_missed_total": 1.0,
    }


def test_a_network_error_is_told_of_the_broker() -> None:
    error = verdict_of(ConnectionRefusedError(111, "refused"), 2.0)
    assert error is not None
    assert check().on_failure(error).summary.startswith("broker: ")
