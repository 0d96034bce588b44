"""The bot as a web application: the webhook with its secret and the probe, and /health, which lists the modules."""

import asyncio
from collections.abc import AsyncIterator

from aiogram import Bot, Dispatcher
from aiogram.client.session.aiohttp import AiohttpSession
from aiogram.client.telegram import TelegramAPIServer
from aiogram.types import BotCommand
from aiogram.webhook.aiohttp_server import SimpleRequestHandler
from aiohttp import web

from demo.nexus.bot.modules import MODULES
from demo.nexus.bot.registration import Registration, register
from demo.nexus.bot.settings import Settings
from demo.nexus.bot.sources import ApiNumbers, CeleryReports, Numbers, Reports
from demo.nexus.flaws import Flaw, has
from demo.nexus.nexus_helper import BotProbe, identity, modules

TELEGRAM_SECONDS = 10.0

COMMANDS: tuple[BotCommand, ...] = tuple(command for module in MODULES for command in module.COMMANDS)


def create_dispatcher(numbers: Numbers, reports: Reports, miniapp_url: str) -> Dispatcher:
    """Return the dispatcher with every module, and what their handlers are given."""
    dispatcher = Dispatcher(numbers=numbers, reports=reports, miniapp_url=miniapp_url, commands=COMMANDS)
    loaded = [module for module in MODULES if not (module.NAME == "reports" and has(Flaw.MODULE_MISSING))]
    dispatcher.include_routers(*(module.build() for module in loaded))
    return dispatcher


def create_app(settings: Settings) -> web.Application:
    """Return nexus-bot for `settings`; it speaks to Telegram when it starts, not before."""
    session = AiohttpSession(api=TelegramAPIServer.from_base(settings.telegram_api_url), timeout=TELEGRAM_SECONDS)
    bot = Bot(settings.bot_token, session=session)
    dispatcher = create_dispatcher(
        ApiNumbers(settings.api_url), CeleryReports(settings.redis_url), settings.miniapp_url
    )
    probe = BotProbe(settings.webhook_secret)
    probe.install(dispatcher, bot)
    registration = Registration()

    async def health(_: web.Request) -> web.Response:
        body = {
            "status": "ok",
            "modules": modules(dispatcher),
            "commands": [command.command for command in COMMANDS],
            "registration": {"is_done": registration.is_done, "error": registration.error},
            **identity("nexus-bot"),
        }
        return web.json_response(body)

    async def registering(_: web.Application) -> AsyncIterator[None]:
        update_types = dispatcher.resolve_used_update_types()
        async with asyncio.TaskGroup() as tasks:
            task = tasks.create_task(
                register(bot, settings, COMMANDS, update_types, registration), name="register-at-telegram"
            )
            yield
            task.cancel()
        # The webhook stays: while one instance ends, the next one already serves it.
        if has(Flaw.DELETES_WEBHOOK):
            await bot.delete_webhook()
        await bot.session.close()

    app = web.Application(middlewares=[probe.aiohttp_middleware()])
    app.router.add_get("/health", health)
    handler = SimpleRequestHandler(
        dispatcher, bot, secret_token=None if has(Flaw.NO_SECRET) else settings.webhook_secret
    )
    app.router.add_post(settings.webhook_path, handler.handle)
    app.cleanup_ctx.append(registering)
    return app
