"""`bot.modules`: its judgement, and health JSON of several kinds over loopback."""

import pytest
from aiohttp import web

from checks.bot.modules import BotModules, BotModulesConfig, BotModulesSeen
from checks.failures import verdict_of
from checks.http import Exchange
from checks.result import Fact, Outcome, Reason
from tests.fakes import NOW, answered, io_for

URL = "https://nexus-bot.onrender.com/hook/s3cretpath"


def check_of(url: str = URL, **settings: object) -> BotModules:
    return BotModules(BotModulesConfig(id="bot.modules", service="nexus-bot", url=url, **settings))  # type: ignore[arg-type]


GOOD = answered(200, '{"status": "ok", "modules": ["basics", "stats"]}')
NOWHERE = "not observable: the bot lists its modules nowhere"

JUDGED = {
    "listed": ((), [GOOD], Outcome.OK, None, "2 modules are loaded"),
    "as expected": (("stats",), [GOOD], Outcome.OK, None, "2 modules are loaded"),
    "found at the second path": ((), [answered(404), GOOD], Outcome.OK, None, "2 modules are loaded"),
    "named routers": ((), [answered(200, '{"routers": ["a"]}')], Outcome.OK, None, "1 modules are loaded"),
    "each with its word": (
        (),
        [answered(200, '{"modules": {"a": true, "b": "loaded", "c": {"status": "ok"}, "d": {}}}')],
        Outcome.OK,
        None,
        "4 modules are loaded",
    ),
    "one is not there": (
        ("stats", "reports"),
        [GOOD],
        Outcome.DEGRADED,
        Reason.MISSING,
        "the bot runs without a part: reports not loaded",
    ),
    "one says that it failed": (
        ("b",),
        [answered(200, '{"modules": {"a": true, "b": "ImportError", "c": false}}')],
        Outcome.DEGRADED,
        Reason.MISSING,
        "the bot runs without a part: b, c not loaded",
    ),
    "none at all": (
        (),
        [answered(200, '{"modules": []}')],
        Outcome.DEGRADED,
        Reason.MISSING,
        "the bot runs without a part: no module is loaded",
    ),
    "its own word": (
        (),
        [answered(200, '{"status": "degraded", "modules": ["a"]}')],
        Outcome.DEGRADED,
        Reason.DEPENDENCY_DOWN,
        "the bot says of itself: degraded",
    ),
    "its own status": (
        (),
        [answered(503, '{"modules": ["a"]}')],
        Outcome.DEGRADED,
        Reason.DEPENDENCY_DOWN,
        "the bot says of itself: 503",
    ),
    "nowhere": ((), [answered(404), answered(200, "ok")], Outcome.UNKNOWN, Reason.NOT_CONFIGURED, NOWHERE),
    "JSON of something else": ((), [answered(200, "[]")], Outcome.UNKNOWN, Reason.NOT_CONFIGURED, NOWHERE),
    "a list of other things": (
        (),
        [answered(200, '{"modules": [1]}')],
        Outcome.UNKNOWN,
        Reason.NOT_CONFIGURED,
        NOWHERE,
    ),
    "an error": (
        (),
        [answered(404), answered(502)],
        Outcome.FAILED,
        Reason.HTTP_STATUS,
        "the bot's health answers 502",
    ),
}


@pytest.mark.parametrize(("expected", "answers", "outcome", "reason", "summary"), JUDGED.values(), ids=JUDGED)
def test_judge(
    expected: tuple[str, ...], answers: list[Exchange], outcome: Outcome, reason: Reason | None, summary: str
) -> None:
    seen = BotModulesSeen(tuple(zip(("/health", "/healthz"), answers, strict=False)))

    verdict = check_of(expected_modules=expected).judge(seen, NOW)

    assert (verdict.outcome, verdict.reason, verdict.summary) == (outcome, reason, summary)
    assert bool(verdict.hint) == (outcome is not Outcome.OK)
    assert "s3cretpath" not in repr(verdict)


def test_evidence_says_where_and_what() -> None:
    verdict = check_of().judge(BotModulesSeen((("/health", GOOD),)), NOW)

    assert verdict.evidence.facts == (
        Fact("host", "nexus-bot.onrender.com"),
        Fact("path", "/health"),
        Fact("status", 200),
        Fact("says", "ok"),
        Fact("modules", "basics, stats"),
    )
    assert verdict.values == {"latency_seconds": 0.041, "modules": 2.0}


def test_a_refused_connection_says_where_to_look() -> None:
    error = verdict_of(ConnectionRefusedError())
    assert error is not None

    told = check_of().on_failure(error)

    assert told.summary == "the bot's health: connection refused"
    assert told.hint.startswith("Render → nexus-bot → Events")


@pytest.mark.real
@pytest.mark.parametrize(
    ("own_path", "tried"), [("", ["/health", "/healthz"]), ("/internal", ["/internal"])], ids=["usual", "own"]
)
async def test_the_paths_are_tried_at_the_webhooks_host(serve, own_path: str, tried: list[str]) -> None:
    paths: list[str] = []

    async def handler(request: web.Request) -> web.Response:
        paths.append(request.path)
        if request.path == tried[-1]:
            return web.json_response({"modules": ["basics"]})
        return web.Response(status=404)

    check = check_of(f"{await serve(handler)}/hook/s3cretpath", path=own_path)

    assert check.judge(await check.measure(io_for()), NOW).outcome is Outcome.OK
    assert paths == tried


@pytest.mark.real
async def test_a_bot_without_health_is_asked_at_every_usual_path_and_then_let_be(serve) -> None:
    async def handler(request: web.Request) -> web.Response:
        return web.Response(status=404)

    check = check_of(f"{await serve(handler)}/hook")

    verdict = check.judge(await check.measure(io_for()), NOW)

    assert verdict.reason is Reason.NOT_CONFIGURED
    assert verdict.evidence.facts[1] == Fact("tried", "/health 404, /healthz 404, /status 404, / 404")
