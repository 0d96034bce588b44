"""The operators' bot: takes commands and button presses by long polling, with the alert bot's own token."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import TYPE_CHECKING

import structlog
from pydantic import SecretStr

from monitor.bot.access import Access, Right
from monitor.bot.buttons import Buttons, ProbeNow
from monitor.bot.commands import (
    COMMANDS,
    help_message,
    incidents_message,
    refusal_message,
    status_message,
    stranger_message,
)
from monitor.delivery.entities import Rendered
from monitor.delivery.neighbours import Line
from monitor.delivery.pace import backoff_seconds
from monitor.engine.model import Plan

if TYPE_CHECKING:
    from aiogram import Bot, Dispatcher
    from aiogram.types import CallbackQuery, Message, Update, User

POLL_SECONDS = 20
"""How long Telegram holds a poll without news."""

REQUEST_SECONDS = 15.0
"""One exchange; a poll may take this on top."""

HANDLE_SECONDS = 30.0
"""One update, commit and answer included."""

ALLOWED_UPDATES = ["message", "callback_query"]
"""Nothing else is asked for: no channel posts, no edits, no guests."""

OtherPress = Callable[[str, int, str], Awaitable[tuple[str, bool] | None]]
"""Given data, user id and name: what is said, and whether it stays until dismissed; None for a button of others."""

log = structlog.get_logger(__name__)


class OperatorsBot:
    """Polls for ever: Telegram away, a second poller or a handler that fails only make it wait."""

    def __init__(
        self,
        token: SecretStr,
        api_url: str,
        line: Line,
        plan: Plan,
        operators: frozenset[int],
        viewers: frozenset[int],
        probe_now: ProbeNow,
        *,
        now: Callable[[], datetime],
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
        poll_seconds: int = POLL_SECONDS,
        press: OtherPress | None = None,
    ) -> None:
        """`press` takes taps on buttons that belong to no incident, by operators only."""
        # Here and not at the first update: the import takes seconds, in which the loop would stand still.
        from monitor.delivery import bot_api

        self._api = bot_api
        self._bot: Bot = bot_api.open_bot(token, api_url, REQUEST_SECONDS)
        self._line = line
        self._plan = plan
        self._access = Access(operators, viewers, now)
        self._buttons = Buttons(line, now, probe_now)
        self._press_other = press
        self._now = now
        self._sleep = sleep
        self._poll_seconds = poll_seconds
        self._dispatcher = self._make_dispatcher()
        self._next_update_id: int | None = None

    async def run(self) -> None:
        """Poll until cancelled."""
        failures = 0
        has_commands = False
        try:
            while True:
                try:
                    has_commands = has_commands or await self._set_commands()
                    await self.poll_once()
                except self._api.BOT_API_ERRORS as error:
                    failures += 1
                    sent = self._api.read_error(error).sent
                    wait = sent.retry_after_seconds or backoff_seconds(failures, "operators' bot")
                    write = log.warning if failures in (1, 10) else log.debug
                    write("bot.poll_failed", detail=sent.detail, failures=failures)
                    await self._sleep(wait)
                else:
                    if failures:
                        log.info("bot.poll_recovered", failures=failures)
                    failures = 0
        finally:
            await self.close()

    async def close(self) -> None:
        """Close what is open."""
        await self._bot.session.close()

    async def poll_once(self) -> None:
        """Wait for updates once, and handle them in order. Raises what the Bot API client raises."""
        updates = await self._bot.get_updates(
            offset=self._next_update_id,
            timeout=self._poll_seconds,
            allowed_updates=ALLOWED_UPDATES,
            request_timeout=self._poll_seconds + int(REQUEST_SECONDS),
        )
        for update in updates:
            # Moved on first: an update that cannot be handled must not come again and again.
            self._next_update_id = update.update_id + 1
            await self._handle(update)

    async def _handle(self, update: "Update") -> None:
        try:
            async with asyncio.timeout(HANDLE_SECONDS):
                await self._dispatcher.feed_update(self._bot, update)
        except Exception as error:  # noqa: BLE001  # the guard of the polling loop
            detail = self._api.read_error(error).sent.detail
            log.warning("bot.update_failed", error=type(error).__name__, detail=detail)

    async def _set_commands(self) -> bool:
        from aiogram.types import BotCommand

        commands = [BotCommand(command=command, description=what) for command, what in COMMANDS.items()]
        return await self._bot.set_my_commands(commands)

    def _make_dispatcher(self) -> "Dispatcher":
        from aiogram import Dispatcher
        from aiogram.filters import Command, CommandStart

        dispatcher = Dispatcher()
        dispatcher.message.register(self._on_start, CommandStart())
        dispatcher.message.register(self._on_status, Command("status"))
        dispatcher.message.register(self._on_incidents, Command("incidents"))
        dispatcher.message.register(self._on_help, Command("help"))
        dispatcher.callback_query.register(self._on_press)
        return dispatcher

    async def _on_start(self, message: "Message") -> None:
        person = person_of(message)
        if person is None:
            return
        if not self._access.rights_of(person.id):
            if self._access.may_answer_stranger(person.id):
                await self._answer(message, stranger_message(person.id, message.chat.id))
            return
        await self._answer_if_allowed(message, help_message)

    async def _on_status(self, message: "Message") -> None:
        await self._answer_if_allowed(message, lambda: status_message(self._plan, self._line.state, self._now()))

    async def _on_incidents(self, message: "Message") -> None:
        await self._answer_if_allowed(message, lambda: incidents_message(self._plan, self._line.state, self._now()))

    async def _on_help(self, message: "Message") -> None:
        await self._answer_if_allowed(message, help_message)

    async def _answer_if_allowed(self, message: "Message", make: Callable[[], Rendered]) -> None:
        person = person_of(message)
        if person is None:
            return
        if Right.VIEW not in self._access.rights_of(person.id):
            if self._access.may_answer_stranger(person.id):
                await self._answer(message, refusal_message())
            return
        if not self._access.is_too_fast(person.id):
            await self._answer(message, make())

    async def _answer(self, message: "Message", rendered: Rendered) -> None:
        await message.answer(
            rendered.text,
            entities=self._api.entities_of(rendered),
            parse_mode=None,
            disable_notification=True,
        )

    async def _on_press(self, query: "CallbackQuery") -> None:
        answer = "Something went wrong; nothing was changed. Please try again."
        is_alert = True
        try:
            if query.from_user.is_bot or Right.OPERATE not in self._access.rights_of(query.from_user.id):
                answer = f"Only operators may do this. Your user id is {query.from_user.id}."
            elif self._access.is_too_fast(query.from_user.id):
                answer = "Too fast: please wait a minute."
            else:
                answer, is_alert = await self._pressed(query.data or "", query.from_user)
        finally:
            # Always: without an answer the button spins for a minute on the person's screen.
            await query.answer(answer, show_alert=is_alert)

    async def _pressed(self, data: str, person: "User") -> tuple[str, bool]:
        other = None if self._press_other is None else await self._press_other(data, person.id, author_of(person))
        return other or (await self._buttons.press(data, author_of(person)), False)


def author_of(user: "User") -> str:
    """Return how a person is written in the timeline: a name to read, and the id that is the truth."""
    name = f"@{user.username}" if user.username else user.full_name
    return f"{name} ({user.id})"


def person_of(message: "Message") -> "User | None":
    """Return who wrote a command, if it is a person who says so now.

    Not: another bot, an anonymous admin or a channel (anyone could stand behind it), a forwarded command.
    """
    sender = message.from_user
    if sender is None or sender.is_bot or message.sender_chat is not None:
        return None
    if message.forward_origin is not None or message.via_bot is not None:
        return None
    return sender
