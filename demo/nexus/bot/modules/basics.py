"""/start, /help and /ping."""

from aiogram import Router
from aiogram.filters import Command, CommandObject, CommandStart
from aiogram.types import BotCommand, InlineKeyboardButton, InlineKeyboardMarkup, Message, WebAppInfo

from demo.nexus.flaws import Flaw, has

NAME = "basics"
COMMANDS = (
    BotCommand(command="start", description="Say hello"),
    BotCommand(command="help", description="What I can do"),
    BotCommand(command="ping", description="Am I there?"),
)


def build() -> Router:
    """Return a new router."""
    router = Router(name=NAME)
    router.message.register(start, CommandStart())
    router.message.register(show_help, Command("help"))
    router.message.register(ping, Command("ping"))
    return router


async def start(message: Message, miniapp_url: str) -> None:
    """Greet, with a button that opens the Mini App (Telegram takes such buttons in private chats alone)."""
    name = message.from_user.first_name if message.from_user else "friend"
    button = InlineKeyboardButton(text="Open Nexus", web_app=WebAppInfo(url=miniapp_url))
    keyboard = InlineKeyboardMarkup(inline_keyboard=[[button]]) if message.chat.type == "private" else None
    await message.answer(f"Hello, {name}! I am Nexus. /help says what I can do.", reply_markup=keyboard)


async def show_help(message: Message, commands: tuple[BotCommand, ...]) -> None:
    """List the commands of every module."""
    if has(Flaw.HANDLER_RAISES):
        raise LookupError("a word that nobody translated")
    if has(Flaw.HANDLER_SILENT):
        return
    await message.answer("\n".join(f"/{command.command} – {command.description}" for command in commands))


async def ping(message: Message, command: CommandObject) -> None:
    """Answer `pong` and what was given, so that a probe knows its own answer."""
    await message.answer(f"pong {command.args[:64]}" if command.args else "pong")
