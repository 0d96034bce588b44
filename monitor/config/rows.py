"""The built-in checks as a table, in the order of the checklist, and the headings under which they stand."""

from monitor.config import given
from monitor.config.celery_rows import CELERY_ROWS
from monitor.config.row import ON_RENDER, Row


def _platform(check_id: str, checklist: str = "", *, parents: tuple[str, ...] = ("platform.service",)) -> Row:
    return Row(check_id, "render", ("render_api_key",), given.render, parents=parents, checklist=checklist)


HEALTH = "Render: service health indicators"
LOGS = "Logs: start-up errors, import errors, deprecation warnings, performance"

ROWS: tuple[Row, ...] = (
    Row(
        "api.health",
        "api",
        ("api_url",),
        lambda settings, stack: {"url": f"{settings.api_url}/health"},
        parents=("postgres.connect", "redis.ping"),
        checklist="API: health check endpoint returns 200",
        explained_by=ON_RENDER,
    ),
    Row(
        "api.routers",
        "api",
        ("api_url",),
        lambda settings, stack: {"url": settings.api_url},
        parents=("api.health", "postgres.connect", "redis.ping"),
        checklist="API: all API routers are accessible",
    ),
    Row("api.version", "api", ("api_url",), given.versions, parents=("api.health",)),
    Row(
        "api.tls",
        "api",
        ("api_url",),
        lambda settings, stack: {"url": settings.api_url},
        why_not=lambda settings: "" if str(settings.api_url).startswith("https://") else "API_URL is not https",
    ),
    Row("postgres.connect", "database", ("database_url",), given.database, checklist="API: database connections work"),
    Row(
        "postgres.capacity",
        "database",
        ("database_url",),
        given.database,
        parents=("postgres.connect",),
        checklist="API: database connections work",
    ),
    Row("postgres.migrations", "database", ("database_url",), given.database, parents=("postgres.connect",)),
    Row("redis.ping", "redis", ("redis_url",), given.redis, checklist="API: Redis connections work"),
    Row(
        "redis.write",
        "redis",
        ("redis_url",),
        given.redis,
        parents=("redis.ping",),
        checklist="API: Redis connections work",
    ),
    Row(
        "redis.memory",
        "redis",
        ("redis_url",),
        given.redis_memory,
        parents=("redis.ping", "redis.write"),  # full is the same fault as refused writes
        checklist="API: Redis connections work",
    ),
    Row(
        "bot.identity",
        "bot",
        ("bot_token",),
        given.bot,
        parents=("telegram.api",),
    ),
    Row(
        "bot.webhook",
        "bot",
        ("bot_token",),
        lambda settings, stack: {**given.bot(settings, stack), "expected_url": settings.webhook_url},
        parents=("telegram.api", "bot.identity"),
        checklist="Bot: webhook receives updates",
    ),
    Row("bot.ingress", "bot", ("webhook_url",), given.signed, checklist="Bot: webhook receives updates"),
    Row(
        "bot.delivery",
        "bot",
        ("bot_token",),
        given.bot,
        parents=("telegram.api", "bot.identity", "bot.webhook", "bot.ingress"),
        checklist="Bot: webhook receives updates",
        explained_by=ON_RENDER,
    ),
    Row(
        "bot.guard",
        "bot",
        ("webhook_url",),
        given.webhook,
        parents=("bot.ingress",),
        checklist="Bot: webhook receives updates",
    ),
    Row(
        "bot.commands",
        "bot",
        ("bot_token",),
        given.bot,
        parents=("telegram.api", "bot.identity"),
        checklist="Bot: responds to commands",
    ),
    Row(
        "bot.modules",
        "bot",
        ("webhook_url",),
        given.webhook,
        parents=("bot.ingress",),
        checklist="Bot: modules load correctly",
    ),
    Row(
        "bot.reply",
        "bot",
        ("webhook_url",),
        given.signed,
        parents=("bot.ingress",),
        checklist="Bot: responds to commands",
    ),
    Row(
        "bot.reply_telegram",
        "bot",
        ("probe_bot_token", "probe_chat_id", "bot_token"),
        lambda settings, stack: {
            **given.bot(settings, stack),
            "prober_token": settings.probe_bot_token,
            "chat_id": settings.probe_chat_id,
        },
        parents=("telegram.api", "bot.identity", "bot.webhook", "bot.ingress"),
    ),
    *CELERY_ROWS,
    Row(
        "miniapp.page",
        "miniapp",
        ("miniapp_url",),
        lambda settings, stack: {"url": settings.miniapp_url},
        checklist="Mini App: React app loads",
        explained_by=ON_RENDER,
    ),
    Row(
        "miniapp.sdk",
        "miniapp",
        ("miniapp_url",),
        lambda settings, stack: {"page_url": settings.miniapp_url},
        parents=("miniapp.page",),
        checklist="Mini App: React app loads",
    ),
    Row(
        "miniapp.auth",
        "api",
        ("api_url", "bot_token"),
        given.login,
        parents=("api.health",),
        checklist="Mini App: authentication works",
    ),
    Row(
        "miniapp.auth_guard",
        "api",
        ("api_url", "bot_token"),
        given.login,
        parents=("api.health",),
        checklist="Mini App: authentication works",
    ),
    Row(
        "miniapp.calls",
        "api",
        ("api_url", "bot_token"),
        lambda settings, stack: {**given.login(settings, stack), "page_url": settings.miniapp_url},
        parents=("api.health", "miniapp.auth"),
        checklist="Mini App: API calls succeed",
    ),
    Row(
        "miniapp.button",
        "bot",
        ("bot_token", "miniapp_url"),
        lambda settings, stack: {
            "token": settings.bot_token,
            "page_url": settings.miniapp_url,
            "api_base_url": settings.telegram_api_url,
        },
        parents=("telegram.api",),
    ),
    Row(
        "miniapp.render",
        "miniapp",
        ("miniapp_url",),
        lambda settings, stack: {
            "page_url": settings.miniapp_url,
            "key": given.key(settings),
            "chromium": settings.chromium,
        },
        parents=("miniapp.page",),
        checklist="Mini App: React app loads",
        is_opt_in=True,
    ),
    Row(
        "telegram.api",
        "telegram",
        ("alert_bot_token",),
        lambda settings, stack: {"token": settings.alert_bot_token, "api_base_url": settings.telegram_api_url},
    ),
    _platform("platform.service", HEALTH, parents=()),
    _platform("platform.deploys", HEALTH),
    _platform("platform.build_logs", "Render: build logs for warnings"),
    _platform("platform.events", HEALTH),
    _platform("platform.runtime_logs", LOGS, parents=("platform.service", "platform.deploys", "platform.events")),
    _platform("platform.resources", "Render: resource usage (CPU, memory, disk)"),
    _platform("platform.instances", HEALTH),
    _platform("platform.commit"),
    Row("vantage.loop", "monitor", (), given.nothing, is_remote=False),
    Row(
        "vantage.dns",
        "monitor",
        (),
        lambda settings, stack: {"names": stack.vantage.dns_names},
        is_remote=False,
    ),
    Row(
        "vantage.egress",
        "monitor",
        (),
        lambda settings, stack: {"targets": stack.vantage.egress_targets},
        is_remote=False,
    ),
    Row("vantage.store", "monitor", (), given.nothing, is_remote=False),
)

EVERYTHING = "vantage.loop"
"""Parent of every other check: with a late event loop no look can be trusted."""
NETWORK = ("vantage.egress", "vantage.dns")
"""Parents of every remote check."""

HEADINGS = {
    "api": "API",
    "postgres": "API",
    "redis": "API",
    "bot": "Bot",
    "worker": "Worker",
    "queue": "Worker",
    "clock": "Worker",
    "beat": "Beat",
    "miniapp": "Mini App",
    "platform": "Render",
    "vantage": "The monitor's own sight",
    "telegram": "The monitor's own sight",
    "slo": "Objectives",
}


def heading(check_id: str) -> str:
    """Return the checklist's heading under which a check stands; a check of the user's stands under its own word."""
    family = check_id.split(".")[0]
    return HEADINGS.get(family, family)
