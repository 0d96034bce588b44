"""Tells Telegram where to deliver and what the bot can do; tries again until Telegram has taken it."""

import asyncio
import logging
from dataclasses import dataclass

from aiogram import Bot
from aiogram.exceptions import AiogramError
from aiogram.types import BotCommand, MenuButtonWebApp, WebAppInfo

from demo.nexus.bot.settings import Settings

MAX_WAIT_SECONDS = 15.0

_log = logging.getLogger(__name__)


@dataclass(slots=True)
class Registration:
    """How far it got; /health shows it."""

    is_done: bool = False
    error: str | None = None
    """The class of the last failure."""


async def register(
    bot: Bot,
    settings: Settings,
    commands: tuple[BotCommand, ...],
    update_types: list[str],
    registration: Registration,
) -> None:
    """Set webhook, commands and menu button; wait 0.5, 1, 2 … 15 s between attempts."""
    wait_seconds = 0.5
    while not registration.is_done:
        try:
            await _attempt(bot, settings, commands, update_types)
            registration.is_done, registration.error = True, None
        except AiogramError as error:
            registration.error = type(error).__name__
            _log.warning("Telegram did not take the registration: %s", registration.error)
            await asyncio.sleep(wait_seconds)
            wait_seconds = min(wait_seconds * 2, MAX_WAIT_SECONDS)


async def _attempt(bot: Bot, settings: Settings, commands: tuple[BotCommand, ...], update_types: list[str]) -> None:
    if not settings.keeps_webhook:
        await bot.set_webhook(settings.webhook_url, secret_token=settings.webhook_secret, allowed_updates=update_types)
    await bot.set_my_commands(list(commands))
    await bot.set_chat_menu_button(
        menu_button=MenuButtonWebApp(text="Nexus", web_app=WebAppInfo(url=settings.miniapp_url))
    )
