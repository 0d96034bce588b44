"""An aiogram bot with its aiohttp server and a Mini App's API, written as its documentation shows them."""

import asyncio
import os
import sys
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from aiogram import Bot, Dispatcher, Router
from aiogram.client.session.aiohttp import AiohttpSession
from aiogram.client.telegram import TelegramAPIServer
from aiogram.filters import Command
from aiogram.types import BotCommand, MenuButtonWebApp, Message, WebAppInfo
from aiogram.utils.web_app import safe_parse_webapp_init_data
from aiogram.webhook.aiohttp_server import SimpleRequestHandler
from aiohttp import web

sys.path.insert(0, str(Path(__file__).parents[3] / "docs" / "helper"))
from nexus_helper import BotProbe, modules

PORT, TOKEN, SECRET = int(os.environ["PORT"]), os.environ["TOKEN"], os.environ["SECRET"]
OWN = f"http://127.0.0.1:{PORT}"
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

start, numbers = Router(name="start"), Router(name="numbers")


@start.message(Command("help"))
async def help_(message: Message) -> None:
    """Answer."""
    await message.answer("help of somebody else")


@numbers.message(Command("broken"))
async def broken(message: Message) -> None:
    """Raise."""
    raise LookupError("on purpose")


bot = Bot(TOKEN, session=AiohttpSession(api=TelegramAPIServer.from_base(os.environ["TELEGRAM"])))
dispatcher = Dispatcher()
dispatcher.include_routers(start, numbers)
probe = BotProbe(SECRET)
probe.install(dispatcher, bot)


async def register(_: web.Application) -> None:
    """Tell Telegram where the bot is and what it offers."""
    await bot.set_my_commands(
        [BotCommand(command="help", description="Help"), BotCommand(command="go", description="Go")]
    )
    app_page = WebAppInfo(url="https://app.example.net/")
    await bot.set_chat_menu_button(menu_button=MenuButtonWebApp(text="Open", web_app=app_page))
    await bot.set_webhook(
        "https://bot.example.net/webhook", secret_token=SECRET, allowed_updates=dispatcher.resolve_used_update_types()
    )


async def health(_: web.Request) -> web.Response:
    """Say what is loaded."""
    return web.json_response({"status": "ok", "db": "ok", "modules": modules(dispatcher)})


async def me(request: web.Request) -> web.Response:
    """Let in who aiogram lets in; `/careful` minds the age too, as aiogram leaves that to its users."""
    given = request.headers.get("Authorization", "").removeprefix("tma ")
    try:
        login = safe_parse_webapp_init_data(TOKEN, given)
    except ValueError as error:
        return web.json_response({"detail": str(error)}, status=401)
    age = datetime.now(UTC) - login.auth_date
    if request.path.startswith("/careful") and not -timedelta(minutes=1) < age < timedelta(hours=1):
        return web.json_response({"detail": "too old"}, status=401)
    return web.json_response({"id": login.user.id if login.user else None})


async def openapi(_: web.Request) -> web.Response:
    """Describe the API."""
    paths = {"/careful/me": {"get": {"tags": ["people"]}}, "/items": {"get": {"tags": ["items"]}}}
    return web.json_response({"openapi": "3.1.0", "paths": paths})


async def broken_openapi(_: web.Request) -> web.Response:
    """Describe a path that breaks."""
    return web.json_response({"openapi": "3.1.0", "paths": {"/crash": {"get": {"tags": ["crash"]}}}})


async def items(_: web.Request) -> web.Response:
    """List nothing."""
    return web.json_response([])


async def crash(_: web.Request) -> web.Response:
    """Raise."""
    raise RuntimeError("on purpose")


async def hang(_: web.Request) -> web.Response:
    """Never answer."""
    await asyncio.sleep(60)
    return web.Response()


async def version(_: web.Request) -> web.Response:
    """Say which commit runs."""
    return web.json_response({"commit": "fedcba9876543210"})


@web.middleware
async def cors(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Let the Mini App's page call."""
    answer = web.Response(status=204) if request.method == "OPTIONS" else await handler(request)
    if not request.path.startswith("/closed"):
        answer.headers["Access-Control-Allow-Origin"] = "https://app.example.net"
        answer.headers["Access-Control-Allow-Headers"] = "authorization, content-type"
    return answer


app = web.Application(middlewares=[cors, probe.aiohttp_middleware()])
app.router.add_get("/health", health)
app.router.add_get("/openapi.json", openapi)
app.router.add_get("/crashing.json", broken_openapi)
app.router.add_get("/version", version)
app.router.add_get("/items", items)
app.router.add_get("/crash", crash)
app.router.add_get("/hang", hang)
for prefix in ("/careful", "/careless", "/closed"):
    app.router.add_get(f"{prefix}/me", me)
app.router.add_post("/webhook", SimpleRequestHandler(dispatcher, bot, secret_token=SECRET).handle)
app.router.add_post("/unguarded", SimpleRequestHandler(dispatcher, bot).handle)
app.on_startup.append(register)
web.run_app(app, host="127.0.0.1", port=PORT, print=None)
