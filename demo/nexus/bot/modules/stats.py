"""/stats: the numbers of nexus-api."""

from aiogram import Router
from aiogram.filters import Command
from aiogram.types import BotCommand, Message

from demo.nexus.bot.sources import Numbers, SourceError

NAME = "stats"
COMMANDS = (BotCommand(command="stats", description="Nexus in numbers"),)


def build() -> Router:
    """Return a new router."""
    router = Router(name=NAME)
    router.message.register(stats, Command("stats"))
    return router


async def stats(message: Message, numbers: Numbers) -> None:
    """Tell the numbers, or that they cannot be had now."""
    try:
        found = await numbers.read()
    except SourceError as error:
        await message.answer(f"No numbers now: {error}.")
        return
    await message.answer(
        f"People: {found['users']}\nTasks: {found['tasks']}, done: {found['tasks_done']}\n"
        f"Visits: {found['visits']}\nReports: {found['reports']}"
    )
