"""The loop of delivery: takes what was committed, sends it, and tells the line what became of it."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, timedelta
from functools import partial

from monitor.delivery.cards import Cards
from monitor.delivery.channel import Channel
from monitor.delivery.desk import Desk, OnAttempt, guarded
from monitor.delivery.neighbours import Changes, Line, Outbox
from monitor.delivery.sending import Sending
from monitor.engine.model import Plan

POLL_SECONDS = 1.0
"""How long the loop rests when nothing changes: rows become due, pauses end, cards may be edited again."""


class Delivery:
    """Works off the outbox and keeps the cards true; one attempt in flight for each chat."""

    def __init__(
        self,
        line: Line,
        rows: Outbox,
        channels: Mapping[str, Channel],
        plan: Plan,
        now: Callable[[], datetime],
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
        *,
        dashboard_url: str | None = None,
        on_attempt: OnAttempt | None = None,
    ) -> None:
        self.desk = desk = Desk(
            line, rows, channels, plan, now, sleep, dashboard_url=dashboard_url, on_attempt=on_attempt
        )
        self._line = line
        self._rows = rows
        self._now = now
        self._sending = Sending(desk)
        self._cards = Cards(desk)
        self._busy: dict[str, str] = {}
        """Chat in flight, and what is on its way to it."""
        self._wake = asyncio.Event()

    async def run(self) -> None:
        """Deliver until cancelled. Nothing that goes wrong ends it."""
        async with asyncio.TaskGroup() as tasks:
            with self._line.subscribe() as changes:
                tasks.create_task(self._watch(changes), name="delivery.watch")
                while True:
                    await guarded("delivery.pass_failed", lambda: self._start_due(tasks))
                    await self._rest()

    async def deliver_due(self) -> None:
        """Deliver what is due now, one thing for each chat, and return when nothing is in flight."""
        async with asyncio.TaskGroup() as tasks:
            await self._start_due(tasks)

    async def _start_due(self, tasks: asyncio.TaskGroup) -> None:
        while (row := await self._rows.claim_message(self._now())) is not None:
            in_flight = self._busy.get(row.chat_id)
            if in_flight is None:
                self._start(tasks, row.chat_id, row.key, partial(self._sending.deliver, row))
            elif in_flight != row.key:
                due_at = self._now() + timedelta(seconds=POLL_SECONDS)
                await self._rows.release_message(row.key, row.lease_token, due_at, "", is_counted=False)
        for row in await self._rows.doubtful_messages(self._now()):
            if self._busy.get(row.chat_id) != row.key:
                await self._sending.admit(row)
        for key in self._cards.due(self._busy):
            self._start(tasks, key[1], f"card of {key[0]}", partial(self._cards.edit, key))

    def _start(self, tasks: asyncio.TaskGroup, chat_id: str, what: str, call: Callable[[], Awaitable[None]]) -> None:
        self._busy[chat_id] = what
        tasks.create_task(self._one(chat_id, what, call), name=f"delivery.{chat_id}")

    async def _one(self, chat_id: str, what: str, call: Callable[[], Awaitable[None]]) -> None:
        try:
            await guarded("delivery.attempt_failed", call, chat=chat_id, what=what)
        finally:
            del self._busy[chat_id]
            self._wake.set()

    async def _watch(self, changes: Changes) -> None:
        while True:
            await changes.wait()
            self._wake.set()

    async def _rest(self) -> None:
        try:
            async with asyncio.timeout(POLL_SECONDS):
                await self._wake.wait()
        except TimeoutError:
            pass
        self._wake.clear()
