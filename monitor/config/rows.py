"""The built-in checks as a table: what each needs to be known, whom it speaks about, what explains its failure."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

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
    """The settings without which it is not built."""
    given: Callable[[Settings, Stack], Given]
    """Its own fields, from the settings."""
    parents: tuple[str, ...] = ()
    """Hard parents, kept where they are built."""
    checklist: str = ""
    """The line of the post-deploy checklist it answers."""
    is_remote: bool = True
    """Looks over the network, so our own network is its parent."""


def _nothing(settings: Settings, stack: Stack) -> Given:
    return {}


def _broker(settings: Settings, stack: Stack) -> Given:
    return {"broker_url": settings.celery_broker_url}


def _database(settings: Settings, stack: Stack) -> Given:
    return {"url": settings.database_url}


def _redis(settings: Settings, stack: Stack) -> Given:
    return {"url": settings.redis_url}


ROWS: tuple[Row, ...] = (
    Row(
        "api.health",
        "api",
        ("api_url",),
        lambda settings, stack: {"url": f"{settings.api_url}/health"},
        parents=("postgres.connect", "redis.ping"),
        checklist="API: health check endpoint returns 200",
    ),
    Row("postgres.connect", "database", ("database_url",), _database, checklist="API: database connections work"),
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
        "bot.webhook",
        "bot",
        ("bot_token",),
        lambda settings, stack: {
            "token": settings.bot_token,
            "api_base_url": settings.telegram_api_url,
            "expected_url": settings.webhook_url,
        },
        parents=("telegram.api",),
        checklist="Bot: webhook receives updates",
    ),
    Row(
        "bot.ingress",
        "bot",
        ("webhook_url",),
        lambda settings, stack: {"url": settings.webhook_url, "secret_token": settings.webhook_secret},
        checklist="Bot: webhook receives updates",
    ),
    Row(
        "worker.online",
        "worker",
        ("redis_url",),
        _broker,
        parents=("redis.ping", "redis.write"),  # the ping writes where it is to be answered
        checklist="Worker: connects to broker",
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
        "beat.alive",
        "beat",
        ("redis_url",),
        _broker,
        parents=("worker.canary",),
        checklist="Beat: starts",
    ),
    Row(
        "miniapp.page",
        "miniapp",
        ("miniapp_url",),
        lambda settings, stack: {"url": settings.miniapp_url},
        checklist="Mini App: React app loads",
    ),
    Row(
        "telegram.api",
        "telegram",
        ("alert_bot_token",),
        lambda settings, stack: {"token": settings.alert_bot_token, "api_base_url": settings.telegram_api_url},
    ),
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
    "beat": "Beat",
    "miniapp": "Mini App",
    "vantage": "The monitor's own sight",
    "telegram": "The monitor's own sight",
    "slo": "Objectives",
}


def heading(check_id: str) -> str:
    """Return the checklist's heading under which a check stands; a check of the user's stands under its own word."""
    family = check_id.split(".")[0]
    return HEADINGS.get(family, family)
