"""What getWebhookInfo says, read once for the checks that judge it."""

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

from checks.base import IO, Secret
from checks.telegram_api import Answer, ask
from checks.wording import address, path


@dataclass(frozen=True, slots=True)
class WebhookInfo:
    """One answer of getWebhookInfo; the fields are empty where `answer` is not ok."""

    answer: Answer
    url: str = ""
    pending_updates: int = 0
    last_error_at: datetime | None = None
    """Sticky: a later success does not clear it. Only its moving means something."""
    last_error: str = ""
    last_synchronization_error_at: datetime | None = None
    """When Telegram's own Bot API server last lost its data centre; sticky too."""
    max_connections: int | None = None
    allowed_updates: tuple[str, ...] = ()
    """Empty: Telegram's default set."""
    ip: str = ""
    has_custom_certificate: bool = False


async def webhook_info(io: IO, token: Secret, api_base_url: str) -> WebhookInfo:
    """Call getWebhookInfo. Raises network errors."""
    answer = await ask(io, token, "getWebhookInfo", api_base_url=api_base_url)
    info: dict[str, Any] = answer.result if isinstance(answer.result, dict) else {}
    return WebhookInfo(
        answer=answer,
        url=str(info.get("url", "")),
        pending_updates=int(info.get("pending_update_count", 0)),
        last_error_at=_instant(info.get("last_error_date")),
        last_error=str(info.get("last_error_message", "")),
        last_synchronization_error_at=_instant(info.get("last_synchronization_error_date")),
        max_connections=info.get("max_connections"),
        allowed_updates=tuple(info.get("allowed_updates") or ()),
        ip=str(info.get("ip_address", "")),
        has_custom_certificate=bool(info.get("has_custom_certificate", False)),
    )


def shown(url: str) -> str:
    """Return a webhook URL without its path, which may be secret: host and a short hash to compare by."""
    if not url:
        return "none"
    digest = hashlib.sha256(path(url).encode()).hexdigest()[:8]
    return f"{urlsplit(url).scheme}://{address(url)}/… (path #{digest})"


def _instant(seconds: Any) -> datetime | None:
    return datetime.fromtimestamp(seconds, UTC) if isinstance(seconds, int | float) and seconds > 0 else None
