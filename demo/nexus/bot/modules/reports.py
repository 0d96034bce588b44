"""/report: a Celery task is enqueued, and its result told in the chat."""

from aiogram import Router
from aiogram.filters import Command
from aiogram.types import BotCommand, Message

from demo.nexus.bot.sources import Reports, SourceError

NAME = "reports"
COMMANDS = (BotCommand(command="report", description="Make a report"),)


def build() -> Router:
    """Return a new router."""
    router = Router(name=NAME)
    router.message.register(report, Command("report"))
    return router


async def report(message: Message, reports: Reports) -> None:
    """Say that the report is being made, then put it in the place of that message."""
    try:
        task_id = await reports.enqueue()
    except SourceError as error:
        await message.answer(f"No report now: {error}.")
        return
    waiting = await message.answer("Your report is being made…")
    try:
        found = await reports.wait(task_id)
    except SourceError as error:
        await waiting.edit_text(f"No report: {error}.")
        return
    await waiting.edit_text(
        f"Report {found['number']}\nPeople: {found['users']}\nTasks: {found['tasks']}, done: {found['tasks_done']}"
    )
