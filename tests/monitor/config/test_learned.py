"""What was found fills the checks' own fields; what monitor.yaml says stands above it."""

import pytest

from checks.registry import CHECKS
from monitor.config.checklist import Checklist, build_checklist
from monitor.config.found import ABOUT, Found, Sight, Thing
from monitor.config.learned import LEARNED
from monitor.config.rows import ROWS
from monitor.config.settings import settings_from
from monitor.config.stack import stack_of
from monitor.errors import UsageError

TOKEN = "123456789:AAabcdefghijklmnopqrstuvwxyz012345678"
ENVIRON = {"API_URL": "https://a.example", "BOT_TOKEN": TOKEN, "REDIS_URL": "redis://h"}


def seen(*values: str) -> Thing:
    return Thing(Sight.FOUND, values, "how")


FOUND = Found(
    health_url=seen("https://a.example/healthz"),
    openapi_path=seen("/api/openapi.json"),
    routers=seen("orders", "users"),
    login_url=seen("https://a.example/enter"),
    login_method=seen("POST"),
    login_form=seen("json initData"),
    bot_id=seen("123456789"),
    bot_username=seen("nexus_bot"),
    commands=seen("start"),
    webhook_url=seen("https://b.example/hook/"),
    miniapp_url=seen("https://m.example"),
    modules=seen("admin"),
    nodes=seen("celery@one"),
    schedule=seen("tick"),
)


def built(text: str = "", found: Found = FOUND, environ: dict[str, str] = ENVIRON) -> Checklist:
    return build_checklist(settings_from(environ), stack_of(text, "monitor.yaml"), found)


def test_each_field_is_one_of_its_check_and_each_thing_one_of_found() -> None:
    for check_id, fields in LEARNED.items():
        assert set(fields.values()) <= set(ABOUT)
        if check_id in CHECKS:
            assert set(fields) <= set(CHECKS[check_id].Config.model_fields), check_id


def test_what_was_found_is_what_the_checks_expect() -> None:
    checks = built().checks
    for check_id, fields in LEARNED.items():
        for name, thing in fields.items():
            if check_id in checks and (values := FOUND.thing(thing).values):
                got = getattr(checks[check_id].config, name)
                assert (tuple(got) if isinstance(got, tuple) else (str(got),)) == values, (check_id, name)
    assert checks["api.health"].config.url == "https://a.example/healthz"
    assert checks["bot.webhook"].config.expected_url.get_secret_value() == "https://b.example/hook/"
    assert checks["miniapp.page"].config.url == "https://m.example"


def test_four_variables_and_what_is_found_build_every_check_of_the_targets() -> None:
    environ = ENVIRON | {"DATABASE_URL": "postgresql://u@h/d", "ALERT_BOT_TOKEN": f"9{TOKEN}"}
    lacking = {item.setting for item in built(environ=environ).skipped}
    assert lacking <= {"PROBE_BOT_TOKEN", "RENDER_API_KEY", ""}
    assert {row.id for row in ROWS if "webhook_url" in row.needs} <= set(built(environ=environ).checks)


def test_monitor_yaml_stands_above_what_was_found() -> None:
    checks = built("checks: {api.health: {url: 'https://a.example/up'}, api.routers: {expected_routers: [x]}}").checks
    assert checks["api.health"].config.url == "https://a.example/up"
    assert checks["api.routers"].config.expected_routers == ("x",)
    assert checks["api.routers"].config.openapi_path == "/api/openapi.json"


def test_a_login_of_the_user_s_own_brings_its_own_method() -> None:
    checks = built("checks: {miniapp.auth: {login_url: 'https://a.example/me'}}").checks
    assert checks["miniapp.auth"].config.login_method is None
    assert checks["miniapp.auth"].config.send_as is None
    assert checks["miniapp.calls"].config.login_method == "POST"


def test_what_a_check_cannot_take_is_left_out() -> None:
    checks = built(found=Found(bot_id=seen("42"), bot_username=seen("no name at all"))).checks
    assert checks["bot.identity"].config.expected_username == ""


def test_settings_of_a_check_that_is_not_found_yet_wait_for_it() -> None:
    text = "checks: {miniapp.page: {interval_seconds: 9, timeout_seconds: 4}}\n"
    text += "slo: [{name: app, checks: [miniapp.page], target: 99}]"
    waiting = built(text, Found())
    assert "miniapp.page" not in waiting.checks
    assert waiting.objectives == ()
    ready = built(text)
    assert ready.checks["miniapp.page"].config.interval_seconds == 9
    assert [objective.name for objective in ready.objectives] == ["app"]


def test_a_mistake_in_them_is_told_at_once() -> None:
    with pytest.raises(UsageError) as caught:
        built("checks: {miniapp.page: {intervall_seconds: 9}}", Found())
    assert caught.value.lines == (
        "monitor.yaml: checks.miniapp.page.intervall_seconds: unknown setting, did you mean interval_seconds?",
    )


def test_without_its_source_the_setting_is_asked_for() -> None:
    with pytest.raises(UsageError, match=r"checks\.miniapp\.page: needs the environment variable MINIAPP_URL"):
        built("checks: {miniapp.page: {interval_seconds: 9}}", Found(), {})


def test_a_checklist_is_the_same_until_what_it_is_built_from_changes() -> None:
    assert built().is_same_as(built())
    assert not built().is_same_as(built(found=Found()))
    before = built()
    after = built("checks: {api.health: {interval_seconds: 9, timeout_seconds: 4}}").following(before)
    assert after.checks["api.routers"] is before.checks["api.routers"]
    assert after.checks["api.health"] is not before.checks["api.health"]


def test_a_check_that_could_say_nothing_is_left_out_until_what_it_is_about_is_there() -> None:
    absent = Thing(Sight.ABSENT, why="there is no OpenAPI document", setting="checks.api.routers.openapi_path")
    without = built(found=Found(openapi_path=absent, login_url=absent))
    left_out = {item.id: item.why for item in without.skipped}
    assert left_out["api.routers"] == "there is no OpenAPI document → checks.api.routers.openapi_path"
    assert {"miniapp.auth", "miniapp.auth_guard", "miniapp.calls"} <= set(left_out)
    assert "api.routers" in built(found=Found(openapi_path=Thing(Sight.UNREACHED))).checks
    assert "api.routers" in built(found=Found(openapi_path=Thing(Sight.ABSENT, ("/openapi.json",)))).checks
    own = built("checks: {api.routers: {openapi_path: /docs.json}}", Found(openapi_path=absent)).checks
    assert own["api.routers"].config.openapi_path == "/docs.json"


def test_an_objective_over_such_a_check_waits_with_it() -> None:
    absent = Thing(Sight.ABSENT, why="there is no OpenAPI document")
    text = "slo: [{name: api, checks: [api.health, api.routers], target: 99}]\nchecks: {api.routers: {slow_seconds: 5}}"
    (objective,) = built(text, Found(openapi_path=absent)).objectives
    assert objective.checks == ("api.health",)
    (objective,) = built(text).objectives
    assert objective.checks == ("api.health", "api.routers")
