"""What nexus-bot is told by its environment."""

import re
from dataclasses import dataclass, field
from typing import Self
from urllib.parse import urlsplit

from demo.nexus import environment
from demo.nexus.environment import SettingError


@dataclass(frozen=True, slots=True)
class Settings:
    """Its token, the addresses it speaks to, and the one Telegram is to deliver to."""

    bot_token: str = field(repr=False)
    webhook_secret: str = field(repr=False)
    redis_url: str = field(repr=False)
    telegram_api_url: str
    webhook_url: str
    api_url: str
    miniapp_url: str
    keeps_webhook: bool = False
    """Leave the webhook as Telegram has it (KEEP_WEBHOOK)."""

    @property
    def webhook_path(self) -> str:
        """The path served: the one that is registered."""
        return urlsplit(self.webhook_url).path

    @classmethod
    def from_environment(cls) -> Self:
        """Read BOT_TOKEN, WEBHOOK_SECRET, REDIS_URL, TELEGRAM_API_URL, WEBHOOK_URL, API_URL, MINIAPP_URL.

        Raises `SettingError`.
        """
        secret = environment.text("WEBHOOK_SECRET")
        if not re.fullmatch(r"[A-Za-z0-9_-]{1,256}", secret):
            raise SettingError("WEBHOOK_SECRET: may hold A-Z, a-z, 0-9, _ and - alone, at most 256")
        webhook_url = environment.http_url("WEBHOOK_URL")
        if urlsplit(webhook_url).path in ("", "/", "/health"):
            raise SettingError("WEBHOOK_URL: needs a path of its own, as /webhook")
        return cls(
            bot_token=environment.bot_token(),
            webhook_secret=secret,
            redis_url=environment.redis_url(),
            telegram_api_url=environment.http_url("TELEGRAM_API_URL", "https://api.telegram.org"),
            webhook_url=webhook_url,
            api_url=environment.http_url("API_URL"),
            miniapp_url=environment.http_url("MINIAPP_URL"),
            keeps_webhook=environment.text("KEEP_WEBHOOK", "") not in ("", "0"),
        )
