"""What nexus-api is told by its environment."""

from dataclasses import dataclass, field
from typing import Self

from demo.nexus import environment


@dataclass(frozen=True, slots=True)
class Settings:
    """The addresses of its parts, and the bot's token that signs Mini App logins."""

    database_url: str = field(repr=False)
    redis_url: str = field(repr=False)
    bot_token: str = field(repr=False)
    miniapp_url: str

    @classmethod
    def from_environment(cls) -> Self:
        """Read DATABASE_URL, REDIS_URL, BOT_TOKEN and MINIAPP_URL. Raises `SettingError`."""
        return cls(
            database_url=environment.database_url(),
            redis_url=environment.redis_url(),
            bot_token=environment.bot_token(),
            miniapp_url=environment.http_url("MINIAPP_URL"),
        )
