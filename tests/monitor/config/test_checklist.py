"""From settings and `monitor.yaml` to checks: which are built, how they hang together, the line of every mistake."""

import pytest

from checks.registry import CHECKS
from monitor.config.checklist import Checklist, Skipped, build_checklist
from monitor.config.rows import ROWS
from monitor.config.settings import settings_from
from monitor.config.stack import stack_of
from monitor.engine.model import Chat
from monitor.errors import UsageError

TOKEN = "123456789:AAabcdefghijklmnopqrstuvwxyz012345678"
OTHER = "987654321:AAabcdefghijklmnopqrstuvwxyz012345678"
SOME = {
    "API_URL": "http://api.example",
    "DATABASE_URL": "postgresql://u:hush@h/d",
    "REDIS_URL": "redis://:hush@h:6379/0",
}
ALL = SOME | {
    "API_URL": "https://api.example",
    "BOT_TOKEN": TOKEN,
    "ALERT_BOT_TOKEN": OTHER,
    "ALERT_CHAT_ID": "42",
    "WEBHOOK_URL": "https://bot.example/webhook",
    "WEBHOOK_SECRET": "hush",
    "MINIAPP_URL": "https://app.example",
    "PROBE_BOT_TOKEN": "345678901:AAH" + "z" * 32,
    "PROBE_CHAT_ID": "-1001234567890",
    "RENDER_API_KEY": "rnd_" + "k" * 28,
}
SIGHT = ("vantage.egress", "vantage.dns", "vantage.loop")


def built(text: str = "", environ: dict[str, str] = SOME) -> Checklist:
    return build_checklist(settings_from(environ), stack_of(text, "monitor.yaml"))


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("api.helth: {interval_seconds: 9}", ("api.helth: unknown check, did you mean api.health?",)),
        ("shop.zzz: {interval_seconds: 9}", ("shop.zzz: unknown check; one of yours needs a kind",)),
        ("shop.a: {kind: api.helth}", ("shop.a.kind: 'api.helth' is unknown, did you mean api.health?",)),
        ("shop.a: {kind: 7}", ("shop.a.kind: 7 is unknown",)),
        ("shop.a: {kind: []}", ("shop.a.kind: [] is unknown",)),
        ("shop.a: {kind: api.health}", ("shop.a.url: is required",)),
        ("shop.a: {kind: redis.ping, url: {a: hush}}", ("shop.a.url: must be a valid string",)),
        (
            "Shop: {kind: api.health, url: 'http://x'}",
            (r"Shop.id: 'Shop' must match pattern '^[a-z][a-z0-9_]*(\.[a-z0-9_-]+)+$'",),
        ),
        ("api.health: {id: shop.a}", ("api.health.id: unknown setting; the id of a check is its key",)),
        (
            "api.health: {kind: redis.ping}",
            ("api.health.kind: 'redis.ping' must be 'api.health', or give yours another id",),
        ),
        (
            "api.health: {interval_secs: 9}",
            ("api.health.interval_secs: unknown setting, did you mean interval_seconds?",),
        ),
        ("api.health: {interval_seconds: 0}", ("api.health.interval_seconds: 0 must be greater than 0",)),
        (
            "api.health: {timeout_seconds: 90, interval_seconds: 60}",
            ("api.health.timeout_seconds: 90 must be below interval_seconds 60",),
        ),
        (
            "api.health: {slow_ceiling_seconds: 12, timeout_seconds: 10}",
            ("api.health.slow_ceiling_seconds: 12 must be below timeout_seconds 10",),
        ),
        (
            "api.health: {confirm: {failures: 0}}",
            ("api.health.confirm.failures: 0 must be greater than or equal to 1",),
        ),
        (
            "api.health: {url: 'ftp://u:hush@h'}",
            (r"api.health.url: 'ftp://u:***@h' must match pattern '^https?://[^\s/]+'",),
        ),
        ("api.health: {enabled: perhaps}", ("api.health.enabled: 'perhaps' must be true or false",)),
        (
            "api.helth: {enabled: false}",
            ("api.helth.enabled: there is no such check to switch off, did you mean api.health?",),
        ),
        ("qqq.x: {enabled: false}", ("qqq.x.enabled: there is no such check to switch off",)),
        ("api.health: {depends_on: redis.ping}", ("api.health.depends_on: 'redis.ping' must be a list of check ids",)),
        ("api.health: {depends_on: [1]}", ("api.health.depends_on: [1] must be a list of check ids",)),
        (
            "api.health: {depends_on: [redis.pong]}",
            ("api.health.depends_on: 'redis.pong' is no check, did you mean redis.ping?",),
        ),
        (
            "api.health: {explained_by: [redis.pong]}",
            ("api.health.explained_by: 'redis.pong' is no check, did you mean redis.ping?",),
        ),
        ("api.health: {explained_by: redis.ping}", ("api.health.explained_by: 'redis.ping' must be a list",)),
        (
            "redis.ping: {depends_on: [redis.write]}",
            ("redis.ping.depends_on: goes round in a circle: redis.ping → redis.write → redis.ping",),
        ),
        ("bot.webhook: {interval_seconds: 9}", ("bot.webhook: needs the environment variable BOT_TOKEN",)),
        (
            "api.helth: {}, redis.pin: {}",
            (
                "api.helth: unknown check, did you mean api.health?",
                "redis.pin: unknown check, did you mean redis.ping?",
            ),
        ),
    ],
)
def test_every_mistake_has_its_line(text: str, lines: tuple[str, ...]) -> None:
    with pytest.raises(UsageError) as caught:
        built(f"checks: {{{text}}}")
    assert caught.value.lines == tuple(f"monitor.yaml: checks.{line}" for line in lines)
    assert "hush" not in str(caught.value)


def test_every_kind_has_one_row_and_each_parent_stands_above() -> None:
    assert sorted(row.id for row in ROWS) == sorted(
        kind for kind in CHECKS if "." in kind and not kind.startswith("build.")
    )
    assert {parent for row in ROWS for parent in row.parents} <= set(CHECKS)


def test_nothing_configured_leaves_our_own_sight() -> None:
    checklist = built(environ={})
    assert list(checklist.checks) == ["vantage.loop", "vantage.dns", "vantage.egress", "vantage.store"]
    assert Skipped("telegram.api", "ALERT_BOT_TOKEN") in checklist.skipped
    assert (checklist.chat_targets, checklist.plan.chats) == ({}, ())


OFF = "off until monitor.yaml says enabled: true"


def test_everything_configured_builds_every_check() -> None:
    checklist = built(environ=ALL)
    assert list(checklist.checks) == [row.id for row in ROWS if not row.is_opt_in]
    assert checklist.skipped == tuple(Skipped(row.id, "", OFF) for row in ROWS if row.is_opt_in)


def test_an_opt_in_check_is_built_when_it_is_named() -> None:
    assert "worker.each" in built("checks: {worker.each: {}}").checks
    assert "worker.each" not in built("checks: {worker.each: {enabled: false}}").checks
    assert "miniapp.render" in built("checks: {miniapp.render: {enabled: true}}", environ=ALL).checks


def test_what_is_missing_is_named() -> None:
    assert Skipped("api.tls", "", "API_URL is not https") in built().skipped
    assert {item.id: item.setting for item in built().skipped if item.setting} == {
        "telegram.api": "ALERT_BOT_TOKEN",
        **dict.fromkeys(("bot.identity", "bot.webhook", "bot.delivery", "bot.commands"), "BOT_TOKEN"),
        **dict.fromkeys(("bot.ingress", "bot.guard", "bot.modules", "bot.reply"), "WEBHOOK_URL"),
        "bot.reply_telegram": "PROBE_BOT_TOKEN",
        "miniapp.page": "MINIAPP_URL",
        "miniapp.sdk": "MINIAPP_URL",
        "miniapp.auth": "BOT_TOKEN",
        "miniapp.auth_guard": "BOT_TOKEN",
        "miniapp.calls": "BOT_TOKEN",
        "miniapp.button": "BOT_TOKEN",
        "miniapp.render": "MINIAPP_URL",
        **{row.id: "RENDER_API_KEY" for row in ROWS if row.id.startswith("platform.")},
    }


def test_a_certificate_can_be_watched_beside_an_api_that_is_spoken_to_in_clear() -> None:
    assert built("checks: {api.tls: {url: 'https://public.example'}}").checks["api.tls"].config.url[:8] == "https://"


@pytest.mark.parametrize(
    ("broker", "is_broker"),
    [(None, True), ("redis://:other@h/3", True), ("redis://queue:6379/0", False), ("redis://h:7000/0", False)],
)
def test_a_redis_that_holds_no_queue_may_evict(broker: str | None, is_broker: bool) -> None:
    config = built(environ=SOME | ({"BROKER_URL": broker} if broker else {})).checks["redis.memory"].config
    assert config.is_broker is is_broker


def test_the_commits_of_api_and_bot_are_compared() -> None:
    config = built(environ=ALL).checks["api.version"].config
    assert config.urls == {"nexus-api": "https://api.example", "nexus-bot": "https://bot.example"}


def test_a_check_switched_off_is_skipped_and_no_longer_a_parent() -> None:
    checklist = built("checks: {redis.ping: {enabled: false}}")
    assert Skipped("redis.ping", "") in checklist.skipped
    assert checklist.plan.checks["redis.write"].hard_parents == SIGHT
    assert "redis.ping" not in checklist.plan.checks


def test_one_that_would_be_skipped_anyway_may_be_switched_off() -> None:
    checklist = built("checks: {miniapp.page: {enabled: false}}")
    assert [item for item in checklist.skipped if item.id == "miniapp.page"] == [Skipped("miniapp.page", "MINIAPP_URL")]


def test_a_parent_that_is_not_built_is_no_mistake() -> None:
    checklist = built("checks: {api.health: {depends_on: [bot.webhook]}}")
    assert checklist.plan.checks["api.health"].hard_parents == ("postgres.connect", "redis.ping", *SIGHT)


@pytest.mark.parametrize(
    ("check_id", "parents"),
    [
        ("vantage.loop", ()),
        ("vantage.store", ("vantage.loop",)),
        ("postgres.connect", SIGHT),
        ("api.health", ("postgres.connect", "redis.ping", *SIGHT)),
        ("worker.canary", ("worker.online", "redis.ping", "redis.write", *SIGHT)),
    ],
)
def test_parents_stand_nearest_first_and_our_sight_last(check_id: str, parents: tuple[str, ...]) -> None:
    policy = built().plan.checks[check_id]
    assert policy.hard_parents == parents
    assert policy.is_vantage is check_id.startswith("vantage.")


def test_own_parents_come_before_the_built_in_ones_and_stand_once() -> None:
    checklist = built("checks: {worker.canary: {depends_on: [postgres.connect, redis.ping]}}")
    assert checklist.plan.checks["worker.canary"].hard_parents == (
        "postgres.connect", "redis.ping", "worker.online", "redis.write", *SIGHT,
    )  # fmt: skip


def test_a_check_of_ones_own_hangs_below_our_sight() -> None:
    text = "checks: {shop.admin: {kind: api.health, url: 'http://shop', depends_on: [api.health], severity: warning}}"
    checklist = built(text)
    policy = checklist.plan.checks["shop.admin"]
    assert (policy.service, policy.hard_parents) == ("shop", ("api.health", *SIGHT))
    assert policy.severity.value == "warning"
    assert checklist.checks["shop.admin"].config.url == "http://shop"
    assert built(text.replace("kind:", "service: shop-web, kind:")).plan.checks["shop.admin"].service == "shop-web"


def test_own_settings_win_over_defaults_and_defaults_over_the_kind_s() -> None:
    checklist = built("defaults: {interval_seconds: 20, retry_seconds: 4}\nchecks: {api.health: {retry_seconds: 3}}")
    health, ping = checklist.plan.checks["api.health"], checklist.plan.checks["redis.ping"]
    assert (health.interval_seconds, health.retry_seconds) == (20, 3)
    assert (ping.interval_seconds, ping.retry_seconds) == (20, 4)


def test_a_short_interval_shortens_the_limit_of_a_look_with_it() -> None:
    checklist = built("checks: {api.health: {interval_seconds: 5}, redis.ping: {interval_seconds: 5}}")
    assert checklist.plan.checks["api.health"].timeout_seconds == 4.0
    assert checklist.plan.checks["redis.ping"].timeout_seconds == 3.0


def test_a_look_above_its_ceiling_is_slow_only_where_the_user_says_so() -> None:
    policies = built("checks: {redis.ping: {slow_ceiling_seconds: 1.5}}").plan.checks
    assert policies["redis.ping"].slow_ceiling_seconds == 1.5
    assert policies["api.health"].slow_ceiling_seconds is None


def test_services_have_the_names_the_user_gave() -> None:
    checklist = built("services: {api: shop-api, redis: shop-cache}")
    services = {check_id: policy.service for check_id, policy in checklist.plan.checks.items()}
    assert services["api.health"] == "shop-api"
    assert services["redis.ping"] == services["redis.write"] == "shop-cache"
    assert services["vantage.loop"] == "monitor"


def test_the_chats_are_those_of_the_file_or_the_one_of_the_environment() -> None:
    one = built(environ=ALL)
    assert dict(one.chat_targets) == {"telegram:ops": "42"}
    assert one.plan.chats == (Chat("telegram:ops"),)
    text = "alerts: {chats: [{name: night, chat_id: -100123/7}, {name: lead, chat_id: 8, escalation: true}]}"
    two = built(text, ALL)
    assert dict(two.chat_targets) == {"telegram:night": "-100123/7", "telegram:lead": "8"}
    assert two.plan.chats == (Chat("telegram:night"), Chat("telegram:lead", is_escalation=True))


def test_the_rules_of_incidents_are_the_file_s() -> None:
    assert built("incidents: {gate_settle_seconds: 10}").plan.rules.gate_settle_seconds == 10


def test_no_secret_shows_in_a_checklist() -> None:
    shown = repr(built(environ=ALL)) + "".join(repr(check.config) for check in built(environ=ALL).checks.values())
    assert not any(secret in shown for secret in ("hush", TOKEN, OTHER))
