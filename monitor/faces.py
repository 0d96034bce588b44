"""What the pages are given by the settings: who may log in, what everybody may see, what takes Render's webhook."""

from monitor.config.settings import Settings
from monitor.config.stack import Stack
from monitor.deploys.webhook import Webhook
from monitor.reign import utc_now
from monitor.store.store import Store
from monitor.web.context import TakeHook
from monitor.web.people import People
from monitor.web.public import Public


def take_hook(settings: Settings, store: Store) -> TakeHook | None:
    """Return what takes Render's webhook, in a standby too; None where it is not set up."""
    secret = settings.render_webhook_secret
    return None if secret is None else Webhook(secret, store.record_hook, utc_now).take


def people(settings: Settings, stack: Stack) -> People | None:
    """Return who may log in as a Telegram Mini App; nobody without a bot of our own."""
    token, alerts = settings.alert_bot_token, stack.alerts
    return None if token is None else People(token, alerts.operators, alerts.viewers)


def public(stack: Stack) -> Public | None:
    """Return what everybody may see; None where there is no status page."""
    page = stack.status_page
    if page is None:
        return None
    return Public(page.title or stack.name, {service: page.names.get(service, service) for service in page.services})
