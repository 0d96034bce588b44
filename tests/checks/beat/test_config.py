"""beat.config: the judge as a table, and a real worker that tells its schedule."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from pydantic import SecretStr

from checks.beat.config import BeatConfig, BeatConfigConfig, Change, ConfigSeen, difference
from checks.beat.expressions import expression_of
from checks.beat.table import Entry, Table
from checks.failures import verdict_of
from checks.result import Outcome, Reason
from demo.servers import ValkeyServer
from tests.celery_stack import look_io, state_of, worker

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
BERLIN = ZoneInfo("Europe/Berlin")
D, U, OK = Outcome.DEGRADED, Outcome.UNKNOWN, Outcome.OK


def entry(name: str, every: Any, task: str = "app.run", queue: str = "celery") -> Entry:
    return Entry(
        name, task, expression_of(f"<crontab: {every} (m/h/dM/MY/d)>" if isinstance(every, str) else every), queue
    )


def table(*entries: Entry, zone: str = "Europe/Berlin") -> Table:
    return Table(entries, zone, ZoneInfo(zone))


def check(url: str = "redis://127.0.0.1:6379/0", **settings: Any) -> BeatConfig:
    base = {"id": "beat.config", "service": "nexus-beat", "broker_url": SecretStr(url)}
    return BeatConfig(BeatConfigConfig.model_validate({**base, **settings}))


OFTEN, DAILY = entry("often", 10.0), entry("daily", "0 9 * * *")
GOOD = ConfigSeen(table(DAILY, OFTEN), 1, frozenset({"app.run"}), frozenset({"celery"}))
SOLAR = Entry("sun", "app.run", expression_of("<solar: sunset at latitude 52.5, longitude: 13.4>"), "celery")
NO_TASK = Entry("odd", "", expression_of(None))


@pytest.mark.parametrize(
    ("seen", "outcome", "reason", "summary"),
    [
        (GOOD, OK, None, "2 entries can be read and run, Europe/Berlin; next due daily, Tue 24 Nov 09:00 CET"),
        (replace(GOOD, table=table(OFTEN)), OK, None, "1 entry can be read and run, Europe/Berlin"),
        (replace(GOOD, registered=None, served=None), OK, None,
         "2 entries can be read and run, Europe/Berlin; next due daily, Tue 24 Nov 09:00 CET"),
        (replace(GOOD, table=table(entry("beat", 10.0, "celery.accumulate"))), OK, None,
         "1 entry can be read and run, Europe/Berlin"),
        (replace(GOOD, registered=frozenset()), D, Reason.MISSING,
         "entry daily: no worker has the task app.run; entry often: no worker has the task app.run"),
        (replace(GOOD, served=frozenset({"slow"})), D, Reason.NO_CONSUMER,
         "entry daily: no worker serves queue celery; entry often: no worker serves queue celery"),
        (replace(GOOD, registered=frozenset(), served=frozenset()), D, Reason.MISSING,
         "entry daily: no worker has the task app.run; entry daily: no worker serves queue celery (+2 more)"),
        (replace(GOOD, table=table(SOLAR)), D, Reason.PROTOCOL_ERROR,
         "entry sun is not checked: a solar schedule, which follows the sun and is not computed here"),
        (replace(GOOD, table=table(NO_TASK)), D, Reason.PROTOCOL_ERROR,
         "entry odd is not checked: an expression of type NoneType"),
        (replace(GOOD, table=table(entry("never", "0 0 29 2 mon"))), D, Reason.DRIFT,
         "entry never (0 0 29 2 mon) is not due in twelve years"),
        (replace(GOOD, table=replace(GOOD.table, zone_name="Mars/Phobos", zone=None)), D, Reason.NOT_CONFIGURED,
         "entry daily: the time zone Mars/Phobos is not known"),
        (replace(GOOD, table=replace(GOOD.table, zone_name="", zone=None)), D, Reason.NOT_CONFIGURED,
         "entry daily: the time zone that beat's machine has is not known"),
        (replace(GOOD, table=replace(GOOD.table, differing=("daily",))), D, Reason.DRIFT,
         "workers tell different schedules: daily"),
        (ConfigSeen(Table(), 1), U, Reason.NOT_CONFIGURED, "the app's configuration holds no schedule"),
        (ConfigSeen(Table(), 0), U, Reason.DEPENDENCY_DOWN, "no worker answers, so the schedule cannot be read"),
    ],
)  # fmt: skip
def test_what_keeps_an_entry_from_working_is_found(
    seen: ConfigSeen, outcome: Outcome, reason: Reason | None, summary: str
) -> None:
    verdict = check().judge(seen, NOW)
    assert (verdict.outcome, verdict.reason, verdict.summary) == (outcome, reason, summary)
    assert verdict.outcome is OK or verdict.hint


def test_an_expected_entry_that_vanished_is_missing() -> None:
    expecting = check(expected_entries=("daily", "weekly"))
    assert expecting.judge(GOOD, NOW).summary == "no longer in the schedule: weekly"
    empty = expecting.judge(ConfigSeen(Table(), 1), NOW)
    assert (empty.reason, empty.summary) == (Reason.MISSING, "no longer in the schedule: daily, weekly")


READ = "1 entry can be read and run, Europe/Berlin; next due job, "


@pytest.mark.parametrize(
    ("now", "every", "summary"),
    [
        ("2026-10-20 12:00", "30 2 * * *", "the clocks change Sun 25 Oct 02:00 CET, when these are due: job"),
        ("2027-03-25 12:00", "30 2 * * *", "the clocks change Sun 28 Mar 03:00 CEST, when these are due: job"),
        ("2026-10-20 12:00", "30 4 * * *", READ + "Wed 21 Oct 04:30 CEST"),
        ("2026-10-20 12:00", "30 2 * * mon", READ + "Mon 26 Oct 02:30 CET"),
        # An hourly entry is due again an hour later: nothing is lost.
        ("2026-10-24 12:00", "30 * * * *", READ + "Sat 24 Oct 14:30 CEST"),
        ("2026-10-10 12:00", "30 2 * * *", READ + "Sun 11 Oct 02:30 CEST"),
        ("2026-10-25 00:45", "30 2 * * *", READ + "Mon 26 Oct 02:30 CET"),
    ],
)  # fmt: skip
def test_a_clock_change_that_hits_a_daily_entry_is_said_a_week_before(now: str, every: str, summary: str) -> None:
    seen = replace(GOOD, table=table(entry("job", every)))
    assert check().judge(seen, datetime.fromisoformat(now).replace(tzinfo=UTC)).summary == summary


def test_the_next_three_due_times_are_shown_in_the_zone_of_the_app() -> None:
    facts = {fact.name: fact.value for fact in check().judge(GOOD, NOW).evidence.facts}
    assert facts["time zone"] == "Europe/Berlin"
    assert facts["schedule"] == GOOD.table.fingerprint
    assert facts["often"] == "every 10 s · app.run · queue celery · counted from beat's start"
    assert facts["daily"] == (
        "0 9 * * * · app.run · queue celery · next Tue 24 Nov 09:00 CET, Wed 25 Nov 09:00 CET, Thu 26 Nov 09:00 CET"
    )
    many = replace(GOOD, table=table(*(entry(f"job-{number:02}", 10.0, queue="") for number in range(22))))
    shown = {fact.name: fact.value for fact in check().judge(replace(many, served=None), NOW).evidence.facts}
    assert shown["entries not shown"] == 2


def test_a_change_is_shown_for_an_hour() -> None:
    change = Change(NOW - timedelta(minutes=5), "new: daily")
    changed = check().judge(replace(GOOD, change=change), NOW)
    assert "changed Mon 23 Nov 12:55 CET" in {fact.name for fact in changed.evidence.facts}
    later = check().judge(replace(GOOD, change=change), NOW + timedelta(hours=2))
    assert not [fact for fact in later.evidence.facts if fact.name.startswith("changed")]


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        (table(OFTEN), table(DAILY, OFTEN), "new: daily"),
        (table(DAILY, OFTEN), table(OFTEN), "gone: daily"),
        (table(DAILY), table(entry("daily", "0 8 * * *")), "changed: daily"),
        (table(DAILY), table(DAILY, zone="UTC"), "time zone Europe/Berlin → UTC"),
    ],
)
def test_a_difference_is_told_by_names(before: Table, after: Table, said: str) -> None:
    assert before.fingerprint != after.fingerprint
    assert difference(before, after) == said


def test_a_network_error_is_told_of_the_broker() -> None:
    error = verdict_of(ConnectionRefusedError(111, "refused"), 2.0)
    assert error is not None
    assert check().on_failure(error).summary.startswith("broker: ")


@pytest.mark.real
async def test_a_real_worker_tells_its_schedule(tmp_path: Path) -> None:
    server = ValkeyServer(tmp_path / "valkey")
    server.start()
    entries = {"daily": ["tests.daily", "0 4 * * *", "celery"], "unserved": ["tests.nap", 60.0, "reports"]}
    given = {"BROKER_URL": server.url, "BEAT_SECONDS": "60"}
    config = check(server.url)
    try:
        seen = await config.measure(look_io(5.0))
        assert config.judge(seen, NOW).reason is Reason.DEPENDENCY_DOWN
        with worker(tmp_path, "-c", "1", **given):
            before = state_of(server.url)
            seen = await config.measure(look_io(5.0))
            assert config.judge(seen, NOW).summary == "2 entries can be read and run, UTC"
            assert state_of(server.url) == before
        with worker(tmp_path, "-c", "1", BEAT_ENTRIES=json.dumps(entries), **given):
            seen = await config.measure(look_io(5.0))
            verdict = config.judge(seen, datetime.now(UTC))
    finally:
        server.stop()
    assert verdict.summary == (
        "entry daily: no worker has the task tests.daily; entry unserved: no worker serves queue reports"
    )
    assert seen.change is not None
    assert seen.change.said == "new: daily, unserved"
    assert "a-secret-argument" not in repr(seen)
