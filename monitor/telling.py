"""The parts that speak with people, built: the delivery of alerts, the board, the operators' bot."""

from collections.abc import Awaitable, Callable, Coroutine
from contextlib import AsyncExitStack
from datetime import datetime
from typing import TYPE_CHECKING

from monitor.config.rows import heading
from monitor.config.settings import Settings
from monitor.config.stack import Stack
from monitor.delivery.neighbours import Outbox
from monitor.engine.model import Plan
from monitor.line import Line
from monitor.metrics import Metrics
from monitor.store.store import Store
from monitor.verbs import Hands, Verbs

if TYPE_CHECKING:
    from monitor.bot.operators import OtherPress
    from monitor.delivery.channel import Channel

Loops = dict[str, Coroutine[None, None, None]]


def telling_loops(
    settings: Settings,
    stack: Stack,
    plan: Plan,
    line: Line,
    store: Store,
    outbox: Outbox,
    metrics: Metrics,
    probe_now: Callable[[str], object],
    now: Callable[[], datetime],
    opened: AsyncExitStack,
    proof: Callable[[], Awaitable[None]],
    press: "OtherPress | None" = None,
) -> Loops:
    """Return the loops by name; none where nobody can be told. `outbox` hands the messages out.

    What must be closed after the loops is given to `opened`. `proof` returns once it is certain that we lead. `press`
    takes taps on buttons of no incident.

    Raises `UsageError` for a bad fallback address.
    """
    token, addresses = settings.alert_bot_token, settings.fallback_addresses
    if token is None and not addresses:
        return {}
    from monitor.delivery.outbox import Delivery

    channels: dict[str, Channel] = {}
    if addresses:
        # apprise takes its time to import: here, before the loops turn, and only where it is used.
        from monitor.delivery.fallback import FallbackChannel

        channels["apprise"] = FallbackChannel(addresses)
    delivery = Delivery(
        line,
        outbox,
        channels,
        plan,
        now,
        dashboard_url=settings.monitor_url,
        on_attempt=metrics.message_attempt,
    )
    loops: Loops = {}
    if token is not None:
        # The same holds of aiogram, which takes seconds.
        from monitor.bot.asking import House
        from monitor.bot.operators import OperatorsBot
        from monitor.bot.places import Places
        from monitor.delivery.board import BoardKeeper
        from monitor.delivery.digest import DigestKeeper
        from monitor.delivery.telegram import TelegramChannel

        alerts, api_url = stack.alerts, settings.telegram_api_url
        channels["telegram"] = telegram = TelegramChannel(token, api_url=api_url)
        opened.push_async_callback(telegram.close)
        hands = Hands(line.apply, probe_now, lambda: True)  # only the leader runs these loops
        house = House(
            plan,
            lambda: line.state,
            now,
            Verbs(hands, lambda: line.state, now, alerts.time_zone),
            store,
            heading,
            line.subscribe,
            proof,
            settings.monitor_url,
        )
        places = Places(line, plan.chats, outbox.chat_target)
        bot = OperatorsBot(token, api_url, house, telegram, places, alerts.operators, alerts.viewers, press=press)
        opened.push_async_callback(bot.close)
        loops["bot"] = bot.run()
        if alerts.board:
            loops["board"] = BoardKeeper(delivery.desk, store, telegram, plan, title=stack.name).run()
        if alerts.digest:
            loops["digest"] = DigestKeeper(delivery.desk, store, telegram, plan, title=stack.name).run()
    return loops | {"delivery": delivery.run()}
