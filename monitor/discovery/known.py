"""What a command starts from: what the service keeps, and a look around where that is not enough."""

import structlog

from monitor.config.found import Found, joined
from monitor.config.settings import Settings
from monitor.discovery.look import discover, targets
from monitor.store.errors import StoreError
from monitor.store.found_rows import kept_found

log = structlog.get_logger()


async def known(settings: Settings) -> Found:
    """Return what is kept for these targets if it is whole, else after a look around of at most some seconds."""
    kept = await kept_for(settings)
    return kept if kept.is_settled and kept.targets == targets(settings) else joined(kept, await discover(settings))


async def kept_for(settings: Settings) -> Found:
    """Return what the service keeps; an empty one where its database cannot be read."""
    try:
        return await kept_found(settings.monitor_database_url.get_secret_value()) or Found()
    except StoreError as error:
        log.debug("discovery.not_read", error=str(error))
        return Found()
