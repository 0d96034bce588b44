"""The heartbeat beats only while the audit finds nothing; each clause can stop it."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import httpx
import pytest
from pydantic import SecretStr
from structlog.testing import capture_logs

from monitor.engine.model import (
    Chat,
    CheckPolicy,
    Incident,
    IncidentStatus,
    MessageKind,
    Plan,
    Severity,
    State,
    Told,
)
from monitor.heartbeat import Heartbeat, LooksSeen, Vitals, audit, oldest_page_seconds, timerless
from tests.stores import T0, at

WELL = Vitals(
    looks_due=100,
    looks_missed=5,
    looks_expected=True,
    loop_lag_p99_seconds=0.9,
    oldest_page_seconds=120.0,
    timerless=(),
)
URL = SecretStr("https://beats.example/ping/0f7c2c1e-secret")
PLAN = Plan({"api.health": CheckPolicy("api.health", "nexus-api", 30.0, 10.0, 10.0)}, chats=(Chat("telegram:ops"),))
OPEN = Incident(4, "api.health", Severity.PAGE, IncidentStatus.OPEN, T0, T0)
QUEUED = Told("telegram:ops", queued_kind=MessageKind.OPEN, queued_key="k", queued_at=T0, queued_severity=Severity.PAGE)


def test_a_monitor_that_works_passes() -> None:
    assert audit(WELL) == ()


@pytest.mark.parametrize(
    ("vitals", "failed"),
    [
        (replace(WELL, looks_missed=6), "only 94 of 100 looks that were due in the last 2 min ran"),
        (replace(WELL, looks_due=0, looks_missed=0), "no look was due in the last 2 min"),
        (replace(WELL, loop_lag_p99_seconds=1.0), "the event loop is late: 1.0 s (p99)"),
        (replace(WELL, oldest_page_seconds=121.0), "a page has been waiting for 121 s"),
        (replace(WELL, timerless=(4, 9)), "#INC-4, #INC-9: open, taken by nobody, and without a timer"),
    ],
    ids=["looks missed", "no looks", "late loop", "old page", "no timer"],
)
def test_each_clause_fails_alone(vitals: Vitals, failed: str) -> None:
    assert audit(vitals) == (failed,)


def test_everything_that_fails_is_named() -> None:
    assert len(audit(Vitals(100, 100, True, 9.0, 900.0, (1,)))) == 4


def test_a_stack_that_is_looked_at_rarely_is_no_fault() -> None:
    assert audit(replace(WELL, looks_due=0, looks_missed=0, looks_expected=False)) == ()


def test_only_a_page_on_its_way_is_old() -> None:
    warning = replace(QUEUED, queued_severity=Severity.WARNING)
    told = Told("telegram:ops", queued_at=T0)
    assert oldest_page_seconds(State(), at(130)) == 0.0
    for of, age in ((QUEUED, 130.0), (warning, 0.0), (told, 0.0)):
        assert oldest_page_seconds(State(incidents={4: replace(OPEN, told={"telegram:ops": of})}), at(130)) == age


def test_an_open_incident_without_a_timer_is_found() -> None:
    assert timerless(PLAN, State(incidents={4: OPEN})) == (4,)


@pytest.mark.parametrize(
    "incident",
    [
        replace(OPEN, status=IncidentStatus.ACKED, ack_until=at(60)),
        replace(OPEN, status=IncidentStatus.RESOLVED, resolved_at=T0),
        replace(OPEN, told={"telegram:ops": Told("telegram:ops", next_reminder_at=at(60))}),
        replace(OPEN, told={"telegram:ops": QUEUED}),
    ],
    ids=["acked", "resolved", "reminder", "on its way"],
)
def test_an_incident_that_goes_on_by_itself_is_well(incident: Incident) -> None:
    assert timerless(PLAN, State(incidents={4: incident})) == ()


def test_without_a_chat_no_incident_needs_a_timer() -> None:
    assert timerless(replace(PLAN, chats=()), State(incidents={4: OPEN})) == ()


def test_looks_too_young_to_be_over_are_not_missed() -> None:
    seen = LooksSeen(grace_seconds=20.0)
    assert seen.due_and_missed() == (0, 0)
    for second in range(0, 200, 5):
        seen.note(float(second), second, max(0, second - 20))
    assert seen.due_and_missed() == (120, 0)
    assert seen.is_long_enough()


def test_looks_that_do_not_come_back_are_missed() -> None:
    seen = LooksSeen(grace_seconds=20.0)
    for second in range(0, 200, 5):
        seen.note(float(second), second, min(second, 100))
    due, missed = seen.due_and_missed()
    assert (due, missed) == (120, 75)


class Switch:
    """The other side: remembers what was asked, and answers as told."""

    def __init__(self, answer: int | Exception = 200) -> None:
        self.answer = answer
        self.asked: list[str] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(str(request.url))
        if isinstance(self.answer, Exception):
            raise self.answer
        return httpx.Response(self.answer)


async def beats(switch: Switch, state: State, *, lag: float = 0.0) -> tuple[list[str], Heartbeat, list[object]]:
    """Run a heartbeat until it has beaten twice."""
    outcomes: list[str] = []
    done = asyncio.Event()

    def note(outcome: str) -> None:
        outcomes.append(outcome)
        if len(outcomes) == 2:
            done.set()

    heart = Heartbeat(
        URL,
        PLAN,
        lambda: state,
        lambda: T0 + timedelta(seconds=300),
        asyncio.get_running_loop().time,
        looks=lambda: (10, 10),
        loop_lag_p99_seconds=lambda: lag,
        on_beat=note,
        beat_seconds=0.001,
        sample_seconds=0.001,
        transport=httpx.MockTransport(switch),
    )
    with capture_logs() as logs:
        running = asyncio.create_task(heart.run())
        async with asyncio.timeout(5):
            await done.wait()
        running.cancel()
        await asyncio.wait([running])
    return outcomes, heart, list(logs)


async def test_it_beats_while_nothing_is_wrong() -> None:
    switch = Switch()
    outcomes, heart, _ = await beats(switch, State())
    assert outcomes[:2] == ["sent", "sent"]
    assert set(switch.asked) == {URL.get_secret_value()}
    assert heart.failed == ()


async def test_it_is_silent_while_the_audit_fails_and_says_why() -> None:
    switch = Switch()
    old = State(incidents={4: replace(OPEN, told={"telegram:ops": QUEUED})})
    outcomes, heart, logs = await beats(switch, old, lag=2.0)
    assert outcomes[:2] == ["withheld", "withheld"]
    assert switch.asked == []
    assert heart.failed == ("the event loop is late: 2.0 s (p99)", "a page has been waiting for 300 s")
    assert [entry for entry in logs if entry["event"] == "audit.failed"]  # type: ignore[index]


@pytest.mark.parametrize(
    "answer", [500, 404, httpx.ConnectError("no route to https://beats.example/ping/0f7c2c1e-secret")]
)
async def test_a_beat_that_is_not_taken_is_logged_without_its_address(answer: int | Exception) -> None:
    outcomes, _, logs = await beats(Switch(answer), State())
    assert outcomes[:2] == ["failed", "failed"]
    assert [entry for entry in logs if entry["event"] == "heartbeat.failed"]  # type: ignore[index]
    assert "secret" not in repr(logs)
    assert "beats.example" not in repr(logs)
