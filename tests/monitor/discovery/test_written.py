"""The written monitor.yaml: it says what was found and what was not, the monitor takes it, and it holds no secret."""

from datetime import date

from monitor.config.checklist import build_checklist
from monitor.config.found import Found, Sight, Thing
from monitor.config.settings import settings_from
from monitor.config.stack import stack_of
from monitor.discovery.blueprint import Blueprint
from monitor.discovery.written import file_of

TOKEN = "123456789:AAabcdefghijklmnopqrstuvwxyz012345678"
DAY = date(2026, 3, 1)
ENVIRON = {"API_URL": "https://a.example", "BOT_TOKEN": TOKEN, "REDIS_URL": "redis://:hush@h:6379/0"}
FOUND = Found(
    health_url=Thing(Sight.FOUND, ("https://a.example/healthz",), "GET /healthz answered 200"),
    webhook_url=Thing(Sight.FOUND, (f"https://b.example/{TOKEN}",), "getWebhookInfo"),
    heartbeat=Thing(Sight.ABSENT, why="no entry carries the marker", setting="one line"),
)


def written(blueprint: Blueprint | None = None, environ: dict[str, str] = ENVIRON) -> str:
    settings = settings_from(environ)
    checklist = build_checklist(settings, stack_of("", "monitor.yaml"), FOUND)
    return file_of(checklist, blueprint or Blueprint(), "shop", settings.api_url, DAY)


def test_what_was_found_stands_there_to_be_pinned() -> None:
    text = written()
    assert "#   api.health: {url: 'https://a.example/healthz'}  # GET /healthz answered 200" in text.splitlines()
    assert "# webhook: at b.example, from getWebhookInfo; WEBHOOK_URL would pin it" in text.splitlines()
    assert "# beat's heartbeat entry: no entry carries the marker → one line" in text.splitlines()
    assert (TOKEN in text, "hush" in text) == (False, False)


def test_the_monitor_takes_it_as_it_is_and_with_the_marks_taken_away() -> None:
    assert stack_of(written(), "monitor.yaml").name == "shop"
    lines = [
        line.removeprefix("# ") if "checks:" in line or ".health" in line else line for line in written().split("\n")
    ]
    stack = stack_of("\n".join(lines), "monitor.yaml")
    checklist = build_checklist(settings_from(ENVIRON), stack)
    assert checklist.checks["api.health"].config.url == "https://a.example/healthz"


def test_a_blueprint_s_names_and_health_path_are_settings() -> None:
    text = written(Blueprint({"api": "shop-api", "bot": "shop-bot"}, health_path="/up"))
    stack = stack_of(text, "monitor.yaml")
    assert (stack.services.api, stack.services.bot) == ("shop-api", "shop-bot")
    checklist = build_checklist(settings_from(ENVIRON), stack, FOUND)
    assert checklist.checks["api.health"].config.url == "https://a.example/up"
    assert "checks:" not in written(Blueprint({"api": "x"}, health_path="/up"), {"REDIS_URL": "redis://h"})
