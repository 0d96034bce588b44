"""The operators' bot: who may ask or press, what is answered, and where. It listens to nobody else."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import TYPE_CHECKING

import structlog
from pydantic import SecretStr

from monitor.bot.access import Access, Right, author_of, is_anonymous, person_of
from monitor.bot.answering import Answers, Place
from monitor.bot.asking import Ask, Command, House, Pending
from monitor.bot.buttons import Buttons
from monitor.bot.commands import commands_of
from monitor.bot.lines import said
from monitor.bot.meeting import (
    anonymous_message,
    elsewhere_message,
    hint_message,
    late_message,
    refusal_message,
    stranger_message,
    viewer_message,
)
from monitor.bot.places import Places
from monitor.bot.polling import POLL_SECONDS, REQUEST_SECONDS, Poller
from monitor.delivery.channel import Channel
from monitor.delivery.entities import Rendered
from monitor.store.errors import StoreError
from monitor.verbs import NotDoneError

if TYPE_CHECKING:
    from aiogram import Bot
    from aiogram.types import CallbackQuery, ChatMemberUpdated, Message, Update, User

HANDLE_SECONDS = 30.0
"""One update, commit and answer included."""

LATE = timedelta(minutes=5)
"""A command to do something that is older is not carried out: whoever wrote it has helped themselves by now."""

OtherPress = Callable[[str, int, str], Awaitable[tuple[str, bool] | None]]
"""Given data, user id and name: what is said, and whether it stays until dismissed; None for a button of others."""

log = structlog.get_logger(__name__)


class OperatorsBot:
    """Takes commands and presses for ever."""

    def __init__(
        self,
        token: SecretStr,
        api_url: str,
        house: House,
        channel: Channel,
        places: Places,
        operators: frozenset[int],
        viewers: frozenset[int],
        *,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
        poll_seconds: int = POLL_SECONDS,
        press: OtherPress | None = None,
    ) -> None:
        """`press` takes taps on buttons that belong to no incident, by operators only."""
        # Here and not at the first update: the import takes seconds, in which the loop would stand still.
        from monitor.delivery import bot_api

        self._api = bot_api
        self._bot: Bot = bot_api.open_bot(token, api_url, REQUEST_SECONDS)
        self._now = house.now
        self._proof = house.proof
        self._commands = commands_of(house)
        self._buttons = Buttons(house)
        self._answers = Answers(channel, sleep)
        self._places = places
        self._access = Access(operators, viewers, house.now)
        self._press_other = press
        self._poller = Poller(
            self._bot, self._take, self._introduce, now=house.now, sleep=sleep, poll_seconds=poll_seconds
        )
        self._tasks: asyncio.TaskGroup | None = None

    async def run(self) -> None:
        """Listen until cancelled."""
        try:
            async with asyncio.TaskGroup() as self._tasks:
                await self._poller.run()
        finally:
            await self.close()

    async def close(self) -> None:
        """Close what is open."""
        await self._bot.session.close()

    async def hear_once(self) -> None:
        """Wait for updates once, and return when all is answered. Raises what the Bot API client raises."""
        async with asyncio.TaskGroup() as self._tasks:
            await self._poller.poll_once()

    async def _introduce(self) -> None:
        from aiogram.types import BotCommand

        commands = [BotCommand(command=name, description=command.what) for name, command in self._commands.items()]
        await self._bot.set_my_commands(commands)

    async def _take(self, update: "Update") -> None:
        try:
            async with asyncio.timeout(HANDLE_SECONDS):
                await self._proof()
                if update.message is not None:
                    await self._hear(update.message)
                elif update.callback_query is not None:
                    await self._feel(update.callback_query)
                elif update.my_chat_member is not None:
                    await self._join(update.my_chat_member)
        except Exception as error:  # noqa: BLE001  # the guard of the polling loop
            detail = self._api.read_error(error).sent.detail
            log.warning("bot.update_failed", error=type(error).__name__, detail=detail)

    async def _hear(self, message: "Message") -> None:
        name, words = await self._read(message)
        is_private = message.chat.type == "private"
        if name is None and not is_private:
            return
        person = person_of(message)
        if person is None:
            if is_anonymous(message) and self._access.may_answer_stranger(message.chat.id):
                await self._say(message, anonymous_message())
            return
        if not self._access.rights_of(person.id):
            await self._meet(message, person, name)
        elif not self._access.is_too_fast(person.id, message.chat.id):
            await self._say(message, await self._answer_to(message, person, name, words))

    async def _meet(self, message: "Message", person: "User", name: str | None) -> None:
        is_start = name == "start"
        if self._access.may_answer_stranger(person.id, is_start=is_start):
            ids = stranger_message(person.id, message.chat.id, _topic_of(message))
            await self._say(message, ids if is_start else refusal_message())

    async def _answer_to(
        self, message: "Message", person: "User", name: str | None, words: tuple[str, ...]
    ) -> Rendered | Pending:
        if message.chat.type != "private" and not await self._places.knows(message.chat.id, message.chat.username):
            is_start = name == "start"
            return stranger_message(person.id, message.chat.id, _topic_of(message)) if is_start else elsewhere_message()
        command = self._commands.get(name or "")
        if command is None:
            return hint_message()
        if command.right not in self._access.rights_of(person.id):
            return viewer_message()
        if command.right is Right.OPERATE and self._now() - message.date > LATE:
            return late_message()
        return await self._carry_out(command, message, person, words)

    async def _carry_out(
        self, command: Command, message: "Message", person: "User", words: tuple[str, ...]
    ) -> Rendered | Pending:
        may_act = Right.OPERATE in self._access.rights_of(person.id)
        try:
            return await command.answer(Ask(words, author_of(person), may_act, message.date))
        except NotDoneError as error:
            return said(str(error))
        except StoreError as error:
            log.warning("bot.not_read", error=str(error))
            return said("The monitor's own database does not answer now. /status works without it.")

    async def _read(self, message: "Message") -> tuple[str | None, tuple[str, ...]]:
        """Return the command that is meant for us and the words behind it; None for anything else."""
        words = (message.text or "").split()
        if not words or not words[0].startswith("/"):
            return None, ()
        name, _, addressee = words[0][1:].partition("@")
        me = await self._bot.me()
        if addressee and addressee.casefold() != (me.username or "").casefold():
            return None, ()
        is_ours = bool(addressee) or message.chat.type == "private" or name.casefold() in self._commands
        return (name.casefold(), tuple(words[1:])) if is_ours else (None, ())

    async def _say(self, message: "Message", answer: Rendered | Pending) -> None:
        if self._tasks is None:
            raise RuntimeError("the bot does not run")
        reply_to = None if message.chat.type == "private" else message.message_id
        await self._answers.give(Place(message.chat.id, _topic_of(message), reply_to), answer, self._tasks)

    async def _feel(self, query: "CallbackQuery") -> None:
        answer = "Something went wrong; nothing was changed. Please try again."
        is_alert = True
        try:
            answer, is_alert = await self._pressed(query)
        except NotDoneError as error:
            answer = str(error)
        finally:
            # Always: without an answer the button spins for a minute on the person's screen.
            await self._toast(query, answer, is_alert=is_alert)

    async def _pressed(self, query: "CallbackQuery") -> tuple[str, bool]:
        person, data = query.from_user, query.data or ""
        if self._access.is_too_fast(person.id):
            return "Too fast: please wait a minute.", True
        if person.is_bot or Right.OPERATE not in self._access.rights_of(person.id):
            return f"Only operators may do this. Your user id is {person.id}.", True
        other = None if self._press_other is None else await self._press_other(data, person.id, author_of(person))
        return other or (await self._buttons.press(data, author_of(person)), False)

    async def _toast(self, query: "CallbackQuery", answer: str, *, is_alert: bool) -> None:
        try:
            await query.answer(answer[:200], show_alert=is_alert).as_(self._bot)
        except self._api.BOT_API_ERRORS as error:
            if not self._api.is_too_late(error):
                raise
            # Pressed while we did not listen: Telegram has given up waiting, and what was asked is done.
            log.info("bot.press_answered_late", detail=self._api.read_error(error).sent.detail)

    async def _join(self, change: "ChatMemberUpdated") -> None:
        """Take back a chat that let us in again; say the ids of a new one to the operator who added us."""
        is_in = change.new_chat_member.status in ("member", "administrator")
        log.info("bot.membership", chat=change.chat.id, status=change.new_chat_member.status)
        if not is_in or change.old_chat_member.status in ("member", "administrator"):
            return
        if await self._places.knows(change.chat.id, change.chat.username):
            await self._places.mend(change.chat.id)
        elif self._access.rights_of(change.from_user.id) and change.chat.type != "private" and self._tasks is not None:
            ids = stranger_message(change.from_user.id, change.chat.id)
            await self._answers.give(Place(change.chat.id), ids, self._tasks)


def _topic_of(message: "Message") -> int | None:
    return message.message_thread_id if message.is_topic_message else None
