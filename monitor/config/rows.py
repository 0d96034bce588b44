"""The built-in checks as a table: what each needs to be known, whom it speaks about, what explains its failure."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from pydantic import SecretStr

from checks.miniapp.init_data import hashed_key
from monitor.config.settings import Settings
from monitor.config.stack import Stack

Given = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Row:
    """One built-in check. Its id is its kind."""

    id: str
    service: str
    """A field of `Services`, or `monitor` for our own side, or `telegram`."""
    needs: tuple[str, ...]
    """The settings without which it is not built; a thing of `Found` with the name of one stands in for it."""
    given: Callable[[Settings, Stack], Given]
    """Its own fields, from the settings."""
    parents: tuple[str, ...] = ()
    """Hard parents, kept where they are built."""
    checklist: str = ""
    """The line of the post-deploy checklist it answers."""
    is_remote: bool = True
    """Looks over the network, so our own network is its parent."""
    why_not: Callable[[Settings], str] = lambda settings: ""
    """Why it makes no sense with these settings; empty where it does."""
    explained_by: tuple[str, ...] = ()
    """Soft parents, kept where they are built."""
    is_opt_in: bool = False
    """Built only when `monitor.yaml` names it: it changes what it looks at, or needs what is not always there."""


def _nothing(settings: Settings, stack: Stack) -> Given:
    return {}


def _broker(settings: Settings, stack: Stack) -> Given:
    return {"broker_url": settings.celery_broker_url}


def _schedule(settings: Settings, stack: Stack) -> Given:
    """The marker stands once, with `beat.alive`."""
    return _broker(settings, stack) | {"marker": stack.checks.get("beat.alive", {}).get("marker")}


def _database(settings: Settings, stack: Stack) -> Given:
    return {"url": settings.database_url}


def _redis(settings: Settings, stack: Stack) -> Given:
    return {"url": settings.redis_url}


def _bot(settings: Settings, stack: Stack) -> Given:
    return {"token": settings.bot_token, "api_base_url": settings.telegram_api_url}


def _webhook(settings: Settings, stack: Stack) -> Given:
    return {"url": settings.webhook_url}


def _signed(settings: Settings, stack: Stack) -> Given:
    return {"url": settings.webhook_url, "secret_token": settings.webhook_secret}


def _redis_memory(settings: Settings, stack: Stack) -> Given:
    return {"url": settings.redis_url, "is_broker": _server(settings.redis_url) == _server(settings.celery_broker_url)}


def _server(url: SecretStr | None) -> tuple[str | None, int]:
    parts = urlsplit("" if url is None else url.get_secret_value())
    return parts.hostname, parts.port or 6379


def _versions(settings: Settings, stack: Stack) -> Given:
    """Return the services with an address; the bot answers at the root of its webhook's."""
    urls = {stack.services.api: settings.api_url}
    if settings.webhook_url is not None:
        parts = urlsplit(settings.webhook_url)
        urls[stack.services.bot] = f"{parts.scheme}://{parts.netloc}"
    return {"urls": urls}


def _login(settings: Settings, stack: Stack) -> Given:
    return {"api_url": settings.api_url, "key": _key(settings)}


def _key(settings: Settings) -> str | None:
    return None if settings.bot_token is None else hashed_key(settings.bot_token.get_secret_value())


def _render(settings: Settings, stack: Stack) -> Given:
    """Return how Render is asked; a database or Redis is no service there and is not found by its name."""
    services = stack.services
    return {
        "api_key": settings.render_api_key,
        "api_url": settings.render_api_url,
        "names": (services.api, services.bot, services.worker, services.beat, services.miniapp),
        "service_ids": tuple((settings.render_service_ids or "").replace(",", " ").split()),
    }


def _platform(check_id: str, checklist: str = "", *, parents: tuple[str, ...] = ("platform.service",)) -> Row:
    return Row(check_id, "render", ("render_api_key",), _render, parents=parents, checklist=checklist)


ON_RENDER = ("platform.service", "platform.deploys", "platform.instances")
"""What may explain that a service does not answer."""
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
    Row("api.version", "api", ("api_url",), _versions, parents=("api.health",)),
    Row(
        "api.tls",
        "api",
        ("api_url",),
        lambda settings, stack: {"url": settings.api_url},
        why_not=lambda settings: "" if str(settings.api_url).startswith("https://") else "API_URL is not https",
    ),
    Row("postgres.connect", "database", ("database_url",), _database, checklist="API: database connections work"),
    Row(
        "postgres.capacity",
        "database",
        ("database_url",),
        _database,
        parents=("postgres.connect",),
        checklist="API: database connections work",
    ),
    Row("postgres.migrations", "database", ("database_url",), _database, parents=("postgres.connect",)),
    Row("redis.ping", "redis", ("redis_url",), _redis, checklist="API: Redis connections work"),
    Row(
        "redis.write",
        "redis",
        ("redis_url",),
        _redis,
        parents=("redis.ping",),
        checklist="API: Redis connections work",
    ),
    Row(
        "redis.memory",
        "redis",
        ("redis_url",),
        _redis_memory,
        parents=("redis.ping", "redis.write"),  # full is the same fault as refused writes
        checklist="API: Redis connections work",
    ),
    Row(
        "bot.identity",
        "bot",
        ("bot_token",),
        _bot,
        parents=("telegram.api",),
    ),
    Row(
        "bot.webhook",
        "bot",
        ("bot_token",),
        lambda settings, stack: {**_bot(settings, stack), "expected_url": settings.webhook_url},
        parents=("telegram.api", "bot.identity"),
        checklist="Bot: webhook receives updates",
    ),
    Row("bot.ingress", "bot", ("webhook_url",), _signed, checklist="Bot: webhook receives updates"),
    Row(
        "bot.delivery",
        "bot",
        ("bot_token",),
        _bot,
        parents=("telegram.api", "bot.identity", "bot.webhook", "bot.ingress"),
        checklist="Bot: webhook receives updates",
        explained_by=ON_RENDER,
    ),
    Row(
        "bot.guard",
        "bot",
        ("webhook_url",),
        _webhook,
        parents=("bot.ingress",),
        checklist="Bot: webhook receives updates",
    ),
    Row(
        "bot.commands",
        "bot",
        ("bot_token",),
        _bot,
        parents=("telegram.api", "bot.identity"),
        checklist="Bot: responds to commands",
    ),
    Row(
        "bot.modules",
        "bot",
        ("webhook_url",),
        _webhook,
        parents=("bot.ingress",),
        checklist="Bot: modules load correctly",
    ),
    Row(
        "bot.reply",
        "bot",
        ("webhook_url",),
        _signed,
        parents=("bot.ingress",),
        checklist="Bot: responds to commands",
    ),
    Row(
        "bot.reply_telegram",
        "bot",
        ("probe_bot_token", "probe_chat_id", "bot_token"),
        lambda settings, stack: {
            **_bot(settings, stack),
            "prober_token": settings.probe_bot_token,
            "chat_id": settings.probe_chat_id,
        },
        parents=("telegram.api", "bot.identity", "bot.webhook", "bot.ingress"),
    ),
    Row(
        "worker.online",
        "worker",
        ("redis_url",),
        _broker,
        parents=("redis.ping", "redis.write"),  # the ping writes where it is to be answered
        checklist="Worker: connects to broker",
        explained_by=ON_RENDER,
    ),
    Row(
        "worker.canary",
        "worker",
        ("redis_url",),
        _broker,
        parents=("worker.online", "redis.ping", "redis.write"),
        checklist="Worker: tasks execute successfully",
    ),
    Row(
        "worker.each",
        "worker",
        ("redis_url",),
        _broker,
        parents=("worker.canary",),
        checklist="Worker: tasks execute successfully",
        is_opt_in=True,
    ),
    Row(
        "worker.stuck_tasks",
        "worker",
        ("redis_url",),
        _broker,
        parents=("worker.online",),
        checklist="Worker: tasks execute successfully",
    ),
    Row(
        "worker.tasks",
        "worker",
        ("redis_url",),
        _broker,
        parents=("worker.online",),
        checklist="Worker: tasks execute successfully",
    ),
    Row(
        "worker.failures",
        "worker",
        ("redis_url",),
        _broker,
        parents=("worker.canary", "redis.write", "postgres.connect"),
        checklist="Worker: no errors in logs",
    ),
    Row(
        "worker.restarts",
        "worker",
        ("redis_url",),
        _broker,
        parents=("worker.online",),
        checklist="Worker: connects to broker",
    ),
    Row(
        "queue.depth",
        "worker",
        ("redis_url",),
        _broker,
        parents=("worker.canary",),
        checklist="Worker: tasks execute successfully",
    ),
    Row(
        "queue.stalled",
        "worker",
        ("redis_url",),
        _broker,
        parents=("worker.canary",),
        checklist="Worker: tasks execute successfully",
    ),
    Row(
        "queue.no_consumer",
        "worker",
        ("redis_url",),
        _broker,
        parents=("worker.online", "worker.canary"),
        checklist="Worker: tasks execute successfully",
    ),
    Row(
        "queue.orphans",
        "worker",
        ("redis_url",),
        _broker,
        parents=("worker.online",),
        checklist="Worker: tasks execute successfully",
    ),
    Row(
        "clock.skew",
        "worker",
        ("redis_url",),
        _broker,
        parents=("redis.ping",),
        checklist="Beat: scheduled tasks trigger",
    ),
    Row(
        "beat.alive",
        "beat",
        ("redis_url",),
        _broker,
        parents=("worker.canary",),
        checklist="Beat: starts",
        explained_by=ON_RENDER,
    ),
    Row("beat.single", "beat", ("redis_url",), _schedule, parents=("beat.alive",), checklist="Beat: starts"),
    Row(
        "beat.schedule",
        "beat",
        ("redis_url",),
        _schedule,
        parents=("beat.alive", "worker.canary", "postgres.connect"),
        checklist="Beat: scheduled tasks trigger",
    ),
    Row(
        "beat.config",
        "beat",
        ("redis_url",),
        _schedule,
        parents=("worker.online", "worker.canary"),
        checklist="Beat: cron expressions work",
    ),
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
        _login,
        parents=("api.health",),
        checklist="Mini App: authentication works",
    ),
    Row(
        "miniapp.auth_guard",
        "api",
        ("api_url", "bot_token"),
        _login,
        parents=("api.health",),
        checklist="Mini App: authentication works",
    ),
    Row(
        "miniapp.calls",
        "api",
        ("api_url", "bot_token"),
        lambda settings, stack: {**_login(settings, stack), "page_url": settings.miniapp_url},
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
            "key": _key(settings),
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
    Row("vantage.loop", "monitor", (), _nothing, is_remote=False),
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
    Row("vantage.store", "monitor", (), _nothing, is_remote=False),
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
