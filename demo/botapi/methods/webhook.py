"""setWebhook, deleteWebhook, getWebhookInfo."""

import re
from datetime import timedelta
from urllib.parse import urlsplit

from demo.botapi.errors import bad_request, too_many_requests
from demo.botapi.inboxes import Webhook
from demo.botapi.methods.call import Call, Said
from demo.botapi.people import Json
from demo.botapi.rendering import unix

_SECRET = re.compile(r"[A-Za-z0-9_-]{1,256}")
_PORTS = (80, 88, 443, 8443)
_LOOPBACK = ("127.0.0.1", "localhost", "::1")
_ONCE_PER = timedelta(seconds=1)


def set_webhook(call: Call) -> Said:
    """Send updates to an address. Plain HTTP and free ports are allowed on this machine, as with a local server."""
    parameters = call.parameters
    url = parameters.text("url").strip()
    if not url:
        return delete_webhook(call)
    _check_url(url)
    secret = parameters.text("secret_token")
    if secret and not _SECRET.fullmatch(secret):
        too_long = len(secret) > 256
        raise bad_request("secret token is too long" if too_long else "secret token contains unallowed characters")
    connections = min(max(parameters.integer("max_connections", 40), 1), 100)
    inbox = call.inbox
    webhook = Webhook(url, secret, connections)
    set_at = inbox.webhook_set_at
    if set_at is not None and call.world.now() - set_at < _ONCE_PER and inbox.webhook.url not in ("", url):
        raise too_many_requests(1)
    _remember_allowed(call)
    changed = inbox.set_webhook(webhook, drop_pending=parameters.boolean("drop_pending_updates"))
    return Said(True, "Webhook was set" if changed else "Webhook is already set")


def delete_webhook(call: Call) -> Said:
    """Send updates nowhere; getUpdates gets them."""
    changed = call.inbox.set_webhook(Webhook(), drop_pending=call.parameters.boolean("drop_pending_updates"))
    return Said(True, "Webhook was deleted" if changed else "Webhook is already deleted")


def get_webhook_info(call: Call) -> Json:
    """Return where updates go, how many wait, and the last failure."""
    inbox = call.inbox
    webhook = inbox.webhook
    info: Json = {
        "url": webhook.url,
        "has_custom_certificate": False,
        "pending_update_count": len(inbox.pending()),
    }
    if webhook.url:
        info["max_connections"] = webhook.max_connections
        host = urlsplit(webhook.url).hostname or ""
        if re.fullmatch(r"[\d.]+", host):
            info["ip_address"] = host
    if webhook.last_error_at is not None:
        info |= {"last_error_date": unix(webhook.last_error_at), "last_error_message": webhook.last_error_message}
    if inbox.allowed:
        info["allowed_updates"] = list(inbox.allowed)
    return info


def _remember_allowed(call: Call) -> None:
    """Keep `allowed_updates`; it stays as it was when the call does not name it."""
    if "allowed_updates" in call.parameters:
        kinds = call.parameters.sequence("allowed_updates") or []
        if not all(isinstance(kind, str) for kind in kinds):
            raise bad_request("can't parse allowed updates: expected an Array of String")
        call.inbox.allowed = tuple(kinds)


def _check_url(url: str) -> None:
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        raise bad_request("invalid webhook URL specified") from None
    if parts.scheme not in ("http", "https") or not host:
        raise bad_request("invalid webhook URL specified")
    if host in _LOOPBACK:
        return
    if parts.scheme != "https":
        raise bad_request("bad webhook: An HTTPS URL must be provided for webhook")
    if port not in (None, *_PORTS):
        raise bad_request("bad webhook: Webhook can be set up only on ports 80, 88, 443 or 8443")
