"""What is counted of task events, and that it is bounded."""

from datetime import UTC, datetime, timedelta

from checks.base import Tally
from monitor.probing.tallies import KEPT_COUNTS, KEPT_MINUTES, KEPT_NAMES, KEPT_RUNTIMES, KEPT_TASKS, Tallies

NOW = datetime(2026, 11, 23, 12, 0, 30, tzinfo=UTC)
MINUTE = NOW.replace(second=0)


def event(kind: str, uuid: str, **more: object) -> dict[str, object]:
    return {"type": kind, "uuid": uuid, **more}


def test_an_ending_is_counted_under_the_name_that_came_earlier_and_by_exception_class() -> None:
    tallies = Tallies()
    assert tallies.note(NOW, event("task-received", "1", name="a.b"), "") == "a.b"
    assert tallies.note(NOW, event("task-started", "1"), "") == "a.b"
    assert tallies.note(NOW, event("task-failed", "1", exception="KeyError('secret')"), "") == "a.b"
    for exception in ("my.errors.TooLate('x')", "not a class!", ""):
        tallies.note(NOW, event("task-retried", "1", exception=exception), "")
    tallies.note(NOW, event("task-revoked", "1", expired=True), "")
    tallies.note(NOW, event("task-revoked", "1", expired=False), "")
    tallies.note(NOW, event("task-failed", "2", exception="NotRegistered('a.gone')"), "")
    tallies.note(NOW, event("task-failed", "3", exception="E()"), "app-")
    assert tallies.view(NOW) == (
        Tally(MINUTE, "", "a.b", "expired", "", 1),
        Tally(MINUTE, "", "a.b", "failed", "KeyError", 1),
        Tally(MINUTE, "", "a.b", "retried", "", 1),
        Tally(MINUTE, "", "a.b", "retried", "TooLate", 1),
        Tally(MINUTE, "", "a.b", "retried", "not", 1),
        Tally(MINUTE, "", "a.gone", "failed", "NotRegistered", 1),
        Tally(MINUTE, "app-", "", "failed", "E", 1),
    )


def test_successes_in_a_row_and_run_times_are_kept_by_task() -> None:
    tallies = Tallies()
    for kind, runtime in (("succeeded", 1.0), ("failed", None), ("succeeded", 2.0), ("succeeded", "odd")):
        tallies.note(NOW, event(f"task-{kind}", "1", name="a.b", runtime=runtime), "")
    assert tallies.successes == {("", "a.b"): 2}
    assert tallies.runtimes == {"a.b": (1.0, 2.0)}


def test_everything_kept_is_bounded() -> None:
    tallies = Tallies()
    for number in range(KEPT_NAMES + 9):
        tallies.note(NOW, event("task-received", str(number), name="a.b"), "")
    assert len(tallies._names) == KEPT_NAMES
    for number in range(KEPT_COUNTS + 9):
        tallies.note(NOW, event("task-succeeded", "1", name=f"t{number}", runtime=1.0), "")
    assert (len(tallies.view(NOW)), len(tallies.runtimes)) == (KEPT_COUNTS, KEPT_TASKS)
    for _ in range(KEPT_RUNTIMES + 9):
        tallies.note(NOW, event("task-succeeded", "1", name="a.b", runtime=1.0), "")
    assert len(tallies.runtimes["a.b"]) == KEPT_RUNTIMES


def test_old_minutes_are_forgotten_and_make_room() -> None:
    tallies = Tallies()
    for number in range(KEPT_COUNTS):
        tallies.note(NOW, event("task-succeeded", "1", name=f"t{number}"), "")
    later = NOW + timedelta(minutes=KEPT_MINUTES + 1)
    tallies.note(later, event("task-succeeded", "1", name="new"), "")
    assert [one.task for one in tallies.view(later)] == ["new"]
