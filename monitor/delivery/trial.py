"""A trial of every way to tell: one message through each, and what arrived where, or why not and what to change."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from monitor.config.settings import Settings
from monitor.config.stack import Stack
from monitor.delivery.channel import Sent
from monitor.delivery.entities import Rendered, Span, clean, clip, compose
from monitor.delivery.telegram import TIMEOUT_SECONDS, TelegramChannel, read_target
from monitor.engine.model import DeliveryOutcome

if TYPE_CHECKING:
    from aiogram import Bot

TITLE_UNITS = 80


@dataclass(frozen=True, slots=True)
class Finding:
    """What became of one message."""

    name: str
    """The way, as the configuration names it."""
    has_arrived: bool
    where: str = ""
    """What arrived where."""
    cause: str = ""
    """Why it did not arrive, or not where it should."""
    change: str = ""
    """What to change."""

    @property
    def is_well(self) -> bool:
        return self.has_arrived and not self.change


async def trials(settings: Settings, stack: Stack, now: datetime) -> AsyncIterator[Finding]:
    """Send one message through each way that is configured, one after the other."""
    targets = {f"alerts.chats {chat.name}": chat.chat_id for chat in stack.alerts.chats}
    if not targets and settings.alert_chat_id:
        targets = {"ALERT_CHAT_ID": settings.alert_chat_id}
    if not settings.alert_bot_token:
        for name in targets:
            yield Finding(name, False, cause="there is no bot", change="set ALERT_BOT_TOKEN to the token of BotFather")
    elif not targets:
        change = "set ALERT_CHAT_ID, or alerts.chats in monitor.yaml; /start to the bot in a chat says its id"
        yield Finding("ALERT_BOT_TOKEN", False, cause="there is a bot, and no chat", change=change)
    else:
        async for finding in _of_telegram(settings, targets, _message(stack, now)):
            yield finding
    if settings.fallback_addresses:
        from monitor.delivery.fallback import FallbackChannel

        for number, address in enumerate(settings.fallback_addresses, 1):
            name = f"MONITOR_FALLBACK_URLS {number} ({address.get_secret_value().partition(':')[0]})"
            sent = await FallbackChannel((address,)).send("", _message(stack, now), reply_to=None, is_silent=False)
            if sent.outcome is DeliveryOutcome.DELIVERED:
                yield Finding(name, True, where="the service took it")
            else:
                cause = "no answer in time" if sent.outcome is DeliveryOutcome.AMBIGUOUS else "the service refused it"
                yield Finding(name, False, cause=cause, change="check the address, its password and its rights")


def _message(stack: Stack, now: datetime) -> Rendered:
    at = Span(f"{now:%H:%M} UTC", "date_time", unix_time=int(now.timestamp()), date_time_format="t")
    title = Span(f"🧪 {clip(clean(stack.name), TITLE_UNITS)}: a test", "bold")
    return Rendered(*compose([title, Span("\nNothing is wrong. Alerts arrive here. Sent "), at]))


async def _of_telegram(settings: Settings, targets: dict[str, str], message: Rendered) -> AsyncIterator[Finding]:
    from monitor.delivery import bot_api

    assert settings.alert_bot_token is not None
    channel = TelegramChannel(settings.alert_bot_token, api_url=settings.telegram_api_url)
    bot = bot_api.open_bot(settings.alert_bot_token, settings.telegram_api_url, TIMEOUT_SECONDS)
    try:
        try:
            username = f"@{(await bot.me()).username}"
        except bot_api.BOT_API_ERRORS as error:
            cause = bot_api.read_error(error).sent.detail
            yield Finding("ALERT_BOT_TOKEN", False, cause=cause, change=advice(cause, "the bot", "ALERT_BOT_TOKEN"))
            return
        for name, target in targets.items():
            sent = await channel.send(target, message, reply_to=None, is_silent=False)
            moved = sent.migrated_to
            if moved is not None:
                target = moved
                sent = await channel.send(moved, message, reply_to=None, is_silent=False)
            yield await _finding(bot, name, target, sent, username, has_moved=moved is not None)
    finally:
        await channel.close()
        await bot.session.close()


async def _finding(bot: "Bot", name: str, target: str, sent: Sent, username: str, *, has_moved: bool) -> Finding:
    if sent.outcome is not DeliveryOutcome.DELIVERED:
        cause = sent.detail or sent.outcome.value
        return Finding(name, False, cause=cause, change=advice(cause, username, name))
    place = read_target(target)
    assert place is not None, "it was sent there"
    where = f"message {sent.message_id} in {await _chat(bot, place[0])}"
    if has_moved:
        return Finding(name, True, where, "the group has become a supergroup", f"set the chat id to {target}")
    if sent.detail:
        change = "set the id of a topic that is there and open, or none; /start in the topic says its id"
        return Finding(name, True, where, sent.detail, change)
    return Finding(name, True, where + ("" if place[1] is None else f", topic {place[1]}"))


async def _chat(bot: "Bot", chat_id: int | str) -> str:
    """Return a chat as people know it; by its number where it is not told."""
    from monitor.delivery import bot_api

    try:
        chat = await bot.get_chat(chat_id)
    except bot_api.BOT_API_ERRORS:
        return str(chat_id)
    title = chat.title or " ".join(part for part in (chat.first_name, chat.last_name) if part)
    return f"{clip(clean(title), TITLE_UNITS)} ({chat.type} {chat.id})"


def advice(cause: str, bot: str, setting: str) -> str:
    """Return what to change for a refusal of the Bot API; `bot` is its @name."""
    text = cause.casefold()
    for words, change in (
        (("unauthorized",), "ask BotFather for the bot's token: this one was revoked or mistyped"),
        (("chat not found",), f"check {setting}: add {bot} to the group, or write /start to it first; it says the id"),
        (("can't initiate",), f"write /start to {bot} from that account first"),
        (("blocked by the user", "user is deactivated"), f"unblock {bot} in that account, or take another chat"),
        (("kicked", "not a member"), f"add {bot} to the chat again"),
        (
            ("not enough rights", "have no rights", "need administrator"),
            f"let {bot} write in the chat: its permissions",
        ),
        (("must be <chat id>",), f"check {setting}: /start to {bot} in the chat says its id"),
        (("too many requests",), "wait as long as it says, and try again"),
    ):
        if any(word in text for word in words):
            return change
    if text == "not found":  # what the Bot API answers to a token that never was one
        return "ask BotFather for the bot's token: this one was revoked or mistyped"
    return "is TELEGRAM_API_URL reachable from here, through any firewall? then try again"
