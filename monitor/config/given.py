"""What the built-in checks are given, from the settings: their own fields."""

from urllib.parse import urlsplit

from checks.miniapp.init_data import hashed_key
from monitor.config.row import Given
from monitor.config.settings import Settings
from monitor.config.stack import Stack


def nothing(settings: Settings, stack: Stack) -> Given:
    return {}


def broker(settings: Settings, stack: Stack) -> Given:
    return {"broker_url": settings.celery_broker_url}


def schedule(settings: Settings, stack: Stack) -> Given:
    """The marker stands once, with `beat.alive`."""
    return broker(settings, stack) | {"marker": stack.checks.get("beat.alive", {}).get("marker")}


def database(settings: Settings, stack: Stack) -> Given:
    return {"url": settings.database_url}


def redis(settings: Settings, stack: Stack) -> Given:
    return {"url": settings.redis_url}


def bot(settings: Settings, stack: Stack) -> Given:
    return {"token": settings.bot_token, "api_base_url": settings.telegram_api_url}


def webhook(settings: Settings, stack: Stack) -> Given:
    return {"url": settings.webhook_url}


def signed(settings: Settings, stack: Stack) -> Given:
    return {"url": settings.webhook_url, "secret_token": settings.webhook_secret}


def redis_memory(settings: Settings, stack: Stack) -> Given:
    return {"url": settings.redis_url, "is_broker": settings.is_broker_redis}


def versions(settings: Settings, stack: Stack) -> Given:
    """Return the services with an address; the bot answers at the root of its webhook's."""
    urls = {stack.services.api: settings.api_url}
    if settings.webhook_url is not None:
        parts = urlsplit(settings.webhook_url)
        urls[stack.services.bot] = f"{parts.scheme}://{parts.netloc}"
    return {"urls": urls}


def login(settings: Settings, stack: Stack) -> Given:
    return {"api_url": settings.api_url, "key": key(settings)}


def key(settings: Settings) -> str | None:
    return None if settings.bot_token is None else hashed_key(settings.bot_token.get_secret_value())


def render(settings: Settings, stack: Stack) -> Given:
    """Return how Render is asked; a database or Redis is no service there and is not found by its name."""
    services = stack.services
    return {
        "api_key": settings.render_api_key,
        "api_url": settings.render_api_url,
        "names": (services.api, services.bot, services.worker, services.beat, services.miniapp),
        "service_ids": tuple((settings.render_service_ids or "").replace(",", " ").split()),
    }
