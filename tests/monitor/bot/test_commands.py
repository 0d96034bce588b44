"""What the bot answers: whole texts."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from checks.result import Reason, Result, Verdict, failed, ok
from monitor.bot.commands import help_message, incidents_message, status_message, stranger_message
from monitor.delivery.entities import units
from monitor.engine.model import CheckPolicy, CheckState, CheckStatus, Incident, IncidentStatus, Plan, Severity, State

NOW = datetime(2026, 3, 14, 14, 32, tzinfo=UTC)


def policy(check_id: str, service: str) -> CheckPolicy:
    return CheckPolicy(check_id, service, 30.0, 10.0, 10.0)


def seen(check_id: str, status: CheckStatus, verdict: Verdict) -> CheckState:
    return CheckState(check_id, status, last_result=Result(check_id, verdict, NOW, 0.04))


PLAN = Plan(
    {
        "api.health": policy("api.health", "nexus-api"),
        "api.ready": policy("api.ready", "nexus-api"),
        "redis.ping": policy("redis.ping", "nexus-redis"),
    }
)
ALL_UP = State(
    checks={name: seen(name, CheckStatus.UP, ok("200 in 40 ms")) for name in ("api.health", "api.ready", "redis.ping")}
)
DEAD = failed(Reason.TIMEOUT, "PING got no answer within 2 s", hint="look")
INCIDENT = Incident(
    42,
    "redis.ping",
    Severity.PAGE,
    IncidentStatus.ACKED,
    NOW - timedelta(minutes=6),
    NOW,
    acked_by="@ann (5)",
    acked_at=NOW,
)
BROKEN = State(
    checks={**ALL_UP.checks, "redis.ping": seen("redis.ping", CheckStatus.DOWN, DEAD), "api.ready": CheckState("x")},
    incidents={42: INCIDENT},
)


def test_the_status_of_a_healthy_stack() -> None:
    assert status_message(PLAN, ALL_UP, NOW).text == (
        "🟢 All 3 checks are up · 14:32 UTC\n"
        "\n"
        "nexus-api\n"
        "🟢 api.health 200 in 40 ms\n"
        "🟢 api.ready 200 in 40 ms\n"
        "\n"
        "nexus-redis\n"
        "🟢 redis.ping 200 in 40 ms"
    )


def test_the_status_of_a_broken_stack() -> None:
    message = status_message(PLAN, BROKEN, NOW)
    assert message.text == (
        "🔴 1 incident · 1 of 3 checks up · 14:32 UTC\n"
        "\n"
        "nexus-api\n"
        "🟢 api.health 200 in 40 ms\n"
        "⚪ api.ready not looked at yet\n"
        "\n"
        "nexus-redis\n"
        "🔴 redis.ping PING got no answer within 2 s"
    )
    assert [entity.type for entity in message.entities].count("code") == 3


def test_a_stack_that_was_not_looked_at_yet_is_not_called_broken() -> None:
    assert status_message(PLAN, State(), NOW).text.startswith("⚪ 0 of 3 checks up, no incident")


def test_a_large_stack_shrinks_to_its_services_and_what_is_not_up() -> None:
    ids = [f"api{number}.health" for number in range(300)]
    plan = Plan({name: policy(name, f"service-{name[:5]}") for name in ids})
    states = {name: seen(name, CheckStatus.UP, ok("200 in 40 ms")) for name in ids}
    states["api42.health"] = seen("api42.health", CheckStatus.DOWN, DEAD)
    text = status_message(plan, State(checks=states), NOW).text
    assert "🔴 service-api42 · 0 of 1 up\n🔴 api42.health PING got no answer within 2 s\n" in text
    assert units(text) <= 3500


def test_more_lines_than_fit_are_counted() -> None:
    ids = [f"api{number}.health" for number in range(300)]
    plan = Plan({name: policy(name, name) for name in ids})
    text = status_message(plan, State(), NOW).text
    assert units(text) <= 3500
    assert text.splitlines()[-1].endswith(" more lines")


def test_the_incidents_of_a_broken_stack() -> None:
    assert incidents_message(PLAN, BROKEN, NOW).text == (
        "🔴 DOWN · #INC-42 redis.ping\nsince 14:26 UTC, 6 min\n✅ @ann (5)"
    )


def test_without_incidents_the_headline_is_the_answer() -> None:
    over = replace(INCIDENT, status=IncidentStatus.RESOLVED, resolved_at=NOW)
    assert incidents_message(PLAN, replace(ALL_UP, incidents={42: over}), NOW).text == (
        "🟢 All 3 checks are up · 14:32 UTC"
    )


def test_many_incidents_are_counted() -> None:
    many = {number: replace(INCIDENT, id=number) for number in range(1, 24)}
    text = incidents_message(PLAN, replace(BROKEN, incidents=many), NOW).text
    assert text.endswith("… and 3 more")


def test_help_names_every_command() -> None:
    assert help_message().text == (
        "I tell you the one thing that is broken.\n"
        "\n"
        "/status – every check, by service\n"
        "/incidents – what is broken now\n"
        "/help – what I can do\n"
        "\n"
        "Under an incident: ✅ Ack takes it, 🔁 Re-check looks again now, 🔕 silences it."
    )


def test_a_stranger_is_told_both_numbers() -> None:
    assert stranger_message(5, -100).text == (
        "I do not know you yet. Give these numbers to whoever runs the monitor.\nYour user id: 5\nThis chat's id: -100"
    )
