"""What each command answers: whole texts."""

from dataclasses import replace
from datetime import timedelta

import pytest

from checks.result import ok
from monitor.bot.commands import commands_of
from monitor.bot.status import status_message
from monitor.delivery.entities import units
from monitor.engine.model import (
    AppendTimeline,
    CheckState,
    CheckStatus,
    Incident,
    IncidentStatus,
    Plan,
    Severity,
    State,
)
from tests.monitor.bot.bench import INCIDENT, NOW, PLAN, STATE, Ground, answer, policy, seen, text_of
from tests.monitor.bot.bench import SHE as ANN

HOUR = timedelta(hours=1)
ALL_UP = State(checks={name: seen(name) for name in PLAN.checks})


async def test_the_status_is_the_checklist_by_its_headings() -> None:
    message = await answer(Ground(ALL_UP), "/status")
    assert message.text == (
        "🟢 All 4 checks are up · 14:32 UTC\n"
        "\n"
        "The monitor's own sight\n"
        "🟢 vantage.loop 200 in 40 ms\n"
        "\n"
        "API\n"
        "🟢 api.health 200 in 40 ms\n"
        "🟢 redis.ping 200 in 40 ms\n"
        "\n"
        "Worker\n"
        "🟢 worker.online 200 in 40 ms"
    )
    assert [entity.type for entity in message.entities].count("code") == 4


async def test_the_status_of_a_broken_stack() -> None:
    lines = (await text_of(Ground(), "/status")).splitlines()
    assert lines[0] == "🔴 1 incident · 2 of 4 checks up · 14:32 UTC"
    assert "🔴 redis.ping PING got no answer within 2 s" in lines
    assert lines[-1] == "⚪ worker.online not looked at yet"


async def test_one_heading_lists_its_checks_however_it_is_typed() -> None:
    for typed in ("API", "api", "Api!"):
        assert (await text_of(Ground(), f"/status {typed}")).splitlines()[0] == "API"
    assert await text_of(Ground(), "/status kitchen") == (
        "There is no heading 'kitchen'. There are: The monitor's own sight, API, Worker."
    )


def test_a_stack_that_was_not_looked_at_yet_is_not_called_broken() -> None:
    text = status_message(PLAN, State(), NOW, str).text
    assert text.startswith("⚪ 0 of 4 checks up, no incident")


def test_a_large_stack_shrinks_to_its_headings_and_what_is_not_up() -> None:
    ids = [f"api{number % 30}.check{number}" for number in range(300)]
    plan = Plan({name: policy(name, "nexus-api") for name in ids})
    states = {name: seen(name) for name in ids}
    states["api12.check42"] = seen("api12.check42", CheckStatus.DOWN)
    text = status_message(plan, State(checks=states), NOW, lambda name: name.split(".")[0]).text
    assert "🔴 api12 · 9 of 10 up\n🔴 api12.check42 PING got no answer within 2 s\n" in text
    assert "🟢 api11 · 10 of 10 up\n" in text
    assert text.endswith("\n/status api0 lists the checks of that heading, /status all every one")
    assert units(text) <= 3500


def test_what_an_incident_took_with_it_is_named_once_and_not_explained_again() -> None:
    ids = [f"worker.check{number:02}" for number in range(30)]
    plan = Plan({name: policy(name, "nexus-worker") for name in ("redis.ping", *ids)})
    states = {name: seen(name, CheckStatus.DOWN) for name in ("redis.ping", *ids[:8])}
    states |= {name: seen(name) for name in ids[8:29]}
    text = status_message(plan, State(checks=states, incidents={42: INCIDENT}), NOW, lambda name: name[:5]).text
    assert text.splitlines()[1:-2] == [
        "",
        "🔴 redis · 0 of 1 up",
        "🔴 redis.ping PING got no answer within 2 s",
        "🔴 worke · 21 of 30 up",
        "⚪ worker.check29 not looked at yet",
        "because of #INC-42: worker.check00, worker.check01, worker.check02, worker.check03, worker.check04,"
        " worker.check05, +2",
    ]


async def test_more_lines_than_fit_are_counted() -> None:
    plan = Plan({f"api{number}.health": policy(f"api{number}.health", "x") for number in range(300)})
    text = await text_of(Ground(State(), plan), "/status all")
    assert units(text) <= 3500
    assert text.splitlines()[-1].endswith(" more lines")


async def test_incidents_say_severity_age_symptoms_and_who_has_taken_them() -> None:
    assert await text_of(Ground(), "/incidents") == (
        "🔴 1 incident · 2 of 4 checks up · 14:32 UTC\n"
        "\n"
        "🔴 DOWN · page · #INC-42 redis.ping\n"
        "since 14:26 UTC, 6 min, 1 more because of it\n"
        "nobody has taken it\n"
        "\n"
        "/incident 42 shows all of it"
    )
    taken = replace(INCIDENT, status=IncidentStatus.ACKED, acked_by=ANN, acked_at=NOW, suppressed_since=NOW, members=())
    text = await text_of(Ground(replace(STATE, incidents={42: taken})), "/incidents")
    assert text.splitlines()[3:5] == ["since 14:26 UTC, 6 min", "✅ @ann (5), 14:32 UTC · 🔕 silenced"]


async def test_pages_come_first_and_many_incidents_are_counted() -> None:
    many = {number: replace(INCIDENT, id=number, severity=Severity.WARNING) for number in range(1, 23)}
    text = await text_of(Ground(replace(STATE, incidents={**many, 42: INCIDENT})), "/incidents")
    assert "page · #INC-42" in text.splitlines()[2]
    assert "… and 3 more" in text


async def test_without_incidents_the_headline_is_the_answer() -> None:
    over = replace(INCIDENT, status=IncidentStatus.RESOLVED, resolved_at=NOW)
    ground = Ground(replace(ALL_UP, incidents={42: over}))
    assert await text_of(ground, "/incidents") == "🟢 All 4 checks are up · 14:32 UTC"
    assert await text_of(ground, "/incident") == "🟢 All 4 checks are up · 14:32 UTC"


async def test_an_incident_is_its_card_with_its_history_and_buttons() -> None:
    ground = Ground()
    ground.past.rows = [
        AppendTimeline(42, NOW - timedelta(minutes=5), "monitor", "opened", "redis.ping is down"),
        AppendTimeline(42, NOW, ANN, "rechecked", f"by {ANN}"),
        AppendTimeline(42, NOW, ANN, "silenced", "incident:42 until it is resolved"),
        AppendTimeline(7, NOW, ANN, "acked", "another one"),
    ]
    for text in ("/incident 42", "/incident #INC-42", "/incident"):
        message = await answer(ground, text)
        assert message.text.startswith("🔴 DOWN · nexus-redis · redis.ping\n#INC-42 · since 14:26 UTC\n")
        assert message.text.endswith(
            "\n\nHistory\n"
            "14:27 UTC opened: redis.ping is down\n"
            "14:32 UTC rechecked: by @ann (5)\n"
            "14:32 UTC silenced: incident:42 until it is resolved (@ann (5))"
        )
        assert [len(row) for row in message.buttons] == [2, 3, 1]


async def test_a_long_history_shows_its_end_and_everything_fits() -> None:
    ground = Ground()
    ground.past.rows = [AppendTimeline(42, NOW, "monitor", "noted", "x" * 500) for _ in range(30)]
    text = await text_of(ground, "/incident 42")
    assert "History, after 2" in text
    assert units(text) <= 3500


async def test_a_closed_incident_comes_from_the_store_without_what_was_seen_since() -> None:
    ground = Ground()
    ground.past.closed[7] = replace(INCIDENT, id=7, status=IncidentStatus.CLOSED, resolved_at=NOW)
    message = await answer(ground, "/incident 7")
    assert message.text.startswith("🟢 RECOVERED · lasted 6 min · nexus-redis · redis.ping\n#INC-7")
    assert "PING" not in message.text
    assert message.buttons == ()
    assert await text_of(ground, "/incident 8") == "There never was an incident #8."
    assert await text_of(ground, "/incident x") == "Which one? For example /incident 42."


async def test_a_viewer_is_shown_what_was_seen_last() -> None:
    ground = Ground()
    assert await text_of(ground, "/check redis", may_act=False) == (
        "🔴 DOWN · nexus-redis · redis.ping\n"
        "looked at 14:32 UTC, took 0.04 s\n"
        "\n"
        "PING got no answer within 2 s\n"
        "Try: is it out of memory?\n"
        "Down since 14:26 UTC, 6 min\n"
        "Part of #INC-42: /incident 42\n"
        "\n"
        "reason: timeout\n"
        "looked at 14:32:00 UTC, took 0.04 s"
    )
    assert ground.probed == []


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("/check", "Which one? For example /check redis.ping; a part of the name will do. /status lists them."),
        ("/check kitchen", "There is no check 'kitchen'. /status lists them."),
        ("/check .", "Which one? api.health, redis.ping, vantage.loop, worker.online"),
    ],
)
async def test_a_check_that_is_not_clear_is_asked_for(text: str, said: str) -> None:
    assert await text_of(Ground(), text) == said


async def test_a_look_that_takes_too_long_is_not_waited_for() -> None:
    plan = Plan({"redis.ping": replace(PLAN.checks["redis.ping"], timeout_seconds=-4.99)})
    ground = Ground(STATE, plan)
    ground.at += timedelta(minutes=1)
    assert (await text_of(ground, "/check redis.ping")).startswith(
        "Still looking; this is what was seen before.\n\n🔴 DOWN · nexus-redis · redis.ping"
    )
    assert ground.probed == ["redis.ping"]


async def test_a_standby_says_that_it_cannot_look() -> None:
    ground = Ground()
    ground.is_leading = False
    assert (await text_of(ground, "/check redis.ping")).startswith("standby:")


async def test_a_check_never_looked_at_and_one_out_of_sight_say_so() -> None:
    ground = Ground()
    assert await text_of(ground, "/check worker", may_act=False) == (
        "⚪ PENDING · nexus-worker · worker.online\nnot looked at yet"
    )
    ground.line.put(replace(seen("worker.online"), is_stale=True))
    assert (await text_of(ground, "/check worker", may_act=False)).startswith("⚪ NOT SEEN")
    ground.line.put(replace(seen("worker.online"), is_degraded=True))
    assert (await text_of(ground, "/check worker", may_act=False)).startswith("🟡 DEGRADED")


async def test_help_names_every_command_and_a_viewer_sees_theirs_alone() -> None:
    text = await text_of(Ground(), "/help")
    for name in commands_of(Ground().house):
        assert f"/{name}" in text or name in ("help", "start")
    assert text.endswith("Under an incident: ✅ Ack takes it, 🔁 Re-check looks again now, 🔕 silences it.")
    viewer = await text_of(Ground(), "/start", may_act=False)
    assert "/ack" not in viewer
    assert viewer.endswith("You may ask. Only operators may take, silence or look again.")


async def test_every_answer_fits_whatever_things_are_called() -> None:
    odd = "𝔘" * 300 + "\u202e\x00"
    plan = Plan({odd: replace(policy(odd, odd), runbook_url="x" * 5000)})
    bad = replace(seen(odd, CheckStatus.DOWN), last_result=replace(seen(odd).last_result, verdict=ok(odd * 20)))  # type: ignore[type-var]
    incident = Incident(42, odd, Severity.PAGE, IncidentStatus.OPEN, NOW, NOW, acked_by=odd, acked_at=NOW)
    ground = Ground(State(checks={odd: bad, "y": CheckState("y")}, incidents={42: incident}), plan)
    for text in (
        "/status",
        "/incidents",
        "/incident 42",
        f"/check {odd[:9]}",
        "/uptime",
        "/help",
        f"/silence {odd} 1h",
    ):
        message = await answer(ground, text, may_act=not text.startswith("/check"))
        assert 0 < units(message.text) <= 3500
        assert all(entity.offset + entity.length <= units(message.text) for entity in message.entities)
        assert all(len((button.callback_data or "").encode()) <= 64 for row in message.buttons for button in row)
