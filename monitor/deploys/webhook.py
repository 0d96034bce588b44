"""Takes Render's webhook: is it signed and fresh, was it delivered before, is it about a deploy?"""

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from typing import Any

import structlog
from pydantic import SecretStr

from monitor.store.deploy_rows import Hook
from monitor.store.errors import StoreError

KEEP_SECONDS = 0.8
"""Render is answered within a second: a database that takes longer gets the delivery again later."""
ABOUT_DEPLOYS = frozenset(
    {"deploy_started", "deploy_ended", "build_started", "build_ended", "pre_deploy_started", "pre_deploy_ended"}
)
"""Events of another type are taken and left alone: the checks look at what they tell of."""
LONGEST_ID = 200

log = structlog.get_logger()

Answer = tuple[int, str]
"""HTTP status and one line."""


class Webhook:
    """Judges one delivery and keeps it; what it means is worked out later, by the leader."""

    def __init__(
        self, secret: SecretStr, record: Callable[[Hook], Awaitable[bool]], now: Callable[[], datetime]
    ) -> None:
        """`record` keeps a delivery and says whether it is new."""
        # Here and not with the first delivery: the import takes a while.
        from standardwebhooks import Webhook as Signature
        from standardwebhooks import WebhookVerificationError

        self._signature = Signature(secret.get_secret_value())
        self._refused = (WebhookVerificationError, ValueError)
        self._record = record
        self._now = now

    async def take(self, headers: Mapping[str, str], body: bytes) -> Answer:
        """Return the answer for a delivery: 2xx when it is kept (or was before), 401 when it is not Render's."""
        try:
            # The signature covers id, timestamp and body; a timestamp off by more than five minutes is refused.
            self._signature.verify(body, dict(headers), json_parse=False)
        except self._refused:
            log.warning("webhook.refused", bytes=len(body))
            return 401, "hooks: the signature does not fit, or is older than five minutes"
        hook = _hook(headers.get("webhook-id", ""), body, self._now())
        if hook is None:
            return 422, "hooks: this is no event of Render's"
        if hook.type not in ABOUT_DEPLOYS:
            return 200, "taken, nothing to do"
        try:
            async with asyncio.timeout(KEEP_SECONDS):
                is_new = await self._record(hook)
        except (StoreError, TimeoutError) as error:
            log.warning("webhook.not_kept", error=type(error).__name__)
            return 503, "hooks: the monitor's database does not answer, deliver it again"
        log.info("webhook.taken", type=hook.type, event_id=hook.event_id, is_new=is_new)
        return 200, "taken" if is_new else "taken before"


def _hook(delivery_id: str, body: bytes, now: datetime) -> Hook | None:
    try:
        said: Any = json.loads(body)
    except ValueError:
        return None
    data = said.get("data") if isinstance(said, dict) else None
    if not isinstance(data, dict):
        return None
    kind, service_id, event_id = said.get("type"), data.get("serviceId"), data.get("id")
    texts = [text for text in (delivery_id, kind, event_id) if isinstance(text, str) and 0 < len(text) <= LONGEST_ID]
    if len(texts) < 3 or not isinstance(service_id, str | None):
        return None
    return Hook(delivery_id, texts[1], (service_id or "")[:LONGEST_ID], texts[2], now)
