"""The environment: every mistake is one line, and no secret is in it."""

import pytest

from monitor.config.settings import Settings, settings_from
from monitor.errors import UsageError

TOKEN = "123456789:AAabcdefghijklmnopqrstuvwxyz012345678"
OTHER = "987654321:AAabcdefghijklmnopqrstuvwxyz012345678"


def test_an_empty_environment_gives_the_defaults() -> None:
    settings = settings_from({})
    assert (settings.port, settings.monitor_host) == (8700, "127.0.0.1")
    assert settings.celery_broker_url is None


def test_empty_variables_count_as_not_set() -> None:
    assert settings_from({"API_URL": "  ", "PORT": ""}).api_url is None


def test_the_broker_is_redis_unless_named() -> None:
    settings = settings_from({"REDIS_URL": "redis://one:6379/0"})
    assert settings.celery_broker_url is not None
    assert settings.celery_broker_url.get_secret_value() == "redis://one:6379/0"
    settings = settings_from({"REDIS_URL": "redis://one:6379/0", "BROKER_URL": "redis://two:6379/1"})
    assert settings.celery_broker_url is not None
    assert settings.celery_broker_url.get_secret_value() == "redis://two:6379/1"


def test_database_urls_of_every_dialect_become_plain_postgresql() -> None:
    for scheme in ("postgres", "postgresql", "postgresql+asyncpg"):
        url = settings_from({"DATABASE_URL": f"{scheme}://u:p@h/d"}).database_url
        assert url is not None
        assert url.get_secret_value() == "postgresql://u:p@h/d"


def test_the_platform_s_own_address_is_the_dashboard_s() -> None:
    assert settings_from({"RENDER_EXTERNAL_URL": "https://m.example"}).monitor_url == "https://m.example"
    both = {"RENDER_EXTERNAL_URL": "https://m.example", "MONITOR_URL": "https://own.example/"}
    assert settings_from(both).monitor_url == "https://own.example"


@pytest.mark.parametrize(
    "secret", ["whsec_" + "a" * 32, "whsec_" + "a" * 31 + "=", "whsec_" + "a" * 31, "a" * 32], ids=len
)
def test_a_signing_secret_is_taken_with_its_padding_or_without(secret: str) -> None:
    taken = settings_from({"RENDER_API_KEY": "rnd_key", "RENDER_WEBHOOK_SECRET": secret}).render_webhook_secret
    assert taken is not None
    assert taken.get_secret_value() == secret


@pytest.mark.parametrize(
    ("environ", "line"),
    [
        (
            {"MONITOR_HEARTBEAT_URL": "ftp://beats.example/0f7c"},
            "MONITOR_HEARTBEAT_URL: must be a URL that starts with http:// or https://",
        ),
        ({"API_URL": "nexus"}, "API_URL: 'nexus' must be a URL that starts with http:// or https://"),
        (
            {"API_URL": "ftp://u:hidden@h"},
            "API_URL: 'ftp://u:***@h' must be a URL that starts with http:// or https://",
        ),
        (
            {"RENDER_API_URL": "api.render.com"},
            "RENDER_API_URL: 'api.render.com' must be a URL that starts with http:// or https://",
        ),
        (
            {"RENDER_SERVICE_IDS": "nexus-api"},
            r"RENDER_SERVICE_IDS: 'nexus-api' must match pattern '^srv-[\w-]+([\s,]+srv-[\w-]+)*$'",
        ),
        *(
            (
                {"RENDER_WEBHOOK_SECRET": wrong},
                "RENDER_WEBHOOK_SECRET: must be the signing secret as Render shows it: whsec_…",
            )
            for wrong in (
                "hidden",
                "whsec_",
                "whsec_aGlkZGVu",
                "whsec_hidden!hidden!hidden!hidden!",
                "whsec_" + "a" * 33,
            )
        ),
        ({"DATABASE_URL": "mysql://u:hidden@h/d"}, "DATABASE_URL: must be a URL that starts with postgresql://"),
        ({"REDIS_URL": "http://hidden@h"}, "REDIS_URL: must be a URL that starts with redis:// or rediss://"),
        ({"API_URL": "http://h:99999"}, "API_URL: 'http://h:99999' must have a number from 0 to 65535 as its port"),
        (
            {"DATABASE_URL": "postgresql://u:hidden@h:x/d"},
            "DATABASE_URL: must have a number from 0 to 65535 as its port",
        ),
        (
            {"MONITOR_DATABASE_URL": "postgresql://u:hidden@h:x/d"},
            "MONITOR_DATABASE_URL: must have a number from 0 to 65535 as its port",
        ),
        (
            {"REDIS_URL": "redis://:hidden@h/abc"},
            "REDIS_URL: must end in a database number, as in redis://host:6379/0",
        ),
        (
            {"DATABASE_URL": "postgres://u:hidden@h/d", "MONITOR_DATABASE_URL": "postgresql://u:hidden@h/d"},
            "MONITOR_DATABASE_URL: is the same as DATABASE_URL; the monitor needs a database of its own",
        ),
        (
            {"BROKER_URL": "sqs://hidden"},
            "BROKER_URL: must be a URL that starts with redis://, rediss://, amqp:// or amqps://",
        ),
        ({"BOT_TOKEN": "hidden"}, "BOT_TOKEN: must look like 123456789:AA… as BotFather gave it"),
        (
            {"MONITOR_DATABASE_URL": "mysql://hidden"},
            "MONITOR_DATABASE_URL: must be a URL that starts with sqlite:/// or postgresql://",
        ),
        ({"PORT": "many"}, "PORT: 'many' must be a valid integer, unable to parse string as an integer"),
        ({"PORT": "70000"}, "PORT: '70000' must be less than or equal to 65535"),
        ({"ALERT_CHAT_ID": "ops"}, r"ALERT_CHAT_ID: 'ops' must match pattern '^(-?\d+(/\d+)?|@\w+)$'"),
        (
            {"MONITOR_LOG_LEVEL": "loud"},
            "MONITOR_LOG_LEVEL: 'loud' must be 'debug', 'info', 'warning' or 'error'",
        ),
        (
            {"MONITOR_DATABSE_URL": "x"},
            "MONITOR_DATABSE_URL: unknown setting, did you mean MONITOR_DATABASE_URL?",
        ),
        ({"MONITOR_QQQQQQQQQQQQQQQQ": "x"}, "MONITOR_QQQQQQQQQQQQQQQQ: unknown setting"),
        (
            {"BOT_TOKEN": TOKEN, "ALERT_BOT_TOKEN": TOKEN},
            "ALERT_BOT_TOKEN: is the same as BOT_TOKEN; the monitor needs a bot of its own",
        ),
        (
            {"RENDER_WEBHOOK_SECRET": f"whsec_{'A' * 32}"},
            "RENDER_WEBHOOK_SECRET: needs RENDER_API_KEY as well, to ask what a delivery is about",
        ),
        (
            {"RENDER_DEPLOY_KEY": "rnd_hidden"},
            "RENDER_DEPLOY_KEY: needs RENDER_API_KEY as well, to know what to roll back",
        ),
        ({"GRAFANA_URL": "https://g.example"}, "GRAFANA_URL: needs GRAFANA_TOKEN as well, to leave a marker there"),
        ({"GRAFANA_TOKEN": "hidden"}, "GRAFANA_TOKEN: needs GRAFANA_URL as well, to know where to leave a marker"),
        ({"SENTRY_ORG": "nexus"}, "SENTRY_ORG: needs SENTRY_AUTH_TOKEN as well, to leave a marker there"),
        (
            {"ALERT_BOT_TOKEN": TOKEN, "PROBE_BOT_TOKEN": TOKEN},
            "PROBE_BOT_TOKEN: is the same as BOT_TOKEN or ALERT_BOT_TOKEN; the prober needs a bot of its own",
        ),
    ],
)
def test_every_mistake_is_one_line_without_a_secret(environ: dict[str, str], line: str) -> None:
    with pytest.raises(UsageError) as caught:
        settings_from(environ)
    assert caught.value.lines == (line,)
    assert "hidden" not in str(caught.value)


def test_all_mistakes_are_told_at_once() -> None:
    with pytest.raises(UsageError) as caught:
        settings_from({"API_URL": "x", "PORT": "x", "MONITOR_X": "1"})
    assert len(caught.value.lines) == 3


def test_secrets_hide_themselves() -> None:
    settings = settings_from(
        {"BOT_TOKEN": TOKEN, "ALERT_BOT_TOKEN": OTHER, "REDIS_URL": "redis://:hush@h", "MONITOR_TOKEN": "hush"}
    )
    assert TOKEN not in repr(settings)
    assert "hush" not in f"{settings!r} {settings}"
    assert isinstance(settings, Settings)
