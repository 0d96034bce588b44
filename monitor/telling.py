"""The parts that speak with people, built: the delivery of alerts, the board, the operators' bot."""

from collections.abc import Callable, Coroutine
from contextlib import AsyncExitStack
from datetime import datetime
from typing import TYPE_CHECKING

from monitor.config.settings import Settings
from monitor.config.stack import Stack
from monitor.delivery.neighbours import Outbox
from monitor.engine.model import Plan
from monitor.line import Line
from monitor.metrics import Metrics
from monitor.store.store import Store

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
    press: "OtherPress | None" = None,
) -> Loops:
    """Return the loops by name; none where nobody can be told. `outbox` hands the messages out.

    What must be closed after the loops is given to `opened`. `press` takes taps on buttons of no incident.

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
        from monitor.bot.operators import OperatorsBot
        from monitor.delivery.board import BoardKeeper
        from monitor.delivery.telegram import TelegramChannel

        alerts, api_url = stack.alerts, settings.telegram_api_url
        channels["telegram"] = telegram = TelegramChannel(token, api_url=api_url)
        opened.push_async_callback(telegram.close)
        bot = OperatorsBot(
            token, api_url, line, plan, alerts.operators, alerts.viewers, probe_now, now=now, press=press
        )
        opened.push_async_callback(bot.close)
        loops["bot"] = bot.run()
        if alerts.board:
            loops["board"] = BoardKeeper(delivery.desk, store, telegram, plan, title=stack.name).run()
    return loops | {"delivery": delivery.run()}
