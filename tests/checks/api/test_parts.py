"""A health body is understood in the forms that frameworks give it."""

import json

import pytest

from checks.api.parts import Condition, health_of

UP, WEAK, DOWN = Condition.UP, Condition.DEGRADED, Condition.DOWN

CASES: dict[str, tuple[object, Condition | None, dict[str, Condition]]] = {
    "plain": ({"status": "ok"}, UP, {}),
    "parts beside": ({"status": "ok", "db": "ok", "redis": "down"}, UP, {"db": UP, "redis": DOWN}),
    "booleans": ({"ok": False, "db": True, "redis": False, "debug": False}, DOWN, {"db": UP, "redis": DOWN}),
    "nested": (
        {"status": "degraded", "checks": {"db": {"status": "up"}, "cache": {"ok": False}}},
        WEAK,
        {"db": UP, "cache": DOWN},
    ),
    "nested without own word": ({"db": {"primary": "up", "replica": "slow"}}, None, {"primary": UP, "replica": WEAK}),
    "spring": (
        {"status": "DOWN", "components": {"db": {"status": "DOWN", "details": {"error": "x"}}}},
        DOWN,
        {"db": DOWN},
    ),
    "health+json": (
        {"status": "pass", "checks": {"postgres:time": [{"status": "pass"}, {"status": "warn"}], "uptime": [{"x": 1}]}},
        UP,
        {"postgres:time": WEAK},
    ),
    "list of named": (
        {"status": "ok", "services": [{"name": "redis", "status": "fail"}, {"status": "ok"}, {"name": "x"}, 7]},
        UP,
        {"redis": DOWN},
    ),
    "worst word of a name": (
        {
            "status": "error",
            "info": {"db": {"status": "up"}},
            "error": {"db": {"status": "down"}},
            "details": {"db": "up"},
        },
        DOWN,
        {"db": DOWN},
    ),
    "a sentence": ({"status": "ok", "db": "error: connection refused"}, UP, {"db": DOWN}),
    "not": ({"redis": "not connected"}, None, {"redis": DOWN}),
    "other words": ({"status": "ok", "version": "1.2", "env": "prod", "db": 5, "empty": "", "n": None}, UP, {}),
    "too deep": ({"a": {"b": {"c": {"d": {"db": "down"}}}}}, None, {}),
    "a list": ([{"status": "down"}], None, {}),
}


@pytest.mark.parametrize(("body", "own", "parts"), CASES.values(), ids=CASES)
def test_a_body_is_understood(body: object, own: Condition | None, parts: dict[str, Condition]) -> None:
    health = health_of(json.dumps(body))

    assert health.own is own
    assert {part.name: part.condition for part in health.parts} == parts


def test_what_is_not_json_says_nothing() -> None:
    assert health_of("OK").parts == ()
    assert health_of("<html>").own is None
